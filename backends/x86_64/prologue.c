/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prologue, epilogue and tail-call exit, and the stub through which `linux` code calls C.
 *
 * Every offset is read from the solved frame. Behind each instruction stands what it changes for an
 * unwinder; from the moment RBP is set up the CFA is told by it, so what follows may move RSP freely.
 */
#include "insn.h"

static bool is_linux(const struct jf_frame *frame)
{
	return frame->conv->backend_flags & X86_64_LINUX_FORMS;
}

static bool is_main(const struct jf_frame *frame)
{
	return frame->spec.role == JF_ROLE_MAIN || frame->spec.role == JF_ROLE_BOUNDARY;
}

/* A register that is pushed and popped: all of the save area but the record and the control words. */
static bool is_pushed(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_SAVE && slot->reg != RBP && jf_x86_64_regs[slot->reg].cls == JF_REG_INT;
}

static bool is_control(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_SAVE && jf_x86_64_regs[slot->reg].cls == JF_REG_CONTROL;
}

static int32_t slot_fp_off(const struct jf_frame *frame, enum jf_slot_kind kind)
{
	return fp_off(frame, &frame->slots[jf_frame_slot(frame, kind, JF_REG_NONE)]);
}

/* RSP, from RBP, when exactly the pushed registers are on the stack. */
static int32_t pushed_end(const struct jf_frame *frame)
{
	int32_t end = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (is_pushed(&frame->slots[i]))
			end = fp_off(frame, &frame->slots[i]);
	return end;
}

/* RSP, from RBP, in the body. */
static int32_t body_sp_off(const struct jf_frame *frame)
{
	return -(int32_t)frame->size_bytes - frame->conv->fp_off_from_cfa;
}

/* ---- tail-call count -------------------------------------------------------------------------- */

/*
 * RAX comes in as a count (0 from outside, or that of a tail call) or as a pointer to one that is in
 * force further up. The first slot keeps it as it came, the second points to the count in force.
 */
static void push_count(struct jf_code *code, const struct jf_frame *frame)
{
	if (is_main(frame)) {
		jf_x86_64_emit_alu_ri(code, ALU_CMP, true, RAX, TAIL_CALLS_MAX);
		emit_jcc8(code, CC_A, 6); /* to the second push: a pointer goes into both slots */
		emit_push(code, RAX);
		emit_mov_rr(code, true, RAX, RSP);
		emit_jmp8(code, 1);
	}
	emit_push(code, RAX);
	emit_push(code, RAX);
}

/* The same without branches. */
static void store_count(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t tcc = slot_fp_off(frame, JF_SLOT_TCC), tcc_ptr = slot_fp_off(frame, JF_SLOT_TCC_PTR);
	unsigned int ptr = RAX;

	emit_store(code, 8, at(RBP, tcc), RAX);
	if (is_main(frame)) {
		ptr = SCRATCH;
		emit_lea(code, true, ptr, at(RBP, tcc));
		jf_x86_64_emit_alu_ri(code, ALU_CMP, true, RAX, TAIL_CALLS_MAX);
		emit_cmov(code, CC_A, true, ptr, RAX);
	}
	emit_store(code, 8, at(RBP, tcc_ptr), ptr);
}

/* ---- prologue --------------------------------------------------------------------------------- */

/* Pushed saves in slot order; in `linux` what lies between them too, allocated by its fixed forms. */
static void push_slots(struct jf_code *code, const struct jf_frame *frame)
{
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if (is_pushed(slot)) {
			emit_push(code, slot->reg);
			jf_code_saved(code, i);
		} else if (!is_linux(frame)) {
			continue;
		} else if (slot->kind == JF_SLOT_BPF_STACK) {
			put_reg(code, F_W | F_IMM32 | 0x81, ALU_SUB, RSP, slot->size_bytes);
		} else if (slot->kind == JF_SLOT_TCC) {
			if (jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE) != (int)i + 1)
				jf_code_fail(code, JF_E_BAD_DESC);
			push_count(code, frame); /* both slots of the count */
		} else if (slot->kind == JF_SLOT_OUT_ARGS) {
			jf_x86_64_emit_alu_ri(code, ALU_SUB, true, RSP, slot->size_bytes);
		}
	}
}

/* `user`: allocates the rest of the frame at once and fills in the control words. */
static void store_slots(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t rest = pushed_end(frame) - body_sp_off(frame);

	if (rest)
		jf_x86_64_emit_alu_ri(code, ALU_SUB, true, RSP, rest);
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if (!is_control(slot))
			continue;
		if (slot->reg == MXCSR)
			emit_stmxcsr(code, at(RBP, fp_off(frame, slot)));
		else
			emit_fnstcw(code, at(RBP, fp_off(frame, slot)));
		jf_code_saved(code, i);
	}
}

/* RBP = the boundary's, from the third argument. */
static void adopt_fp(struct jf_code *code, const struct jf_frame *frame)
{
	emit_mov_rr(code, true, RBP, frame->conv->backend->args[2]);
	jf_code_cfa(code, RBP, -frame->conv->fp_off_from_cfa);
}

/* `linux`: takes the registers that every boundary pushed off its stack, and the stack with them. */
static void land_and_restore(struct jf_code *code, const struct jf_frame *frame)
{
	struct jf_frame boundary;

	if (jf_frame_boundary(frame->conv, &boundary) != JF_OK) {
		jf_code_fail(code, JF_E_BAD_DESC);
		return;
	}
	emit_mov_rr(code, true, RSP, frame->conv->backend->args[1]);
	adopt_fp(code, frame);
	for (unsigned int i = boundary.slot_count; i-- > 0;)
		if (is_pushed(&boundary.slots[i]))
			emit_pop(code, boundary.slots[i].reg);
	jf_code_row_flags(code, 0, JF_ROW_REGS_LOST);
	emit_mov_rr(code, true, RSP, RBP);
}

/* RSP points to the slot. */
static void cfa_by_slot(struct jf_code *code, const struct jf_frame *frame, int slot)
{
	jf_code_cfa(code, RSP, -frame->slots[slot].off_from_cfa);
}

static void make_record(struct jf_code *code, const struct jf_frame *frame)
{
	int fp = jf_frame_slot(frame, JF_SLOT_SAVE, RBP);

	emit_push(code, RBP);
	cfa_by_slot(code, frame, fp);
	jf_code_saved(code, (unsigned int)fp);
	emit_mov_rr(code, true, RBP, RSP);
	jf_code_cfa(code, RBP, -frame->conv->fp_off_from_cfa);
}

/*
 * R10 = constant + per-CPU base in `linux`, + what the thread's word holds in `user`. There calls lose it (R9 is
 * the callee's), so a copy stays in the frame; in `linux` each call pushes and pops it.
 */
static void load_private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	const struct jf_convention *conv = frame->conv;
	uint64_t top = values->private_stack + jf_frame_private_stack(frame).top_off;
	int64_t word = (int64_t)values->private_stack_word;
	unsigned int reg = conv->bpf_fp_private;

	if (is_linux(frame)) {
		jf_x86_64_emit_movabs(code, reg, top);
		emit_add_seg(code, F_GS, reg, 0);
		return;
	}
	if (fits_s32((int64_t)top)) {
		emit_load_fs(code, reg, word);
		emit_lea(code, true, reg, at(reg, (int64_t)top));
	} else {
		jf_x86_64_emit_movabs(code, reg, top);
		emit_add_seg(code, F_FS, reg, word);
	}
	emit_store(code, 8, at(RBP, slot_fp_off(frame, JF_SLOT_SPILL)), reg);
}

/* Up to the tail-call entry: landing pad, patch site, a fresh count, the frame record. */
static void enter(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		emit_endbr64(code);
	if (is_linux(frame)) {
		emit_nop5(code);
		if (is_main(frame) && frame->spec.tail_calls)
			emit_alu_rr(code, ALU_XOR, true, RAX, RAX);
		else
			emit_nop3(code);
	} else if (is_main(frame)) {
		emit_alu_rr(code, ALU_XOR, false, RAX, RAX);
	}
	if (frame->spec.role != JF_ROLE_CALLBACK)
		make_record(code, frame);
	else if (frame->conv->landing == JF_LANDING_RESTORE)
		land_and_restore(code, frame);
	else
		adopt_fp(code, frame);
}

void jf_x86_64_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	bool adopts = frame->spec.role == JF_ROLE_CALLBACK && frame->conv->landing == JF_LANDING_ADOPT;

	enter(code, frame);
	if (is_main(frame))
		jf_code_mark(code, JF_MARK_TAIL_ENTRY);
	if (frame->spec.landing_pads && (is_main(frame) || is_linux(frame)))
		emit_endbr64(code);
	if (adopts) {
		emit_lea(code, true, RSP, at(RBP, body_sp_off(frame)));
	} else {
		push_slots(code, frame);
		if (!is_linux(frame))
			store_slots(code, frame);
	}
	/* A callback that adopts has the boundary's count, and goes on counting there. */
	if (!is_linux(frame) && frame->spec.tail_calls && !adopts)
		store_count(code, frame);
	if (frame->spec.arena)
		jf_x86_64_emit_mov_ri(code, frame->conv->arena_reg, values->arena_base);
	if (frame->spec.private_stack)
		load_private_stack(code, frame, values);
	jf_code_mark(code, JF_MARK_BODY);
}

/* ---- epilogue, tail-call exit ----------------------------------------------------------------- */

static void drop_record(struct jf_code *code, const struct jf_frame *frame)
{
	emit_leave(code);
	jf_code_restored(code, (unsigned int)jf_frame_slot(frame, JF_SLOT_SAVE, RBP));
	cfa_by_slot(code, frame, jf_frame_slot(frame, JF_SLOT_RETURN, JF_REG_NONE));
	emit_ret(code);
}

/* `user`: the control words, while RSP is still below them; then RSP = RBP + sp_off. */
static void load_slots(struct jf_code *code, const struct jf_frame *frame, int32_t sp_off)
{
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if (!is_control(slot))
			continue;
		if (slot->reg == MXCSR)
			emit_ldmxcsr(code, at(RBP, fp_off(frame, slot)));
		else
			emit_fldcw(code, at(RBP, fp_off(frame, slot)));
		jf_code_restored(code, i);
	}
	if (sp_off == body_sp_off(frame))
		return;
	if (sp_off)
		emit_lea(code, true, RSP, at(RBP, sp_off));
	else
		emit_mov_rr(code, true, RSP, RBP);
}

static void pop_slots(struct jf_code *code, const struct jf_frame *frame)
{
	if (is_linux(frame) && frame->out_args_bytes)
		jf_x86_64_emit_alu_ri(code, ALU_ADD, true, RSP, frame->out_args_bytes);
	for (unsigned int i = frame->slot_count; i-- > 0;) {
		if (!is_pushed(&frame->slots[i]))
			continue;
		emit_pop(code, frame->slots[i].reg);
		jf_code_restored(code, i);
	}
}

void jf_x86_64_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t end = pushed_end(frame);

	/* With nothing pushed, leave alone brings RSP back from wherever it is; what it frees at once with
	 * RBP may hold no save, and the control words are loaded by then. */
	if (!is_linux(frame))
		load_slots(code, frame, end ? end : body_sp_off(frame));
	pop_slots(code, frame);
	drop_record(code, frame);
}

/*
 * The record stays: the next program takes it over, with RSP = RBP. RAX takes the first count slot
 * along: the count itself when it is this frame's own, else the pointer to it. RCX = target.
 */
void jf_x86_64_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	struct jf_row state = jf_code_state(code);

	if (is_linux(frame)) {
		pop_slots(code, frame);
		emit_pop(code, RAX); /* tcc_ptr */
		emit_pop(code, RAX); /* tcc */
		if (frame->bpf_stack_bytes)
			put_reg(code, F_W | F_IMM32 | 0x81, ALU_ADD, RSP, frame->bpf_stack_bytes);
	} else {
		emit_load(code, 8, false, RAX, at(RBP, slot_fp_off(frame, JF_SLOT_TCC)));
		load_slots(code, frame, pushed_end(frame));
		pop_slots(code, frame);
	}
	jf_x86_64_emit_alu_ri(code, ALU_ADD, true, RCX, entry_off);
	emit_jmp_reg(code, RCX);
	jf_code_set_state(code, state);
}

/* ---- calling C -------------------------------------------------------------------------------- */

/* `linux` frames leave RSP at any multiple of 8; the System V ABI wants C called with one of 16. */
bool jf_x86_64_call_stubs(const struct jf_convention *conv)
{
	return conv->backend_flags & X86_64_LINUX_FORMS;
}

void jf_x86_64_call_stub(struct jf_code *code, const struct jf_frame *frame, uint64_t target)
{
	make_record(code, frame);
	jf_x86_64_emit_alu_ri(code, ALU_AND, true, RSP, -16);
	jf_x86_64_emit_call(code, target, RAX);
	drop_record(code, frame);
}
