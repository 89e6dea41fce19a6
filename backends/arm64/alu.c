/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* BPF arithmetic as arm64 instructions. What writes a W register clears the upper half. */

unsigned int jf_arm64_operand(struct jf_body *b, const struct jf_op *op)
{
	if (!op->is_imm)
		return jf_body_reg(b, op->src);
	if (jf_alu_constant(op) == 0)
		return JF_ARM64_XZR;
	jf_arm64_mov_const(b->code, JF_ARM64_TMP, jf_alu_constant(op));
	return JF_ARM64_TMP;
}

/* dst += imm, by way of its magnitude. */
static void add_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	uint64_t value = jf_alu_constant(op);
	uint64_t negated = op->is64 ? 0 - value : (uint32_t)(0 - value);
	bool down = negated < value;
	uint64_t size = down ? negated : value;
	enum jf_arm64_addsub form = down ? JF_ARM64_SUBI : JF_ARM64_ADDI;

	if (op->is64 && !size)
		return;
	if (jf_arm64_fits_addsub(size)) {
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size);
	} else if (size >> 24 || jf_arm64_const_insns(size) == 1) {
		jf_arm64_mov_const(b->code, JF_ARM64_TMP, size);
		jf_arm64_rrr(b->code, down ? JF_ARM64_SUB : JF_ARM64_ADD, op->is64, dst, dst, JF_ARM64_TMP);
	} else {
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size & ~UINT64_C(4095));
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size & 4095);
	}
}

/* AND, ORR, EOR; `inverted` is the same operation on the complement: with the zero register, on -1. */
static bool logical_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst, enum jf_arm64_logical form,
			enum jf_arm64_rrr plain, enum jf_arm64_rrr inverted)
{
	uint32_t fields;

	if (op->imm == 0 || op->imm == -1)
		jf_arm64_rrr(b->code, op->imm ? inverted : plain, op->is64, dst, dst, JF_ARM64_XZR);
	else if (jf_arm64_fits_logical(op->is64, jf_alu_constant(op), &fields))
		jf_arm64_logical_put(b->code, form, op->is64, dst, dst, fields);
	else
		return false;
	return true;
}

/* Constants that fit into an instruction; sums whatever they take. */
static bool shortcut(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	switch (op->code) {
	case JF_ALU_ADD: add_imm(b, op, dst); return true;
	case JF_ALU_LSH: jf_arm64_lsl(b->code, op->is64, dst, dst, (unsigned int)op->imm); return true;
	case JF_ALU_RSH: jf_arm64_lsr(b->code, op->is64, dst, dst, (unsigned int)op->imm); return true;
	case JF_ALU_ARSH: jf_arm64_asr(b->code, op->is64, dst, dst, (unsigned int)op->imm); return true;
	case JF_ALU_OR: return logical_imm(b, op, dst, JF_ARM64_ORRI, JF_ARM64_ORR, JF_ARM64_ORN);
	case JF_ALU_AND: return logical_imm(b, op, dst, JF_ARM64_ANDI, JF_ARM64_AND, JF_ARM64_BIC);
	case JF_ALU_XOR: return logical_imm(b, op, dst, JF_ARM64_EORI, JF_ARM64_EOR, JF_ARM64_EON);
	default: return false;
	}
}

static void move(struct jf_code *code, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	if (op->sign)
		jf_arm64_bitfield(code, JF_ARM64_SBFM, op->is64, dst, src, 0, 8u * op->bytes - 1);
	else if (dst != src || !op->is64)
		jf_arm64_mov(code, op->is64, dst, src);
}

/* dst - dst / x * x: x = 0 leaves dst, and MIN % -1 is 0, by what UDIV and SDIV make of these. */
static void modulo(struct jf_code *code, const struct jf_op *op, unsigned int dst, unsigned int divisor)
{
	enum jf_arm64_rrr divide = op->code == JF_ALU_SMOD ? JF_ARM64_SDIV : JF_ARM64_UDIV;

	jf_arm64_rrr(code, divide, op->is64, JF_ARM64_TMP2, dst, divisor);
	jf_arm64_rrrr(code, JF_ARM64_MSUB, op->is64, dst, JF_ARM64_TMP2, divisor, dst);
}

static inline enum jf_status other(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	if (op->code == JF_ALU_MOV)
		move(b->code, op, dst, src);
	else
		modulo(b->code, op, dst, src);
	return JF_OK;
}

static inline void put_reg(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, unsigned int b)
{
	jf_arm64_rrr(code, (enum jf_arm64_rrr)insn, false, dst, a, b);
}

/* On W and on X registers. */
/* clang-format off */
#define FORM(insn) {.reg = {(insn), (insn) | UINT32_C(1) << 31}}
/* clang-format on */

/* Division by zero gives 0, MIN / -1 gives MIN: what UDIV and SDIV do by themselves. */
static const struct jf_alu_forms forms = {
	.ops =
		{
			[JF_ALU_ADD] = FORM(JF_ARM64_ADD),
			[JF_ALU_SUB] = FORM(JF_ARM64_SUB),
			[JF_ALU_MUL] = FORM(JF_ARM64_MADD | JF_ARM64_XZR << 10),
			[JF_ALU_DIV] = FORM(JF_ARM64_UDIV),
			[JF_ALU_SDIV] = FORM(JF_ARM64_SDIV),
			[JF_ALU_OR] = FORM(JF_ARM64_ORR),
			[JF_ALU_AND] = FORM(JF_ARM64_AND),
			[JF_ALU_XOR] = FORM(JF_ARM64_EOR),
			[JF_ALU_LSH] = FORM(JF_ARM64_LSLV),
			[JF_ALU_RSH] = FORM(JF_ARM64_LSRV),
			[JF_ALU_ARSH] = FORM(JF_ARM64_ASRV),
			[JF_ALU_NEG] = FORM(JF_ARM64_SUB),
		},
	.zero = JF_ARM64_XZR,
	.temp = JF_ARM64_TMP,
	.put_reg = put_reg,
	.put_constant = jf_arm64_mov_const,
	.shortcut = shortcut,
	.other = other,
};

enum jf_status jf_arm64_alu(struct jf_body *b, const struct jf_op *op)
{
	return jf_alu_by_forms(b, op, &forms);
}

/* Reverses the low bytes, or keeps them as they are, and zero-extends. */
enum jf_status jf_arm64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	bool reverse = op->code != JF_SWAP_TO_LE;

	switch (op->bytes) {
	case 2:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV16, false, dst, dst);
		jf_arm64_bitfield(b->code, JF_ARM64_UBFM, false, dst, dst, 0, 15);
		break;
	case 4:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV, false, dst, dst);
		else
			jf_arm64_mov(b->code, false, dst, dst);
		break;
	case 8:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV, true, dst, dst);
		break;
	default: return JF_E_UNSUPPORTED;
	}
	return JF_OK;
}
