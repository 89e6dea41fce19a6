/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a walk costs per frame, from one place of a stack to its end: through BPF functions that all differ, through one
 * that calls itself, and through C code compiled without frame pointers. Whoever walks the same frames is measured at
 * the same place in turn; the frames of BPF code are published before, as CFI and to libunwind.
 */

#include "walk.h"
#include "host.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT 20

static walker unw_backtrace_walk, unw_step_walk;
static size_t depth;

static void repeat(void *arg)
{
	walker walk;

	memcpy(&walk, arg, sizeof(walk));
	for (unsigned int i = 0; i < REPEAT; i++)
		walk();
}

/* Rounds are few where the stack is deep: each side walks REPEAT times a turn. */
static uint64_t measure_here(uint64_t arg)
{
	const struct {
		const char *who;
		walker walk;
	} all[] = {
		{"jitframe", walk_jitframe},
		{"libunwind, unw_backtrace", unw_backtrace_walk},
		{"libunwind, unw_step", unw_step_walk},
		{"libgcc, _Unwind_Backtrace", walk_libgcc},
		{"cached rules alone", walk_cached_rule},
	};
	struct bench_side sides[COUNT(all)];

	walk_cached_rule_prepare();
	for (unsigned int i = 0; i < COUNT(all); i++) {
		unsigned int frames = all[i].walk ? all[i].walk() : 0;

		/* A walker that stops early does less: it is no peer. */
		sides[i] = (struct bench_side){all[i].who, frames >= depth ? repeat : NULL,
					       (void *)(uintptr_t)&all[i].walk, REPEAT * (double)frames};
		if (all[i].walk && frames < depth)
			bench_missing("%s: walks %u of %zu frames", all[i].who, frames, depth);
	}
	bench_turns_at(depth, sides, COUNT(sides));
	return arg;
}

/* Each function keeps something in r6 over its call of the next; the last one, number `count`, calls kfunc 0. */
static struct jf_loaded *load_chain(size_t count, bool itself)
{
	struct jf_insn(*insns)[8] = calloc(count, sizeof(*insns));
	struct jf_function *functions = calloc(count, sizeof(*functions));

	if (!insns || !functions)
		bench_fail("no memory");
	for (size_t i = 0; i < count; i++) {
		const struct jf_insn body[] = {
			{0xbf, 0x16, 0, 0}, /* r6 = r1 */
			{0x17, 0x01, 0, 1}, /* r1 -= 1 */
			{0x55, 0x01, 2, 0}, /* if r1 != 0 goto call */
			{0x85, 0x20, 0, 0}, /* call kfunc 0 */
			{0x05, 0x00, 1, 0}, /* goto end */
			{0x85, 0x10, 0, (int32_t)(itself && i ? i : (i + 1) % count)},
			{0x0f, 0x60, 0, 0}, /* r0 += r6 */
			{0x95, 0x00, 0, 0}, /* exit */
		};

		memcpy(insns[i], body, sizeof(body));
		functions[i] = (struct jf_function){"link", insns[i], COUNT(body)};
	}
	return host_load(functions, (uint32_t)count, false, (uintptr_t)measure_here);
}

static void measure_bpf(const char *title, bool itself)
{
	static const size_t depths[] = {32, 100, 320, 1000};

	bench_table(title, "frames", "ns per frame");
	for (unsigned int i = 0; i < bench_size(COUNT(depths), 1); i++) {
		struct jf_loaded *chain = load_chain(itself ? 2 : depths[i], itself);

		depth = depths[i];
		jf_run(chain, depth);
		if (jf_unload(chain) != JF_OK)
			bench_fail("a program does not unload");
	}
}

static void measure_c(void)
{
	static const size_t depths[] = {32, 100, 320, 1000};

	bench_table("C frames, without frame pointers", "frames", "ns per frame");
	for (unsigned int i = 0; i < bench_size(COUNT(depths), 1); i++) {
		depth = depths[i];
		walk_down((unsigned int)depth, measure_here, 0);
	}
}

int main(int argc, char **argv)
{
	struct jf_error error;

	bench_begin(argc, argv, "walk");
	walk_libunwind(&unw_backtrace_walk, &unw_step_walk);
	if (jf_thread_init() != JF_OK || jf_cfi_load_objects(NULL) != JF_OK)
		bench_fail("the thread cannot be set up");
	if (jf_publish_start(JF_PUBLISH_CFI, &error) != JF_OK)
		bench_missing("libgcc, in BPF frames: %s", error.text);
	if (unw_step_walk && jf_publish_start(JF_PUBLISH_LIBUNWIND, &error) != JF_OK)
		bench_missing("libunwind, told of BPF frames: %s", error.text);
	measure_bpf("BPF functions that all differ", false);
	measure_bpf("A BPF function that calls itself", true);
	measure_c();
	return bench_end();
}
