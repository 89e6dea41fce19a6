/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "toy_words.h"

#include <string.h>

/*
 * Frames of the toy with one thing wrong, rule by rule: the rule that is broken is named, and the same frame
 * without the edit passes.
 */

#define BODY_MAX 8

enum {
	TAIL_CALLS = 1 << 0,
	ARENA = 1 << 1,
	ADOPT = 1 << 2, /* else toy_restore */
	TAIL_EXIT = 1 << 3,
	SMALL = 1 << 4, /* no BPF stack */
};

/* Which instruction is replaced: the first equal to `old`, counted from a part of the function. */
enum part { IN_PROLOGUE, IN_BODY, IN_EPILOGUE, IN_TAIL_EXIT };

struct broken {
	unsigned int rule;
	uint32_t role;
	unsigned int options;
	uint16_t body[BODY_MAX]; /* up to the first 0; a call behind it when there is none in it */
	enum part part;
	uint16_t old, new;       /* 0: nothing is replaced, the body is what is wrong */
	enum jf_verdict verdict; /* 0: BROKEN */
};

struct toy_code {
	uint8_t bytes[1024];
	struct jf_row rows[128];
	struct jf_code code;
	struct jf_frame frame;
	struct jf_check_input input;
	size_t parts[5];
	uint32_t tail_exit_off;
};

static void put_word(struct jf_code *code, uint16_t word)
{
	const uint8_t bytes[2] = {(uint8_t)(word >> 8), (uint8_t)word};

	jf_code_put(code, bytes, 2);
}

static void put_body(struct jf_code *code, const uint16_t *body)
{
	for (unsigned int i = 0; i < BODY_MAX && body[i]; i++)
		put_word(code, body[i]);
	put_word(code, LDI(TOY_T0, 1));
	put_word(code, CALL(TOY_T0));
	put_word(code, LDI(TOY_V0, 0));
}

static void make(struct toy_code *t, const struct broken *b, const uint16_t *body)
{
	static const struct jf_values values = {.arena_base = 0x1122334455667788};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_row state;

	memset(t, 0, sizeof(*t));
	spec.role = b->role;
	spec.bpf_stack_bytes = b->options & SMALL ? 0 : 32;
	spec.bpf_regs_used = 0x7c0;
	spec.tail_calls = b->options & TAIL_CALLS;
	spec.arena = b->options & ARENA;
	CHECK_STATUS(jf_frame_solve(b->options & ADOPT ? &toy_adopt : &toy_restore, &spec, &t->frame, NULL), JF_OK,
		     "R%u", b->rule);
	jf_code_init(&t->code, t->bytes, sizeof(t->bytes), 0x10000, t->rows, 128);
	jf_frame_begin(&t->code, &t->frame);
	toy_emit_prologue(&t->code, &t->frame, &values);
	t->parts[IN_BODY] = t->code.size;
	put_body(&t->code, body);
	t->parts[IN_EPILOGUE] = t->code.size;
	state = jf_code_state(&t->code);
	jf_code_mark(&t->code, JF_MARK_EPILOGUE);
	toy_emit_epilogue(&t->code, &t->frame);
	jf_code_set_state(&t->code, state);
	t->parts[IN_TAIL_EXIT] = t->code.size;
	if (b->options & TAIL_EXIT)
		toy_emit_tail_exit(&t->code, &t->frame,
				   b->options & TAIL_CALLS ? t->code.marks[JF_MARK_TAIL_ENTRY] : 0);
	t->parts[IN_TAIL_EXIT + 1] = t->code.size;
	t->input = (struct jf_check_input)JF_CHECK_INPUT_INIT;
	t->input.conv = t->frame.conv;
	t->input.bytes = t->bytes;
	t->input.byte_count = t->code.size;
	t->input.address = t->code.address;
	t->input.spec = t->frame.spec;
	memcpy(t->input.marks, t->code.marks, sizeof(t->input.marks));
	t->input.values = &values;
	t->tail_exit_off = (uint32_t)t->parts[IN_TAIL_EXIT];
	t->input.from_body = &t->tail_exit_off;
	t->input.from_body_count = b->options & TAIL_EXIT ? 1 : 0;
}

/* returns: whether there was such an instruction. */
static bool replace(struct toy_code *t, enum part part, uint16_t old, uint16_t new)
{
	for (size_t off = t->parts[part]; off < t->parts[part + 1]; off += 2) {
		if ((t->bytes[off] << 8 | t->bytes[off + 1]) != old)
			continue;
		t->bytes[off] = (uint8_t)(new >> 8);
		t->bytes[off + 1] = (uint8_t) new;
		return true;
	}
	return false;
}

/* All rules but R3: cw is a register that no convention of the toy saves. */
static bool passes(const struct jf_check_report *report)
{
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
		if (rule != 3 && report->verdicts[rule] > JF_VERDICT_HOLDS)
			return false;
	return true;
}

static void check_case(const struct broken *b, size_t index)
{
	static const uint16_t no_body[BODY_MAX];
	struct jf_finding findings[32];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = 32};
	enum jf_verdict verdict = b->verdict ? b->verdict : JF_VERDICT_BROKEN;
	struct toy_code t;
	char text[2048];
	bool found = false;

	make(&t, b, no_body);
	CHECK_STATUS(jf_check(&t.input, &report, NULL), JF_OK, "case %zu, R%u", index, b->rule);
	is_clean(&report, 1u << 3, text, sizeof(text));
	CHECK(passes(&report), "case %zu, R%u, as it should be:%s", index, b->rule, text);
	make(&t, b, b->body);
	CHECK(!b->old || replace(&t, b->part, b->old, b->new), "case %zu, R%u: no such instruction", index, b->rule);
	CHECK_STATUS(jf_check(&t.input, &report, NULL), JF_OK, "case %zu, R%u", index, b->rule);
	is_clean(&report, 0, text, sizeof(text));
	for (size_t i = 0; i < report.finding_count && i < 32; i++)
		found |= findings[i].rule == b->rule && findings[i].verdict == verdict &&
			 (b->rule != 3 || strstr(findings[i].text, " s"));
	CHECK(found, "case %zu: R%u is not %s:%s", index, b->rule, jf_verdict_name(verdict), text);
	CHECK(report.verdicts[0] >= verdict, "case %zu", index);
}

#define MAIN     JF_ROLE_MAIN, ADOPT
#define SUB      JF_ROLE_SUBPROGRAM, ADOPT
#define BOUNDARY JF_ROLE_BOUNDARY, ADOPT
#define CALLBACK JF_ROLE_CALLBACK, ADOPT
#define TAILS    JF_ROLE_MAIN, ADOPT | TAIL_CALLS | TAIL_EXIT
/* clang-format off */
#define NO_BODY   \
	{         \
		0 \
	}
/* clang-format on */

/*
 * toy_adopt stores with SP = CFA - 80: fp at word 9, the count at 8, ra at 7, s1 s3 s0 s2 at 6 to 3, s4 at 1; boundary
 * and callback two words more, with s5 at 4 and f0 at 3. FP = CFA - 24: fp at word 2 from it, the count at 1, ra at 0.
 */
static const struct broken cases[] = {
	/* R1: frame record */
	{1, MAIN, NO_BODY, IN_PROLOGUE, ST(TOY_FP, TOY_SP, 9), NOP, 0},
	{1, MAIN, NO_BODY, IN_PROLOGUE, ST(TOY_RA, TOY_SP, 7), NOP, 0},
	{1, SUB, NO_BODY, IN_PROLOGUE, ST(TOY_RA, TOY_SP, 7), ST(TOY_S0, TOY_SP, 7), 0},
	{1, SUB, NO_BODY, IN_PROLOGUE, ST(TOY_FP, TOY_SP, 9), ST(TOY_FP, TOY_SP, 2), 0},
	{1, MAIN, {ST(TOY_A1, TOY_FP, 2)}, 0, 0, 0, 0},
	{1, MAIN, {ST(TOY_A1, TOY_FP, 0)}, 0, 0, 0, 0},
	/* R2: live frame pointer */
	{2, MAIN, {ADI(TOY_FP, 8)}, 0, 0, 0, 0},
	{2, MAIN, {LDI(TOY_FP, 0)}, 0, 0, 0, 0},
	{2, SUB, {COPY(TOY_FP, TOY_SP)}, 0, 0, 0, 0},
	{2, SUB, {LD(TOY_FP, TOY_A1, 0)}, 0, 0, 0, 0},
	{2, BOUNDARY, {BRANCH(2), COPY(TOY_FP, TOY_A1)}, 0, 0, 0, 0}, /* on one path only */
	{2, MAIN, {LD(TOY_FP, TOY_FP, 2)}, 0, 0, 0, 0},               /* the caller's, and then a call */
	{2, MAIN, NO_BODY, IN_PROLOGUE, COPY(TOY_FP, TOY_SP), NOP, 0},
	/* R3: complete save set */
	{3, BOUNDARY, NO_BODY, IN_PROLOGUE, ST(TOY_S0, TOY_SP, 6), NOP, 0},
	{3, BOUNDARY, NO_BODY, IN_PROLOGUE, ST(TOY_S1, TOY_SP, 8), NOP, 0},
	{3, BOUNDARY, NO_BODY, IN_PROLOGUE, ST(TOY_S5, TOY_SP, 4), ST(TOY_T0, TOY_SP, 4), 0},
	{3, BOUNDARY, {LDI(TOY_A1, -24), ADD(TOY_A1, TOY_FP), ST(TOY_A2, TOY_A1, 0)}, 0, 0, 0, 0},
	{3, JF_ROLE_BOUNDARY, 0, NO_BODY, IN_PROLOGUE, ST(TOY_S2, TOY_SP, 3), NOP, 0},
	/* R4: adoption */
	{4, BOUNDARY, NO_BODY, IN_PROLOGUE, ST(TOY_S0, TOY_SP, 6), ST(TOY_S0, TOY_SP, 8), 0},
	{4, BOUNDARY, NO_BODY, IN_PROLOGUE, ST(TOY_S0, TOY_SP, 6), ST(TOY_S0, TOY_SP, 2), 0},
	{4, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_FP, TOY_A3), COPY(TOY_FP, TOY_A2), 0},
	{4, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_FP, TOY_A3), NOP, 0},
	{4, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_SP, TOY_T0), NOP, 0},
	{4, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_FP, TOY_A3), ST(TOY_A1, TOY_SP, 0), 0},
	{4, CALLBACK, {ST(TOY_A1, TOY_FP, 2)}, 0, 0, 0, 0},
	/* R5: symmetric restore */
	{5, CALLBACK, NO_BODY, IN_EPILOGUE, LD(TOY_S0, TOY_SP, 6), NOP, 0},
	{5, CALLBACK, NO_BODY, IN_EPILOGUE, LD(TOY_S0, TOY_SP, 6), LD(TOY_S0, TOY_SP, 5), 0},
	{5, CALLBACK, NO_BODY, IN_EPILOGUE, LD(TOY_RA, TOY_SP, 9), NOP, 0},
	{5, MAIN, NO_BODY, IN_EPILOGUE, LD(TOY_FP, TOY_SP, 9), LD(TOY_FP, TOY_SP, 8), 0},
	{5, MAIN, NO_BODY, IN_EPILOGUE, LD(TOY_S3, TOY_SP, 5), NOP, 0},
	{5, MAIN, NO_BODY, IN_EPILOGUE, ADI(TOY_SP, 80), ADI(TOY_SP, 72), 0},
	{5, SUB, NO_BODY, IN_PROLOGUE, ST(TOY_S1, TOY_SP, 6), ST(TOY_S2, TOY_SP, 6), 0},
	{5, JF_ROLE_CALLBACK, 0, NO_BODY, IN_PROLOGUE, LD(TOY_S0, TOY_SP, 1), NOP, 0},
	{5, JF_ROLE_CALLBACK, 0, NO_BODY, IN_PROLOGUE, LD(TOY_S2, TOY_SP, 3), LD(TOY_S2, TOY_SP, 4), 0},
	/* R6: sealed save area */
	{6, MAIN, {ST(TOY_A1, TOY_FP, 2)}, 0, 0, 0, 0},
	{6, MAIN, {ST(TOY_A1, TOY_FP, 0)}, 0, 0, 0, 0},
	{6, MAIN, {ST(TOY_A1, TOY_FP, 3)}, 0, 0, 0, 0}, /* the caller's frame */
	{6, BOUNDARY, {LDI(TOY_A1, -16), ADD(TOY_A1, TOY_FP), ST(TOY_A2, TOY_A1, 0)}, 0, 0, 0, 0},
	{6, MAIN, {COPY(TOY_A1, TOY_FP), ADD(TOY_A1, TOY_A2), ST(TOY_A2, TOY_A1, 0)}, 0, 0, 0, JF_VERDICT_UNDECIDED},
	/* R7: alignment */
	{7, MAIN, {ADI(TOY_SP, -4)}, 0, 0, 0, 0},
	{7, CALLBACK, {ADI(TOY_SP, -12)}, 0, 0, 0, 0},
	{7, MAIN, {BRANCH(2), ADI(TOY_SP, -8)}, 0, 0, 0, 0},
	/* R8: bounds */
	{8, MAIN, {LDI(TOY_A1, -8), ADD(TOY_A1, TOY_SP), LD(TOY_A2, TOY_A1, 0)}, 0, 0, 0, 0},
	{8, MAIN, {LDI(TOY_A1, -8), ADD(TOY_A1, TOY_SP), ST(TOY_A2, TOY_A1, 0)}, 0, 0, 0, 0},
	{8, MAIN, {ADI(TOY_SP, 16)}, 0, 0, 0, 0},
	{8, MAIN, NO_BODY, IN_PROLOGUE, ADI(TOY_SP, -32), ADI(TOY_SP, -16), 0},
	{8, MAIN, {ADD(TOY_SP, TOY_A1)}, 0, 0, 0, JF_VERDICT_UNDECIDED},
	/* R9: state slots */
	{9, TAILS, NO_BODY, IN_PROLOGUE, ST(TOY_T0, TOY_SP, 8), NOP, 0},
	{9, TAILS, NO_BODY, IN_PROLOGUE, ST(TOY_T0, TOY_SP, 8), ST(TOY_S0, TOY_SP, 8), 0},
	{9, TAILS, NO_BODY, IN_TAIL_EXIT, LD(TOY_A4, TOY_A4, 0), LD(TOY_A4, TOY_A4, 1), 0},
	{9, TAILS, NO_BODY, IN_TAIL_EXIT, COPY(TOY_T0, TOY_A4), NOP, 0},
	{9, TAILS, {ST(TOY_A1, TOY_FP, 1)}, 0, 0, 0, 0},
	/* R11: the callback's own stack */
	{11, CALLBACK, {ADI(TOY_S4, -8)}, 0, 0, 0, 0},
	{11, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_S4, TOY_T0), NOP, 0},
	{11, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_S4, TOY_T0), COPY(TOY_S4, TOY_FP), 0},
	{11, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_S4, TOY_T0), COPY(TOY_S4, TOY_A2), 0},
	/* R12: independent sizes */
	{12, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_SP, TOY_T0), COPY(TOY_SP, TOY_A2), 0},
	{12, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_S4, TOY_T0), COPY(TOY_S4, TOY_A2), 0},
	/* R13: arguments */
	{13, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_FP, TOY_A3), COPY(TOY_FP, TOY_A1), 0},
	{13, CALLBACK, NO_BODY, IN_PROLOGUE, COPY(TOY_SP, TOY_T0), COPY(TOY_A1, TOY_T0), 0},
	/* R14: result */
	{14, CALLBACK, NO_BODY, IN_EPILOGUE, LD(TOY_S0, TOY_SP, 6), LD(TOY_V0, TOY_SP, 6), 0},
	{14, MAIN, NO_BODY, IN_EPILOGUE, LD(TOY_S3, TOY_SP, 5), LDI(TOY_V0, 1), 0},
	/* R15: state registers */
	{15, JF_ROLE_CALLBACK, ADOPT | ARENA, {ADI(TOY_S5, 1)}, 0, 0, 0, 0},
	{15, JF_ROLE_CALLBACK, ADOPT | ARENA, {LDI(TOY_S5, 1)}, 0, 0, 0, 0},
	{15, JF_ROLE_CALLBACK, ADOPT | ARENA, {LD(TOY_S5, TOY_FP, 2)}, 0, 0, 0, 0},
	/* R16: tail-call entry */
	{16, TAILS, NO_BODY, IN_PROLOGUE, LDI(TOY_T0, 0), NOP, 0},
	{16, TAILS, NO_BODY, IN_PROLOGUE, LDI(TOY_T0, 0), LDI(TOY_T0, 1), 0},
	{16, TAILS, NO_BODY, IN_PROLOGUE, LDI(TOY_T0, 0), ADI(TOY_SP, -16), 0},
	{16, TAILS, NO_BODY, IN_TAIL_EXIT, LD(TOY_S1, TOY_SP, 6), NOP, 0},
	{16, TAILS, NO_BODY, IN_TAIL_EXIT, ADI(TOY_SP, 80), NOP, 0},
	{16, TAILS, NO_BODY, IN_TAIL_EXIT, ADI(TOY_V0, 2), ADI(TOY_V0, 4), 0},
	{16, TAILS, NO_BODY, IN_TAIL_EXIT, LD(TOY_RA, TOY_SP, 7), NOP, 0},
};

Test(checker_broken, every_rule_is_named)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i], i);
}
