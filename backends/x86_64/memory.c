/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads, stores, and arithmetic on what only addresses are made of. */
#include "insn.h"

/* Without an index half the work of encoding is over. */
enum jf_status jf_x86_64_load(struct jf_body *b, const struct jf_op *op)
{
	struct mem m = place(b, op, op->src);

	if (op->arena)
		emit_load(b->code, op->bytes, op->sign, jf_body_reg(b, op->dst), m);
	else
		emit_load(b->code, op->bytes, op->sign, jf_body_reg(b, op->dst), at(m.base, m.disp));
	return JF_OK;
}

static NOINLINE void store_imm(struct jf_body *b, const struct jf_op *op, struct mem m)
{
	uint64_t mask = op->bytes < 4 ? (UINT64_C(1) << 8 * op->bytes) - 1 : UINT64_MAX;

	jf_x86_64_emit_store_imm(b->code, op->bytes, m, (int64_t)((uint64_t)op->imm & mask));
}

/* Of an immediate, of R10's value, or to an arena. */
static NOINLINE void store_other(struct jf_body *b, const struct jf_op *op)
{
	struct mem m = place(b, op, op->dst);

	if (op->is_imm)
		store_imm(b, op, m);
	else
		emit_store(b->code, op->bytes, m, operand(b, op->src));
}

enum jf_status jf_x86_64_store(struct jf_body *b, const struct jf_op *op)
{
	struct mem m = place(b, op, op->dst);

	if (op->is_imm || op->arena || op->src == JF_BPF_FP)
		store_other(b, op);
	else
		emit_store(b->code, op->bytes, at(m.base, m.disp), jf_body_reg(b, op->src));
	return JF_OK;
}

/* 2, 5 or 7 bytes; 10 only for what is neither small nor near. */
enum jf_status jf_x86_64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	uint64_t value = (uint64_t)op->imm;

	if (value <= UINT32_MAX || fits_s32(op->imm) || !jf_x86_64_near(b->code, value))
		jf_x86_64_emit_mov_ri(b->code, dst, value);
	else
		jf_x86_64_emit_lea_pc(b->code, dst, value);
	return JF_OK;
}

/* The offset in the arena, and above it the upper half of the user's address; of NULL nothing (K18). */
enum jf_status jf_x86_64_cast_user(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst), src = operand(b, op->src);
	size_t to_end;

	if (dst == src) {
		emit_alu_rr(b->code, ALU_AND, false, dst, dst);
	} else {
		emit_mov_rr(b->code, false, dst, src);
		if (op->imm)
			emit_test_rr(b->code, false, dst, dst);
	}
	if (!op->imm)
		return JF_OK;
	to_end = skip_if(b->code, CC_E);
	jf_x86_64_emit_movabs(b->code, SCRATCH, (uint64_t)op->imm);
	emit_alu_rr(b->code, ALU_OR, true, dst, SCRATCH);
	land(b->code, to_end);
	return JF_OK;
}

enum jf_status jf_x86_64_per_cpu(struct jf_body *b, const struct jf_op *op)
{
	bool thread = b->frame->conv->caps & JF_CAP_USER_BASE;
	unsigned int dst = jf_body_reg(b, op->dst);

	emit_move(b->code, dst, operand(b, op->src));
	emit_add_seg(b->code, thread ? F_FS : F_GS, dst, 0);
	return JF_OK;
}
