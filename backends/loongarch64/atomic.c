/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* Ordering hints of dbar; processors without them take any hint for the full barrier. */
#define DBAR_STORE_RELEASE 0x12
#define DBAR_LOAD_ACQUIRE  0x14

/*
 *     loop:   ll   t2, (addr)
 *             bne  t2, expected, other
 *             move t3, src
 *             sc   t3, (addr)
 *             beqz t3, loop
 *             b    out
 *     other:  dbar
 *     out:    R0 = t2
 */
static void compare_exchange(struct jf_code *c, bool is64, unsigned int addr, int64_t off, unsigned int src)
{
	unsigned int expected = LA_R0;

	if (!is64) {
		expected = LA_T4;
		emit_sext32(c, expected, LA_R0);
	}
	emit_2ri14(c, is64 ? LA_LL_D : LA_LL_W, LA_T2, addr, off);
	emit_branch16(c, LA_BNE, LA_T2, expected, 5 * 4);
	emit_move(c, LA_T3, src);
	emit_2ri14(c, is64 ? LA_SC_D : LA_SC_W, LA_T3, addr, off);
	emit_branch21(c, LA_BEQZ, LA_T3, -4 * 4);
	emit_branch26(c, LA_B, 2 * 4);
	emit_dbar(c, DBAR_LOAD_ACQUIRE);
	if (is64)
		emit_move(c, LA_R0, LA_T2);
	else
		emit_zext32(c, LA_R0, LA_T2);
}

static void fetch_op(struct jf_code *c, enum la_am op, bool is64, unsigned int addr, unsigned int src)
{
	emit_am(c, op, LA_T2, src, addr);
	if (is64)
		emit_move(c, src, LA_T2);
	else
		emit_zext32(c, src, LA_T2);
}

enum jf_status jf_loongarch64_atomic(struct jf_body *b, const struct jf_op *op)
{
	/* { w, d } without, then with the old value, which also orders. */
	static const enum la_am forms[][4] = {
		[JF_ATOMIC_ADD] = {LA_AMADD_W, LA_AMADD_D, LA_AMADD_DB_W, LA_AMADD_DB_D},
		[JF_ATOMIC_OR] = {LA_AMOR_W, LA_AMOR_D, LA_AMOR_DB_W, LA_AMOR_DB_D},
		[JF_ATOMIC_AND] = {LA_AMAND_W, LA_AMAND_D, LA_AMAND_DB_W, LA_AMAND_DB_D},
		[JF_ATOMIC_XOR] = {LA_AMXOR_W, LA_AMXOR_D, LA_AMXOR_DB_W, LA_AMXOR_DB_D},
		[JF_ATOMIC_XCHG] = {0, 0, LA_AMSWAP_DB_W, LA_AMSWAP_DB_D},
	};
	bool is64 = op->bytes == 8, exchange = op->code == JF_ATOMIC_CMPXCHG;
	unsigned int src = la_bpf(b, op->src), addr = la_bpf(b, op->dst);
	int64_t off = op->off;

	if (op->arena) {
		emit_3r(b->code, LA_ADD_D, LA_T1, addr, b->frame->conv->arena_reg);
		addr = LA_T1;
	}
	/* Only ll and sc have an offset, in words. */
	if (off && !(exchange && off % 4 == 0)) {
		jf_loongarch64_add_imm(b->code, LA_T1, addr, off, LA_T2);
		addr = LA_T1;
		off = 0;
	}
	if (exchange)
		compare_exchange(b->code, is64, addr, off, src);
	else if (op->fetch)
		fetch_op(b->code, forms[op->code][2 + is64], is64, addr, src);
	else
		emit_am(b->code, forms[op->code][is64], LA_ZERO, src, addr);
	return JF_OK;
}

enum jf_status jf_loongarch64_load_acquire(struct jf_body *b, const struct jf_op *op)
{
	enum jf_status status = jf_loongarch64_load(b, op);

	emit_dbar(b->code, DBAR_LOAD_ACQUIRE);
	return status;
}

enum jf_status jf_loongarch64_store_release(struct jf_body *b, const struct jf_op *op)
{
	emit_dbar(b->code, DBAR_STORE_RELEASE);
	return jf_loongarch64_store(b, op);
}
