/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations. Loads acquire and stores release on this machine as they are: Intel SDM, volume 3,
 * "Memory Ordering in P6 and More Recent Processor Families". Locked instructions order everything.
 */
#include "insn.h"

/* `reg` in place of RAX. */
static struct mem instead_of_rax(struct mem m, unsigned int reg)
{
	if (m.base == RAX)
		m.base = (uint16_t)reg;
	if (m.index == RAX)
		m.index = (uint16_t)reg;
	return m;
}

/*
 * Fetching OR, AND, XOR have no instruction: RAX = old; retry until nobody wrote between. RAX goes to
 * SCRATCH2 meanwhile, where it also serves as address or operand. In an arena each access may fault, even
 * the second alone; then the program goes on where RAX is brought back.
 */
static void emit_fetch_loop(struct jf_body *b, const struct jf_op *op, unsigned int alu, bool w, struct mem m)
{
	struct jf_code *code = b->code;
	unsigned int src = jf_body_reg(b, op->src);
	size_t start = code->size, again;

	m = instead_of_rax(m, SCRATCH2);
	emit_mov_rr(code, true, SCRATCH2, RAX);
	emit_load(code, w ? 8 : 4, false, RAX, m);
	again = code->size;
	emit_mov_rr(code, w, SCRATCH, RAX);
	emit_alu_rr(code, alu, w, SCRATCH, src == RAX ? SCRATCH2 : src);
	emit_lock_cmpxchg(code, w, m, SCRATCH);
	emit_jcc8(code, CC_NE, (int64_t)again - (int64_t)(code->size + 2));
	if (src != RAX)
		emit_mov_rr(code, w, src, RAX);
	if (op->arena)
		jf_body_may_fault(b, start, op->src);
	if (src != RAX)
		emit_mov_rr(code, true, RAX, SCRATCH2);
}

enum jf_status jf_x86_64_atomic(struct jf_body *b, const struct jf_op *op)
{
	static const uint8_t alus[] = {[JF_ATOMIC_ADD] = ALU_ADD,
				       [JF_ATOMIC_OR] = ALU_OR,
				       [JF_ATOMIC_AND] = ALU_AND,
				       [JF_ATOMIC_XOR] = ALU_XOR};
	struct mem m = place(b, op, op->dst);
	bool w = op->bytes == 8;

	if (op->code == JF_ATOMIC_XCHG) {
		emit_xchg_mr(b->code, w, m, jf_body_reg(b, op->src));
	} else if (op->code == JF_ATOMIC_CMPXCHG) {
		emit_lock_cmpxchg(b->code, w, m, operand(b, op->src));
		emit_same(b->code, w, RAX); /* written, so extended, only when they differ */
	} else if (!op->fetch) {
		emit_lock_alu_mr(b->code, alus[op->code], w, m, operand(b, op->src));
	} else if (op->code == JF_ATOMIC_ADD) {
		emit_lock_xadd(b->code, w, m, jf_body_reg(b, op->src));
	} else {
		emit_fetch_loop(b, op, alus[op->code], w, m);
	}
	return JF_OK;
}
