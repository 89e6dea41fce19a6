/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What jitframe refuses in a thread that has a shadow stack. No processor with one is needed: this program answers the
 * library's question itself. TAP.
 */

#include "thrower.h"

#include "../support/load_functions.h"
#include "walk/shadow_stack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static __thread const char *remedy;
static __thread bool is_walking;
static unsigned int frames;

/* A profiler's walk from within the throw, which leaves memos of every frame behind. */
static void walk_all(void)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	for (frames = 0; status == JF_OK; frames++)
		status = jf_walk_step(&walk);
	jf_walk_end(&walk);
}

const char *__wrap_jf_walk_shadow_stack(void);
const char *__wrap_jf_walk_shadow_stack(void)
{
	if (remedy && !is_walking) {
		is_walking = true;
		walk_all();
		is_walking = false;
	}
	return remedy;
}

/* ---- programs ----------------------------------------------------------------------------------------- */

static struct jf_loaded *thrower;
static volatile uint64_t unknown;

static uint64_t throw_it(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie) + unknown;
}

static struct jf_loaded *load(const struct jf_insn *insns, uint32_t count, struct jf_error *error)
{
	const struct jf_function function = {"main", insns, count};
	const struct jf_import kfunc = {.name = "kfunc", .address = (uintptr_t)throw_it, .throws = true};

	return load_functions(&function, 1, &kfunc, NULL, error);
}

/* ---- tests -------------------------------------------------------------------------------------------- */

static bool load_refused(void)
{
	static const struct jf_insn throws[] = {{0x85, 0x20, 0, 0}, {0x95, 0, 0, 0}};
	struct jf_error error = {0};

	return !load(throws, 2, &error) && error.status == JF_E_UNSUPPORTED && strstr(error.text, remedy);
}

static bool load_without_throws(void)
{
	static const struct jf_insn returns[] = {{0xb7, 0, 0, 7}, {0x95, 0, 0, 0}};
	struct jf_error error = {0};
	struct jf_loaded *loaded = load(returns, 2, &error);
	bool good = loaded && jf_run(loaded, 0) == 7;

	jf_unload(loaded);
	return good;
}

/* The program was loaded by a thread that has none. */
static bool throw_refused(void)
{
	for (unsigned int i = 0; i < 3; i++)
		if (jf_run(thrower, 55) != (uint64_t)JF_E_UNSUPPORTED || frames < 3)
			return false;
	return true;
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{"a program that throws is not loaded, and the text has the remedy", load_refused},
	{"a program that does not throw is loaded and runs", load_without_throws},
	{"a throw of a program that another thread loaded returns a status", throw_refused},
};
#define COUNT (sizeof(tests) / sizeof(tests[0]))

static void *with_shadow_stack(void *arg)
{
	size_t *good = arg;

	remedy = "SOME_VARIABLE=off";
	if (jf_thread_init() != JF_OK)
		return NULL;
	for (size_t i = 0; i < COUNT; i++) {
		bool ok = tests[i].run();

		*good += ok;
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	return NULL;
}

int main(void)
{
	size_t good = 0;
	pthread_t thread;
	bool ok;

	thrower = thrower_load(throw_it);
	printf("1..%zu\n", COUNT + 1);
	if (pthread_create(&thread, NULL, with_shadow_stack, &good) || pthread_join(thread, NULL))
		return 1;
	ok = jf_run(thrower, 55) == 55 && jf_run(thrower, 56) == 56;
	printf("%sok %zu - a thread without a shadow stack throws\n", ok ? "" : "not ", COUNT + 1);
	jf_unload(thrower);
	return good == COUNT && ok ? 0 : 1;
}
