/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * The save area as pairs: pair n is slots 2n (lower address) and 2n + 1, at CFA - 16(n + 1). PAIR is
 * what one STP or LDP moves.
 */
#define PAIR 16

static unsigned int pair_count(const struct jf_frame *frame)
{
	return frame->fixed_bytes / PAIR;
}

/* The pair at the lower end of the entry area: what a tail call leaves in place ends with it. */
static unsigned int entry_pairs(const struct jf_frame *frame)
{
	return (unsigned int)jf_frame_slot(frame, JF_SLOT_SAVE, JF_ARM64_COUNT_PTR) / 2 + 1;
}

static bool is_caller_value(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_SAVE || slot->kind == JF_SLOT_RETURN;
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

/* sp -= 16; [sp] = pair n */
static void push(struct jf_code *code, const struct jf_frame *frame, unsigned int n)
{
	const struct jf_slot *low = &frame->slots[2 * n], *high = low + 1;

	if (low->off_from_cfa != -(int32_t)(PAIR * (n + 1)) || is_fp(low) != is_fp(high)) {
		jf_code_fail(code, JF_E_BAD_DESC);
		return;
	}
	jf_arm64_pair(code, JF_ARM64_STP_PRE, is_fp(low), slot_hw(low), slot_hw(high), JF_ARM64_SP, -PAIR);
	if (is_caller_value(low))
		jf_code_saved(code, 2 * n);
	if (is_caller_value(high))
		jf_code_saved(code, 2 * n + 1);
}

/* pair n = [sp]; sp += 16. A pair that holds one register twice is loaded once: LDP may not name it
 * twice (Arm ARM, "LDP"). */
static void pop(struct jf_code *code, const struct jf_frame *frame, unsigned int n)
{
	const struct jf_slot *low = &frame->slots[2 * n], *high = low + 1;
	unsigned int low_hw = low->reg == high->reg ? JF_ARM64_XZR : slot_hw(low);

	jf_arm64_pair(code, JF_ARM64_LDP_POST, is_fp(low), low_hw, slot_hw(high), JF_ARM64_SP, PAIR);
	if (is_caller_value(low))
		jf_code_restored(code, 2 * n);
	if (is_caller_value(high))
		jf_code_restored(code, 2 * n + 1);
	if (low->reg == JF_ARM64_X29) /* the frame pointer is the caller's again */
		jf_code_cfa(code, JF_ARM64_SP, (int32_t)(PAIR * n));
}

static void enter_function(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		jf_arm64_hint(code, JF_ARM64_BTI_JC);
	if (frame->conv->backend_flags & JF_ARM64_KERNEL) {
		jf_arm64_mov(code, true, JF_ARM64_X9, JF_ARM64_X30);
		jf_arm64_hint(code, JF_ARM64_NOP);
	}
}

static void build_frame(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t fp_off = frame->conv->fp_off_from_cfa;
	unsigned int pairs = pair_count(frame), entry = entry_pairs(frame);

	if (frame->spec.sign_return) {
		jf_arm64_hint(code, JF_ARM64_PACIASP);
		jf_code_row_flags(code, JF_ROW_RA_SIGNED, 0);
	}
	push(code, frame, 0);
	jf_code_cfa(code, JF_ARM64_SP, -fp_off);
	jf_arm64_addsub(code, JF_ARM64_ADDI, true, JF_ARM64_X29, JF_ARM64_SP, 0);
	jf_code_cfa(code, JF_ARM64_X29, -fp_off);
	for (unsigned int n = 1; n < entry; n++)
		push(code, frame, n);
	if (frame->needs & JF_WHEN_MAIN) {
		jf_arm64_addsub(code, JF_ARM64_ADDI, true, JF_ARM64_COUNT_PTR, JF_ARM64_SP, 0);
		jf_code_mark(code, JF_MARK_TAIL_ENTRY);
		if (frame->spec.landing_pads)
			jf_arm64_hint(code, JF_ARM64_BTI_J);
	}
	for (unsigned int n = entry; n < pairs; n++)
		push(code, frame, n);
}

/*
 * A callback finds the count in force from its frame (R15). The boundary's slot holds the count itself, or
 * what x26 was if a subprogram's tail call entered the boundary; no address is that small.
 *
 *     x26 = &tcc; if tcc > 33, x26 = tcc
 */
static void find_count(struct jf_code *code, const struct jf_frame *frame)
{
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);

	jf_arm64_add_const(code, JF_ARM64_COUNT_PTR, JF_ARM64_X29,
			   (int64_t)frame->slots[tcc].off_from_cfa - frame->conv->fp_off_from_cfa);
	jf_arm64_ldst_scaled(code, JF_ARM64_LDR, 3, JF_ARM64_TMP, JF_ARM64_COUNT_PTR, 0);
	jf_arm64_addsub(code, JF_ARM64_SUBSI, true, JF_ARM64_XZR, JF_ARM64_TMP, JF_TAIL_CALLS_MAX);
	jf_arm64_csel(code, JF_ARM64_HI, JF_ARM64_COUNT_PTR, JF_ARM64_TMP, JF_ARM64_COUNT_PTR);
}

/* Callback: everything from the CFA to the end of the save area is the boundary's. */
static void adopt_frame(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t fp_off = frame->conv->fp_off_from_cfa;

	jf_arm64_mov(code, true, JF_ARM64_X29, JF_ARM64_X2);
	jf_code_cfa(code, JF_ARM64_X29, -fp_off);
	jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_X29, -(int64_t)frame->fixed_bytes - fp_off);
	if (frame->spec.tail_calls && !(frame->conv->backend_flags & JF_ARM64_KERNEL))
		find_count(code, frame);
}

/*
 *     x27 = P + guard + base         base: of this processor's data, or what the thread's word holds
 *     x25 = x27 + size
 */
static void set_private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	uint64_t low = values->private_stack + jf_frame_private_stack(frame).low_off;

	jf_arm64_mov_wide(code, JF_ARM64_PRIVATE, low);
	jf_arm64_mrs(code, JF_ARM64_TMP, jf_arm64_base_register(frame->conv));
	if (frame->conv->caps & JF_CAP_USER_BASE)
		jf_arm64_load_at(code, JF_ARM64_TMP, JF_ARM64_TMP, (int64_t)values->private_stack_word);
	jf_arm64_rrr(code, JF_ARM64_ADD, true, JF_ARM64_PRIVATE, JF_ARM64_PRIVATE, JF_ARM64_TMP);
	jf_arm64_add_const(code, JF_ARM64_BPF_FP, JF_ARM64_PRIVATE, jf_arm64_private_bytes(frame));
}

void jf_arm64_emit_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	enter_function(code, frame);
	if (frame->spec.role == JF_ROLE_CALLBACK)
		adopt_frame(code, frame);
	else
		build_frame(code, frame);
	if (frame->needs & (JF_WHEN_FP | JF_WHEN_EXCEPTION)) {
		if (frame->spec.private_stack)
			set_private_stack(code, frame, values);
		else
			jf_arm64_addsub(code, JF_ARM64_ADDI, true, JF_ARM64_BPF_FP, JF_ARM64_SP, 0);
	}
	jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, -(int64_t)frame->bpf_stack_bytes);
	jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, -(int64_t)frame->out_args_bytes);
	if (frame->spec.arena)
		jf_arm64_mov_wide(code, JF_ARM64_ARENA, values->arena_base);
	jf_code_mark(code, JF_MARK_BODY);
}

/* Gives up everything below pair `keep` and the pairs from the last down to it. */
static void take_down(struct jf_code *code, const struct jf_frame *frame, unsigned int keep)
{
	jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, frame->out_args_bytes);
	jf_arm64_add_const(code, JF_ARM64_SP, JF_ARM64_SP, frame->bpf_stack_bytes);
	for (unsigned int n = pair_count(frame); n-- > keep;)
		pop(code, frame, n);
}

void jf_arm64_emit_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	take_down(code, frame, 0);
	jf_arm64_mov(code, true, JF_ARM64_X0, JF_ARM64_R0);
	if (frame->spec.sign_return) {
		jf_arm64_hint(code, JF_ARM64_AUTIASP);
		jf_code_row_flags(code, 0, JF_ROW_RA_SIGNED);
	}
	jf_arm64_branch_reg(code, JF_ARM64_RET, JF_ARM64_X30);
}

void jf_arm64_emit_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	struct jf_row body = jf_code_state(code);

	take_down(code, frame, entry_pairs(frame));
	if (entry_off)
		jf_arm64_addsub(code, JF_ARM64_ADDI, true, JF_ARM64_TMP, JF_ARM64_TMP, entry_off);
	jf_arm64_branch_reg(code, JF_ARM64_BR, JF_ARM64_TMP);
	jf_code_set_state(code, body);
}
