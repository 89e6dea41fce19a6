/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* The register that holds the address: exclusive and ordered accesses have neither offset nor index. */
static unsigned int address_of(struct jf_body *b, const struct jf_op *op, uint8_t bpf_base)
{
	unsigned int base = jf_body_reg(b, bpf_base);

	if (op->arena) {
		jf_arm64_rrr(b->code, JF_ARM64_ADD, true, JF_ARM64_TMP2, JF_ARM64_ARENA, base);
		base = JF_ARM64_TMP2;
	}
	if (op->off) {
		jf_arm64_add_const(b->code, JF_ARM64_TMP2, base, op->off);
		base = JF_ARM64_TMP2;
	}
	return base;
}

/*
 *     1: ldxr   old, [address]
 *        op     new, old, src          XCHG: src itself. CMPXCHG: cmp old, R0; b.ne 2f
 *        stlxr  status, new, [address]
 *        cbnz   status, 1b
 *     2: dmb    ish                    with a result the access is a full barrier
 *        mov    result, old
 *
 * Without a result nothing is ordered, as for BPF's plain atomics in Linux. No BPF register changes
 * before the last line, so that a fault may leave from anywhere.
 */
static void read_modify_write(struct jf_body *b, const struct jf_op *op, unsigned int address)
{
	static const uint32_t forms[] = {
		[JF_ATOMIC_ADD] = JF_ARM64_ADD,
		[JF_ATOMIC_OR] = JF_ARM64_ORR,
		[JF_ATOMIC_AND] = JF_ARM64_AND,
		[JF_ATOMIC_XOR] = JF_ARM64_EOR,
	};
	unsigned int src = jf_body_reg(b, op->src), stored = src;
	unsigned int size_shift = jf_arm64_access_shift(op);
	bool wide = op->bytes == 8, compare = op->code == JF_ATOMIC_CMPXCHG;
	size_t loop = b->code->size;

	jf_arm64_ordered(b->code, JF_ARM64_LDXR, size_shift, JF_ARM64_TMP, address);
	if (compare) {
		jf_arm64_rrr(b->code, JF_ARM64_SUBS, wide, JF_ARM64_XZR, JF_ARM64_TMP, JF_ARM64_R0);
		jf_arm64_b_cond(b->code, JF_ARM64_NE, 3 * 4);
	} else if (op->code != JF_ATOMIC_XCHG) {
		stored = JF_ARM64_TMP3;
		jf_arm64_rrr(b->code, (enum jf_arm64_rrr)forms[op->code], wide, stored, JF_ARM64_TMP, src);
	}
	jf_arm64_store_exclusive(b->code, op->fetch ? JF_ARM64_STLXR : JF_ARM64_STXR, size_shift, JF_ARM64_STATUS,
				 stored, address);
	jf_arm64_cbz(b->code, true, false, JF_ARM64_STATUS, (int64_t)loop - (int64_t)b->code->size);
	if (!op->fetch)
		return;
	jf_arm64_dmb_ish(b->code);
	jf_arm64_mov(b->code, true, compare ? JF_ARM64_R0 : src, JF_ARM64_TMP);
}

/* The same by one instruction; and takes two, there is only "and not". */
static void read_modify_write_once(struct jf_body *b, const struct jf_op *op, unsigned int address)
{
	static const uint32_t forms[][2] = {
		[JF_ATOMIC_ADD] = {JF_ARM64_LDADD, JF_ARM64_LDADDAL},
		[JF_ATOMIC_OR] = {JF_ARM64_LDSET, JF_ARM64_LDSETAL},
		[JF_ATOMIC_AND] = {JF_ARM64_LDCLR, JF_ARM64_LDCLRAL},
		[JF_ATOMIC_XOR] = {JF_ARM64_LDEOR, JF_ARM64_LDEORAL},
	};
	unsigned int src = jf_body_reg(b, op->src), operand = src, shift = jf_arm64_access_shift(op);

	switch (op->code) {
	case JF_ATOMIC_XCHG: jf_arm64_atomic_insn(b->code, JF_ARM64_SWPAL, shift, src, src, address); return;
	case JF_ATOMIC_CMPXCHG: jf_arm64_atomic_insn(b->code, JF_ARM64_CASAL, shift, JF_ARM64_R0, src, address); return;
	case JF_ATOMIC_AND:
		operand = JF_ARM64_TMP;
		jf_arm64_rrr(b->code, JF_ARM64_ORN, op->bytes == 8, operand, JF_ARM64_XZR, src);
		/* fall through */
	default:
		jf_arm64_atomic_insn(b->code, (enum jf_arm64_atomic)forms[op->code][op->fetch], shift, operand,
				     op->fetch ? src : JF_ARM64_XZR, address);
	}
}

enum jf_status jf_arm64_atomic(struct jf_body *b, const struct jf_op *op)
{
	unsigned int address = address_of(b, op, op->dst);

	if (b->atomic_insns)
		read_modify_write_once(b, op, address);
	else
		read_modify_write(b, op, address);
	return JF_OK;
}

enum jf_status jf_arm64_load_acquire(struct jf_body *b, const struct jf_op *op)
{
	unsigned int address = address_of(b, op, op->src);

	jf_arm64_ordered(b->code, JF_ARM64_LDAR, jf_arm64_access_shift(op), jf_body_reg(b, op->dst), address);
	return JF_OK;
}

enum jf_status jf_arm64_store_release(struct jf_body *b, const struct jf_op *op)
{
	unsigned int address = address_of(b, op, op->dst);

	jf_arm64_ordered(b->code, JF_ARM64_STLR, jf_arm64_access_shift(op), jf_body_reg(b, op->src), address);
	return JF_OK;
}
