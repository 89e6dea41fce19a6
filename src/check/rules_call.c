/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include <stdio.h>
#include <string.h>

/* What has to hold where something is called, and so where a throw may start. */

/* Whether the caller's value of `reg` is in memory at `off`. */
static bool is_saved_at(const struct state *state, int32_t off, uint8_t reg, struct value *got)
{
	const struct cell *cell = state_cell_at(state, off);

	*got = value_unknown(DEF_ENTRY, reg);
	if (cell) {
		*got = cell->value;
		return value_is_entry(got, reg);
	}
	if (state->cells_dropped)
		got->kind = VALUE_LOST;
	return false;
}

static const struct cell *saved_elsewhere(const struct state *state, uint8_t reg)
{
	for (uint32_t i = 0; i < state->cell_count; i++)
		if (value_is_entry(&state->cells[i].value, reg))
			return &state->cells[i];
	return NULL;
}

/* ---- R1, R2: frame record and frame pointer ------------------------------------------------------------ */

/* Whether the frame has a frame record at all: one that calls nothing may do without. */
static bool has_record(const struct checker *c)
{
	int slot = jf_frame_slot(&c->frame, JF_SLOT_RETURN, c->backend->ra);

	return !c->is_function || slot >= 0;
}

static void judge_record(struct checker *c, const struct state *state, int call_kind)
{
	int32_t ra_off = c->record[JF_RECORD_RETURN].off_from_cfa, fp_off = c->record[JF_RECORD_FP].off_from_cfa;
	const struct jf_convention *conv = c->conv;
	const struct value *fp = &state->regs[c->backend->fp];
	char text[VALUE_TEXT_MAX];
	struct value got;

	applies(c, 1);
	applies(c, 2);
	if (call_kind < 0 && !has_record(c)) {
		/* Before the body. A call in the body finds no record, and is told. */
	} else if (!is_saved_at(state, ra_off, c->backend->ra, &got)) {
		value_text(c->backend, &got, text, sizeof(text));
		finding(c, 1, verdict_on(&got), "is reached with %s at CFA%+d, where the return address belongs", text,
			ra_off);
	} else if (!is_saved_at(state, fp_off, c->backend->fp, &got)) {
		value_text(c->backend, &got, text, sizeof(text));
		finding(c, 1, verdict_on(&got), "is reached with %s at CFA%+d, where the caller's %s belongs", text,
			fp_off, reg_name(c, c->backend->fp));
	}
	if (!value_is_cfa(fp, conv->fp_off_from_cfa)) {
		value_text(c->backend, fp, text, sizeof(text));
		finding(c, 2, verdict_on(fp), "is reached with %s = %s, not CFA%+d", reg_name(c, c->backend->fp), text,
			conv->fp_off_from_cfa);
	}
}

/* ---- R3, R4: what a boundary saves, and where ------------------------------------------------------------ */

struct names {
	char text[96];
	size_t length;
};

static void add_name(struct names *names, const char *name)
{
	int length;

	if (names->length >= sizeof(names->text))
		return;
	length = snprintf(names->text + names->length, sizeof(names->text) - names->length, "%s%s",
			  names->length ? ", " : "", name);
	names->length += length > 0 ? (size_t)length : 0;
}

/* Names a register the first time only: what a boundary does not save it saves at no call. */
static bool tell_once(struct checker *c, unsigned int reg)
{
	uint32_t bit = UINT32_C(1) << reg % 32;

	if (c->unsaved_told[reg / 32] & bit)
		return false;
	c->unsaved_told[reg / 32] |= bit;
	return true;
}

static void judge_save_set(struct checker *c, const struct state *state)
{
	struct names ints = {.length = 0}, others = {.length = 0};
	enum jf_verdict verdict = JF_VERDICT_UNDECIDED;

	applies(c, 3);
	applies(c, 4);
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		const struct cell *elsewhere;
		struct value got = {0};
		int slot;

		if (!is_callee_saved(c, reg) || reg == c->backend->fp ||
		    (c->input->in_kernel && c->backend->regs[reg].cls != JF_REG_INT))
			continue;
		slot = jf_frame_slot(&c->frame, JF_SLOT_SAVE, (uint8_t)reg);
		if (slot >= 0 && is_saved_at(state, c->frame.slots[slot].off_from_cfa, (uint8_t)reg, &got))
			continue;
		elsewhere = saved_elsewhere(state, (uint8_t)reg);
		if (slot >= 0 && elsewhere) {
			finding(c, 4, JF_VERDICT_BROKEN,
				"is reached with the caller's %s at CFA%+d: a callback looks for it at CFA%+d",
				reg_name(c, reg), elsewhere->off, c->frame.slots[slot].off_from_cfa);
			continue;
		}
		if (elsewhere || !tell_once(c, reg))
			continue;
		if (!value_is_vague(&got))
			verdict = JF_VERDICT_BROKEN;
		add_name(c->backend->regs[reg].cls == JF_REG_INT ? &ints : &others, reg_name(c, reg));
	}
	if (ints.length || others.length)
		finding(c, 3, verdict, "runs in a boundary that has not saved %s%s%s%s: a throw loses what they held",
			ints.text, ints.length && others.length ? "; nor " : "", others.length ? others.text : "",
			ints.length ? "" : " (no integer register)");
}

/* A callback that restores from where SP was at the call has to find the saves there. */
static void judge_landing(struct checker *c, const struct state *state, int call_kind)
{
	const struct value *sp = &state->regs[c->backend->sp];
	int32_t landing = c->frame.landing_sp_off_from_cfa;
	int64_t off = sp->imm + (int64_t)c->frame.out_args_bytes;

	if (!c->input->in_kernel || c->conv->landing != JF_LANDING_RESTORE || call_kind < 0 || sp->kind != VALUE_CFA ||
	    off == landing)
		return;
	finding(c, 4, JF_VERDICT_BROKEN,
		"is reached with SP = CFA%+lld: a callback looks for the saves at CFA%+d, %lld bytes %s",
		(long long)sp->imm, landing, (long long)(off < landing ? landing - off : off - landing),
		off < landing ? "above" : "below");
}

/* ---- R4, R11, R13, R15: a callback --------------------------------------------------------------------- */

static void judge_adoption(struct checker *c, const struct state *state)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const struct jf_frame *boundary = &c->boundary;

	applies(c, 4);
	if (sp->kind == VALUE_ENTRY) {
		finding(c, 4, JF_VERDICT_BROKEN, "is reached with SP still below the frames that were thrown away");
		return;
	}
	if (!value_is_cfa(&state->regs[c->backend->fp], c->conv->fp_off_from_cfa)) {
		char text[VALUE_TEXT_MAX];

		value_text(c->backend, &state->regs[c->backend->fp], text, sizeof(text));
		finding(c, 4, verdict_on(&state->regs[c->backend->fp]),
			"is reached with %s = %s: the boundary's is CFA%+d", reg_name(c, c->backend->fp), text,
			c->conv->fp_off_from_cfa);
	}
	if (c->conv->landing != JF_LANDING_ADOPT)
		return;
	for (unsigned int i = 0; i < boundary->slot_count; i++) {
		const struct jf_slot *slot = &boundary->slots[i];
		struct value got;

		if ((slot->kind != JF_SLOT_SAVE && slot->kind != JF_SLOT_RETURN) ||
		    (is_saved_at(state, slot->off_from_cfa, slot->reg, &got) &&
		     !(sp->kind == VALUE_CFA && sp->imm > slot->off_from_cfa)))
			continue;
		finding(c, 4, JF_VERDICT_BROKEN, "is reached with the boundary's save of %s at CFA%+d %s",
			reg_name(c, slot->reg), slot->off_from_cfa,
			value_is_entry(&got, slot->reg) ? "below SP" : "overwritten");
		return;
	}
}

/* Whether a register is as it was when the function was entered. */
static bool value_is_untouched(const struct value *value, uint8_t reg)
{
	return value_is_entry(value, reg) || (value->kind == VALUE_UNKNOWN && value->def == DEF_ENTRY);
}

/*
 * Whether the base is not what the thread's word holds: the thread pointer itself, which some instructions make in
 * a way that no step tells, or another word. Where the word's offset is in a register, the offset is not known.
 */
static bool has_another_base(const struct checker *c, const struct value *value)
{
	struct jf_effect effect;
	bool is_made = false;

	if (!(c->conv->caps & JF_CAP_USER_BASE))
		return false;
	if (value->kind == VALUE_ENTRY)
		return true;
	if (!c->input->values || value->kind != VALUE_UNKNOWN || value->def >= c->input->byte_count ||
	    jf_decode(c->backend, c->input->bytes + value->def, c->input->byte_count - value->def, &effect) != JF_OK)
		return false;
	for (unsigned int i = 0; i < effect.step_count; i++) {
		if (effect.steps[i].kind == JF_STEP_LOAD)
			return effect.steps[i].b == JF_REG_NONE &&
			       (uint64_t)effect.steps[i].imm != c->input->values->private_stack_word;
		is_made |= effect.steps[i].kind == JF_STEP_KILL;
	}
	return is_made;
}

/* The private stack's upper end, from the constant that the prologue adds the base to. */
static bool is_another_stack(const struct checker *c, const struct value *value)
{
	/* Without a base it is one for all threads; what registers the ABI leaves alone have may be the base. */
	if (value->kind == VALUE_CONST || value->flags & VALUE_LEFTOVER ||
	    (value->kind == VALUE_ENTRY && !(c->backend->regs[value->reg].flags & JF_REG_RESERVED)) ||
	    has_another_base(c, value))
		return true;
	return c->input->values && value->imm &&
	       (uint64_t)value->imm != c->input->values->private_stack + jf_frame_private_stack(&c->frame).top_off;
}

/*
 * R10 where it is a register of its own; where it is the frame pointer, that has been judged. Stores by way of R10
 * are taken to stay in the BPF stack, so in any function it is part of R6 that R10 is the stack's end.
 */
static void judge_bpf_fp(struct checker *c, const struct state *state, int call_kind)
{
	const struct jf_frame *frame = &c->frame;
	bool private_stack = frame->spec.private_stack;
	uint8_t reg = private_stack ? c->conv->bpf_fp_private : c->conv->bpf_reg[JF_BPF_FP];
	const struct value *value = &state->regs[reg];
	const struct value *sp = &state->regs[c->backend->sp];
	char text[VALUE_TEXT_MAX];

	/* The spec may know of no BPF stack, and a boundary makes an R10 for one: this stack has to fit, too. */
	if ((!(frame->needs & JF_WHEN_FP) || (!private_stack && !frame->bpf_stack_bytes)) &&
	    (private_stack || frame->spec.role != JF_ROLE_BOUNDARY || value->kind != VALUE_CFA))
		return;
	/* In a register that calls lose it is put aside over a call, and an argument may take its place. */
	if (private_stack && call_kind >= 0 && !is_callee_saved(c, reg))
		return;
	if (c->is_callback)
		applies(c, 11);
	value_text(c->backend, value, text, sizeof(text));
	if (private_stack) {
		applies(c, 15);
		if (value_taint(&c->map, value) || value_is_untouched(value, reg) || is_another_stack(c, value))
			finding(c, 15, verdict_on(value), "is reached with %s = %s, which is not the private stack",
				reg_name(c, reg), text);
	} else if (reg != c->backend->fp && !value_is_cfa(value, frame->bpf_fp_off_from_cfa)) {
		finding(c, c->is_callback ? 11 : 6, verdict_on(value), "is reached with R10 (%s) = %s, not CFA%+d",
			reg_name(c, reg), text, frame->bpf_fp_off_from_cfa);
	} else if (c->is_callback && sp->kind == VALUE_CFA && sp->imm > c->map.bpf_low) {
		finding(c, 11, JF_VERDICT_BROKEN, "is reached with SP = CFA%+lld: the BPF stack goes down to CFA%+d",
			(long long)sp->imm, c->map.bpf_low);
	}
}

static void judge_state_registers(struct checker *c, const struct state *state)
{
	const struct value *value = &state->regs[c->conv->arena_reg];
	char text[VALUE_TEXT_MAX];

	if (!c->frame.spec.arena)
		return;
	applies(c, 15);
	if (value->kind == VALUE_CONST && (!c->input->values || (uint64_t)value->imm == c->input->values->arena_base))
		return;
	value_text(c->backend, value, text, sizeof(text));
	finding(c, 15,
		value->kind == VALUE_UNKNOWN && value->def != DEF_ENTRY && !(value->flags & VALUE_LEFTOVER) ?
			JF_VERDICT_UNDECIDED :
			verdict_on(value),
		"is reached with %s = %s, which is not the arena's base", reg_name(c, c->conv->arena_reg), text);
}

static void judge_arguments(struct checker *c, const struct state *state)
{
	const struct value *r1 = &state->regs[c->conv->bpf_reg[JF_BPF_R1]];
	const struct value *fp = &state->regs[c->backend->fp];
	char text[VALUE_TEXT_MAX];

	applies(c, 13);
	value_text(c->backend, r1, text, sizeof(text));
	if (!value_is_entry(r1, c->backend->args[0]))
		finding(c, 13, verdict_on(r1), "is reached with R1 = %s, not the cookie", text);
	value_text(c->backend, fp, text, sizeof(text));
	if (!value_is_cfa(fp, c->conv->fp_off_from_cfa))
		finding(c, 13, verdict_on(fp), "is reached with %s = %s, which is not what the third argument says",
			reg_name(c, c->backend->fp), text);
}

/* ---- R7, R8: SP ---------------------------------------------------------------------------------------------- */

static int64_t known_alignment(const struct checker *c, const struct value *sp)
{
	uint64_t off = (uint64_t)sp->imm;
	int64_t align = c->conv->frame_align;

	if (sp->kind == VALUE_STACK)
		return sp->imm;
	if (sp->kind != VALUE_CFA)
		return 1;
	return off && (int64_t)(off & -off) < align ? (int64_t)(off & -off) : align;
}

/* Where C is called directly. Call stubs are there to align SP. */
static unsigned int align_for_c(const struct checker *c)
{
	if (c->input->c_align)
		return c->input->c_align;
	return c->input->kind == JF_CHECK_CALL_STUB ? c->backend->stack_align : c->conv->frame_align;
}

/* Where a call goes straight to C. What throws or resumes is behind a stub where C is. */
static bool is_straight_to_c(const struct checker *c, int call_kind)
{
	bool stubs = c->backend->call_stubs && c->backend->call_stubs(c->conv);

	return call_kind == JF_TARGET_C || (!stubs && (call_kind == JF_TARGET_THROW || call_kind == JF_TARGET_RESUME));
}

static void judge_sp(struct checker *c, const struct state *state, int call_kind)
{
	const struct value *sp = &state->regs[c->backend->sp];
	bool is_elsewhere = c->is_callback && value_is_entry(sp, c->backend->sp); /* R4 has told */
	unsigned int align = is_straight_to_c(c, call_kind) ? align_for_c(c) : c->conv->frame_align;
	unsigned int aligned = state->in_pad ? 21 : 7, bounded = state->in_pad ? 21 : 8;
	char text[VALUE_TEXT_MAX];

	if (cleanup_is_elsewhere(c, state)) {
		rules_cleanup_sp(c, state);
		return;
	}
	value_text(c->backend, sp, text, sizeof(text));
	if (!is_elsewhere) {
		applies(c, aligned);
		if (known_alignment(c, sp) < (int64_t)align)
			finding(c, aligned, verdict_on_aligned(sp), "is reached with SP = %s: not a multiple of %u",
				text, align);
	}
	applies(c, bounded);
	if (c->input->kind != JF_CHECK_FUNCTION) {
		if (sp->kind != VALUE_CFA && (sp->kind != VALUE_STACK || sp->imm == 1))
			finding(c, 8, verdict_on(sp), "is reached with SP = %s", text);
		return;
	}
	if (sp->kind == VALUE_CFA && sp->imm > -(int64_t)c->frame.size_bytes)
		finding(c, bounded, JF_VERDICT_BROKEN, "is reached with SP = %s: the frame goes down to CFA-%u", text,
			c->frame.size_bytes);
	else if (sp->kind != VALUE_CFA && !is_elsewhere)
		finding(c, bounded, verdict_on(sp), "is reached with SP = %s", text);
}

/* R9: what BPF functions and tail calls will read has been stored. */
static void judge_count_slots(struct checker *c, const struct state *state)
{
	const int32_t offs[] = {c->map.tcc, c->map.tcc_ptr};

	for (unsigned int i = 0; i < 2; i++) {
		if (!offs[i])
			continue;
		applies(c, 9);
		if (!state_cell(state, offs[i], count_slot_bytes(&c->map, offs[i])))
			finding(c, 9, state->cells_dropped ? JF_VERDICT_UNDECIDED : JF_VERDICT_BROKEN,
				"is reached with nothing stored at CFA%+d, the slot of the tail-call count%s", offs[i],
				i ? "'s address" : "");
	}
}

void rules_anchor(struct checker *c, const struct state *state, int call_kind)
{
	judge_sp(c, state, call_kind);
	if (c->input->kind == JF_CHECK_PRIVATE_STUB)
		return;
	judge_record(c, state, call_kind);
	if (!c->is_function)
		return;
	if (c->frame.spec.role == JF_ROLE_BOUNDARY) {
		judge_save_set(c, state);
		judge_landing(c, state, call_kind);
	}
	if (c->is_callback) {
		judge_adoption(c, state);
		if (call_kind < 0)
			judge_arguments(c, state);
	}
	rules_spills(c, state);
	judge_bpf_fp(c, state, call_kind);
	judge_state_registers(c, state);
	judge_count_slots(c, state);
}
