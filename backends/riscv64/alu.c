/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#include <jitframe/alu.h>

/*
 * t1..t3 are the body's own. BPF registers hold 64 bits; RISC-V's own .w results are sign-extended. A 32-bit result is
 * zero-extended by the last two instructions that make it, where anything reads the upper half.
 */

/* The machine's quotient of a division by zero is -1, BPF's is 0; MIN / -1 is MIN to both. */
static void divide(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	bool is_signed = op->code == JF_ALU_SDIV;
	enum rv_r insn = op->is64 ? (is_signed ? RV_DIV : RV_DIVU) : (is_signed ? RV_DIVW : RV_DIVUW);
	unsigned int by = src;

	if (!op->is_imm && (!op->is64 || dst == src)) {
		by = RV_T1;
		emit_i(c, op->is64 ? RV_ADDI : RV_ADDIW, by, src, 0);
	}
	emit_r(c, insn, dst, dst, by);
	if (!op->is_imm) {
		emit_skip(c, RV_BNE, by, RV_ZERO, 2);
		emit_i(c, RV_ADDI, dst, RV_ZERO, 0);
	}
	if (!op->is64 && !op->upper_dead)
		emit_zext32(c, dst, dst);
}

static void move(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	unsigned int up = 64 - 8u * op->bytes;

	if (!op->sign && (op->is64 || op->upper_dead)) {
		if (dst != src)
			emit_move(c, dst, src);
	} else if (!op->sign) {
		emit_zext32(c, dst, src);
	} else if (op->bytes == 4) {
		emit_sext32(c, dst, src);
	} else if (op->is64 || op->upper_dead) {
		emit_shifts(c, RV_SRAI, dst, src, up);
	} else {
		/* The sign goes as far as bit 31, in the upper half; from there down come zeros. */
		emit_shift(c, RV_SLLI, dst, src, up);
		emit_shift(c, RV_SRAI, dst, dst, up - 32);
		emit_shift(c, RV_SRLI, dst, dst, 32);
	}
}

static enum jf_status other(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	if (op->code == JF_ALU_MOV)
		move(b->code, op, dst, src);
	else
		divide(b->code, op, dst, src);
	return JF_OK;
}

/* Constants that take fewer instructions than to load them, or than zero-extending behind. */
static bool shortcut(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	uint64_t value = jf_alu_constant(op);
	struct jf_code *c = b->code;

	switch (op->code) {
	case JF_ALU_ADD:
		jf_riscv64_add_imm(c, dst, dst, op->imm, RV_T1);
		if (!op->is64 && !op->upper_dead)
			emit_zext32(c, dst, dst);
		return true;
	case JF_ALU_AND:
		if (value < 2048 || value & (value + 1))
			return false;
		if (value != UINT64_MAX)
			emit_shifts(c, RV_SRLI, dst, dst, (unsigned int)__builtin_clzll(value));
		return true;
	case JF_ALU_LSH:
		if (op->is64 || !op->imm)
			return false;
		emit_shift(c, RV_SLLI, dst, dst, op->imm + (op->upper_dead ? 0 : 32));
		if (!op->upper_dead)
			emit_shift(c, RV_SRLI, dst, dst, 32);
		return true;
	default: return false;
	}
}

static void put_reg(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, unsigned int b)
{
	emit_r(code, (enum rv_r)insn, dst, a, b);
}

/* All of these have the constant in the same place; the form says what fits. */
static void put_imm(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, int64_t imm)
{
	rv_put(code, true, insn | rv_imm_i(imm) | rv_rs1(a) | rv_rd(dst));
}

/* Shifts take their count modulo 32 or 64 by themselves. Remainders are BPF's, of divisions by zero too. */
static const struct jf_alu_forms forms = {
	.ops =
		{
			[JF_ALU_ADD] = {.reg = {RV_ADD, RV_ADD}},
			[JF_ALU_SUB] = {.reg = {RV_SUB, RV_SUB}},
			[JF_ALU_MUL] = {.reg = {RV_MUL, RV_MUL}},
			[JF_ALU_MOD] = {.reg = {RV_REMUW, RV_REMU}},
			[JF_ALU_SMOD] = {.reg = {RV_REMW, RV_REM}},
			[JF_ALU_OR] = {{RV_OR, RV_OR}, {RV_ORI, RV_ORI}, -2048, 2047},
			[JF_ALU_AND] = {{RV_AND, RV_AND}, {RV_ANDI, RV_ANDI}, -2048, 2047},
			[JF_ALU_XOR] = {{RV_XOR, RV_XOR}, {RV_XORI, RV_XORI}, -2048, 2047},
			[JF_ALU_LSH] = {{RV_SLLW, RV_SLL}, {RV_SLLIW, RV_SLLI}, 0, 63},
			[JF_ALU_RSH] = {{RV_SRLW, RV_SRL}, {RV_SRLIW, RV_SRLI}, 0, 63},
			[JF_ALU_ARSH] = {{RV_SRAW, RV_SRA}, {RV_SRAIW, RV_SRAI}, 0, 63},
			[JF_ALU_NEG] = {.reg = {RV_SUB, RV_SUB}},
		},
	.zero = RV_ZERO,
	.temp = RV_T1,
	.put_reg = put_reg,
	.put_imm = put_imm,
	.put_constant = jf_riscv64_li,
	.zero_extend = emit_zext32,
	.shortcut = shortcut,
	.other = other,
};

enum jf_status jf_riscv64_alu(struct jf_body *b, const struct jf_op *op)
{
	return jf_alu_by_forms(b, op, &forms);
}

/* Byte by byte, the lowest first, into t2. */
static void reverse(struct jf_code *c, unsigned int dst, unsigned int bytes)
{
	emit_i(c, RV_ANDI, RV_T2, dst, 0xff);
	for (unsigned int i = 1; i < bytes; i++) {
		emit_shift(c, RV_SRLI, dst, dst, 8);
		emit_i(c, RV_ANDI, RV_T1, dst, 0xff);
		emit_shift(c, RV_SLLI, RV_T2, RV_T2, 8);
		emit_r(c, RV_ADD, RV_T2, RV_T2, RV_T1);
	}
	emit_move(c, dst, RV_T2);
}

enum jf_status jf_riscv64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = rv_bpf(b, op->dst);

	if (op->code != JF_SWAP_TO_LE)
		reverse(b->code, dst, op->bytes);
	else if (op->bytes != 8)
		emit_shifts(b->code, RV_SRLI, dst, dst, 64 - 8u * op->bytes);
	return JF_OK;
}

enum jf_status jf_riscv64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = rv_bpf(b, op->dst);
	/* Meaningless for a plain constant, which may be anything. */
	int64_t distance = (int64_t)((uint64_t)op->imm - jf_code_pc(b->code));
	int64_t low = (int64_t)((uint64_t)distance << 52) >> 52;

	if (op->src != JF_SRC_CODE) {
		jf_riscv64_li(b->code, dst, (uint64_t)op->imm);
		return JF_OK;
	}
	/* Code still moves from pass to pass: eight bytes wherever it goes. */
	emit_auipc(b->code, dst, (distance - low) / 4096);
	rv_put_word(b->code, true, (uint32_t)RV_ADDI | rv_imm_i(low) | rv_rs1(dst) | rv_rd(dst));
	return JF_OK;
}

/* The upper half is added to what has none, and NULL is left alone by a branch around that. */
enum jf_status jf_riscv64_cast_user(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = rv_bpf(b, op->dst);

	emit_zext32(b->code, dst, rv_bpf(b, op->src));
	if (!op->imm)
		return JF_OK;
	jf_riscv64_li(b->code, RV_T1, (uint64_t)op->imm & ~(uint64_t)UINT32_MAX);
	emit_skip(b->code, RV_BEQ, dst, RV_ZERO, 2);
	emit_r(b->code, RV_ADD, dst, dst, RV_T1);
	return JF_OK;
}

/* Linux reads the base from a table in its own memory. */
enum jf_status jf_riscv64_per_cpu(struct jf_body *b, const struct jf_op *op)
{
	if (!(b->frame->conv->caps & JF_CAP_USER_BASE))
		return JF_E_UNSUPPORTED;
	emit_r(b->code, RV_ADD, rv_bpf(b, op->dst), rv_bpf(b, op->src), RV_TP);
	return JF_OK;
}
