/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF arithmetic (RFC 9669, section 4) to machine code.
 *
 * No flag lives from one BPF instruction to the next, so forms are chosen for size alone. SCRATCH and
 * SCRATCH2 (r11, r10) are free within an instruction. RSP is where the prologue put it, but
 * divisions and shifts push a register meanwhile: one byte, where a copy takes three. RBP tells the CFA.
 */
#include "insn.h"

#include <jitframe/alu.h>

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* and with a value whose upper half is clear clears that half: 32-bit forms do. */
static void emit_and_imm(struct jf_code *code, bool w, unsigned int dst, int64_t imm)
{
	if (imm == -1)
		emit_same(code, w, dst);
	else if (imm == 0)
		jf_x86_64_emit_mov_ri(code, dst, 0);
	else if (imm == 0xff || imm == 0xffff)
		emit_extend(code, imm == 0xff ? 1 : 2, false, false, dst, dst);
	else
		jf_x86_64_emit_alu_ri(code, ALU_AND, w && imm < 0, dst, imm);
}

/* ADD, SUB, OR, XOR */
static void emit_op_imm(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm)
{
	if (imm == 0)
		emit_same(code, w, dst);
	else if (imm == -1 && op == ALU_XOR)
		emit_unary(code, UNARY_NOT, w, dst);
	else if (imm == 128 && (op == ALU_ADD || op == ALU_SUB)) /* -128 has a short form */
		jf_x86_64_emit_alu_ri(code, op == ALU_ADD ? ALU_SUB : ALU_ADD, w, dst, -128);
	else
		jf_x86_64_emit_alu_ri(code, op, w, dst, imm);
}

/* The count has to be in CL. It is taken modulo the width, as BPF wants it. */
static void emit_shift_reg(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int count)
{
	if (count == RCX) {
		emit_shift_cl(code, op, w, dst);
	} else if (dst == RCX) {
		emit_mov_rr(code, true, SCRATCH, RCX);
		emit_mov_rr(code, false, RCX, count);
		emit_shift_cl(code, op, w, SCRATCH);
		emit_mov_rr(code, true, RCX, SCRATCH);
	} else {
		emit_push(code, RCX);
		emit_mov_rr(code, false, RCX, count);
		emit_shift_cl(code, op, w, dst);
		emit_pop(code, RCX);
	}
}

static void emit_shift(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	static const unsigned int ops[] = {
		[JF_ALU_LSH] = SHIFT_SHL, [JF_ALU_RSH] = SHIFT_SHR, [JF_ALU_ARSH] = SHIFT_SAR};
	unsigned int count = (unsigned int)op->imm & (op->is64 ? 63 : 31);

	if (!op->is_imm)
		emit_shift_reg(b->code, ops[op->code], op->is64, dst, operand(b, op->src));
	else if (count)
		emit_shift_ri(b->code, ops[op->code], op->is64, dst, count);
	else
		emit_same(b->code, op->is64, dst);
}

/* ---- division ------------------------------------------------------------------------------- */

struct division {
	bool w, is_signed, mod;
	unsigned int dst;
};

/*
 * RDX:RAX / divisor -> RAX, remainder RDX; both keep their values when they are not dst. Where dst is
 * neither, it holds RAX meanwhile. The divisor is not zero, nor a signed -1.
 */
static void emit_divide(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	unsigned int result = d->mod ? RDX : RAX, kept = d->dst == RDX ? RAX : RDX;

	if (divisor == RAX || divisor == RDX || divisor == d->dst) {
		emit_mov_rr(code, d->w, SCRATCH, divisor);
		divisor = SCRATCH;
	}
	emit_push(code, kept);
	if (d->dst == RDX)
		emit_mov_rr(code, d->w, RAX, RDX);
	else if (d->dst != RAX)
		jf_x86_64_emit_xchg_rr(code, true, RAX, d->dst);
	if (d->is_signed)
		emit_sign_to_dx(code, d->w);
	else
		emit_alu_rr(code, ALU_XOR, false, RDX, RDX);
	emit_unary(code, d->is_signed ? UNARY_IDIV : UNARY_DIV, d->w, divisor);
	if (d->dst == RAX || d->dst == RDX) {
		if (d->dst != result)
			emit_mov_rr(code, d->w, d->dst, result);
	} else if (d->mod) {
		emit_mov_rr(code, true, RAX, d->dst);
		emit_mov_rr(code, d->w, d->dst, RDX);
	} else {
		jf_x86_64_emit_xchg_rr(code, true, RAX, d->dst);
	}
	emit_pop(code, kept);
}

/* x / 0 = 0, x % 0 = x */
static void emit_divide_unsigned(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	size_t to_end, to_divide;

	emit_test_rr(code, d->w, divisor, divisor);
	if (d->mod) {
		emit_same(code, d->w, d->dst); /* mov leaves the flags */
		to_end = skip_if(code, CC_E);
	} else {
		to_divide = skip_if(code, CC_NE);
		emit_alu_rr(code, ALU_XOR, false, d->dst, d->dst);
		to_end = skip(code);
		land(code, to_divide);
	}
	emit_divide(code, d, divisor);
	land(code, to_end);
}

/*
 * Divisors 0 and -1 at once: they are those with divisor + 1 <= 1, unsigned.
 *     0: x / 0 = 0 = x * 0      x % 0 = x = x * (0 + 1)
 *    -1: x / -1 = x * -1        x % -1 = 0 = x * (-1 + 1)     (also of MIN, where idiv traps)
 */
static void emit_divide_signed(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	size_t to_end, to_divide;

	emit_lea(code, d->w, SCRATCH2, at(divisor, 1));
	jf_x86_64_emit_alu_ri(code, ALU_CMP, d->w, SCRATCH2, 1);
	to_divide = skip_if(code, CC_A);
	emit_imul_rr(code, d->w, d->dst, d->mod ? SCRATCH2 : divisor);
	to_end = skip(code);
	land(code, to_divide);
	emit_divide(code, d, divisor);
	land(code, to_end);
}

static void emit_division(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	struct division d = {
		.w = op->is64,
		.is_signed = op->code == JF_ALU_SDIV || op->code == JF_ALU_SMOD,
		.mod = op->code == JF_ALU_MOD || op->code == JF_ALU_SMOD,
		.dst = dst,
	};

	if (op->is_imm) {
		jf_x86_64_emit_mov_ri(b->code, SCRATCH, jf_alu_constant(op));
		emit_divide(b->code, &d, SCRATCH);
	} else if (d.is_signed) {
		emit_divide_signed(b->code, &d, operand(b, op->src));
	} else {
		emit_divide_unsigned(b->code, &d, operand(b, op->src));
	}
}

/* ---- hooks ---------------------------------------------------------------------------------- */

/* R10's value, or a sign-extended one. */
static void emit_mov(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int src = jf_body_reg(b, op->src);

	if (op->sign)
		emit_extend(b->code, op->bytes, true, op->is64, dst, operand(b, op->src));
	else if (op->src == JF_BPF_FP && r10_disp(b))
		emit_lea(b->code, op->is64, dst, at(src, r10_disp(b)));
	else if (!op->is64 || dst != src)
		emit_mov_rr(b->code, op->is64, dst, src);
}

/* Multiplication and division by a constant, and NEG. */
static NOINLINE enum jf_status alu_rare(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	struct jf_op cheaper;

	if (jf_alu_cheaper(op, &cheaper))
		return jf_x86_64_alu(b, &cheaper);
	switch (op->code) {
	case JF_ALU_MUL: emit_imul_rri(b->code, op->is64, dst, dst, narrow(op->is64, op->imm)); return JF_OK;
	case JF_ALU_NEG: emit_unary(b->code, UNARY_NEG, op->is64, dst); return JF_OK;
	case JF_ALU_DIV:
	case JF_ALU_SDIV:
	case JF_ALU_MOD:
	case JF_ALU_SMOD: emit_division(b, op, dst); return JF_OK;
	default: return JF_E_UNSUPPORTED;
	}
}

static NOINLINE enum jf_status alu_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	static const uint8_t digits[JF_ALU__COUNT] = {
		[JF_ALU_ADD] = ALU_ADD, [JF_ALU_SUB] = ALU_SUB, [JF_ALU_OR] = ALU_OR, [JF_ALU_XOR] = ALU_XOR};
	int64_t imm = narrow(op->is64, op->imm);

	switch (op->code) {
	case JF_ALU_ADD:
	case JF_ALU_SUB:
	case JF_ALU_OR:
	case JF_ALU_XOR: emit_op_imm(b->code, digits[op->code], op->is64, dst, imm); return JF_OK;
	case JF_ALU_AND: emit_and_imm(b->code, op->is64, dst, imm); return JF_OK;
	case JF_ALU_MOV: jf_x86_64_emit_mov_ri(b->code, dst, jf_alu_constant(op)); return JF_OK;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH: emit_shift(b, op, dst); return JF_OK;
	default: return alu_rare(b, op, dst);
	}
}

static NOINLINE enum jf_status alu_reg(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int opcode)
{
	switch (op->code) {
	case JF_ALU_MOV: emit_mov(b, op, dst); return JF_OK;
	case JF_ALU_MUL: emit_imul_rr(b->code, op->is64, dst, operand(b, op->src)); return JF_OK;
	case JF_ALU_DIV:
	case JF_ALU_SDIV:
	case JF_ALU_MOD:
	case JF_ALU_SMOD: emit_division(b, op, dst); return JF_OK;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH: emit_shift(b, op, dst); return JF_OK;
	case JF_ALU_NEG: emit_unary(b->code, UNARY_NEG, op->is64, dst); return JF_OK;
	default:
		if (!opcode)
			return JF_E_UNSUPPORTED;
		put_reg(b->code, form_w(op->is64) | opcode, operand(b, op->src), dst, 0);
		return JF_OK;
	}
}

enum jf_status jf_x86_64_alu(struct jf_body *b, const struct jf_op *op)
{
	/* op dst, src */
	static const uint8_t opcodes[JF_ALU__COUNT] = {
		[JF_ALU_ADD] = 0x01, [JF_ALU_SUB] = 0x29, [JF_ALU_OR] = 0x09,
		[JF_ALU_AND] = 0x21, [JF_ALU_XOR] = 0x31, [JF_ALU_MOV] = 0x89,
	};
	unsigned int opcode = op->code < JF_ALU__COUNT ? opcodes[op->code] : 0;
	unsigned int dst = jf_body_reg(b, op->dst), src = jf_body_reg(b, op->src);

	if (op->is_imm)
		return alu_imm(b, op, dst);
	if (!opcode || op->src == JF_BPF_FP || op->sign || (dst == src && op->code == JF_ALU_MOV))
		return alu_reg(b, op, dst, opcode);
	put_reg(b->code, form_w(op->is64) | opcode, src, dst, 0);
	return JF_OK;
}

/* This is a little-endian machine: TO_LE only cuts off. */
enum jf_status jf_x86_64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);

	if (op->code == JF_SWAP_TO_LE) {
		if (op->bytes < 8)
			emit_extend(b->code, op->bytes, false, false, dst, dst);
		return JF_OK;
	}
	emit_bswap(b->code, op->bytes == 8, dst);
	if (op->bytes == 2)
		emit_shift_ri(b->code, SHIFT_SHR, false, dst, 16);
	return JF_OK;
}
