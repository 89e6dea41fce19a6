/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jitframe/alu.h>

/*
 * Arithmetic by tables, on two machines whose instructions are carried out as they are put down: one sign-extends the
 * results of 32-bit instructions, the other clears their upper half. What comes out is held to BPF's arithmetic.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ZERO, TEMP, DST, SRC };
#define R1 2 /* BPF registers that live in DST and SRC */
#define R2 3

static uint64_t reg[4];
static bool sign_extends;
static unsigned int insns;     /* put down so far */
static uint64_t last_constant; /* and the constant among them */

static int64_t sext(uint64_t value, unsigned int bytes)
{
	return (int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

static uint64_t divide(bool is_signed, bool modulo, uint64_t a, uint64_t b)
{
	if (b == 0)
		return modulo ? a : 0;
	if (is_signed && b == UINT64_MAX)
		return modulo ? 0 : 0 - a;
	if (is_signed)
		return (uint64_t)(modulo ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
	return modulo ? a % b : a / b;
}

/* RFC 9669, section 4.1, before a 32-bit result is zero-extended. */
static uint64_t bpf(enum jf_alu code, bool is64, uint64_t a, uint64_t b)
{
	bool is_signed = code == JF_ALU_SDIV || code == JF_ALU_SMOD || code == JF_ALU_ARSH;
	unsigned int count = b & (is64 ? 63 : 31);

	if (!is64) {
		a = is_signed ? (uint64_t)sext(a, 4) : (uint32_t)a;
		b = is_signed ? (uint64_t)sext(b, 4) : (uint32_t)b;
	}
	switch (code) {
	case JF_ALU_ADD: return a + b;
	case JF_ALU_SUB: return a - b;
	case JF_ALU_MUL: return a * b;
	case JF_ALU_DIV:
	case JF_ALU_SDIV: return divide(is_signed, false, a, b);
	case JF_ALU_MOD:
	case JF_ALU_SMOD: return divide(is_signed, true, a, b);
	case JF_ALU_OR: return a | b;
	case JF_ALU_AND: return a & b;
	case JF_ALU_XOR: return a ^ b;
	case JF_ALU_LSH: return a << count;
	case JF_ALU_RSH: return a >> count;
	case JF_ALU_ARSH: return (uint64_t)((int64_t)a >> count);
	case JF_ALU_NEG: return 0 - a;
	default: return b;
	}
}

static uint64_t expected(const struct jf_op *op, uint64_t a, uint64_t b)
{
	uint64_t value = op->sign ? (uint64_t)sext(b, op->bytes) : bpf(op->code, op->is64, a, b);

	return op->is64 ? value : (uint32_t)value;
}

/* ---- the machine --------------------------------------------------------------------------------- */

#define INSN(code, is64) (1 + 2 * (uint32_t)(code) + (is64))
#define FORM(code)                           \
	{                                    \
		INSN(code, 0), INSN(code, 1) \
	}

static void put_reg(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, unsigned int b)
{
	bool is64 = (insn - 1) & 1;
	uint64_t value = bpf((insn - 1) / 2, is64, reg[a], reg[b]);

	(void)code;
	reg[dst] = is64 ? value : sign_extends ? (uint64_t)sext(value, 4) : (uint32_t)value;
	insns++;
}

static void put_constant(struct jf_code *code, unsigned int to, uint64_t value)
{
	(void)code;
	reg[to] = last_constant = value;
	insns++;
}

static void put_imm(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, int64_t imm)
{
	cr_assert(imm >= -2048 && imm <= 2047, "%" PRId64, imm);
	put_constant(code, TEMP, (uint64_t)imm);
	put_reg(code, insn, dst, a, TEMP);
	reg[TEMP] = 0xbad;
	insns--;
}

static void zero_extend(struct jf_code *code, unsigned int dst, unsigned int src)
{
	(void)code;
	reg[dst] = (uint32_t)reg[src];
	insns++;
}

/* Moves and divisions. Of divisors that were constants there are only those that the header promises. */
static enum jf_status other(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	(void)b;
	if (op->is_imm) {
		cr_assert(op->code != JF_ALU_MOV);
		cr_assert_eq(src, (unsigned int)TEMP);
		cr_assert(op->imm != 0 && op->imm != 1, "%" PRId64, op->imm);
		cr_assert(op->imm != -1 || op->code == JF_ALU_DIV || op->code == JF_ALU_MOD);
	}
	reg[dst] = expected(op, reg[dst], reg[src]);
	insns++;
	return JF_OK;
}

static const struct jf_alu_forms sign_extending = {
	.ops =
		{
			[JF_ALU_ADD] = {FORM(JF_ALU_ADD), FORM(JF_ALU_ADD), -2048, 2047},
			[JF_ALU_SUB] = {.reg = FORM(JF_ALU_SUB)},
			[JF_ALU_MUL] = {.reg = FORM(JF_ALU_MUL)},
			[JF_ALU_OR] = {FORM(JF_ALU_OR), FORM(JF_ALU_OR), -2048, 2047},
			[JF_ALU_AND] = {FORM(JF_ALU_AND), FORM(JF_ALU_AND), -2048, 2047},
			[JF_ALU_XOR] = {FORM(JF_ALU_XOR), FORM(JF_ALU_XOR), -2048, 2047},
			[JF_ALU_LSH] = {FORM(JF_ALU_LSH), FORM(JF_ALU_LSH), 0, 63},
			[JF_ALU_RSH] = {FORM(JF_ALU_RSH), FORM(JF_ALU_RSH), 0, 63},
			[JF_ALU_ARSH] = {FORM(JF_ALU_ARSH), FORM(JF_ALU_ARSH), 0, 63},
			[JF_ALU_NEG] = {.reg = FORM(JF_ALU_SUB)},
		},
	.zero = ZERO,
	.temp = TEMP,
	.put_reg = put_reg,
	.put_imm = put_imm,
	.put_constant = put_constant,
	.zero_extend = zero_extend,
	.other = other,
};

static struct jf_alu_forms forms;

/* The registers: dst and src hold a and b, both full of what 32-bit operations have to ignore. returns: dst. */
static uint64_t carry_out(const struct jf_op *op, uint64_t a, uint64_t b)
{
	struct jf_body body = {.reg = {[R1] = DST, [R2] = SRC}};

	reg[ZERO] = 0;
	reg[TEMP] = 0xbad;
	reg[DST] = a;
	reg[SRC] = b;
	insns = 0;
	cr_assert_eq(jf_alu_by_forms(&body, op, &forms), JF_OK);
	cr_assert_eq(reg[SRC], b);
	return reg[DST];
}

static const uint64_t values[] = {
	0,
	1,
	2,
	7,
	100,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0xfedcba9876543210,
	INT64_MAX,
	(uint64_t)INT64_MIN,
	UINT64_MAX,
	0xffffffff80000000,
	0x80000000ffffffff,
};
static const int32_t constants[] = {
	0,       1,          -1,         2,          3,          4,         31,        32,    33,
	63,      64,         100,        2047,       2048,       4096,      4097,      -2048, -2049,
	-100000, 0x12345678, 0x40000000, 0x7fffffff, -INT32_MAX, INT32_MIN, -12345678,
};

static void check_both(void (*check)(const struct jf_op *op))
{
	for (int machine = 0; machine < 2; machine++) {
		forms = sign_extending;
		sign_extends = machine == 0;
		if (!sign_extends)
			forms.zero_extend = NULL;
		for (uint8_t code = 0; code < JF_ALU__COUNT; code++)
			for (int is64 = 0; is64 < 2; is64++)
				check(&(struct jf_op){.code = code, .is64 = is64, .dst = R1, .src = R2});
	}
}

static void check_constants(const struct jf_op *op)
{
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t k = 0; k < COUNT(constants); k++) {
			struct jf_op with = *op;

			with.is_imm = true;
			with.imm = constants[k];
			cr_assert_eq(carry_out(&with, values[i], 0xbeef),
				     expected(&with, values[i], (uint64_t)with.imm),
				     "operation %u, %u bits: %" PRIx64 " and %" PRId32, op->code, op->is64 ? 64 : 32,
				     values[i], constants[k]);
		}
}

static void check_registers(const struct jf_op *op)
{
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t k = 0; k < COUNT(values); k++)
			cr_assert_eq(carry_out(op, values[i], values[k]), expected(op, values[i], values[k]),
				     "operation %u, %u bits: %" PRIx64 " and %" PRIx64, op->code, op->is64 ? 64 : 32,
				     values[i], values[k]);
}

Test(alu, constants)
{
	check_both(check_constants);
}

Test(alu, registers)
{
	check_both(check_registers);
}

/* ---- what it takes ------------------------------------------------------------------------------- */

static unsigned int taken(enum jf_alu code, bool is64, int32_t imm)
{
	carry_out(&(struct jf_op){.code = (uint8_t)code, .is64 = is64, .is_imm = true, .dst = R1, .imm = imm}, 1, 0);
	return insns;
}

Test(alu, takes_the_fewest_instructions)
{
	forms = sign_extending;
	sign_extends = true;
	cr_expect_eq(taken(JF_ALU_ADD, true, 2047), 1u);
	cr_expect_eq(taken(JF_ALU_ADD, true, 2048), 2u);
	cr_expect_eq(taken(JF_ALU_SUB, true, 2048), 1u, "the core adds -2048");
	cr_expect_eq(taken(JF_ALU_ADD, false, 1), 2u, "and zero-extends");
	cr_expect_eq(taken(JF_ALU_AND, false, 255), 1u, "a mask has cleared the upper half");
	cr_expect_eq(taken(JF_ALU_AND, false, -256), 2u);
	cr_expect_eq(taken(JF_ALU_RSH, false, 1), 1u, "the sign is clear");
	cr_expect_eq(taken(JF_ALU_MUL, true, 8), 1u);
	cr_expect_eq(taken(JF_ALU_DIV, false, 8), 1u);
	cr_expect_eq(taken(JF_ALU_MOD, false, 16), 1u);
	cr_expect_eq(taken(JF_ALU_DIV, true, 7), 2u);
	cr_expect_eq(taken(JF_ALU_MUL, false, 7), 3u);
}

/* In the form that takes fewer instructions to load. */
Test(alu, extends_constants_as_the_machine_extends_results)
{
	forms = sign_extending;
	sign_extends = true;
	taken(JF_ALU_OR, false, -100000);
	cr_expect_eq(last_constant, (uint64_t)-100000);
	taken(JF_ALU_SUB, false, INT32_MIN);
	cr_expect_eq(last_constant, (uint64_t)INT32_MIN);
	taken(JF_ALU_SUB, true, INT32_MIN);
	cr_expect_eq(last_constant, UINT64_C(0x80000000));
	forms.zero_extend = NULL;
	sign_extends = false;
	taken(JF_ALU_OR, false, -100000);
	cr_expect_eq(last_constant, (uint32_t)-100000);
}

Test(alu, refuses_what_is_no_operation)
{
	struct jf_body body = {.reg = {0}};
	struct jf_op op = {.code = JF_ALU__COUNT, .is_imm = true}, cheaper;

	forms = sign_extending;
	cr_expect_eq(jf_alu_by_forms(&body, &op, &forms), JF_E_UNSUPPORTED);
	op.is_imm = false;
	cr_expect_eq(jf_alu_by_forms(&body, &op, &forms), JF_E_UNSUPPORTED);
	cr_expect_not(jf_alu_cheaper(&op, &cheaper));
}
