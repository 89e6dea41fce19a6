/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* BPF arithmetic as arm64 instructions. */

unsigned int jf_arm64_operand(struct jf_body *b, const struct jf_op *op)
{
	if (!op->is_imm)
		return jf_body_reg(b, op->src);
	if (jf_arm64_imm_value(op) == 0)
		return JF_ARM64_XZR;
	jf_arm64_mov_const(b->code, JF_ARM64_TMP, jf_arm64_imm_value(op));
	return JF_ARM64_TMP;
}

/* dst += imm, by way of its magnitude. */
static void add_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst, int64_t imm)
{
	uint64_t value = op->is64 ? (uint64_t)imm : (uint32_t)imm;
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

static void multiply(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	int log2 = jf_arm64_imm_log2(op);

	if (log2 >= 0)
		jf_arm64_lsl(b->code, op->is64, dst, dst, (unsigned int)log2);
	else
		jf_arm64_rrrr(b->code, JF_ARM64_MADD, op->is64, dst, dst, jf_arm64_operand(b, op), JF_ARM64_XZR);
}

/* Division by zero gives 0, MIN / -1 gives MIN: what UDIV and SDIV do by themselves. */
static void divide_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	bool is_signed = op->code == JF_ALU_SDIV;
	int log2 = is_signed ? -1 : jf_arm64_imm_log2(op);

	if (log2 >= 0)
		jf_arm64_lsr(b->code, op->is64, dst, dst, (unsigned int)log2);
	else
		jf_arm64_rrr(b->code, is_signed ? JF_ARM64_SDIV : JF_ARM64_UDIV, op->is64, dst, dst,
			     jf_arm64_operand(b, op));
}

/* dst - dst / x * x: with the above, x = 0 leaves dst, and MIN % -1 is 0. */
static void modulo(struct jf_body *b, const struct jf_op *op, unsigned int dst, bool is_signed)
{
	int log2 = is_signed ? -1 : jf_arm64_imm_log2(op);
	unsigned int divisor;

	if (log2 > 0) {
		jf_arm64_logical(b->code, JF_ARM64_ANDI, op->is64, dst, dst, (UINT64_C(1) << log2) - 1);
		return;
	}
	divisor = jf_arm64_operand(b, op);
	jf_arm64_rrr(b->code, is_signed ? JF_ARM64_SDIV : JF_ARM64_UDIV, op->is64, JF_ARM64_TMP2, dst, divisor);
	jf_arm64_rrrr(b->code, JF_ARM64_MSUB, op->is64, dst, JF_ARM64_TMP2, divisor, dst);
}

/* Operations that are one instruction on two registers. */
static const uint32_t reg_forms[JF_ALU__COUNT] = {
	[JF_ALU_ADD] = JF_ARM64_ADD,   [JF_ALU_SUB] = JF_ARM64_SUB,  [JF_ALU_DIV] = JF_ARM64_UDIV,
	[JF_ALU_SDIV] = JF_ARM64_SDIV, [JF_ALU_OR] = JF_ARM64_ORR,   [JF_ALU_AND] = JF_ARM64_AND,
	[JF_ALU_XOR] = JF_ARM64_EOR,   [JF_ALU_LSH] = JF_ARM64_LSLV, [JF_ALU_RSH] = JF_ARM64_LSRV,
	[JF_ALU_ARSH] = JF_ARM64_ASRV,
};

/* AND, ORR, EOR; `inverted` is the same operation on the complement: with the zero register, on -1. */
static void logical_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst, enum jf_arm64_logical form,
			enum jf_arm64_rrr inverted)
{
	uint64_t value = jf_arm64_imm_value(op);
	uint32_t fields;

	if (op->imm == -1)
		jf_arm64_rrr(b->code, inverted, op->is64, dst, dst, JF_ARM64_XZR);
	else if (jf_arm64_fits_logical(op->is64, value, &fields))
		jf_arm64_logical_put(b->code, form, op->is64, dst, dst, fields);
	else
		jf_arm64_rrr(b->code, (enum jf_arm64_rrr)reg_forms[op->code], op->is64, dst, dst,
			     jf_arm64_operand(b, op));
}

static void shift_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int count = (unsigned int)op->imm & (op->is64 ? 63 : 31);

	if (op->code == JF_ALU_LSH)
		jf_arm64_lsl(b->code, op->is64, dst, dst, count);
	else if (op->code == JF_ALU_RSH)
		jf_arm64_lsr(b->code, op->is64, dst, dst, count);
	else
		jf_arm64_asr(b->code, op->is64, dst, dst, count);
}

static void move(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int src;

	if (op->is_imm) {
		jf_arm64_mov_const(b->code, dst, jf_arm64_imm_value(op));
		return;
	}
	src = jf_body_reg(b, op->src);
	if (op->sign)
		jf_arm64_bitfield(b->code, JF_ARM64_SBFM, op->is64, dst, src, 0, 8u * op->bytes - 1);
	else if (dst != src || !op->is64)
		jf_arm64_mov(b->code, op->is64, dst, src);
}

/* Apart from jf_arm64_alu(), so that the commonest operations do not pay for its saved registers. */
__attribute__((noinline)) static void other_alu(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	switch ((enum jf_alu)op->code) {
	case JF_ALU_ADD: add_imm(b, op, dst, op->imm); break;
	case JF_ALU_SUB: add_imm(b, op, dst, -op->imm); break;
	case JF_ALU_MUL: multiply(b, op, dst); break;
	case JF_ALU_DIV:
	case JF_ALU_SDIV: divide_imm(b, op, dst); break;
	case JF_ALU_MOD:
	case JF_ALU_SMOD: modulo(b, op, dst, op->code == JF_ALU_SMOD); break;
	case JF_ALU_OR: logical_imm(b, op, dst, JF_ARM64_ORRI, JF_ARM64_ORN); break;
	case JF_ALU_AND: logical_imm(b, op, dst, JF_ARM64_ANDI, JF_ARM64_BIC); break;
	case JF_ALU_XOR: logical_imm(b, op, dst, JF_ARM64_EORI, JF_ARM64_EON); break;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH: shift_imm(b, op, dst); break;
	case JF_ALU_NEG: jf_arm64_rrr(b->code, JF_ARM64_SUB, op->is64, dst, JF_ARM64_XZR, dst); break;
	case JF_ALU_MOV: move(b, op, dst); break;
	case JF_ALU__COUNT: break;
	}
}

enum jf_status jf_arm64_alu(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);

	if (op->code >= JF_ALU__COUNT)
		return JF_E_UNSUPPORTED;
	if (!op->is_imm && reg_forms[op->code])
		jf_arm64_rrr(b->code, (enum jf_arm64_rrr)reg_forms[op->code], op->is64, dst, dst,
			     jf_body_reg(b, op->src));
	else
		other_alu(b, op, dst);
	return JF_OK;
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
