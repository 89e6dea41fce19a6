/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include <string.h>

/* What has to hold where a function is left, and what one that comes in by a tail call relies on (R5, R14, R16). */

/* ---- R5: a return --------------------------------------------------------------------------------------- */

static void judge_restored(struct checker *c, const struct state *state)
{
	char text[VALUE_TEXT_MAX];

	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		const struct value *value = &state->regs[reg];

		if (!is_callee_saved(c, reg) || value_is_entry(value, (uint8_t)reg))
			continue;
		value_text(c->backend, value, text, sizeof(text));
		finding(c, 5, verdict_on(value), "returns with %s = %s, not the caller's", reg_name(c, reg), text);
		return;
	}
}

static void judge_way_out(struct checker *c, const struct state *state, const struct value *target)
{
	const struct value *sp = &state->regs[c->backend->sp];
	int32_t sp_off = target ? 0 : -c->backend->cfa_sp_off_at_entry;
	struct value ra = {0};
	char text[VALUE_TEXT_MAX];

	if (!target) {
		const struct cell *cell = state_cell(state, sp_off, 8);

		ra = cell ? cell->value : value_unknown(DEF_ENTRY, c->backend->ra);
		target = &ra;
	}
	value_text(c->backend, sp, text, sizeof(text));
	if (!value_is_cfa(sp, sp_off))
		finding(c, 5, verdict_on(sp), "returns with SP = %s, not CFA%+d", text, sp_off);
	value_text(c->backend, target, text, sizeof(text));
	if (!value_is_entry(target, c->backend->ra) || target->flags & VALUE_SIGNED)
		finding(c, 5, verdict_on(target), "returns to %s, not to the return address", text);
}

/* ---- R14: the result -------------------------------------------------------------------------------------- */

/* R0 as the epilogue found it, if it is known where that starts: run.c gives it a name there. */
static struct value result_expected(const struct checker *c, const struct state *state)
{
	uint8_t r0 = c->conv->bpf_reg[JF_BPF_R0];
	uint32_t epilogue = c->input->marks[JF_MARK_EPILOGUE];
	struct value value = state->regs[r0];

	if (epilogue <= c->off && checker_is_start(c, epilogue))
		value = value_unknown(epilogue | DEF_JOIN, r0);
	return value_extend(value, c->conv->result_bits / 8, true, c->off, r0);
}

static void judge_result(struct checker *c, const struct state *state)
{
	const struct value *result = &state->regs[c->backend->result];
	struct value expected = result_expected(c, state);
	char text[VALUE_TEXT_MAX];

	applies(c, 14);
	if (value_same(result, &expected))
		return;
	value_text(c->backend, result, text, sizeof(text));
	/* An address of the stack that has been cut short has no name to compare. */
	finding(c, 14, value_is_vague(&expected) || expected.def == c->off ? JF_VERDICT_UNDECIDED : verdict_on(result),
		"returns with %s = %s, which is not R0%s", reg_name(c, c->backend->result), text,
		c->conv->result_bits == 32 ? " as a sign-extended 32-bit number" : "");
}

/* ---- R18: what a private stub keeps ------------------------------------------------------------------------- */

static void judge_kept(struct checker *c, const struct state *state)
{
	char text[VALUE_TEXT_MAX];

	applies(c, 18);
	for (unsigned int bpf = 0; bpf < JF_BPF_AX; bpf++) {
		uint8_t reg = c->conv->bpf_reg[bpf];
		const struct value *value = &state->regs[reg];

		if (value_is_entry(value, reg))
			continue;
		value_text(c->backend, value, text, sizeof(text));
		finding(c, 18, verdict_on(value), "returns with R%u (%s) = %s", bpf, reg_name(c, reg), text);
		return;
	}
}

void rules_return(struct checker *c, const struct state *state, const struct value *target)
{
	applies(c, 5);
	judge_way_out(c, state, target);
	judge_restored(c, state);
	if (c->is_function)
		judge_result(c, state);
	if (c->map.count_by_value)
		rules_count(c, state);
	if (c->input->kind == JF_CHECK_PRIVATE_STUB)
		judge_kept(c, state);
}

/* ---- R16: tail calls ------------------------------------------------------------------------------------------ */

static bool same_or_count(const struct checker *c, unsigned int reg, const struct value *a, const struct value *b)
{
	return reg == c->map.count_reg || value_same(a, b);
}

/*
 * Whether a program that is entered at its tail-call entry finds what it relies on: SP, the registers that its
 * own epilogue will not restore or has saved by then, and the slots that are filled by then.
 */
static bool fits_entry(struct checker *c, const struct state *state)
{
	const struct state *entry = &c->entry_state;
	char text[VALUE_TEXT_MAX], wanted[VALUE_TEXT_MAX];
	bool ra_in_memory = false;

	for (uint32_t i = 0; i < entry->cell_count; i++) {
		const struct cell *cell = &entry->cells[i];
		const struct cell *own = state_cell(state, cell->off, cell->bytes);

		if (cell->value.kind != VALUE_ENTRY ||
		    (cell->value.reg != c->backend->ra && !is_callee_saved(c, cell->value.reg)))
			continue;
		ra_in_memory |= cell->value.reg == c->backend->ra;
		if (own && value_same(&own->value, &cell->value))
			continue;
		finding(c, 16, state->cells_dropped ? JF_VERDICT_UNDECIDED : JF_VERDICT_BROKEN,
			"hands on a frame without the caller's %s at CFA%+d", reg_name(c, cell->value.reg), cell->off);
		return false;
	}
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		const struct value *value = &state->regs[reg];

		if (reg != c->backend->sp && !is_callee_saved(c, reg) && (reg != c->backend->ra || ra_in_memory))
			continue;
		if (same_or_count(c, reg, value, &entry->regs[reg]))
			continue;
		value_text(c->backend, value, text, sizeof(text));
		value_text(c->backend, &entry->regs[reg], wanted, sizeof(wanted));
		finding(c, 16, verdict_on(value), "hands on %s = %s; a program entered there relies on %s",
			reg_name(c, reg), text, wanted);
		return false;
	}
	return true;
}

/* The count that came in here, or where it still is. */
static bool is_passed(const struct checker *c, const struct state *state, const struct value *value)
{
	const struct value *sp = &state->regs[c->backend->sp];

	if (c->map.count_by_value)
		return count_is_in_force(c, state, value);
	return value->kind == VALUE_COUNT ||
	       (value->kind == VALUE_SLOT && (!c->map.is_main || (int32_t)value->def == c->map.tcc) && !value->imm) ||
	       (is_callee_saved(c, c->map.count_reg) && value_is_entry(value, c->map.count_reg)) ||
	       (c->map.tcc && value_is_cfa(value, c->map.tcc) && sp->kind == VALUE_CFA && sp->imm <= c->map.tcc);
}

/* R9 */
static void judge_count_passed(struct checker *c, const struct state *state)
{
	const struct value *value;
	char text[VALUE_TEXT_MAX];

	if (!c->counts_tail_calls || c->map.count_reg == JF_REG_NONE)
		return;
	value = &state->regs[c->map.count_reg];
	applies(c, 9);
	if (is_passed(c, state, value))
		return;
	value_text(c->backend, value, text, sizeof(text));
	finding(c, 9, verdict_on(value), "hands on %s = %s, not the tail-call count of CFA%+d",
		reg_name(c, c->map.count_reg), text, c->map.tcc);
}

void rules_tail_exit(struct checker *c, const struct state *state, const struct value *target)
{
	applies(c, 16);
	if (!c->counts_tail_calls) {
		finding(c, 16, JF_VERDICT_UNDECIDED, "leaves for elsewhere: the spec has no tail calls");
		return;
	}
	if (!c->has_entry_state) {
		finding(c, 16, JF_VERDICT_UNDECIDED,
			"leaves for another program: %s has no tail-call entry to compare with", c->conv->name);
		return;
	}
	fits_entry(c, state);
	judge_count_passed(c, state);
	rules_charged(c, state, target);
	if (target && (target->kind == VALUE_UNKNOWN || target->kind == VALUE_TALLY) && !(target->def & DEF_JOIN) &&
	    target->imm != c->entry_off)
		finding(c, 16, JF_VERDICT_BROKEN, "enters the next program at +%lld: its tail-call entry is at +%u",
			(long long)target->imm, c->entry_off);
}

/* Our own entry, before anything has come in there. */
void rules_tail_entry(struct checker *c, const struct state *state)
{
	const struct value *count, *wanted;
	char text[VALUE_TEXT_MAX];

	c->off = c->tail_entry;
	c->judged = 0;
	if (!c->has_entry_state ||
	    jf_decode(c->backend, c->input->bytes + c->off, c->input->byte_count - c->off, &c->effect) != JF_OK)
		return;
	applies(c, 16);
	if (!fits_entry(c, state) || c->map.count_reg == JF_REG_NONE || !c->counts_tail_calls)
		return;
	count = &state->regs[c->map.count_reg];
	wanted = &c->entry_state.regs[c->map.count_reg];
	if (!value_same(count, wanted)) {
		value_text(c->backend, count, text, sizeof(text));
		finding(c, 16, verdict_on(count),
			"is the tail-call entry, and the count has not been set up before it: %s = %s",
			reg_name(c, c->map.count_reg), text);
	} else if (c->entry_has_pad && !(c->effect.flags & JF_EFFECT_LANDING_PAD)) {
		finding(c, 16, JF_VERDICT_BROKEN, "is the tail-call entry, and no landing pad");
	}
}

void rules_tail_entry_place(struct checker *c)
{
	uint32_t mark = c->input->marks[JF_MARK_TAIL_ENTRY];

	if (c->tail_entry == JF_MARK_UNSET)
		return;
	if (mark != JF_MARK_UNSET && mark != c->tail_entry)
		finding_of_all(c->sink, 16, JF_VERDICT_BROKEN,
			       "the tail-call entry is at +0x%x; tail calls of %s enter at +0x%x", mark, c->conv->name,
			       c->tail_entry);
	else if (!checker_is_start(c, c->tail_entry))
		finding_of_all(c->sink, 16, JF_VERDICT_BROKEN,
			       "tail calls of %s enter at +0x%x, where no instruction starts", c->conv->name,
			       c->tail_entry);
}
