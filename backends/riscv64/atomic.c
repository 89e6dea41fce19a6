/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 *     loop:   lr.d    t2, (addr)
 *             bne     t2, expected, other
 *             sc.d.rl t3, src, (addr)
 *             bnez    t3, loop
 *     other:  fence   rw, rw
 *             R0 = t2
 */
static void compare_exchange(struct jf_code *c, bool is64, unsigned int addr, unsigned int src)
{
	unsigned int expected = RV_R0;

	if (!is64) {
		expected = RV_T4;
		emit_sext32(c, expected, RV_R0);
	}
	emit_lr(c, is64 ? RV_LR_D : RV_LR_W, RV_T2, addr);
	emit_branch(c, RV_BNE, RV_T2, expected, 3 * 4);
	emit_amo(c, is64 ? RV_SC_D_RL : RV_SC_W_RL, RV_T3, src, addr);
	emit_branch(c, RV_BNE, RV_T3, RV_ZERO, -3 * 4);
	emit_fence(c, RV_FENCE_RW, RV_FENCE_RW);
	if (is64)
		emit_move(c, RV_R0, RV_T2);
	else
		emit_zext32(c, RV_R0, RV_T2);
}

enum jf_status jf_riscv64_atomic(struct jf_body *b, const struct jf_op *op)
{
	/* { w, d } without, then with the old value, which also orders. */
	static const enum rv_amo forms[][4] = {
		[JF_ATOMIC_ADD] = {RV_AMOADD_W, RV_AMOADD_D, RV_AMOADD_W_AQRL, RV_AMOADD_D_AQRL},
		[JF_ATOMIC_OR] = {RV_AMOOR_W, RV_AMOOR_D, RV_AMOOR_W_AQRL, RV_AMOOR_D_AQRL},
		[JF_ATOMIC_AND] = {RV_AMOAND_W, RV_AMOAND_D, RV_AMOAND_W_AQRL, RV_AMOAND_D_AQRL},
		[JF_ATOMIC_XOR] = {RV_AMOXOR_W, RV_AMOXOR_D, RV_AMOXOR_W_AQRL, RV_AMOXOR_D_AQRL},
		[JF_ATOMIC_XCHG] = {0, 0, RV_AMOSWAP_W_AQRL, RV_AMOSWAP_D_AQRL},
	};
	unsigned int src = rv_bpf(b, op->src), addr = rv_bpf(b, op->dst);
	bool is64 = op->bytes == 8;

	if (op->arena) {
		emit_r(b->code, RV_ADD, RV_T1, addr, b->frame->conv->arena_reg);
		addr = RV_T1;
	}
	if (op->off) {
		jf_riscv64_add_imm(b->code, RV_T1, addr, op->off, RV_T2);
		addr = RV_T1;
	}
	if (op->code == JF_ATOMIC_CMPXCHG) {
		compare_exchange(b->code, is64, addr, src);
		return JF_OK;
	}
	emit_amo(b->code, forms[op->code][2 * op->fetch + is64], op->fetch ? src : RV_ZERO, src, addr);
	if (op->fetch && !is64)
		emit_zext32(b->code, src, src);
	return JF_OK;
}

enum jf_status jf_riscv64_load_acquire(struct jf_body *b, const struct jf_op *op)
{
	enum jf_status status = jf_riscv64_load(b, op);

	emit_fence(b->code, RV_FENCE_R, RV_FENCE_RW);
	return status;
}

enum jf_status jf_riscv64_store_release(struct jf_body *b, const struct jf_op *op)
{
	emit_fence(b->code, RV_FENCE_RW, RV_FENCE_W);
	return jf_riscv64_store(b, op);
}
