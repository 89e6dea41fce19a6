/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_branches.h"

#include <string.h>

/* The toy with struct jf_branches: forms of branches, settled in the code. */

static const struct jf_branches toy_branches = {{
	[JF_BRANCH_IF] = {{2, TOY_SHORT_REACH - 2}, {6, INT16_MAX - 6}, {8, (1 << 23) - 9}},
	[JF_BRANCH_ALWAYS] = {{2, TOY_SHORT_REACH - 2}, {6, INT16_MAX - 6}, {8, (1 << 23) - 9}},
}};

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
		cr_assert_arr_eq(jf_image_function_at(image, i)->insn_off, jf_image_function_at(reference, i)->insn_off,
				 (jf_image_function_at(image, i)->insn_count + 1) * sizeof(uint32_t));
	passes = image->passes;
	jf_image_free(image);
	jf_image_free(reference);
	return passes;
}

Test(compile_forms, settled_in_the_code_they_are_the_same)
{
	static struct jf_insn insns[BRANCHES_MAX];
	struct rng rng = {53};
	struct settling s;

	settling_init(&s);
	for (unsigned int round = 0; round < 400; round++) {
		const struct jf_function function = {"main", insns, branches_random(&rng, insns)};
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
Test(compile_forms, sizes_that_depend_on_places)
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

/* ---- more than two forms ---------------------------------------------------------------------------------- */

/* How many bytes a branch of the toy takes over that many bytes of code. */
static uint32_t toy_branch_bytes(uint32_t over)
{
	return over <= TOY_SHORT_REACH ? 2 : over <= INT16_MAX ? 6 : 8;
}

Test(compile_forms, each_form_is_used_as_far_as_it_reaches)
{
	static struct jf_insn insns[17000];
	struct settling s;

	settling_init(&s);
	for (uint32_t n = INT16_MAX / 2 - 5; n < INT16_MAX / 2 + 5; n++) {
		const struct jf_function function = {"main", insns, n + 4};
		const struct jf_program program = run_program(&function, 1, -1);
		struct run *run;

		insns[0] = (struct jf_insn)MOV_X(0, 1);
		insns[1] = (struct jf_insn)JAL(n);
		for (uint32_t i = 0; i < n; i++)
			insns[2 + i] = (struct jf_insn)ADD_X(0, 0);
		insns[2 + n] = (struct jf_insn)J_X(JNE, 0, 1, -(int)n - 1);
		insns[3 + n] = (struct jf_insn)EXIT;
		run = branches_run(insns, n + 4);
		CHECK(branches_size(run, 1) == toy_branch_bytes(2 * n), "over %u: %u bytes", n, branches_size(run, 1));
		/* the compare, then from the branch's end back over the branch, the compare and n instructions */
		CHECK(branches_size(run, n + 2) == 2 + toy_branch_bytes(2 * n + 2 + 6), "back over %u: %u bytes", n,
		      branches_size(run, n + 2));
		CHECK(run_call(run, 7, 0) == 7, "over %u", n);
		run_free(run);
		CHECK(same_both_ways(&s, &program, RUN_ADDRESS) == 1, "over %u", n);
	}
}

Test(compile_forms, a_branch_that_grows_twice)
{
	static struct jf_insn insns[BRANCHES_FAR];
	unsigned int sizes[9] = {0};
	struct rng rng = {59};
	struct settling s;

	settling_init(&s);
	for (unsigned int round = 0; round < 40; round++) {
		const struct jf_function function = {"main", insns, BRANCHES_FAR};
		const struct jf_program program = run_program(&function, 1, -1);
		struct run *run;

		branches_far(&rng, insns, round & 1);
		CHECK(same_both_ways(&s, &program, RUN_ADDRESS) == 1, "round %u", round);
		if (round & 1)
			continue;
		run = branches_run(insns, BRANCHES_FAR);
		CHECK(run_call(run, round, 0) == branches_interpret(insns, round), "round %u", round);
		for (uint32_t i = 40; i + 1 < BRANCHES_FAR; i += 40)
			sizes[insns[i].opcode == 0x05 ? branches_size(run, i) : 0]++;
		run_free(run);
	}
	cr_assert(sizes[2] && sizes[6] && sizes[8], "%u, %u and %u", sizes[2], sizes[6], sizes[8]);
}

static unsigned int without_form_2(uint8_t *at, uint32_t k, int64_t distance, unsigned int form)
{
	return form == 2 ? 0 : toy_put_branch(at, k, distance, form);
}

/* The first form of a branch is the first that put_branch knows. */
static unsigned int without_form_0(uint8_t *at, uint32_t k, int64_t distance, unsigned int form)
{
	return toy_put_branch(at, k ? k : TOY_FAR, distance, form);
}

Test(compile_forms, branches_without_the_first_form)
{
	static struct jf_insn insns[BRANCHES_FAR];
	struct rng rng = {61};
	struct settling s;

	settling_init(&s);
	s.backend.body.put_branch = without_form_0;
	for (unsigned int round = 0; round < 400; round++) {
		const struct jf_function function = {"main", insns, branches_random(&rng, insns)};
		const struct jf_program program = run_program(&function, 1, -1);

		CHECK(same_both_ways(&s, &program, RUN_ADDRESS) == 1, "round %u", round);
	}
	for (unsigned int round = 0; round < 20; round++) {
		const struct jf_function function = {"main", insns, BRANCHES_FAR};
		const struct jf_program program = run_program(&function, 1, -1);

		branches_far(&rng, insns, true);
		CHECK(same_both_ways(&s, &program, RUN_ADDRESS) == 1, "far, round %u", round);
	}
}

/* What does not reach in any form says where, with struct jf_branches and without. */
Test(compile_forms, targets_out_of_all_reach)
{
	static struct jf_insn insns[20000];
	const struct jf_function function = {"main", insns, 20000};
	const struct jf_program program = run_program(&function, 1, -1);
	static uint8_t code[CODE_BYTES];
	struct jf_image *image;
	struct jf_error error;
	struct settling s;

	settling_init(&s);
	s.backend.body.put_branch = without_form_2;
	for (unsigned int i = 0; i < 19999; i++)
		insns[i] = (struct jf_insn)ADD_X(0, 1);
	insns[19999] = (struct jf_insn)EXIT;
	for (unsigned int round = 0; round < 2; round++) {
		insns[7] = (struct jf_insn)JA(INT16_MAX / 2 + 1);
		CHECK_STATUS(jf_compile(&s.conv, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, &error),
			     JF_E_RANGE, "round %u", round);
		CHECK(!strcmp(error.where, "main"), "%s", error.where);
		CHECK(strstr(error.text, "instruction 7, opcode 0x05"), "%s", error.text);
		insns[7].off--;
		CHECK_STATUS(jf_compile(&s.conv, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, &error),
			     JF_OK, "round %u: %s", round, error.text);
		jf_image_free(image);
		s.backend.branches = NULL;
	}
}

/* Room for the short forms but not for the long ones. */
Test(compile_forms, no_room_to_move_apart)
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

/* ---- labels ------------------------------------------------------------------------------------------------ */

struct labels {
	uint8_t bytes[1024];
	struct jf_code code;
	struct jf_frame frame;
	struct jf_body body;
};

static struct jf_body *labels_init(struct labels *l)
{
	const struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	memset(l, 0, sizeof(*l));
	CHECK_STATUS(jf_frame_solve(&toy_plain, &spec, &l->frame, NULL), JF_OK, "the frame");
	jf_code_init(&l->code, l->bytes, sizeof(l->bytes), 0, NULL, 0);
	jf_frame_begin(&l->code, &l->frame);
	l->body = (struct jf_body){.code = &l->code, .frame = &l->frame};
	return &l->body;
}

static void fill(struct jf_code *code, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		toy_put(code, TOY_OP_ALU64, TOY_V0, TOY_V0, JF_ALU_ADD);
}

Test(compile_forms, labels)
{
	struct jf_label label = {0};
	uint8_t wanted[6];
	struct labels l;
	struct jf_body *b = labels_init(&l);

	jf_body_branch_ahead(b, 1, &label);
	fill(&l.code, 10);
	jf_body_branch_ahead(b, 1 | TOY_FAR, &label);
	jf_body_branch_ahead(b, 0, &label);
	fill(&l.code, 4);
	jf_body_label(b, &label);
	cr_assert_eq(jf_code_finish(&l.code), JF_OK);
	cr_assert_eq(l.code.size, 2 + 10 + 6 + 2 + 4);
	cr_assert_eq(toy_put_branch(wanted, 1, 24, 0), 2);
	cr_assert_arr_eq(l.bytes, wanted, 2);
	cr_assert_eq(toy_put_branch(wanted, 1, 12, 1), 6);
	cr_assert_arr_eq(l.bytes + 12, wanted, 6);
	cr_assert_eq(toy_put_branch(wanted, 0, 6, 0), 2);
	cr_assert_arr_eq(l.bytes + 18, wanted, 2);
}

/* A label's branches keep their first form. */
Test(compile_forms, labels_out_of_reach)
{
	for (size_t over = TOY_SHORT_REACH; over <= TOY_SHORT_REACH + 2; over += 2) {
		struct jf_label label = {0};
		struct labels l;
		struct jf_body *b = labels_init(&l);

		jf_body_branch_ahead(b, 1, &label);
		fill(&l.code, over);
		jf_body_label(b, &label);
		CHECK_STATUS(jf_code_finish(&l.code), over == TOY_SHORT_REACH ? JF_OK : JF_E_RANGE, "over %zu", over);
	}
}

Test(compile_forms, a_label_has_four_branches)
{
	struct jf_label label = {0};
	struct labels l;
	struct jf_body *b = labels_init(&l);

	for (unsigned int i = 0; i < JF_LABEL_BRANCHES_MAX; i++)
		jf_body_branch_ahead(b, 1, &label);
	cr_assert_eq(jf_code_finish(&l.code), JF_OK);
	jf_body_branch_ahead(b, 1, &label);
	cr_assert_eq(jf_code_finish(&l.code), JF_E_UNSUPPORTED);
}

/* Where there was no room for the branch, nothing is filled in. */
Test(compile_forms, labels_in_no_room)
{
	struct jf_label label = {0};
	struct labels l;
	struct jf_body *b = labels_init(&l);

	l.code.capacity = 1;
	jf_body_branch_ahead(b, 1, &label);
	jf_body_label(b, &label);
	cr_assert_eq(jf_code_finish(&l.code), JF_E_NOSPACE);
	cr_assert(l.bytes[0] == 0 && l.bytes[1] == 0);
}
