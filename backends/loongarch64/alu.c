/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#include <jitframe/alu.h>

/*
 * t1..t4 are the body's own. BPF registers hold 64 bits; a 32-bit result is zero-extended by the last
 * instruction that makes it, since LoongArch's own .w results are sign-extended.
 */

/* ---- with a register ------------------------------------------------------------------------ */

static void divide_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	bool is_signed = op->code == JF_ALU_SDIV;
	enum la_3r divide = is_signed ? LA_DIV_D : LA_DIV_DU;
	unsigned int x = dst, y = src;

	/* .w division wants extended operands as well, and these cannot overflow in 64 bits. A 64-bit MIN / -1
	 * wraps, as BPF has it. */
	if (!op->is64) {
		x = LA_T1;
		y = LA_T2;
		if (is_signed) {
			emit_sext32(c, x, dst);
			emit_sext32(c, y, src);
		} else {
			emit_zext32(c, x, dst);
			emit_zext32(c, y, src);
		}
	}
	emit_3r(c, divide, LA_T1, x, y);
	emit_3r(c, LA_MASKEQZ, dst, LA_T1, y);
	if (!op->is64 && is_signed)
		emit_zext32(c, dst, dst);
}

static void modulo_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	bool is_signed = op->code == JF_ALU_SMOD;
	enum la_3r modulo = is_signed ? LA_MOD_D : LA_MOD_DU;

	if (op->is64) {
		emit_branch21(c, LA_BEQZ, src, 8);
		emit_3r(c, modulo, dst, dst, src);
	} else if (is_signed) {
		emit_sext32(c, LA_T2, src);
		emit_sext32(c, LA_T1, dst);
		emit_branch21(c, LA_BEQZ, LA_T2, 8);
		emit_3r(c, modulo, LA_T1, LA_T1, LA_T2);
		emit_zext32(c, dst, LA_T1);
	} else {
		emit_zext32(c, LA_T2, src);
		emit_zext32(c, dst, dst);
		emit_branch21(c, LA_BEQZ, LA_T2, 8);
		emit_3r(c, modulo, dst, dst, LA_T2);
	}
}

static void move_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	if (!op->sign) {
		if (!op->is64)
			emit_zext32(c, dst, src);
		else if (dst != src)
			emit_move(c, dst, src);
		return;
	}
	if (op->bytes == 4)
		emit_sext32(c, dst, src);
	else
		emit_2r(c, op->bytes == 1 ? LA_EXT_W_B : LA_EXT_W_H, dst, src);
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static enum jf_status other(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	switch (op->code) {
	case JF_ALU_DIV:
	case JF_ALU_SDIV: divide_reg(b->code, op, dst, src); return JF_OK;
	case JF_ALU_MOD:
	case JF_ALU_SMOD: modulo_reg(b->code, op, dst, src); return JF_OK;
	case JF_ALU_MOV: move_reg(b->code, op, dst, src); return JF_OK;
	default: return JF_E_UNSUPPORTED;
	}
}

/* ---- with a constant: `value` is sign-extended for 64 bits, zero-extended for 32 ------------------ */

static void multiply_value(struct jf_code *c, const struct jf_op *op, unsigned int dst, uint64_t value)
{
	unsigned int bit, lsb;

	if (la_one_run(value - 1, &bit, &lsb) && bit == lsb && bit <= 4) {
		emit_alsl_d(c, dst, dst, dst, bit);
	} else {
		jf_loongarch64_li(c, LA_T1, (uint64_t)op->imm);
		emit_3r(c, LA_MUL_D, dst, dst, LA_T1);
	}
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static void divide_value(struct jf_code *c, const struct jf_op *op, unsigned int dst, uint64_t value)
{
	jf_loongarch64_li(c, LA_T2, value);
	if (!op->is64)
		emit_zext32(c, dst, dst);
	emit_3r(c, LA_DIV_DU, dst, dst, LA_T2);
}

static void modulo_value(struct jf_code *c, const struct jf_op *op, unsigned int dst, uint64_t value)
{
	if (!op->is64)
		emit_zext32(c, dst, dst);
	jf_loongarch64_li(c, LA_T2, value);
	emit_3r(c, LA_MOD_DU, dst, dst, LA_T2);
}

/* Signed division and remainder. */
static void divide_signed_value(struct jf_code *c, const struct jf_op *op, unsigned int dst)
{
	unsigned int x = dst;

	if (!op->is64) {
		x = LA_T1;
		emit_sext32(c, x, dst);
	}
	jf_loongarch64_li(c, LA_T2, (uint64_t)op->imm);
	emit_3r(c, op->code == JF_ALU_SMOD ? LA_MOD_D : LA_DIV_D, dst, x, LA_T2);
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static bool or_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	unsigned int msb, lsb;

	if (value < 4096 || !la_one_run(value, &msb, &lsb))
		return false;
	emit_2ri12(c, LA_ADDI_W, LA_T1, LA_ZERO, -1);
	emit_field(c, LA_BSTRINS_D, dst, LA_T1, msb, lsb);
	if (!is64)
		emit_zext32(c, dst, dst);
	return true;
}

static bool and_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	uint64_t cleared = is64 ? ~value : (uint32_t)~value;
	unsigned int msb, lsb;

	if (!value) {
		emit_move(c, dst, LA_ZERO);
	} else if (is64 && !cleared) {
		return true;
	} else if (la_one_run(value, &msb, &lsb) && !lsb) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, msb, 0);
	} else if (value < 4096) {
		return false;
	} else if (la_one_run(cleared, &msb, &lsb)) {
		emit_field(c, LA_BSTRINS_D, dst, LA_ZERO, msb, lsb);
		if (!is64)
			emit_zext32(c, dst, dst);
	} else if (la_one_run(value, &msb, &lsb)) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, msb, lsb);
		emit_2ri6(c, LA_SLLI_D, dst, dst, lsb);
	} else {
		return false;
	}
	return true;
}

/* Constants that take fewer instructions than to load them, or that `forms` below have no instruction for. */
static bool shortcut(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	uint64_t value = jf_alu_constant(op);
	unsigned int top = op->is64 ? 63 : 31;
	struct jf_code *c = b->code;

	switch (op->code) {
	case JF_ALU_ADD:
		jf_loongarch64_add_imm(c, dst, dst, op->imm, LA_T1);
		if (!op->is64)
			emit_zext32(c, dst, dst);
		return true;
	case JF_ALU_MUL: multiply_value(c, op, dst, value); return true;
	case JF_ALU_DIV: divide_value(c, op, dst, value); return true;
	case JF_ALU_MOD: modulo_value(c, op, dst, value); return true;
	case JF_ALU_SDIV:
	case JF_ALU_SMOD: divide_signed_value(c, op, dst); return true;
	case JF_ALU_OR: return or_value(c, op->is64, dst, value);
	case JF_ALU_AND: return and_value(c, op->is64, dst, value);
	case JF_ALU_XOR:
		if (op->imm != -1)
			return false;
		emit_3r(c, LA_NOR, dst, dst, LA_ZERO);
		if (!op->is64)
			emit_zext32(c, dst, dst);
		return true;
	case JF_ALU_RSH:
		if (op->imm)
			emit_field(c, LA_BSTRPICK_D, dst, dst, top, (unsigned int)op->imm);
		return op->imm != 0;
	default: return false;
	}
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static inline void put_reg(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, unsigned int b)
{
	emit_3r(code, (enum la_3r)insn, dst, a, b);
}

/* All of these have the constant in the same place; the form says what fits. */
static void put_imm(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, int64_t imm)
{
	emit_2ru12(code, (enum la_2ru12)insn, dst, a, imm);
}

/* Shifts take their count modulo 32 or 64 by themselves. */
static const struct jf_alu_forms forms = {
	.ops =
		{
			[JF_ALU_ADD] = {.reg = {LA_ADD_W, LA_ADD_D}},
			[JF_ALU_SUB] = {.reg = {LA_SUB_W, LA_SUB_D}},
			[JF_ALU_MUL] = {.reg = {LA_MUL_W, LA_MUL_D}},
			[JF_ALU_OR] = {{LA_OR, LA_OR}, {LA_ORI, LA_ORI}, 0, 4095},
			[JF_ALU_AND] = {{LA_AND, LA_AND}, {LA_ANDI, LA_ANDI}, 0, 4095},
			[JF_ALU_XOR] = {{LA_XOR, LA_XOR}, {LA_XORI, LA_XORI}, 0, 4095},
			[JF_ALU_LSH] = {{LA_SLL_W, LA_SLL_D}, {LA_SLLI_D, LA_SLLI_D}, 0, 63},
			[JF_ALU_RSH] = {.reg = {LA_SRL_W, LA_SRL_D}},
			[JF_ALU_ARSH] = {{LA_SRA_W, LA_SRA_D}, {LA_SRAI_W, LA_SRAI_D}, 0, 63},
			[JF_ALU_NEG] = {.reg = {LA_SUB_D, LA_SUB_D}},
		},
	.zero = LA_ZERO,
	.temp = LA_T1,
	.put_reg = put_reg,
	.put_imm = put_imm,
	.put_constant = jf_loongarch64_li,
	.zero_extend = emit_zext32,
	.shortcut = shortcut,
	.other = other,
};

enum jf_status jf_loongarch64_alu(struct jf_body *b, const struct jf_op *op)
{
	return jf_alu_by_forms(b, op, &forms);
}

enum jf_status jf_loongarch64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);

	if (op->code != JF_SWAP_TO_LE)
		emit_2r(b->code, op->bytes == 2 ? LA_REVB_4H : op->bytes == 4 ? LA_REVB_2W : LA_REVB_D, dst, dst);
	if (op->bytes != 8)
		emit_field(b->code, LA_BSTRPICK_D, dst, dst, 8u * op->bytes - 1, 0);
	return JF_OK;
}
