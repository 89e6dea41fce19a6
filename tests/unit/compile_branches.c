/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_run.h"

#include <stdlib.h>
#include <string.h>

/* Branches whose distance decides about their own size and about that of others. */

static struct run *run_of(const struct jf_insn *insns, uint32_t count)
{
	const struct jf_function function = {"main", insns, count};
	const struct jf_program program = run_program(&function, 1, -1);
	struct run *run = run_new(&toy_plain, &program, NULL);

	run->walk_everywhere = false;
	return run;
}

static uint32_t size_of(const struct run *run, uint32_t i)
{
	const uint32_t *off = run->image->functions[0].insn_off;

	return off[i + 1] - off[i];
}

/* ja over n instructions of 2 bytes: short up to 126 bytes, then long. */
Test(compile_branches, the_short_form_is_used_as_far_as_it_reaches)
{
	for (uint32_t n = 1; n < 80; n++) {
		struct jf_insn insns[100] = {MOV_X(0, 1), JA(n)};
		struct run *run;

		for (uint32_t i = 0; i < n; i++)
			insns[2 + i] = (struct jf_insn)ADD_X(0, 0);
		insns[2 + n] = (struct jf_insn)EXIT;
		run = run_of(insns, n + 3);
		CHECK(size_of(run, 1) == (2 * n <= TOY_SHORT_REACH ? 2 : 6), "over %u: %u bytes", n, size_of(run, 1));
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
		run = run_of(insns, n + 4);
		/* the compare, then from its end back over n + 1 instructions, the compare and the branch */
		CHECK(size_of(run, n + 2) == (2 * n + 6 <= TOY_SHORT_REACH ? 4 : 8), "over %u: %u bytes", n,
		      size_of(run, n + 2));
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
	run = run_of(insns, count);
	for (unsigned int i = 0; i < CHAIN; i += 1)
		CHECK(size_of(run, outer[i]) == 2 || size_of(run, outer[i]) == 6, "branch %u: %u bytes", i,
		      size_of(run, outer[i]));
	for (unsigned int i = 1; i < CHAIN; i += 2)
		CHECK(size_of(run, outer[i]) == 6, "branch %u: %u bytes", i, size_of(run, outer[i]));
	cr_assert_gt(run->image->passes, 4, "%u passes", run->image->passes);
	cr_assert_lt(run->image->passes, 64, "%u passes", run->image->passes);
	cr_assert_eq(run_call(run, 5, 0) % 5, 0);
	run_free(run);
}

/* ---- random programs against an interpreter ------------------------------------------------------------------ */

#define LENGTH_MAX 600

static uint64_t interpret(const struct jf_insn *insns, uint64_t arg)
{
	uint64_t reg[11] = {[1] = arg};

	for (uint32_t i = 0;; i++) {
		const struct jf_insn *insn = &insns[i];
		unsigned int dst = insn->regs & 15, src = insn->regs >> 4;

		switch (insn->opcode) {
		case 0xb7: reg[dst] = (uint64_t)(int64_t)insn->imm; break;
		case 0x0f: reg[dst] += reg[src]; break;
		case 0xaf: reg[dst] ^= reg[src]; break;
		case 0x27: reg[dst] *= (uint64_t)(int64_t)insn->imm; break;
		case 0x18:
			reg[dst] = (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;
			i++;
			break;
		case 0x05: i += (uint32_t)insn->off; break;
		case 0x06: i += (uint32_t)insn->imm; break;
		case 0x25: i += reg[dst] > (uint64_t)(int64_t)insn->imm ? (uint32_t)insn->off : 0; break;
		case 0x4d: i += reg[dst] & reg[src] ? (uint32_t)insn->off : 0; break;
		case 0xc6: i += (int32_t)reg[dst] < insn->imm ? (uint32_t)insn->off : 0; break;
		default: return reg[0];
		}
	}
}

static struct jf_insn random_insn(struct rng *rng)
{
	unsigned int dst = rng_below(rng, 5), src = rng_below(rng, 5);

	switch (rng_below(rng, 11)) {
	case 0: return (struct jf_insn)MOV_K(dst, (int32_t)rng_next(rng));
	case 1: return (struct jf_insn)ALU64_K(MUL, dst, 3 + 2 * rng_below(rng, 100000));
	case 2: return (struct jf_insn)ALU64_X(XOR, dst, src);
	case 3:
	case 4: return (struct jf_insn)ADD_X(dst, src);
	case 5: return (struct jf_insn)INSN(0x18, dst, 0, 0, (int32_t)rng_next(rng));
	case 6: return (struct jf_insn)JA(0);
	case 7: return (struct jf_insn)JAL(0);
	case 8: return (struct jf_insn)J_K(JGT, dst, (int32_t)rng_next(rng), 0);
	case 9: return (struct jf_insn)J_X(JSET, dst, src, 0);
	default: return (struct jf_insn)J32_K(JSLT, dst, (int32_t)rng_next(rng), 0);
	}
}

/* Forward jumps only, so that every program ends; mostly not far, for there lies the limit of the short form. */
static uint32_t random_program(struct rng *rng, struct jf_insn *insns)
{
	uint32_t count = 30 + rng_below(rng, LENGTH_MAX - 40);

	for (unsigned int i = 0; i < 5; i++)
		insns[i] = (struct jf_insn)MOV_K(i, (int32_t)rng_next(rng));
	for (uint32_t i = 5; i < count; i++) {
		insns[i] = random_insn(rng);
		if (insns[i].opcode == 0x18)
			insns[++i] = (struct jf_insn)INSN(0, 0, 0, 0, (int32_t)rng_next(rng));
	}
	count += insns[count - 1].opcode == 0x18;
	/* A wide one at the end may have put its second half behind it. */
	while (count < LENGTH_MAX - 1 && insns[count - 1].opcode == 0x18)
		count++;
	insns[count] = (struct jf_insn)EXIT;
	for (uint32_t i = 5; i < count; i++) {
		uint8_t opcode = insns[i].opcode;
		uint32_t off, reach = rng_below(rng, 4) ? 40 : 200;

		if (opcode == 0x18) {
			i++;
			continue;
		}
		if (opcode != 0x05 && opcode != 0x06 && (opcode & 7) != 5 && (opcode & 7) != 6)
			continue;
		off = rng_below(rng, reach < count - i ? reach : count - i);
		if (insns[i + off].opcode == 0x18 && off)
			off--;
		while (off && insns[i + 1 + off].opcode == 0)
			off--;
		if (opcode == 0x06)
			insns[i].imm = (int32_t)off;
		else
			insns[i].off = (int16_t)off;
	}
	return count + 1;
}

Test(compile_branches, random_programs_do_what_they_say)
{
	static struct jf_insn insns[LENGTH_MAX + 8];
	struct rng rng = {31};
	unsigned int most_passes = 0, long_ones = 0;

	for (unsigned int round = 0; round < 400; round++) {
		uint32_t count = random_program(&rng, insns);
		struct run *run = run_of(insns, count);
		uint64_t arg = rng_next(&rng), result = run_call(run, arg, 0), wanted = interpret(insns, arg);

		CHECK(result == wanted, "round %u, %u instructions: %lx, not %lx", round, count, result, wanted);
		if (run->image->passes > most_passes)
			most_passes = run->image->passes;
		for (uint32_t i = 5; i < count; i++)
			long_ones += insns[i].opcode == 0x05 && size_of(run, i) == 6;
		run_free(run);
	}
	cr_assert_gt(most_passes, 2);
	cr_assert_gt(long_ones, 100);
}

/* The last pass changes nothing: compiling again, for another address too, gives the same offsets. */
Test(compile_branches, the_same_every_time)
{
	static struct jf_insn insns[LENGTH_MAX + 8];
	struct rng rng = {37};

	for (unsigned int round = 0; round < 50; round++) {
		uint32_t count = random_program(&rng, insns);
		struct run *a = run_of(insns, count), *b;
		const uint32_t *off;

		run_call(a, 1, 0);
		cr_assert_eq(jf_code_map_remove_all(a->ranges, a->range_count), JF_OK);
		b = run_of(insns, count);
		cr_assert_eq(a->image->size_bytes, b->image->size_bytes);
		cr_assert_arr_eq(a->code, b->code, a->image->size_bytes);
		off = a->image->functions[0].insn_off;
		cr_assert_arr_eq(off, b->image->functions[0].insn_off, (count + 1) * sizeof(*off));
		run_free(b);
		jf_image_free(a->image);
		free(a);
	}
}

/* ---- the toy with struct jf_branches ---------------------------------------------------------------------- */

/*
 * Short: JS k, rel. Long: LDI t0, SHI t0, JL k, t0. rel counts from the end. The codes of registers and
 * operations are those that toy_put() has for the same instructions.
 */
static bool toy_put_branch(uint8_t *branch, int64_t distance, bool is_long)
{
	unsigned int k = branch[0] & 15;
	int64_t rel = distance - (is_long ? 6 : 2);
	struct jf_code code;

	if (is_long ? rel != (int16_t)rel : rel < -TOY_SHORT_REACH || rel > TOY_SHORT_REACH)
		return false;
	jf_code_init(&code, branch, 6, 0, NULL, 0);
	if (is_long) {
		toy_put_imm(&code, TOY_OP_LDI, TOY_T0, (int8_t)(rel >> 8));
		toy_put_imm(&code, TOY_OP_SHI, TOY_T0, (uint8_t)rel);
		toy_put(&code, TOY_OP_JL, k, TOY_T0, 0);
	} else {
		toy_put_imm(&code, TOY_OP_JS, k, (int)rel);
	}
	return jf_code_finish(&code) == JF_OK;
}

static const struct jf_branches toy_branches = {
	.short_bytes = 2,
	.long_bytes = 6,
	.long_always_bytes = 6,
	.short_reach = TOY_SHORT_REACH - 2,
	.put = toy_put_branch,
};

struct settling {
	struct jf_backend backend;
	struct jf_convention conv;
};

static void settling_init(struct settling *s)
{
	s->backend = toy_backend;
	s->backend.branches = &toy_branches;
	s->conv = toy_plain;
	s->conv.backend = &s->backend;
}

#define CODE_BYTES 65536

/* returns: passes of the first; the second is the toy without the table. */
static uint32_t same_both_ways(const struct settling *s, const struct jf_program *program, uint64_t address)
{
	static uint8_t code[CODE_BYTES], wanted[CODE_BYTES];
	struct jf_backend backend = s->backend;
	struct jf_convention conv = s->conv;
	struct jf_image *image, *reference;
	struct jf_error error = {0};
	uint32_t passes;

	backend.branches = NULL;
	conv.backend = &backend;
	CHECK_STATUS(jf_compile(&s->conv, program, NULL, code, sizeof(code), address, &image, &error), JF_OK, "%s: %s",
		     error.where, error.text);
	CHECK_STATUS(jf_compile(&conv, program, NULL, wanted, sizeof(wanted), address, &reference, &error), JF_OK,
		     "%s: %s", error.where, error.text);
	cr_assert_eq(image->size_bytes, reference->size_bytes);
	cr_assert_arr_eq(code, wanted, image->size_bytes);
	for (uint32_t i = 0; i < image->function_count; i++)
		cr_assert_arr_eq(image->functions[i].insn_off, reference->functions[i].insn_off,
				 (image->functions[i].insn_count + 1) * sizeof(*image->insn_off));
	passes = image->passes;
	jf_image_free(image);
	jf_image_free(reference);
	return passes;
}

Test(compile_branches, settled_in_the_code_they_are_the_same)
{
	static struct jf_insn insns[LENGTH_MAX + 8];
	struct rng rng = {53};
	struct settling s;

	settling_init(&s);
	for (unsigned int round = 0; round < 400; round++) {
		const struct jf_function function = {"main", insns, random_program(&rng, insns)};
		const struct jf_program program = run_program(&function, 1, -1);

		CHECK(same_both_ways(&s, &program, RUN_ADDRESS) == 1, "round %u", round);
	}
}

/* As few bytes as the value needs: of an address, more for some places than for others. */
static enum jf_status shortest_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);

	if (op->imm == (int16_t)op->imm) {
		toy_put_imm(b->code, TOY_OP_LDI, dst, (int8_t)(op->imm >> 8));
		toy_put_imm(b->code, TOY_OP_SHI, dst, (uint8_t)op->imm);
		return jf_code_finish(b->code);
	}
	return toy_imm64(b, op);
}

/* Code that does not fit in its place any more, once the functions it refers to have theirs, is emitted again. */
Test(compile_branches, sizes_that_depend_on_places)
{
	struct jf_insn one[200] = {LDDW(0, 4, 1, 0), LDDW(1, 4, 2, 0)};
	const struct jf_insn two[] = {LDDW(0, 4, 2, 0), LDDW(0, 4, 1, 0), EXIT};
	struct jf_function functions[] = {{"main", one, 0}, FUNCTION("two", two), FUNCTION("three", two)};
	const struct jf_program program = run_program(functions, 3, -1);
	unsigned int settled = 0, repeated = 0;
	struct settling s;

	settling_init(&s);
	s.backend.body.imm64 = shortest_imm64;
	for (uint32_t n = 5; n < 199; n++) {
		one[n - 1] = (struct jf_insn)J_X(JGT, 1, 2, 4 - (int)n);
		one[n] = (struct jf_insn)EXIT;
		functions[0].insn_count = n + 1;
		for (uint64_t address = 0x7e00; address < 0x8100; address += 0x40) {
			uint32_t passes = same_both_ways(&s, &program, address);

			settled += passes == 1;
			repeated += passes > 1;
		}
		one[n - 1] = (struct jf_insn)ADD_X(0, 1);
	}
	cr_assert_gt(settled, 0);
	cr_assert_gt(repeated, 0);
}

/* What does not reach in any form says where. */
Test(compile_branches, targets_out_of_all_reach)
{
	static struct jf_insn insns[20000];
	const struct jf_function function = {"main", insns, 20000};
	const struct jf_program program = run_program(&function, 1, -1);
	static uint8_t code[CODE_BYTES];
	struct jf_image *image;
	struct jf_error error;
	struct settling s;

	settling_init(&s);
	for (unsigned int i = 0; i < 19999; i++)
		insns[i] = (struct jf_insn)ADD_X(0, 1);
	insns[19999] = (struct jf_insn)EXIT;
	insns[7] = (struct jf_insn)JA(19000);
	CHECK_STATUS(jf_compile(&s.conv, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, &error), JF_E_RANGE,
		     "settled");
	cr_assert_str_eq(error.where, "main");
	cr_assert_not_null(strstr(error.text, "instruction 7,"), "%s", error.text);
}

/* Room for the short forms but not for the long ones. */
Test(compile_branches, no_room_to_move_apart)
{
	struct jf_insn insns[100] = {JA(97)};
	const struct jf_function function = {"main", insns, 100};
	const struct jf_program program = run_program(&function, 1, -1);
	static uint8_t code[CODE_BYTES];
	struct jf_image *image;
	struct jf_error error;
	struct settling s;
	size_t size;

	settling_init(&s);
	for (unsigned int i = 1; i < 99; i++)
		insns[i] = (struct jf_insn)ADD_X(0, 1);
	insns[99] = (struct jf_insn)EXIT;
	cr_assert_eq(jf_compile(&s.conv, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, &error), JF_OK);
	size = image->size_bytes;
	jf_image_free(image);
	for (size_t room = 0; room < size; room++) {
		memset(code, 0xcc, sizeof(code));
		CHECK_STATUS(jf_compile(&s.conv, &program, NULL, code, room, RUN_ADDRESS, &image, &error), JF_E_NOSPACE,
			     "in %zu bytes", room);
		CHECK(code[room] == 0xcc, "in %zu bytes", room);
	}
	CHECK_STATUS(jf_compile(&s.conv, &program, NULL, code, size, RUN_ADDRESS, &image, &error), JF_OK, "%s",
		     error.text);
	jf_image_free(image);
}
