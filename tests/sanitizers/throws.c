/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Throws through C frames that a sanitizer knows of, and what the sanitizer says of the C code that runs afterwards.
 * A report ends the program. The program is built once for each sanitizer and compiler.
 */

#include "thrower.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sanitizers' own questions; NULL where the program is built without that sanitizer. */
__attribute__((weak)) int __asan_address_is_poisoned(const volatile void *address);
__attribute__((weak)) void *__asan_get_current_fake_stack(void);
__attribute__((weak)) void *__asan_addr_is_in_fake_stack(void *stack, void *address, void **begin, void **end);
__attribute__((weak)) uintptr_t __tsan_testonly_shadow_stack_current_size(void);

#define THROWS 12000 /* times FRAMES: more calls than the thread sanitizer's stack of calls has room for, 65,536 */
#define FRAMES 8

static struct jf_loaded *through_arrays, *through_program;

/* Clang keeps the locals of a function with inline assembly on the stack: what else would do with a value. */
static __thread const void *volatile somewhere;
static volatile uint64_t unknown;

/* Arrays whose address gets away: the address sanitizer poisons the stack on both sides of each. */
static __attribute__((noinline)) uint64_t down(uint64_t frames, uint64_t cookie)
{
	char small[24], large[200];
	uint64_t result;

	memset(small, (int)frames, sizeof(small));
	memset(large, (int)frames, sizeof(large));
	somewhere = small;
	somewhere = large;
	result = frames > 1 ? down(frames - 1, cookie) : (uint64_t)jf_throw(cookie);
	return result + unknown;
}

static uint64_t throw_deep(uint64_t cookie)
{
	return down(FRAMES, cookie) + unknown;
}

/* A program in a program: the inner throw ends in the inner one, the outer throw goes on from there. */
static uint64_t throw_twice(uint64_t cookie)
{
	uint64_t result = jf_run(through_arrays, cookie + 1);

	return result == cookie + 1 ? down(FRAMES, cookie) + unknown : 0;
}

/* Uses as much of the stack as the throw has left, in other pieces. */
static __attribute__((noinline)) bool use_stack(int value)
{
	char bytes[4096];
	bool ok = true;

	memset(bytes, value, sizeof(bytes));
	somewhere = bytes;
	for (size_t i = 0; i < sizeof(bytes); i += 64)
		ok = ok && bytes[i] == (char)value;
	return ok;
}

/* ---- tests ------------------------------------------------------------------------------------------ */

static bool throw_often(const struct jf_loaded *loaded, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		if (jf_run(loaded, i) != i || !use_stack((int)i & 127))
			return false;
	return true;
}

static bool many_throws(void)
{
	return throw_often(through_arrays, THROWS);
}

static bool nested_throws(void)
{
	return throw_often(through_program, THROWS / 2);
}

/* Rows that are looked up, not remembered: an observer sees to that. */
static void observe(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	(void)arg;
	(void)cookie;
	(void)walk;
}

static bool slow_throws(void)
{
	static const struct jf_throw_observer observer = {.size = sizeof(observer), .call = observe};
	bool ok;

	ok = jf_throw_observer_set(&observer, NULL) == JF_OK && throw_often(through_program, THROWS / 16);
	return jf_throw_observer_set(NULL, NULL) == JF_OK && ok;
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	handled = throw_often(through_program, 100) ? 1 : -1;
}

static bool on_alternate_stack(void)
{
	const size_t bytes = 1 << 18;
	stack_t alternate = {.ss_sp = malloc(bytes), .ss_size = bytes}, none = {.ss_flags = SS_DISABLE}, before;
	struct sigaction action = {.sa_flags = SA_ONSTACK};
	bool ok;

	action.sa_handler = on_signal;
	ok = alternate.ss_sp && !sigaltstack(&alternate, &before) && !sigaction(SIGUSR1, &action, NULL) &&
	     !raise(SIGUSR1) && handled == 1;
	sigaltstack(before.ss_flags & SS_DISABLE ? &none : &before, NULL);
	free(alternate.ss_sp);
	return ok && throw_often(through_arrays, 100);
}

static void *thread(void *arg)
{
	*(bool *)arg = throw_often(through_program, 500);
	return NULL;
}

static bool threads(void)
{
	pthread_t ids[3];
	bool ok[3] = {false};

	for (int i = 0; i < 3; i++)
		if (pthread_create(&ids[i], NULL, thread, &ok[i]))
			exit(1);
	for (int i = 0; i < 3; i++)
		pthread_join(ids[i], NULL);
	return ok[0] && ok[1] && ok[2];
}

/* What the sanitizer knew of the frames that stay is known after the throw. This frame is as large as down()'s. */
static __attribute__((noinline)) bool frames_that_stay(void)
{
	uintptr_t calls = __tsan_testonly_shadow_stack_current_size ? __tsan_testonly_shadow_stack_current_size() : 0;
	void *fake = __asan_get_current_fake_stack ? __asan_get_current_fake_stack() : NULL;
	char small[24], large[200];

	somewhere = small;
	somewhere = large;
	if (!throw_often(through_arrays, 10))
		return false;
	if (__tsan_testonly_shadow_stack_current_size && __tsan_testonly_shadow_stack_current_size() != calls)
		return false;
	if (fake) /* has room for such frames */
		return __asan_addr_is_in_fake_stack(fake, large, NULL, NULL);
	return !__asan_address_is_poisoned || __asan_address_is_poisoned(large + sizeof(large));
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	/* First, as long as there is room for copies of locals: once after a throw the address sanitizer frees the
	 * copies of frames below the one that wants a copy next. A large next frame is below them, and they stay. */
	{"frames that stay are as they were", frames_that_stay},
	{"many throws through C frames with arrays", many_throws},
	{"throws of a program in a program", nested_throws},
	{"throws that look every row up", slow_throws},
	{"throws on an alternate signal stack", on_alternate_stack},
	{"throws of several threads", threads},
};

int main(void)
{
	size_t count = sizeof(tests) / sizeof(tests[0]), good = 0;

	through_arrays = thrower_load(throw_deep);
	through_program = thrower_load(throw_twice);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		bool ok = tests[i].run();

		good += ok;
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
		fflush(stdout);
	}
	jf_unload(through_arrays);
	jf_unload(through_program);
	return good == count ? 0 : 1;
}
