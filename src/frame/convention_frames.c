/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/convention.h"

/* What contradicts itself in the frames that a convention gives: every role under every combination of options. */

static const char *reg_name(const struct jf_frame *frame, uint8_t reg)
{
	const struct jf_backend *backend = frame->conv->backend;

	return reg < backend->reg_count ? backend->regs[reg].name : "?";
}

static const char *role_of(const struct jf_frame *frame)
{
	static const char *const names[JF_ROLE__COUNT] = {"main program", "subprogram", "boundary", "callback"};

	return names[frame->spec.role];
}

/* ---- one frame ----------------------------------------------------------------------------------------------- */

static void check_layout(struct contradictions *all, const struct jf_frame *frame)
{
	const struct jf_slot *slot = frame->slots;
	uint32_t bytes = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++, slot++) {
		bytes += slot->size_bytes;
		if (slot->off_from_cfa < -(int32_t)frame->size_bytes)
			contradict_once(all, BAD_LAYOUT, 0, "a slot of a %s lies below the frame", role_of(frame));
		for (unsigned int k = 0; k < i; k++)
			if (slot->off_from_cfa < frame->slots[k].off_from_cfa + (int32_t)frame->slots[k].size_bytes &&
			    frame->slots[k].off_from_cfa < slot->off_from_cfa + (int32_t)slot->size_bytes)
				contradict_once(all, BAD_LAYOUT, 0, "two slots of a %s overlap at CFA%+d",
						role_of(frame), slot->off_from_cfa);
	}
	if (bytes != frame->size_bytes)
		contradict_once(all, BAD_LAYOUT, 0, "the slots of a %s do not fill the frame", role_of(frame));
	if (frame->conv->frame_align && frame->size_bytes % frame->conv->frame_align)
		contradict_once(all, BAD_ALIGN, 0, "a %s has %u bytes, no multiple of the %u that frames promise (R7)",
				role_of(frame), frame->size_bytes, frame->conv->frame_align);
}

static bool has_slot_at(const struct jf_frame *frame, uint8_t kind, uint8_t reg, int32_t off)
{
	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == kind && frame->slots[i].reg == reg && frame->slots[i].off_from_cfa == off)
			return true;
	return false;
}

static void check_record(struct contradictions *all, const struct jf_frame *frame)
{
	const struct jf_backend *backend = frame->conv->backend;
	struct jf_slot record[JF_RECORD__COUNT];

	if (frame->spec.leaf && !(frame->needs & JF_WHEN_EXCEPTION))
		return; /* no call, and so nobody who walks from one */
	if (jf_frame_record(frame->conv, record) != JF_OK)
		contradict_once(all, BAD_RECORD, 1, "a main has no slot for the return address or the caller's %s (R1)",
				backend->regs[backend->fp].name);
	else if (!has_slot_at(frame, JF_SLOT_RETURN, backend->ra, record[JF_RECORD_RETURN].off_from_cfa))
		contradict_once(all, BAD_RECORD, 1,
				"a %s does not have the return address at CFA%+d, as a main has (R1)", role_of(frame),
				record[JF_RECORD_RETURN].off_from_cfa);
	else if (!has_slot_at(frame, JF_SLOT_SAVE, backend->fp, record[JF_RECORD_FP].off_from_cfa))
		contradict_once(all, BAD_RECORD, 1, "a %s does not have the caller's %s at CFA%+d, as a main has (R1)",
				role_of(frame), backend->regs[backend->fp].name, record[JF_RECORD_FP].off_from_cfa);
}

/* Registers that calls keep and this frame's code changes. */
static void check_saves(struct contradictions *all, const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	const struct jf_reg *regs = conv->backend->regs;
	uint8_t changed[JF_BPF_REG__COUNT + 2];
	unsigned int count = 0;

	for (uint8_t bpf = JF_BPF_R6; bpf <= JF_BPF_R9; bpf++)
		if (frame->spec.bpf_regs_used & 1u << bpf)
			changed[count++] = conv->bpf_reg[bpf];
	if (frame->needs & JF_WHEN_FP)
		changed[count++] = frame->spec.private_stack ? conv->bpf_fp_private : conv->bpf_reg[JF_BPF_FP];
	if (frame->spec.arena)
		changed[count++] = conv->arena_reg;
	for (unsigned int i = 0; i < count; i++)
		if (regs[changed[i]].flags & JF_REG_CALLEE_SAVED && jf_frame_slot(frame, JF_SLOT_SAVE, changed[i]) < 0)
			contradict_once(all, BAD_SAVE, 5, "a %s changes %s and has no slot to save it in (R5)",
					role_of(frame), reg_name(frame, changed[i]));
	for (unsigned int i = 0; i < frame->slot_count; i++)
		for (unsigned int k = 0; k < i; k++)
			if (frame->slots[i].kind == JF_SLOT_SAVE && frame->slots[k].kind == JF_SLOT_SAVE &&
			    frame->slots[i].reg == frame->slots[k].reg)
				contradict_once(all, BAD_TWICE, 5, "a %s saves %s twice (R5)", role_of(frame),
						reg_name(frame, frame->slots[i].reg));
}

/* What a throw leaves in the frame whose pad it resumes. */
static void check_cleanup_slots(struct contradictions *all, const struct jf_frame *frame)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		count += frame->slots[i].kind == JF_SLOT_CLEANUP;
	if (count != 2)
		contradict_once(all, BAD_CLEANUP, 0, "areas: a %s with cleanup pads has %u slots for a throw, not 2",
				role_of(frame), count);
}

/* An unwinder that calls pads knows no rows: what R6-R9 and the arena's register held it finds in these slots alone. */
static void check_spills(struct contradictions *all, const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	struct jf_frame boundary;

	if (jf_frame_boundary(conv, &boundary) != JF_OK)
		return;
	for (unsigned int i = 0; i < boundary.slot_count; i++)
		if (boundary.slots[i].kind == JF_SLOT_SAVE &&
		    jf_frame_slot(frame, JF_SLOT_SAVE, boundary.slots[i].reg) < 0)
			contradict_once(all, BAD_SPILL, 20,
					"a %s with cleanup pads does not save %s, as a boundary does (R20)",
					role_of(frame), reg_name(frame, boundary.slots[i].reg));
	for (unsigned int bpf = JF_BPF_R6; frame->needs & JF_WHEN_THROWS && bpf <= JF_BPF_R9; bpf++)
		if (jf_frame_slot(frame, JF_SLOT_THROW, conv->bpf_reg[bpf]) < 0)
			contradict_once(all, BAD_SPILL, 20,
					"a %s that throws has no slot for %s, where R%u lives (R20)", role_of(frame),
					reg_name(frame, conv->bpf_reg[bpf]), bpf);
}

static void check_frame(struct contradictions *all, const struct jf_frame *frame)
{
	check_layout(all, frame);
	check_record(all, frame);
	if (frame->spec.role != JF_ROLE_CALLBACK || frame->conv->landing == JF_LANDING_RESTORE)
		check_saves(all, frame);
	if (jf_frame_calls_pads(frame))
		check_spills(all, frame);
	if (frame->spec.tail_calls && frame->needs & JF_WHEN_MAIN && jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE) < 0)
		contradict_once(all, BAD_COUNT, 9, "a %s with tail calls has no slot for their count (R9)",
				role_of(frame));
	if (frame->spec.cleanups && frame->conv->cleanup_entry == JF_CLEANUP_RESUMED)
		check_cleanup_slots(all, frame);
}

/* ---- a callback and a boundary of the same program --------------------------------------------------------------- */

static bool is_save(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_SAVE || slot->kind == JF_SLOT_RETURN;
}

static void check_adoption(struct contradictions *all, const struct jf_frame *boundary, const struct jf_frame *callback)
{
	int32_t lowest = 0;

	for (unsigned int i = 0; i < boundary->slot_count; i++) {
		const struct jf_slot *slot = &boundary->slots[i];
		bool count = slot->kind == JF_SLOT_TCC || slot->kind == JF_SLOT_TCC_PTR;

		if (!is_save(slot) && !(count && callback->spec.tail_calls))
			continue;
		if (slot->off_from_cfa < lowest)
			lowest = slot->off_from_cfa;
		if (has_slot_at(callback, slot->kind, slot->reg, slot->off_from_cfa))
			continue;
		if (count)
			contradict_once(all, BAD_COUNT, 9,
					"a boundary has the tail-call count at CFA%+d, a callback has not (R9)",
					slot->off_from_cfa);
		else
			contradict_once(all, BAD_ADOPTION, 4,
					"a boundary saves %s at CFA%+d, where a callback does not look (R4)",
					reg_name(boundary, slot->reg), slot->off_from_cfa);
	}
	for (unsigned int i = 0; i < callback->slot_count; i++)
		if (is_save(&callback->slots[i]) &&
		    !has_slot_at(boundary, callback->slots[i].kind, callback->slots[i].reg,
				 callback->slots[i].off_from_cfa))
			contradict_once(all, BAD_ADOPTION, 4,
					"a callback restores %s from CFA%+d, where no boundary saves it (R4)",
					reg_name(callback, callback->slots[i].reg), callback->slots[i].off_from_cfa);
	if (!callback->spec.private_stack && callback->bpf_stack_bytes && callback->bpf_fp_off_from_cfa > lowest)
		contradict_once(all, BAD_OWN_STACK, 11,
				"a callback's BPF stack begins at CFA%+d, above the save at CFA%+d (R11)",
				callback->bpf_fp_off_from_cfa, lowest);
}

/* What a callback takes off the boundary's stack must not depend on what the boundary is like. */
static void check_landing(struct contradictions *all, const struct jf_frame *boundary, const struct jf_frame *plain)
{
	for (unsigned int i = 0; i < plain->slot_count; i++) {
		const struct jf_slot *slot = &plain->slots[i];
		int own = jf_frame_slot(boundary, JF_SLOT_SAVE, slot->reg);
		bool in_record = slot->off_from_cfa >= plain->conv->fp_off_from_cfa;
		int32_t here, there;

		if (slot->kind != JF_SLOT_SAVE)
			continue;
		here = in_record ? slot->off_from_cfa : slot->off_from_cfa - plain->landing_sp_off_from_cfa;
		there = own < 0   ? INT32_MIN :
			in_record ? boundary->slots[own].off_from_cfa :
				    boundary->slots[own].off_from_cfa - boundary->landing_sp_off_from_cfa;
		if (here != there)
			contradict_once(all, BAD_LANDING, 12,
					"where a boundary saves %s, seen from the SP that its callback gets, "
					"depends on the boundary's options (R12)",
					reg_name(plain, slot->reg));
	}
}

/* ---- every combination --------------------------------------------------------------------------------- */

/* tail calls, arena, private stack, signed returns, registers used, two of size, arguments, leaf, cleanups, throws */
#define OPTION_BITS 11

static bool solve(struct contradictions *all, unsigned int role, unsigned int bits, struct jf_frame *frame)
{
	const struct jf_convention *conv = all->conv;
	const uint32_t stacks[] = {0, 8, 64, conv->bpf_stack_max_bytes};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_error error;
	enum jf_status status;

	spec.role = role;
	spec.tail_calls = bits & 1;
	spec.arena = bits & 2;
	spec.private_stack = bits & 4;
	spec.sign_return = bits & 8;
	spec.bpf_regs_used = bits & 16 ? 0x7c0 : 0;
	spec.bpf_stack_bytes = stacks[bits >> 5 & 3];
	spec.out_args = bits & 128 ? JF_OUT_ARGS_MAX : 0;
	spec.leaf = bits & 256;
	spec.cleanups = bits & 512;
	spec.throws = bits & 1024;
	/* Only a frame with cleanups asks whether it throws: the other half has been seen. */
	if (spec.throws && !spec.cleanups)
		return false;
	status = jf_frame_solve(conv, &spec, frame, &error);
	if (status == JF_OK || status == JF_E_UNSUPPORTED || status == JF_E_BAD_SPEC)
		return status == JF_OK;
	contradict_once(all, BAD_SOLVE, 0, "%s", error.text);
	return false;
}

void check_all_frames(struct contradictions *all)
{
	struct jf_frame frame, plain, boundary;

	for (unsigned int role = 0; role < JF_ROLE__COUNT; role++)
		for (unsigned int bits = 0; bits < 1u << OPTION_BITS; bits++)
			if (solve(all, role, bits, &frame))
				check_frame(all, &frame);
	if (!solve(all, JF_ROLE_BOUNDARY, 0, &plain))
		return;
	for (unsigned int bits = 0; bits < 1u << OPTION_BITS; bits++) {
		if (!solve(all, JF_ROLE_BOUNDARY, bits, &boundary))
			continue;
		if (all->conv->landing == JF_LANDING_RESTORE)
			check_landing(all, &boundary, &plain);
	}
	if (all->conv->landing != JF_LANDING_ADOPT)
		return;
	/*
	 * Every boundary against the plainest callback, every callback against the plainest boundary: then every one
	 * agrees with every other. Tail calls and signed returns are all functions' of a program.
	 */
	for (unsigned int bits = 0; bits < 1u << OPTION_BITS; bits++) {
		if (solve(all, JF_ROLE_BOUNDARY, bits, &boundary) && solve(all, JF_ROLE_CALLBACK, bits & 9, &frame))
			check_adoption(all, &boundary, &frame);
		if (solve(all, JF_ROLE_BOUNDARY, bits & 9, &boundary) && solve(all, JF_ROLE_CALLBACK, bits, &frame))
			check_adoption(all, &boundary, &frame);
	}
}
