/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#define PATCH_NOPS 2 /* Linux patches auipc and jalr in, with t0 the return address */

static void landing_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		emit_lpad(code);
}

static void enter(struct jf_code *code, const struct jf_frame *frame)
{
	landing_pad(code, frame);
	for (int i = 0; frame->conv->backend_flags & RV_CONV_PATCH_AREA && i < PATCH_NOPS; i++)
		rv_put_word(code, true, RV_ADDI);
}

/* Where a tail call enters there is a landing pad for it: the code before it takes whole words. */
static void fresh_count(struct jf_code *code, const struct jf_frame *frame)
{
	(void)frame;
	emit_i(code, RV_ADDI, RV_TCC, RV_ZERO, JF_TAIL_CALLS_MAX);
}

static void tail_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->needs & JF_WHEN_MAIN)
		landing_pad(code, frame);
}

static void move(struct jf_code *code, uint8_t dst, uint8_t src)
{
	emit_move(code, dst, src);
}

static void sign_extend(struct jf_code *code, uint8_t dst, uint8_t src)
{
	emit_sext32(code, dst, src);
}

static void add(struct jf_code *code, uint8_t dst, uint8_t src, int64_t imm)
{
	jf_riscv64_add_imm(code, dst, src, imm, RV_T1);
}

static void constant(struct jf_code *code, uint8_t dst, uint64_t value)
{
	jf_riscv64_li(code, dst, value);
}

static void store(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (reg >= RV_F0)
		emit_fsd(code, reg, base, off);
	else
		emit_store(code, RV_SD, reg, base, off);
}

static void load(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (reg >= RV_F0)
		emit_fld(code, reg, base, off);
	else
		emit_load(code, RV_LD, reg, base, off);
}

static void store_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at)
{
	(void)frame;
	emit_store(code, RV_SD, RV_TCC, at.base, at.tcc_off);
}

static void load_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at)
{
	(void)frame;
	emit_load(code, RV_LD, RV_TCC, at.base, at.tcc_off);
}

static void private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	unsigned int reg = frame->conv->bpf_fp_private;

	jf_riscv64_li(code, reg, values->private_stack + jf_frame_private_stack(frame).top_off);
	jf_riscv64_load_at(code, RV_T1, RV_TP, (int64_t)values->private_stack_word);
	emit_r(code, RV_ADD, reg, reg, RV_T1);
}

static void ret(struct jf_code *code)
{
	emit_jalr(code, RV_ZERO, RV_RA, 0);
}

static void go_back(struct jf_code *code, const struct jf_frame *frame)
{
	emit_jalr(code, RV_ZERO, frame->conv->cleanup_back, 0);
}

static void jump(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	(void)frame;
	emit_jalr(code, RV_ZERO, RV_TAIL_TARGET, entry_off);
}

const struct jf_build_ops jf_riscv64_build = {
	.enter = enter,
	.fresh_count = fresh_count,
	.tail_pad = tail_pad,
	.move = move,
	.sign_extend = sign_extend,
	.add = add,
	.constant = constant,
	.store = store,
	.load = load,
	.store_count = store_count,
	.load_count = load_count,
	.private_stack = private_stack,
	.ret = ret,
	.go_back = go_back,
	.jump = jump,
	.target = RV_TAIL_TARGET,
};
