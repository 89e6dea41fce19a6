/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* Addresses, loads and stores. */

void jf_arm64_load_address(struct jf_body *b, unsigned int reg, uint64_t value)
{
	int64_t pages = (int64_t)(value >> 12) - (int64_t)(jf_code_pc(b->code) >> 12);

	if (jf_arm64_const_insns(value) > 2 && jf_arm64_fits_adrp(pages)) {
		jf_arm64_adrp(b->code, reg, pages);
		jf_arm64_addsub(b->code, JF_ARM64_ADDI, true, reg, reg, value & 4095);
	} else {
		jf_arm64_mov_const(b->code, reg, value);
	}
}

enum jf_status jf_arm64_imm64(struct jf_body *b, const struct jf_op *op)
{
	jf_arm64_load_address(b, jf_body_reg(b, op->dst), (uint64_t)op->imm);
	return JF_OK;
}

/* rt and memory at base + off. */
static void access_at(struct jf_code *code, enum jf_arm64_ldst form, unsigned int size_shift, unsigned int rt,
		      unsigned int base, int64_t off)
{
	if (jf_arm64_fits_scaled(size_shift, off)) {
		jf_arm64_ldst_scaled(code, form, size_shift, rt, base, off);
	} else if (jf_arm64_fits_unscaled(off)) {
		jf_arm64_ldst_unscaled(code, form, size_shift, rt, base, off);
	} else {
		jf_arm64_mov_const(code, JF_ARM64_TMP3, (uint64_t)off);
		jf_arm64_ldst_reg(code, form, size_shift, rt, base, JF_ARM64_TMP3);
	}
}

void jf_arm64_load_at(struct jf_code *code, unsigned int rt, unsigned int base, int64_t off)
{
	access_at(code, JF_ARM64_LDR, 3, rt, base, off);
}

void jf_arm64_store_at(struct jf_code *code, unsigned int rt, unsigned int base, int64_t off)
{
	access_at(code, JF_ARM64_STR, 3, rt, base, off);
}

static void access_arena(struct jf_body *b, enum jf_arm64_ldst form, const struct jf_op *op, unsigned int rt,
			 unsigned int base)
{
	unsigned int size_shift = jf_arm64_access_shift(op);

	if (!op->off) {
		jf_arm64_ldst_reg(b->code, form, size_shift, rt, JF_ARM64_ARENA, base);
	} else {
		jf_arm64_rrr(b->code, JF_ARM64_ADD, true, JF_ARM64_TMP2, JF_ARM64_ARENA, base);
		access_at(b->code, form, size_shift, rt, JF_ARM64_TMP2, op->off);
	}
}

/*
 * R10 is the upper end of the BPF stack, which offsets go down from; the scaled form only goes up. So
 * accesses are made from the lower end: SP and the outgoing arguments, or the private stack's base. A clean-up pad that
 * is called has another frame's SP.
 */
static inline bool access_stack(struct jf_body *b, enum jf_arm64_ldst form, unsigned int size_shift, unsigned int rt,
				int64_t off)
{
	const struct jf_frame *frame = b->frame;
	bool private = frame->spec.private_stack;
	int64_t from_low =
		off + (private ? jf_arm64_private_bytes(frame) : frame->bpf_stack_bytes + frame->out_args_bytes);

	if (!jf_arm64_fits_scaled(size_shift, from_low) || (!private && jf_frame_calls_pads(frame)))
		return false;
	jf_arm64_ldst_scaled(b->code, form, size_shift, rt, private ? JF_ARM64_PRIVATE : JF_ARM64_SP, from_low);
	return true;
}

static inline void access(struct jf_body *b, enum jf_arm64_ldst form, const struct jf_op *op, unsigned int rt,
			  unsigned int bpf_base)
{
	unsigned int base = jf_body_reg(b, bpf_base);

	if (op->arena)
		access_arena(b, form, op, rt, base);
	else if (bpf_base != JF_BPF_FP || !access_stack(b, form, jf_arm64_access_shift(op), rt, op->off))
		access_at(b->code, form, jf_arm64_access_shift(op), rt, base, op->off);
}

void jf_arm64_load_stack(struct jf_body *b, unsigned int rt, int64_t off)
{
	if (!access_stack(b, JF_ARM64_LDR, 3, rt, off))
		access_at(b->code, JF_ARM64_LDR, 3, rt, JF_ARM64_BPF_FP, off);
}

void jf_arm64_store_stack(struct jf_body *b, unsigned int rt, int64_t off)
{
	if (!access_stack(b, JF_ARM64_STR, 3, rt, off))
		access_at(b->code, JF_ARM64_STR, 3, rt, JF_ARM64_BPF_FP, off);
}

enum jf_status jf_arm64_load(struct jf_body *b, const struct jf_op *op)
{
	bool extend = op->sign && op->bytes < 8;

	access(b, extend ? JF_ARM64_LDRS : JF_ARM64_LDR, op, jf_body_reg(b, op->dst), op->src);
	return JF_OK;
}

enum jf_status jf_arm64_store(struct jf_body *b, const struct jf_op *op)
{
	unsigned int rt;

	if (!op->is_imm) {
		rt = jf_body_reg(b, op->src);
	} else {
		uint64_t value = (uint64_t)op->imm & UINT64_MAX >> (64 - 8 * op->bytes);

		rt = value ? JF_ARM64_TMP : JF_ARM64_XZR;
		if (value)
			jf_arm64_mov_const(b->code, rt, value);
	}
	access(b, JF_ARM64_STR, op, rt, op->dst);
	return JF_OK;
}

/* The low half, and unless that is 0 the upper half of what user space sees. */
enum jf_status jf_arm64_cast_user(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	uint32_t low = (uint32_t)((uint64_t)op->imm >> 32) & 0xffff, high = (uint32_t)((uint64_t)op->imm >> 48);

	jf_arm64_mov(b->code, false, dst, jf_body_reg(b, op->src));
	if (low || high)
		jf_arm64_cbz(b->code, false, false, dst, low && high ? 3 * 4 : 2 * 4);
	if (low)
		jf_arm64_wide(b->code, JF_ARM64_MOVK, true, dst, low, 32);
	if (high)
		jf_arm64_wide(b->code, JF_ARM64_MOVK, true, dst, high, 48);
	return JF_OK;
}

enum jf_status jf_arm64_per_cpu(struct jf_body *b, const struct jf_op *op)
{
	jf_arm64_mrs(b->code, JF_ARM64_TMP, jf_arm64_base_register(b->frame->conv));
	jf_arm64_rrr(b->code, JF_ARM64_ADD, true, jf_body_reg(b, op->dst), jf_body_reg(b, op->src), JF_ARM64_TMP);
	return JF_OK;
}
