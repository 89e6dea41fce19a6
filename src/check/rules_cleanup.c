/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/leader.h"

/*
 * Clean-up pads: what holds where one is entered, and R19 to R27. A pad is entered from each call that its record
 * covers. Resumed, it has the frame's registers and SP; called, it has those that the unwinder has found in memory, on
 * the unwinder's stack.
 */

static bool are_called(const struct checker *c)
{
	return c->conv->cleanup_entry == JF_CLEANUP_CALLED;
}

/* ---- the table ------------------------------------------------------------------------------------------- */

#define NO_RECORD SIZE_MAX

/* returns: the record that holds the byte, or NO_RECORD. The table may be wrong: each record is looked at. */
static size_t record_of(const struct checker *c, uint32_t off)
{
	for (size_t i = 0; i < c->input->cleanup_count; i++)
		if (c->input->cleanups[i].start_off <= off && off < c->input->cleanups[i].end_off)
			return i;
	return NO_RECORD;
}

/* Whether an instruction that can be reached goes over the place. */
static bool is_inside_insn(const struct checker *c, uint32_t off)
{
	struct jf_effect effect;

	if (off >= c->input->byte_count || c->flags[off] & IS_START)
		return false;
	for (uint32_t before = 1; before <= off && before < UINT8_MAX; before++)
		if (c->flags[off - before] & IS_START)
			return jf_decode(c->backend, c->input->bytes + off - before,
					 c->input->byte_count - off + before, &effect) == JF_OK &&
			       effect.size_bytes > before;
	return false;
}

/* returns: whether start, end and pad are in the function. */
static bool judge_places(struct checker *c, size_t i)
{
	const struct jf_cleanup_code *record = &c->input->cleanups[i];
	bool in_pad = record->pad_off == JF_CLEANUP_IN_PAD;
	uint32_t pad = in_pad ? record->start_off : record->pad_off;
	const uint32_t places[] = {record->start_off, record->end_off, pad};

	if (record->start_off >= record->end_off) {
		finding_of_all(c->sink, 19, JF_VERDICT_BROKEN, "cleanup record %zu: empty, from +0x%x to +0x%x", i,
			       record->start_off, record->end_off);
		return false;
	}
	if (record->end_off > c->input->byte_count || pad >= c->input->byte_count) {
		finding_of_all(c->sink, 19, JF_VERDICT_BROKEN,
			       "cleanup record %zu: +0x%x is not in the function, which has 0x%zx bytes", i,
			       record->end_off > c->input->byte_count ? record->end_off : pad, c->input->byte_count);
		return false;
	}
	for (unsigned int k = 0; k < 3; k++)
		if (is_inside_insn(c, places[k]))
			finding_of_all(c->sink, 19, JF_VERDICT_BROKEN,
				       "cleanup record %zu: +0x%x is in the midst of an instruction", i, places[k]);
	return true;
}

static void judge_order(struct checker *c, size_t i)
{
	const struct jf_cleanup_code *record = &c->input->cleanups[i];
	size_t around = record_of(c, record->pad_off);

	if (i && record->start_off < record[-1].start_off)
		finding_of_all(c->sink, 19, JF_VERDICT_BROKEN,
			       "cleanup record %zu: not sorted, +0x%x comes behind +0x%x", i, record->start_off,
			       record[-1].start_off);
	else if (i && record->start_off < record[-1].end_off)
		finding_of_all(c->sink, 19, JF_VERDICT_BROKEN, "cleanup records %zu and %zu overlap at +0x%x", i - 1, i,
			       record->start_off);
	if (around != NO_RECORD && c->input->cleanups[around].pad_off != JF_CLEANUP_IN_PAD)
		finding_of_all(c->sink, 19, JF_VERDICT_BROKEN,
			       "cleanup record %zu: its pad +0x%x lies in the range of record %zu", i, record->pad_off,
			       around);
}

/* R27. A backend that makes frames and begins pads with nothing enters them by a jump that asks for no marker. */
static void judge_marker(struct checker *c, uint32_t pad)
{
	const struct jf_build_ops *build = c->backend->build;

	c->off = pad;
	c->judged = 0;
	if (!c->frame.spec.landing_pads || (build && !build->cleanup_pad))
		return;
	if (!checker_is_start(c, pad) || !leader_decode(c))
		return;
	applies(c, 27);
	if (!(c->effect.flags & JF_EFFECT_LANDING_PAD))
		finding(c, 27, JF_VERDICT_BROKEN, "is where a clean-up pad begins, and no landing pad");
}

/* What the JIT tells its unwinder of the frame, beside what the frame is. */
static void judge_told(struct checker *c, enum jf_slot_kind kind, int32_t told, const char *what)
{
	int32_t off = jf_frame_spill_off(&c->frame, kind);

	if (!told || !jf_frame_calls_pads(&c->frame))
		return;
	applies(c, 20);
	if (told != off)
		finding_of_all(c->sink, 20, JF_VERDICT_BROKEN,
			       "the unwinder is told of the %s at %s%+d: it is at %s%+d", what,
			       reg_name(c, c->backend->fp), told, reg_name(c, c->backend->fp), off);
}

void rules_cleanup_table(struct checker *c)
{
	judge_told(c, JF_SLOT_SAVE, c->input->spill_off, "spill area");
	judge_told(c, JF_SLOT_THROW, c->input->throw_off, "throw-site area");
	for (size_t i = 0; i < c->input->cleanup_count; i++) {
		applies(c, 19);
		if (!judge_places(c, i))
			continue;
		judge_order(c, i);
		judge_marker(c, c->input->cleanups[i].pad_off);
	}
}

/* ---- where a pad is entered --------------------------------------------------------------------------------- */

/* Whether an unwinder that calls pads brings the register. */
static bool is_brought(const struct checker *c, unsigned int reg)
{
	if (reg == c->backend->fp || reg == c->conv->arena_reg || reg == c->map.count_reg ||
	    (c->frame.spec.private_stack && reg == c->conv->bpf_fp_private))
		return true;
	for (unsigned int bpf = JF_BPF_R6; bpf <= JF_BPF_FP; bpf++)
		if (c->conv->bpf_reg[bpf] == reg)
			return true;
	return false;
}

static void set_pad_registers(const struct checker *c, struct state *state, uint32_t pad)
{
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		bool is_saved = jf_frame_slot(&c->frame, JF_SLOT_SAVE, (uint8_t)reg) >= 0;

		if (c->backend->regs[reg].flags & JF_REG_RESERVED ||
		    (is_callee_saved(c, reg) && (!are_called(c) || !is_saved || is_brought(c, reg))))
			continue;
		state->regs[reg] = value_unknown(pad | DEF_JOIN, (uint8_t)reg);
	}
	state->regs[c->backend->sp] =
		are_called(c) ? value_entry(c->backend->sp) : value_cfa(-(int64_t)c->frame.size_bytes);
	if (are_called(c) && !c->backend->ra_pushed)
		state->regs[c->conv->cleanup_back] = value_way_back();
}

/* From a call to the pad that its record names. `state`: as it is at the call. */
void cleanup_enter(struct checker *c, const struct state *state)
{
	size_t record = record_of(c, c->off + c->effect.size_bytes - 1);
	const struct value *sp = &state->regs[c->backend->sp];
	struct state at_pad;
	uint32_t pad;

	if (record == NO_RECORD || c->input->cleanups[record].pad_off == JF_CLEANUP_IN_PAD)
		return;
	pad = c->input->cleanups[record].pad_off;
	if (!checker_is_start(c, pad))
		return; /* R19 tells */
	at_pad = *state;
	if (sp->kind == VALUE_CFA)
		state_forget_below(&at_pad, sp->imm);
	set_pad_registers(c, &at_pad, pad);
	at_pad.in_pad = PAD_ALWAYS;
	leader_arrive(c, &at_pad, pad);
}

/* R26 */
void rules_cleanup_call(struct checker *c)
{
	size_t by_start = record_of(c, c->off), by_last = record_of(c, c->off + c->effect.size_bytes - 1);

	if (!c->input->cleanup_count)
		return;
	applies(c, 26);
	if (by_start == by_last)
		return;
	if (by_last == NO_RECORD)
		finding(c, 26, JF_VERDICT_BROKEN, "begins in cleanup record %zu, which ends before the call does",
			by_start);
	else
		finding(c, 26, JF_VERDICT_BROKEN,
			"is looked up by its last byte, in cleanup record %zu, where it does not begin", by_last);
}

/* ---- R20: what an unwinder that calls pads looks for ---------------------------------------------------------- */

void rules_spills(struct checker *c, const struct state *state)
{
	char text[VALUE_TEXT_MAX];

	if (!jf_frame_calls_pads(&c->frame))
		return;
	applies(c, 20);
	for (unsigned int i = 0; i < c->frame.slot_count; i++) {
		const struct jf_slot *slot = &c->frame.slots[i];
		const struct cell *cell;

		if (slot->kind != JF_SLOT_SAVE)
			continue;
		cell = state_cell_at(state, slot->off_from_cfa);
		if (cell && value_is_entry(&cell->value, slot->reg))
			continue;
		if (cell)
			value_text(c->backend, &cell->value, text, sizeof(text));
		finding(c, 20,
			state->cells_dropped || (cell && value_is_vague(&cell->value)) ? JF_VERDICT_UNDECIDED :
											 JF_VERDICT_BROKEN,
			"is reached with %s at CFA%+d, where an unwinder looks for the caller's %s",
			cell ? text : "nothing", slot->off_from_cfa, reg_name(c, slot->reg));
		return;
	}
}

/* The frame that throws calls no function that would save its registers. */
void rules_throw_site(struct checker *c, const struct state *state)
{
	for (unsigned int i = 0; i < c->frame.slot_count; i++) {
		const struct jf_slot *slot = &c->frame.slots[i];
		const struct cell *cell;

		if (slot->kind != JF_SLOT_THROW)
			continue;
		applies(c, 20);
		cell = state_cell(state, slot->off_from_cfa, slot->size_bytes);
		if (cell && value_same(&cell->value, &state->regs[slot->reg]))
			continue;
		finding(c, 20, state->cells_dropped ? JF_VERDICT_UNDECIDED : verdict_on(&state->regs[slot->reg]),
			"throws while CFA%+d, where an unwinder looks for %s, holds something else", slot->off_from_cfa,
			reg_name(c, slot->reg));
		return;
	}
}

/* ---- R21: a pad on another stack ------------------------------------------------------------------------------ */

static bool is_own_sp(const struct checker *c, const struct value *value)
{
	return value->kind == VALUE_ENTRY && value->reg == c->backend->sp && !value->ext;
}

bool cleanup_is_elsewhere(const struct checker *c, const struct state *state)
{
	return state->in_pad && are_called(c);
}

/* returns: whether the address goes by the SP of a pad that is called; then no other rule has to say of it. */
bool rules_cleanup_access(struct checker *c, const struct state *state, const struct value *address, uint32_t bytes)
{
	bool takes_way_back = c->backend->ra_pushed && !address->imm && c->effect.flow == JF_FLOW_JUMP_REG;

	if (!cleanup_is_elsewhere(c, state) || !is_own_sp(c, address))
		return false;
	applies(c, 21);
	if (address->imm + (int64_t)bytes > 0 && !takes_way_back)
		finding(c, 21, JF_VERDICT_BROKEN,
			"goes to %s%+lld in a clean-up pad that is called: %s belongs to the unwinder, the frame is "
			"found by %s",
			reg_name(c, c->backend->sp), (long long)address->imm, reg_name(c, c->backend->sp),
			reg_name(c, c->backend->fp));
	return true;
}

void rules_cleanup_sp(struct checker *c, const struct state *state)
{
	const struct value *sp = &state->regs[c->backend->sp];
	char text[VALUE_TEXT_MAX];

	applies(c, 21);
	if (is_own_sp(c, sp) && sp->imm <= 0 && sp->imm % c->conv->frame_align == 0)
		return;
	value_text(c->backend, sp, text, sizeof(text));
	finding(c, 21, verdict_on(sp),
		"is reached with SP = %s: a clean-up pad that is called runs on the unwinder's stack", text);
}

/* ---- R24: where pads end ---------------------------------------------------------------------------------------- */

static void judge_back(struct checker *c, const struct state *state)
{
	const struct value *sp = &state->regs[c->backend->sp];
	int64_t popped = c->backend->ra_pushed ? c->backend->cfa_sp_off_at_entry : 0;
	char text[VALUE_TEXT_MAX];

	applies(c, 21);
	if (is_own_sp(c, sp) && sp->imm == popped)
		return;
	value_text(c->backend, sp, text, sizeof(text));
	finding(c, 21, verdict_on(sp), "goes back to the unwinder with SP = %s, not as the pad was entered", text);
}

/* A jump out of the function, or through a register. */
void rules_pad_exit(struct checker *c, const struct state *state, const struct value *target)
{
	applies(c, 24);
	if (state->in_pad == PAD_SOMETIMES) {
		finding(c, 24, JF_VERDICT_BROKEN, "is reached from a clean-up pad, and from outside of one");
		return;
	}
	if (target && target->flags & VALUE_BACK) {
		judge_back(c, state);
		return;
	}
	finding(c, 24, target ? verdict_on(target) : JF_VERDICT_BROKEN,
		"leaves a clean-up pad %s: every path of a pad ends in the resume",
		checker_exit_kind(c, state, target) == EXIT_RETURN ? "by a return" : "for somewhere else");
}

/* Calls that end a pad, or that no pad makes. */
void rules_pad_call(struct checker *c, const struct state *state, enum jf_target_kind kind)
{
	if (kind == JF_TARGET_RESUME) {
		applies(c, 24);
		if (state->in_pad != PAD_ALWAYS)
			finding(c, 24, JF_VERDICT_BROKEN,
				"hands on a throw, and is reached from outside of a clean-up pad");
	} else if (kind == JF_TARGET_THROW && state->in_pad) {
		finding(c, 24, JF_VERDICT_BROKEN, "throws in a clean-up pad");
	}
}
