/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Registers a backend that the library does not have, and uses all that belongs to the processor: runs a program,
 * throws from a C function that the program calls, walks from there. Prints "ok", or what went wrong.
 *
 *     main:     r0 = look(); r0 = fail(r0); exit        (main is a boundary: fail() throws)
 *     callback: r0 = cookie + 1; exit
 */

#include <inttypes.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct jf_backend BACKEND;

static void expect(bool holds, const char *what)
{
	if (holds)
		return;
	printf("not so: %s\n", what);
	exit(1);
}

/* The walk of jf_walk_here(): this function, main of the program, the stub through which C entered it. */
static bool walk_finds_main(void)
{
	bool found = false, first = true;
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);
	const struct jf_walk_frame *frame = jf_walk_at(&walk);

	while (status == JF_OK) {
		/* A walk begins at the caller of jf_walk_here(), which is in no library. */
		if (first && strstr(frame->name ? frame->name : "", "libjitframe"))
			break;
		first = false;
		found |= frame->range && frame->range->kind == JF_RANGE_BOUNDARY;
		status = jf_walk_step(&walk);
	}
	jf_walk_end(&walk);
	return status == JF_END && found;
}

static bool count_frame(void *cookie, uint64_t ip, uint64_t sp, uint64_t fp)
{
	(void)ip;
	(void)sp;
	(void)fp;
	++*(unsigned int *)cookie;
	return true;
}

static uint64_t look(void)
{
	unsigned int frames = 0;

	expect(walk_finds_main(), "jf_walk_here() finds the program");
	expect(jf_bpf_stack_walk(count_frame, &frames) == JF_END && frames > 3, "jf_bpf_stack_walk() goes to the end");
	return 41;
}

static uint64_t fail(uint64_t cookie)
{
	expect(jf_throw(cookie) == JF_OK, "the throw does not come back");
	return 0;
}

static uint64_t fail_in_c(void *cookie)
{
	return fail(*(uint64_t *)cookie);
}

static void catch_in_c(void)
{
	uint64_t cookie = 5, value = 0;

	expect(jf_try(fail_in_c, &cookie, &value) == JF_CAUGHT && value == cookie, "jf_try() catches");
}

static const struct jf_insn main_insns[] = {
	{0x85, 0x00, 0, 0}, /* call helper 0: look */
	{0xbf, 0x01, 0, 0}, /* r1 = r0 */
	{0x85, 0x00, 0, 1}, /* call helper 1: fail */
	{0x95, 0x00, 0, 0}, /* exit */
};
static const struct jf_insn callback_insns[] = {
	{0xbf, 0x10, 0, 0}, /* r0 = r1 */
	{0x07, 0x00, 0, 1}, /* r0 += 1 */
	{0x95, 0x00, 0, 0}, /* exit */
};

static uint64_t run(const struct jf_convention *conv)
{
	const struct jf_function functions[] = {{"main", main_insns, 4}, {"callback", callback_insns, 3}};
	const struct jf_import helpers[] = {
		{.name = "look", .address = (uintptr_t)look},
		{.name = "fail", .address = (uintptr_t)fail, .throws = true},
	};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = functions,
					   .function_count = 2,
					   .callback = 1,
					   .helpers = helpers,
					   .helper_count = 2};
	struct jf_loaded *loaded;
	struct jf_error error;
	uint64_t result;

	if (jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		printf("%s: %s: %s\n", jf_status_name(error.status), error.where, error.text);
		exit(1);
	}
	result = jf_run(loaded, 0);
	jf_unload(loaded);
	return result;
}

int main(void)
{
	const struct jf_convention *conv;
	struct jf_error error;
	char target[64];

	expect(!jf_backend_find(BACKEND.name) && !jf_backend_host(), "the library has no such backend");
	expect(jf_throw(1) == JF_E_UNSUPPORTED, "nobody can throw yet");
	if (jf_backend_register(&BACKEND, &error) != JF_OK) {
		printf("%s: %s\n", error.where, error.text);
		return 1;
	}
	expect(jf_thread_init() == JF_OK, "the stack's bounds are known");
	snprintf(target, sizeof(target), "%s/user", BACKEND.name);
	expect(jf_convention_find(target, &conv, NULL) == JF_OK, "the convention is there");
	expect(run(conv) == 42, "the callback's result is main's");
	catch_in_c();
	printf("ok: %s, a backend from outside, runs, walks, throws and catches\n", BACKEND.name);
	return 0;
}
