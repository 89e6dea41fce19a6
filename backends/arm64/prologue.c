/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * The save area is pushed as pairs: the slots 2n (lower address) and 2n + 1, at CFA - 16(n + 1). PAIR is
 * what one STP or LDP moves.
 */
#define PAIR 16

static unsigned int unit(const struct jf_frame *frame, unsigned int slot)
{
	unsigned int end = frame->fixed_bytes / PAIR * 2;

	if (slot < end && frame->slots[slot].kind == JF_SLOT_THROW)
		return end - slot; /* room: they are filled where the function throws */
	return slot < end ? 2 : 0;
}

/* What the throw-site area adds to the frame. */
static int32_t throw_bytes(const struct jf_frame *frame, unsigned int slot)
{
	return (int32_t)(unit(frame, slot) / 2 * PAIR);
}

static bool is_fp(const struct jf_slot *slot)
{
	return slot->reg != JF_REG_NONE && slot->reg >= JF_ARM64_FIRST_D;
}

/* What stands in the instruction for a slot: its register; zero for padding and the first count. */
static unsigned int slot_hw(const struct jf_slot *slot)
{
	return slot->reg == JF_REG_NONE ? JF_ARM64_XZR : jf_arm64_regs[slot->reg].hw;
}

/* sp -= 16; [sp] = pair */
static void push(struct jf_code *code, const struct jf_frame *frame, unsigned int slot)
{
	const struct jf_slot *low = &frame->slots[slot], *high = low + 1;

	if (low->kind == JF_SLOT_THROW) {
		jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, -throw_bytes(frame, slot));
		return;
	}
	if (low->off_from_cfa != -(int32_t)(PAIR * (slot / 2 + 1)) || is_fp(low) != is_fp(high)) {
		jf_code_fail(code, JF_E_BAD_DESC);
		return;
	}
	jf_arm64_pair(code, JF_ARM64_STP_PRE, is_fp(low), slot_hw(low), slot_hw(high), JF_ARM64_SP, -PAIR);
}

/* pair = [sp]; sp += 16. A pair that holds one register twice is loaded once: LDP may not name it
 * twice (Arm ARM, "LDP"). */
static void pop(struct jf_code *code, const struct jf_frame *frame, unsigned int slot)
{
	const struct jf_slot *low = &frame->slots[slot], *high = low + 1;
	unsigned int low_hw = low->reg == high->reg ? JF_ARM64_XZR : slot_hw(low);

	if (low->kind == JF_SLOT_THROW)
		jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, throw_bytes(frame, slot));
	else if (slot_hw(low) == JF_ARM64_XZR && slot_hw(high) == JF_ARM64_XZR)
		jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, PAIR);
	else
		jf_arm64_pair(code, JF_ARM64_LDP_POST, is_fp(low), low_hw, slot_hw(high), JF_ARM64_SP, PAIR);
}

static void enter(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		jf_arm64_hint(code, JF_ARM64_BTI_JC);
	if (frame->conv->backend_flags & JF_ARM64_KERNEL) {
		jf_arm64_mov(code, true, JF_ARM64_X9, JF_ARM64_X30);
		jf_arm64_hint(code, JF_ARM64_NOP);
	}
}

static void fresh_count(struct jf_code *code, const struct jf_frame *frame)
{
	(void)frame;
	jf_arm64_addsub(code, JF_ARM64_ADDI, true, JF_ARM64_COUNT_PTR, JF_ARM64_SP, 0);
}

static void tail_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads && frame->needs & JF_WHEN_MAIN)
		jf_arm64_hint(code, JF_ARM64_BTI_J);
}

static void cleanup_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		jf_arm64_hint(code, JF_ARM64_BTI_J);
}

/*
 * A callback finds the count in force from its frame (R15). The boundary's slot holds the count itself, or
 * what x26 was if a subprogram's tail call entered the boundary; no address is that small.
 *
 *     x26 = &tcc; if tcc > 33, x26 = tcc
 */
static void adopt_count(struct jf_code *code, const struct jf_frame *frame)
{
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);

	if (frame->conv->backend_flags & JF_ARM64_KERNEL)
		return;
	jf_arm64_add_const(code, JF_ARM64_COUNT_PTR, JF_ARM64_X29,
			   (int64_t)frame->slots[tcc].off_from_cfa - frame->conv->fp_off_from_cfa);
	jf_arm64_ldst_scaled(code, JF_ARM64_LDR, 3, JF_ARM64_TMP, JF_ARM64_COUNT_PTR, 0);
	jf_arm64_addsub(code, JF_ARM64_SUBSI, true, JF_ARM64_XZR, JF_ARM64_TMP, JF_TAIL_CALLS_MAX);
	jf_arm64_csel(code, JF_ARM64_HI, JF_ARM64_COUNT_PTR, JF_ARM64_TMP, JF_ARM64_COUNT_PTR);
}

/*
 *     x27 = P + guard + base         base: of this processor's data, or what the thread's word holds
 *     x25 = x27 + size
 */
static void private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	uint64_t low = values->private_stack + jf_frame_private_stack(frame).low_off;

	jf_arm64_mov_wide(code, JF_ARM64_PRIVATE, low);
	jf_arm64_mrs(code, JF_ARM64_TMP, jf_arm64_base_register(frame->conv));
	if (frame->conv->caps & JF_CAP_USER_BASE)
		jf_arm64_load_at(code, JF_ARM64_TMP, JF_ARM64_TMP, (int64_t)values->private_stack_word);
	jf_arm64_rrr(code, JF_ARM64_ADD, true, JF_ARM64_PRIVATE, JF_ARM64_PRIVATE, JF_ARM64_TMP);
	jf_arm64_add_const(code, JF_ARM64_BPF_FP, JF_ARM64_PRIVATE, jf_arm64_private_bytes(frame));
}

static void sign(struct jf_code *code, bool on)
{
	jf_arm64_hint(code, on ? JF_ARM64_PACIASP : JF_ARM64_AUTIASP);
}

static void move(struct jf_code *code, uint8_t dst, uint8_t src)
{
	jf_arm64_mov(code, true, dst, src);
}

static void add(struct jf_code *code, uint8_t dst, uint8_t src, int64_t imm)
{
	jf_arm64_add_const(code, dst, src, imm);
}

static void constant(struct jf_code *code, uint8_t dst, uint64_t value)
{
	jf_arm64_mov_wide(code, dst, value);
}

static void store(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	jf_arm64_store_at(code, reg, base, off);
}

static void go_back(struct jf_code *code, const struct jf_frame *frame)
{
	jf_arm64_branch_reg(code, JF_ARM64_BR, frame->conv->cleanup_back);
}

static void ret(struct jf_code *code)
{
	jf_arm64_branch_reg(code, JF_ARM64_RET, JF_ARM64_X30);
}

/*
 * A tail-call entry begins with `bti j`; a function's first instruction, which has no entry_off, may be `bti c`. From a
 * guarded page `bti c` takes jumps by X16 and X17 alone (Arm ARM, PSTATE.BTYPE, instructions BR and BTI).
 */
static void jump(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	uint8_t reg = frame->spec.landing_pads && !entry_off ? JF_ARM64_X16 : JF_ARM64_TMP;

	if (reg != JF_ARM64_TMP)
		move(code, reg, JF_ARM64_TMP);
	jf_arm64_add_const(code, reg, reg, entry_off);
	jf_arm64_branch_reg(code, JF_ARM64_BR, reg);
}

const struct jf_build_ops jf_arm64_build = {
	.enter = enter,
	.fresh_count = fresh_count,
	.tail_pad = tail_pad,
	.sign = sign,
	.move = move,
	.add = add,
	.constant = constant,
	.store = store,
	.adopt_count = adopt_count,
	.private_stack = private_stack,
	.cleanup_pad = cleanup_pad,
	.unit = unit,
	.push = push,
	.pop = pop,
	.ret = ret,
	.go_back = go_back,
	.jump = jump,
	.target = JF_ARM64_TMP,
};
