/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_branches.h"

#include <stdlib.h>

/* Branches whose distance decides about their own size and about that of others. */

/* ja over n instructions of 2 bytes: short up to 126 bytes, then long. */
Test(compile_branches, the_short_form_is_used_as_far_as_it_reaches)
{
	for (uint32_t n = 1; n < 80; n++) {
		struct jf_insn insns[100] = {MOV_X(0, 1), JA(n)};
		struct run *run;

		for (uint32_t i = 0; i < n; i++)
			insns[2 + i] = (struct jf_insn)ADD_X(0, 0);
		insns[2 + n] = (struct jf_insn)EXIT;
		run = branches_run(insns, n + 3);
		CHECK(branches_size(run, 1) == (2 * n <= TOY_SHORT_REACH ? 2 : 6), "over %u: %u bytes", n,
		      branches_size(run, 1));
		CHECK(run_call(run, 7, 0) == 7, "over %u", n);
		run_free(run);
	}
}

/* The same backwards: exact in the first pass already. */
Test(compile_branches, backwards)
{
	for (uint32_t n = 1; n < 80; n++) {
		struct jf_insn insns[100] = {MOV_K(0, 0)};
		struct run *run;

		for (uint32_t i = 0; i < n; i++)
			insns[1 + i] = (struct jf_insn)ADD_X(0, 1);
		insns[1 + n] = (struct jf_insn)ALU64_X(SUB, 1, 2);
		insns[2 + n] = (struct jf_insn)J_X(JNE, 1, 3, -(int)n - 2);
		insns[3 + n] = (struct jf_insn)EXIT;
		run = branches_run(insns, n + 4);
		/* the compare, then from its end back over n + 1 instructions, the compare and the branch */
		CHECK(branches_size(run, n + 2) == (2 * n + 6 <= TOY_SHORT_REACH ? 4 : 8), "over %u: %u bytes", n,
		      branches_size(run, n + 2));
		toy_sim_init(&run->sim, run->code, run->image->size_bytes, RUN_ADDRESS, RUN_ADDRESS);
		toy_sim_set(&run->sim, TOY_A1, 3);
		toy_sim_set(&run->sim, TOY_A2, 1);
		toy_sim_set(&run->sim, TOY_A3, 0);
		CHECK(run_go(run) == (3 + 2 + 1) * n, "over %u", n);
		CHECK(run->image->passes <= 2, "%u passes", run->image->passes);
		run_free(run);
	}
}

/*
 * A chain: branch i jumps over branch i + 1 and so on, each just in reach while those inside are short.
 * The innermost one is too far away, so each pass makes one more of them long.
 */
#define CHAIN 20

Test(compile_branches, growth_that_makes_others_grow)
{
	struct jf_insn insns[1000];
	uint32_t count = 0, outer[CHAIN];
	struct run *run;

	insns[count++] = (struct jf_insn)MOV_X(0, 1);
	for (unsigned int i = 0; i < CHAIN; i++) {
		outer[i] = count;
		insns[count++] = (struct jf_insn)JA(0);
		/* Between one branch and the next there are 61 instructions of 2 bytes. */
		for (unsigned int k = 0; k < 30; k++)
			insns[count++] = (struct jf_insn)ADD_X(0, 0);
	}
	for (unsigned int k = 0; k < 2; k++)
		insns[count++] = (struct jf_insn)ADD_X(0, 0);
	/* Each goes just behind the branch after the next: 30 + 1 + 30 + 1 instructions = 124 bytes. */
	for (unsigned int i = 0; i < CHAIN; i++)
		insns[outer[i]].off = (int16_t)(i + 2 < CHAIN ? outer[i + 2] + 1 - outer[i] - 1 : count - outer[i] - 1);
	for (unsigned int k = 0; k < 40; k++)
		insns[count++] = (struct jf_insn)ADD_X(0, 0);
	/* The last one goes far: 6 bytes instead of 2, and the one that goes over it needs 128. */
	insns[outer[CHAIN - 1]].off = (int16_t)(count - outer[CHAIN - 1] - 1);
	insns[count++] = (struct jf_insn)EXIT;
	run = branches_run(insns, count);
	for (unsigned int i = 0; i < CHAIN; i += 1)
		CHECK(branches_size(run, outer[i]) == 2 || branches_size(run, outer[i]) == 6, "branch %u: %u bytes", i,
		      branches_size(run, outer[i]));
	for (unsigned int i = 1; i < CHAIN; i += 2)
		CHECK(branches_size(run, outer[i]) == 6, "branch %u: %u bytes", i, branches_size(run, outer[i]));
	cr_assert_gt(run->image->passes, 4, "%u passes", run->image->passes);
	cr_assert_lt(run->image->passes, 64, "%u passes", run->image->passes);
	cr_assert_eq(run_call(run, 5, 0) % 5, 0);
	run_free(run);
}

/* ---- random programs against an interpreter ------------------------------------------------------------------ */

Test(compile_branches, random_programs_do_what_they_say)
{
	static struct jf_insn insns[BRANCHES_MAX];
	struct rng rng = {31};
	unsigned int most_passes = 0, long_ones = 0;

	for (unsigned int round = 0; round < 400; round++) {
		uint32_t count = branches_random(&rng, insns);
		struct run *run = branches_run(insns, count);
		uint64_t arg = rng_next(&rng), result = run_call(run, arg, 0), wanted = branches_interpret(insns, arg);

		CHECK(result == wanted, "round %u, %u instructions: %lx, not %lx", round, count, result, wanted);
		if (run->image->passes > most_passes)
			most_passes = run->image->passes;
		for (uint32_t i = 5; i < count; i++)
			long_ones += insns[i].opcode == 0x05 && branches_size(run, i) == 6;
		run_free(run);
	}
	cr_assert_gt(most_passes, 2);
	cr_assert_gt(long_ones, 100);
}

/* The last pass changes nothing: compiling again, for another address too, gives the same offsets. */
Test(compile_branches, the_same_every_time)
{
	static struct jf_insn insns[BRANCHES_MAX];
	struct rng rng = {37};

	for (unsigned int round = 0; round < 50; round++) {
		uint32_t count = branches_random(&rng, insns);
		struct run *a = branches_run(insns, count), *b;
		const uint32_t *off;

		run_call(a, 1, 0);
		cr_assert_eq(jf_code_map_remove_all(a->ranges, a->range_count), JF_OK);
		b = branches_run(insns, count);
		cr_assert_eq(a->image->size_bytes, b->image->size_bytes);
		cr_assert_arr_eq(a->code, b->code, a->image->size_bytes);
		off = jf_image_function_at(a->image, 0)->insn_off;
		cr_assert_arr_eq(off, jf_image_function_at(b->image, 0)->insn_off, (count + 1) * sizeof(*off));
		run_free(b);
		jf_image_free(a->image);
		free(a);
	}
}
