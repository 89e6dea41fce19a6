/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_insn.h"

/* Index 1 is the faulty one, 0 and 2, 3 are in order. */
static const struct {
	struct jf_insn insn;
	enum jf_status status;
	const char *words;
} faults[] = {
	/* register numbers */
	{INSN(0xb7, 11, 0, 0, 0), BAD, "register number"},
	{INSN(0xbf, 0, 11, 0, 0), BAD, "register number"},
	{INSN(0xbf, 15, 15, 0, 0), BAD, "register number"},
	{LDX(DW, 0, 12, 0), BAD, "register number"},
	{STX(DW, 13, 0, 0), BAD, "register number"},
	{J_K(JEQ, 11, 0, 0), BAD, "register number"},
	{INSN(0x85, 12, 0, 0, 0), BAD, "register number"},
	/* R10 */
	{MOV_K(10, 0), BAD, "read-only"},
	{ADD_X(10, 0), BAD, "read-only"},
	{INSN(0xdc, 10, 0, 0, 16), BAD, "read-only"},
	{LDX(DW, 10, 1, 0), BAD, "read-only"},
	{LDSX(W, 10, 1, 0), BAD, "read-only"},
	{ATOMIC(DW, 1, 10, 0, 0x01), BAD, "read-only"},
	{ATOMIC(DW, 1, 10, 0, 0xe1), BAD, "read-only"},
	{ATOMIC(DW, 10, 1, 0, 0x100), BAD, "read-only"},
	/* ALU: reserved fields */
	{INSN(0x07, 1, 2, 0, 0), BAD, "reserved"},
	{INSN(0x0f, 1, 2, 0, 5), BAD, "reserved"},
	{INSN(0x07, 1, 0, 1, 0), BAD, "reserved"},
	{INSN(0x0c, 1, 2, -1, 0), BAD, "reserved"},
	{INSN(0x87, 1, 2, 0, 0), BAD, "reserved"},
	{INSN(0x87, 1, 0, 0, 1), BAD, "reserved"},
	{INSN(0x84, 1, 0, 3, 0), BAD, "reserved"},
	{INSN(0xbf, 1, 2, 8, 1), BAD, "reserved"},
	/* ALU: offsets that mean something */
	{INSN(0x3f, 1, 2, 2, 0), BAD, "neither 0 nor 1"},
	{INSN(0x97, 1, 0, -1, 3), BAD, "neither 0 nor 1"},
	{INSN(0xbf, 1, 2, 7, 0), BAD, "sign extension"},
	{INSN(0xbf, 1, 2, 64, 0), BAD, "sign extension"},
	{INSN(0xbc, 1, 2, 32, 0), BAD, "sign extension"},
	{INSN(0xb7, 1, 0, 8, 0), BAD, "sign extension"},
	{INSN(0xbc, 1, 2, 1, 0), BAD, "sign extension"},
	{INSN(0xbc, 1, 2, -1, 0), BAD, "sign extension"},
	{INSN(0xbf, 1, 2, 1, 0), BAD, "address spaces"},
	{INSN(0xbf, 1, 2, 1, 2), BAD, "address spaces"},
	{INSN(0xbf, 10, 2, 1, 1), BAD, "read-only"},
	{INSN(0xbf, 10, 2, -1, 0), BAD, "read-only"},
	{INSN(0xbf, 1, 2, -1, 1), BAD, "reserved"},
	/* byte swaps */
	{INSN(0xd4, 1, 0, 0, 0), BAD, "byte swap"},
	{INSN(0xd7, 1, 0, 0, 8), BAD, "byte swap"},
	{INSN(0xdc, 1, 0, 0, 128), BAD, "byte swap"},
	{INSN(0xdc, 1, 2, 0, 16), BAD, "reserved"},
	{INSN(0xd7, 1, 0, 1, 16), BAD, "reserved"},
	/* jumps */
	{JA(2), BAD, "out of the function"},
	{JA(-3), BAD, "out of the function"},
	{JAL(2), BAD, "out of the function"},
	{JAL(INT32_MAX), BAD, "out of the function"},
	{JAL(INT32_MIN), BAD, "out of the function"},
	{J_K(JEQ, 1, 0, 2), BAD, "out of the function"},
	{J32_X(JSLT, 1, 2, -3), BAD, "out of the function"},
	{J_K(JEQ, 1, 0, 32767), BAD, "out of the function"},
	{INSN(0x05, 1, 0, 0, 0), BAD, "reserved"},
	{INSN(0x05, 0, 0, 0, 1), BAD, "reserved"},
	{INSN(0x06, 0, 0, 1, 0), BAD, "reserved"},
	{INSN(0x15, 1, 2, 0, 0), BAD, "reserved"},
	{INSN(0x1d, 1, 2, 0, 1), BAD, "reserved"},
	{INSN(0xe5, 1, 0, 0, 0), BAD, "reserved"},
	{INSN(0xe5, 0, 0, 0, 1), BAD, "reserved"},
	{INSN(0xe5, 0, 0, 2, 0), BAD, "out of the function"},
	/* calls */
	{INSN(0x85, 1, 0, 0, 0), BAD, "reserved"},
	{INSN(0x85, 0, 0, 1, 0), BAD, "reserved"},
	{INSN(0x85, 0, 3, 0, 0), BAD, "unknown kind"},
	{INSN(0x85, 0, 15, 0, 0), BAD, "unknown kind"},
	{CALL_FUNCTION(2), BAD, "function that is not there"},
	{CALL_FUNCTION(-1), BAD, "function that is not there"},
	{CALL_HELPER(3), UNSUPPORTED, "calls helper 3, which is not there"},
	{CALL_HELPER(1), UNSUPPORTED, "calls helper 1 (gone), which is not there"},
	{CALL_HELPER(-1), UNSUPPORTED, "which is not there"},
	{CALL_KFUNC(1), UNSUPPORTED, "calls kfunc 1, which is not there"},
	{CALL_KFUNC(2), UNSUPPORTED, "calls kfunc 2, which is not there"},
	/* calls through a register */
	{INSN(0x8d, 0, 0, 0, 1), UNSUPPORTED, "nowhere to go"},
	{INSN(0x8d, 6, 0, 0, 0), UNSUPPORTED, "nowhere to go"},
	{INSN(0x8d, 6, 0, 0, 1), BAD, "reserved"},
	{INSN(0x8d, 0, 0, 0, 11), BAD, "no such register"},
	{INSN(0x8d, 0, 0, 0, -1), BAD, "no such register"},
	{INSN(0x8d, 0, 1, 0, 0), BAD, "reserved"},
	{INSN(0x8d, 0, 0, 1, 0), BAD, "reserved"},
	/* arguments after the fifth */
	{LDX(DW, 1, 11, 64), BAD, "more arguments"},
	{STX(DW, 11, 1, -64), BAD, "more arguments"},
	{STX(DW, 11, 1, INT16_MIN), BAD, "more arguments"},
	{LDX(DW, 10, 11, 8), BAD, "read-only"},
	{LDX(DW, 11, 11, 8), BAD, "register number"},
	{STX(DW, 11, 11, -8), BAD, "register number"},
	{INSN(0x79, 1, 11, 8, 1), BAD, "reserved"},
	{INSN(0x7a, 11, 1, -8, 1), BAD, "reserved"},
	{LDX(DW, 1, 11, 0), BAD, "register number"},
	{LDX(DW, 1, 11, 9), BAD, "register number"},
	{STX(W, 11, 1, -8), BAD, "register number"},
	/* exit */
	{INSN(0x95, 1, 0, 0, 0), BAD, "reserved"},
	{INSN(0x95, 0, 0, 1, 0), BAD, "reserved"},
	{INSN(0x95, 0, 0, 0, 1), BAD, "reserved"},
	/* memory */
	{INSN(0x79, 1, 2, 0, 1), BAD, "reserved"},
	{INSN(0x91, 1, 2, 0, 1), BAD, "reserved"},
	{INSN(0x7b, 1, 2, 0, 1), BAD, "reserved"},
	{INSN(0x7a, 1, 2, 0, 1), BAD, "reserved"},
	/* atomics */
	{ATOMIC(DW, 1, 2, 0, 0x02), BAD, "atomic"},
	{ATOMIC(DW, 1, 2, 0, 0xe0), BAD, "atomic"},
	{ATOMIC(DW, 1, 2, 0, 0xf0), BAD, "atomic"},
	{ATOMIC(DW, 1, 2, 0, 0x101), BAD, "atomic"},
	{ATOMIC(DW, 1, 2, 0, -1), BAD, "atomic"},
	{ATOMIC(H, 1, 2, 0, 0x00), BAD, "width"},
	{ATOMIC(B, 1, 2, 0, 0xf1), BAD, "width"},
	/* opcodes */
	{INSN(0x00, 0, 0, 0, 0), BAD, "no such instruction"},
	{INSN(0xdf, 1, 0, 0, 16), BAD, "no such instruction"},
	{INSN(0x8f, 1, 0, 0, 0), BAD, "no such instruction"},
	{INSN(0x86, 0, 0, 0, 0), BAD, "no such instruction"},
	{INSN(0xff, 0, 0, 0, 0), BAD, "no such instruction"},
	{INSN(0x20, 0, 0, 0, 0), UNSUPPORTED, "a load from a packet"},
};

Test(check_insn, every_fault_is_named_with_index_and_opcode)
{
	for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct jf_insn insns[] = {MOV_K(0, 0), faults[i].insn, EXIT};
		struct jf_usage usage;
		struct jf_error error;
		char where[64];

		CHECK_STATUS(check(insns, 3, &program, &usage, &error), faults[i].status, "case %u (%s), says: %s", i,
			     faults[i].words, error.text);
		CHECK(error.status == faults[i].status, "case %u", i);
		CHECK(!strcmp(error.where, "f"), "case %u: '%s'", i, error.where);
		CHECK(strstr(error.text, faults[i].words), "case %u: '%s', not '%s'", i, error.text, faults[i].words);
		CHECK(strstr(error.text, "instruction 1"), "case %u: %s", i, error.text);
		snprintf(where, sizeof(where), "opcode 0x%02x", faults[i].insn.opcode);
		CHECK(strstr(error.text, where) || strstr(error.text, "calls"), "case %u: %s", i, error.text);
	}
}

/* Without a program, what instructions refer to is not looked at. */
Test(check_insn, references_alone_are_no_fault)
{
	const struct jf_insn insns[] = {
		CALL_FUNCTION(99), CALL_HELPER(99), CALL_KFUNC(99), LDDW(1, 1, 99, 0), LDDW(1, 4, 99, 0), EXIT,
	};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(insns, COUNT_OF(insns), NULL, &usage, &error), JF_OK);
}

struct lddw_case {
	uint8_t dst, kind;
	int32_t low;
	enum jf_status status;
	const char *words;
};

Test(check_insn, references_of_64_bit_immediates)
{
	static const struct lddw_case cases[] = {
		{1, 0, 999, JF_OK, ""},
		{1, 1, 0, JF_OK, ""},
		{1, 1, 1, JF_OK, ""},
		{1, 2, 0, JF_OK, ""},
		{1, 4, 1, JF_OK, ""},
		{10, 0, 0, BAD, "read-only"},
		{1, 1, 2, BAD, "map that"},
		{1, 1, 3, BAD, "map that"},
		{1, 1, -1, BAD, "map that"},
		{1, 2, 1, BAD, "map value"},
		{1, 2, 3, BAD, "map value"},
		{1, 4, 2, BAD, "address of a function"},
		{1, 3, 0, UNSUPPORTED, "unknown kind"},
		{1, 5, 0, UNSUPPORTED, "unknown kind"},
		{1, 6, 0, UNSUPPORTED, "unknown kind"},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct jf_insn insns[] = {LDDW(cases[i].dst, cases[i].kind, cases[i].low, 0), EXIT};
		struct jf_usage usage;
		struct jf_error error;

		CHECK_STATUS(check(insns, 3, &program, &usage, &error), cases[i].status, "case %u: %s", i, error.text);
		CHECK(strstr(error.text, cases[i].words), "case %u: %s", i, error.text);
		CHECK(cases[i].status == JF_OK || strstr(error.text, "instruction 0, opcode 0x18"), "case %u: %s", i,
		      error.text);
	}
}

Test(check_insn, second_halves_of_64_bit_immediates)
{
	static const struct jf_insn bad[] = {
		INSN(1, 0, 0, 0, 0), INSN(0, 1, 0, 0, 0), INSN(0, 0, 1, 0, 0), INSN(0, 0, 0, 1, 0), EXIT,
	};
	const struct jf_insn cut[] = {EXIT, INSN(0x18, 1, 0, 0, 0)};
	struct jf_usage usage;
	struct jf_error error;

	for (unsigned int i = 0; i < COUNT_OF(bad); i++) {
		const struct jf_insn insns[] = {INSN(0x18, 1, 0, 0, 0), bad[i], EXIT};

		CHECK_STATUS(check(insns, 3, &program, &usage, &error), BAD, "case %u", i);
		CHECK(strstr(error.text, "reserved"), "case %u: %s", i, error.text);
	}
	cr_assert_eq(check(cut, 2, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "second half"));
}

/* From before it and from behind it. */
Test(check_insn, jumps_into_the_middle_of_a_64_bit_immediate)
{
	const struct jf_insn forward[] = {JA(1), LDDW(1, 0, 0, 0), EXIT};
	const struct jf_insn backward[] = {LDDW(1, 0, 0, 0), J_K(JEQ, 1, 0, -2), EXIT};
	const struct jf_insn over[] = {JA(2), LDDW(1, 0, 0, 0), EXIT};
	const struct jf_insn onto[] = {LDDW(1, 0, 0, 0), JA(-3)};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(forward, 4, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "instruction 0, opcode 0x05: jump into the middle"));
	cr_assert_eq(check(backward, 4, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "instruction 2, opcode 0x15: jump into the middle"));
	cr_assert_eq(check(over, 4, &program, &usage, &error), JF_OK);
	cr_assert_eq(check(onto, 3, &program, &usage, &error), JF_OK);
}

/* The second half looks like an instruction; it is none. */
Test(check_insn, second_halves_are_not_instructions)
{
	const struct jf_insn insns[] = {LDDW(1, 0, 0x18, 0x18), LDDW(1, 0, 0, 0x95), EXIT};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(insns, COUNT_OF(insns), &program, &usage, &error), JF_OK);
}

Test(check_insn, functions_end)
{
	const struct jf_insn falls[] = {EXIT, MOV_K(0, 0)};
	const struct jf_insn branch[] = {EXIT, J_K(JEQ, 0, 0, -2)};
	const struct jf_insn wide[] = {EXIT, LDDW(0, 0, 0, 0)};
	const struct jf_insn loops[] = {JA(-1)};
	const struct jf_insn throws[] = {CALL_KFUNC(0)};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(falls, 2, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "instruction 1, opcode 0xb7: control falls off"));
	cr_assert_eq(check(branch, 2, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "falls off"));
	cr_assert_eq(check(wide, 3, &program, &usage, &error), BAD);
	cr_assert_not_null(strstr(error.text, "falls off"));
	cr_assert_eq(check(loops, 1, &program, &usage, &error), JF_OK);
	cr_assert_eq(check(throws, 1, &program, &usage, &error), JF_OK);
}

Test(check_insn, functions_have_a_name_and_instructions)
{
	static const struct jf_function bad[] = {{NULL, just_exit, 1}, {"f", NULL, 1}, {"f", just_exit, 0}};

	for (unsigned int i = 0; i < 3; i++) {
		struct jf_unit unit = {.function = &bad[i]};
		struct jf_usage usage = {0};
		struct jf_error error = {0};

		CHECK_STATUS(jf_unit_check(NULL, &unit, &usage, &error), BAD, "case %u", i);
		CHECK(strstr(error.text, "no instructions"), "case %u: %s", i, error.text);
	}
}
