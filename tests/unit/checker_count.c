/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "toy_words.h"

#include <string.h>

/*
 * A tail-call count that travels by value and goes down from 33: the toy's count register t0 holds the count itself,
 * and a BPF function hands the count back in t0. FP points 8 bytes below the count's slot.
 *
 *     t0 = count; call a BPF function; count = t0
 *     t0 = count; t0 -= 1; if (none is left) goto out; count = t0; v0 = the target; tail exit
 *     out: epilogue, t0 = count
 */

#define BPF_FUNCTION 2

static const struct jf_check_target targets[] = {{BPF_FUNCTION, BPF_FUNCTION + 1, JF_TARGET_BPF}};

struct program {
	struct jf_convention conv;
	struct jf_frame frame;
	struct jf_code code;
	struct jf_check_input input;
	uint8_t bytes[1024];
};

static void put_load(struct jf_code *code)
{
	toy_put(code, TOY_OP_LD, TOY_T0, TOY_FP, 1);
}

static void put_store(struct jf_code *code)
{
	toy_put(code, TOY_OP_ST, TOY_T0, TOY_FP, 1);
}

static void put_tail_call(struct program *p)
{
	struct jf_code *code = &p->code;
	size_t branch;

	put_load(code);
	toy_put_imm(code, TOY_OP_ADI, TOY_T0, -1);
	toy_put_imm(code, TOY_OP_LDI, TOY_A1, 0);
	toy_put(code, TOY_OP_CMP64, TOY_T0, TOY_A1, JF_COND_SLT);
	branch = code->size;
	toy_put_imm(code, TOY_OP_JS, 1, 0);
	put_store(code);
	toy_put(code, TOY_OP_LD, TOY_V0, TOY_A2, 0);
	toy_emit_tail_exit(code, &p->frame, 2);
	p->bytes[branch + 1] = (uint8_t)(code->size - branch - 2);
}

static void make(struct program *p, uint32_t role)
{
	static const struct jf_values values;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	memset(p, 0, sizeof(*p));
	p->conv = toy_adopt;
	p->conv.count_form = JF_COUNT_BY_VALUE;
	p->conv.count_start = JF_TAIL_CALLS_MAX;
	p->conv.count_returned = true;
	spec.role = role;
	spec.tail_calls = true;
	cr_assert_eq(jf_frame_solve(&p->conv, &spec, &p->frame, NULL), JF_OK);
	jf_code_init(&p->code, p->bytes, sizeof(p->bytes), 0x10000, NULL, 0);
	jf_frame_begin(&p->code, &p->frame);
	toy_emit_prologue(&p->code, &p->frame, &values);
	put_load(&p->code);
	toy_put_imm(&p->code, TOY_OP_LDI, TOY_RA, BPF_FUNCTION);
	toy_put(&p->code, TOY_OP_JA, 1, TOY_RA, 0);
	put_store(&p->code);
	if (role != JF_ROLE_CALLBACK)
		put_tail_call(p);
	toy_put_imm(&p->code, TOY_OP_LDI, TOY_V0, 0);
	jf_code_mark(&p->code, JF_MARK_EPILOGUE);
	toy_emit_epilogue(&p->code, &p->frame);
	cr_assert_eq(jf_code_finish(&p->code), JF_OK);
	p->input = (struct jf_check_input)JF_CHECK_INPUT_INIT;
	p->input.conv = &p->conv;
	p->input.bytes = p->bytes;
	p->input.byte_count = p->code.size;
	p->input.address = p->code.address;
	p->input.spec = p->frame.spec;
	memcpy(p->input.marks, p->code.marks, sizeof(p->input.marks));
	p->input.targets = targets;
	p->input.target_count = 1;
}

/* Replaces the instruction `old` that comes n-th, counted from 0. */
static void replace(struct program *p, unsigned int n, uint16_t old, uint16_t new)
{
	for (size_t off = 0; off < p->code.size; off += 2) {
		if ((p->bytes[off] << 8 | p->bytes[off + 1]) != old || n--)
			continue;
		p->bytes[off] = (uint8_t)(new >> 8);
		p->bytes[off + 1] = (uint8_t) new;
		return;
	}
	cr_assert(false, "no such instruction");
}

/* returns: whether a finding of that rule, broken, has `text`; or, without text, whether only R3 is not held. */
static bool finds(struct program *p, unsigned int rule, const char *text, char *all, size_t capacity)
{
	struct jf_finding findings[32];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = 32};
	bool found = false;

	CHECK_STATUS(jf_check(&p->input, &report, NULL), JF_OK, "role %u", p->input.spec.role);
	if (!text)
		return is_clean(&report, 1u << 3, all, capacity);
	is_clean(&report, 0, all, capacity);
	for (size_t i = 0; i < report.finding_count && i < 32; i++)
		found |= findings[i].rule == rule && findings[i].verdict == JF_VERDICT_BROKEN &&
			 strstr(findings[i].text, text);
	return found;
}

Test(checker_count, a_count_by_value_that_goes_down_passes)
{
	for (uint32_t role = 0; role < JF_ROLE__COUNT; role++) {
		struct program p;
		char all[2048];

		make(&p, role);
		CHECK(finds(&p, 0, NULL, all, sizeof(all)), "role %u:%s", role, all);
	}
}

static const struct broken {
	uint32_t role;
	unsigned int nth;
	uint16_t old, new;
	unsigned int rule;
	const char *text;
} cases[] = {
	/* The count that a BPF function gets. */
	{JF_ROLE_MAIN, 0, LD(TOY_T0, TOY_FP, 1), NOP, 9, "is reached with t0"},
	{JF_ROLE_MAIN, 0, LD(TOY_T0, TOY_FP, 1), LDI(TOY_T0, 33), 9, "is reached with t0 = 33"},
	{JF_ROLE_SUBPROGRAM, 0, LD(TOY_T0, TOY_FP, 1), COPY(TOY_T0, TOY_FP), 9, "is reached with t0 = CFA"},
	{JF_ROLE_CALLBACK, 0, LD(TOY_T0, TOY_FP, 1), NOP, 15, "is reached with t0"},
	/* What the BPF function hands back is stored: the old count is not the count any more. */
	{JF_ROLE_MAIN, 0, ST(TOY_T0, TOY_FP, 1), NOP, 9, "where it has not been stored"},
	{JF_ROLE_CALLBACK, 0, ST(TOY_T0, TOY_FP, 1), NOP, 9, "where it has not been stored"},
	{JF_ROLE_SUBPROGRAM, 0, ST(TOY_T0, TOY_FP, 1), ST(TOY_A1, TOY_FP, 1), 9, "stores"},
	/* A fresh count is 33. */
	{JF_ROLE_MAIN, 0, LDI(TOY_T0, 33), LDI(TOY_T0, 0), 9, "stores something else"},
	{JF_ROLE_BOUNDARY, 0, LDI(TOY_T0, 33), LDI(TOY_T0, 32), 16, "has not been set up"},
	/* One tail call is one less. */
	{JF_ROLE_MAIN, 0, ADI(TOY_T0, -1), ADI(TOY_T0, 1), 9, "stores what was in CFA-16"},
	{JF_ROLE_SUBPROGRAM, 0, ADI(TOY_T0, -1), ADI(TOY_T0, -2), 9, "stores what was in CFA-16"},
	/* The count goes on with the tail call, the first, and back to the caller. */
	{JF_ROLE_MAIN, 0, COPY(TOY_T0, TOY_A4), NOP, 9, "hands on t0"},
	{JF_ROLE_MAIN, 1, COPY(TOY_T0, TOY_A4), NOP, 9, "is reached with t0"},
	{JF_ROLE_CALLBACK, 0, COPY(TOY_T0, TOY_A4), NOP, 15, "is reached with t0"},
	/* A tail call that nobody counts. */
	{JF_ROLE_MAIN, 1, ST(TOY_T0, TOY_FP, 1), NOP, 29, "has not been counted"},
	{JF_ROLE_SUBPROGRAM, 1, ST(TOY_T0, TOY_FP, 1), NOP, 29, "has not been counted"},
	/* The count is no address. */
	{JF_ROLE_MAIN, 0, LDI(TOY_A1, 0), ST(TOY_A1, TOY_T0, 0), 9, "no address"},
};

Test(checker_count, every_fault_is_named)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct broken *b = &cases[i];
		struct program p;
		char all[2048];

		make(&p, b->role);
		replace(&p, b->nth, b->old, b->new);
		CHECK(finds(&p, b->rule, b->text, all, sizeof(all)), "case %zu:%s", i, all);
	}
}

/* Slots of another width than the code's. */
Test(checker_count, the_width_is_the_conventions)
{
	struct program p;
	char all[2048];

	make(&p, JF_ROLE_MAIN);
	p.conv.count_bytes = 4;
	CHECK(finds(&p, 9, "stores", all, sizeof(all)), "%s", all);
}
