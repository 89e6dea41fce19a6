/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/truth.h"

#include <stdio.h>

/* ---- what a row says, and what is so ------------------------------------------------------------------ */

/* Control registers are callee-saved, and no table speaks of them. */
static bool is_spoken_of(const struct checker *c, const struct jf_row *row, unsigned int reg)
{
	if (reg == c->backend->ra)
		return true;
	if (!is_callee_saved(c, reg) || c->backend->regs[reg].cls == JF_REG_CONTROL)
		return false;
	return !(row->flags & JF_ROW_REGS_LOST) || (reg == c->backend->fp && row->flags & JF_ROW_FP_KEPT);
}

/* Nobody can tell what it is: a row that relies on it may be true. */
static bool is_vague(const struct value *value)
{
	return value->kind == VALUE_LOST || value->kind == VALUE_STACK || value->kind == VALUE_BPF;
}

static bool is_signed_as_said(const struct checker *c, const struct value *value, const struct jf_row *row)
{
	return value->reg != c->backend->ra || !(value->flags & VALUE_SIGNED) == !(row->flags & JF_ROW_RA_SIGNED);
}

static void set_about(const struct checker *c, struct lie *lie, unsigned int reg)
{
	lie->about = reg == c->backend->ra ? JF_ROWS_ABOUT_RETURN : JF_ROWS_ABOUT_REGISTER;
	lie->reg = (uint8_t)reg;
}

/* The register that is CFA + constant, SP first. */
static void cfa_text(const struct checker *c, const struct state *state, char *text, size_t capacity)
{
	unsigned int reg = c->backend->sp;

	for (unsigned int i = 0; i < c->backend->reg_count && state->regs[reg].kind != VALUE_CFA; i++)
		reg = i;
	if (state->regs[reg].kind == VALUE_CFA)
		snprintf(text, capacity, "CFA=%s%+lld", reg_name(c, reg), (long long)cfa_from(&state->regs[reg]));
	else
		snprintf(text, capacity, "no register gives the CFA");
}

static enum truth judge_cfa(const struct checker *c, const struct state *state, const struct jf_row *row,
			    struct lie *lie)
{
	const struct value *value;
	char text[VALUE_TEXT_MAX];

	lie->about = JF_ROWS_ABOUT_CFA;
	lie->reg = JF_REG_NONE;
	value = &state->regs[row->cfa_reg];
	if (value->kind == VALUE_CFA && cfa_from(value) == row->cfa_off)
		return TRUTH_HOLDS;
	snprintf(lie->says, sizeof(lie->says), "CFA=%s%+d", reg_name(c, row->cfa_reg), row->cfa_off);
	value_text(c->backend, value, text, sizeof(text));
	if (value->kind == VALUE_CFA)
		snprintf(lie->is, sizeof(lie->is), "CFA=%s%+lld", reg_name(c, row->cfa_reg),
			 (long long)cfa_from(value));
	else
		cfa_text(c, state, lie->is, sizeof(lie->is));
	if (is_vague(value))
		snprintf(lie->is, sizeof(lie->is), "%s is %s", reg_name(c, row->cfa_reg), text);
	return is_vague(value) ? TRUTH_VAGUE : TRUTH_LIES;
}

/* Where else the caller's value is, for people. */
static void place_text(const struct checker *c, const struct state *state, unsigned int reg, char *text,
		       size_t capacity)
{
	const struct value *sp = &state->regs[c->backend->sp];

	if (value_is_entry(&state->regs[reg], (uint8_t)reg)) {
		snprintf(text, capacity, "%s unchanged%s", reg_name(c, reg),
			 state->regs[reg].flags & VALUE_SIGNED ? ", signed" : "");
		return;
	}
	for (uint32_t i = 0; i < state->cell_count; i++) {
		const struct cell *cell = &state->cells[i];

		if (value_is_entry(&cell->value, (uint8_t)reg) && (sp->kind != VALUE_CFA || cell->off >= sp->imm)) {
			snprintf(text, capacity, "%s@%d%s", reg_name(c, reg), cell->off,
				 cell->value.flags & VALUE_SIGNED ? ", signed" : "");
			return;
		}
	}
	snprintf(text, capacity, "%s lost", reg_name(c, reg));
}

static enum truth judge_slot(const struct checker *c, const struct state *state, const struct jf_row *row,
			     const struct jf_slot *slot, struct lie *lie)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const struct cell *cell = state_cell_at(state, slot->off_from_cfa);
	bool below = sp->kind == VALUE_CFA && slot->off_from_cfa < sp->imm - c->backend->red_zone_bytes;

	if (cell && value_is_entry(&cell->value, slot->reg) && !below && is_signed_as_said(c, &cell->value, row))
		return TRUTH_HOLDS;
	set_about(c, lie, slot->reg);
	snprintf(lie->says, sizeof(lie->says), "%s@%d%s", reg_name(c, slot->reg), slot->off_from_cfa,
		 slot->reg == c->backend->ra && row->flags & JF_ROW_RA_SIGNED ? ", signed" : "");
	if (cell && value_is_entry(&cell->value, slot->reg) && below)
		snprintf(lie->is, sizeof(lie->is), "that slot below SP");
	else
		place_text(c, state, slot->reg, lie->is, sizeof(lie->is));
	return (!cell && state->cells_dropped) || (cell && is_vague(&cell->value)) ? TRUTH_VAGUE : TRUTH_LIES;
}

static enum truth judge_register(const struct checker *c, const struct state *state, const struct jf_row *row,
				 unsigned int reg, struct lie *lie)
{
	const struct value *value = &state->regs[reg];

	if (value_is_entry(value, (uint8_t)reg) && is_signed_as_said(c, value, row))
		return TRUTH_HOLDS;
	set_about(c, lie, reg);
	snprintf(lie->says, sizeof(lie->says), "%s unchanged%s", reg_name(c, reg),
		 reg == c->backend->ra && row->flags & JF_ROW_RA_SIGNED ? ", signed" : "");
	if (is_vague(value))
		value_text(c->backend, value, lie->is, sizeof(lie->is));
	else
		place_text(c, state, reg, lie->is, sizeof(lie->is));
	return is_vague(value) ? TRUTH_VAGUE : TRUTH_LIES;
}

enum truth truth_of_row(const struct checker *c, const struct state *state, const struct table *table,
			const struct jf_row *row, struct lie *lie)
{
	uint64_t in_memory[(JF_REGS_MAX + 63) / 64] = {0};
	enum truth worst;

	if (row->flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST))
		return TRUTH_HOLDS;
	worst = judge_cfa(c, state, row, lie);
	for (uint32_t left = row->saved; left && worst == TRUTH_HOLDS; left &= left - 1) {
		const struct jf_slot *slot = &table->slots[__builtin_ctz(left)];

		in_memory[slot->reg / 64] |= UINT64_C(1) << slot->reg % 64;
		if (slot->reg == c->backend->ra || is_callee_saved(c, slot->reg))
			worst = judge_slot(c, state, row, slot, lie);
	}
	for (unsigned int reg = 0; reg < c->backend->reg_count && worst == TRUTH_HOLDS; reg++)
		if (!(in_memory[reg / 64] >> reg % 64 & 1) && is_spoken_of(c, row, reg))
			worst = judge_register(c, state, row, reg, lie);
	return worst;
}

bool truth_keeps_link(const struct checker *c, const struct table *table, const struct jf_row *row)
{
	if (c->backend->ra_pushed || row->flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST))
		return false;
	for (uint32_t left = row->saved; left; left &= left - 1)
		if (table->slots[__builtin_ctz(left)].reg == c->backend->ra)
			return false;
	return true;
}

/* ---- a row that is believed ---------------------------------------------------------------------------- */

void truth_believe(const struct checker *c, const struct table *table, const struct jf_row *row, struct state *state)
{
	state_clear(state);
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		state->regs[reg] = value_unknown(DEF_ENTRY, (uint8_t)reg);
		if (is_spoken_of(c, row, reg))
			state->regs[reg] = value_entry((uint8_t)reg);
	}
	/* Somewhere in the frame. */
	state->regs[c->backend->sp] = value_tainted(2, DEF_ENTRY, c->backend->sp);
	if (c->backend->ra_pushed)
		state->regs[c->backend->ra] = value_unknown(DEF_ENTRY, c->backend->ra);
	if (row->flags & JF_ROW_RA_SIGNED)
		state->regs[c->backend->ra].flags = VALUE_SIGNED;
	for (uint32_t left = row->saved; left; left &= left - 1) {
		const struct jf_slot *slot = &table->slots[__builtin_ctz(left)];
		struct value value = value_entry(slot->reg);

		if (slot->reg == c->backend->ra && row->flags & JF_ROW_RA_SIGNED)
			value.flags = VALUE_SIGNED; /* while SP was the CFA */
		state->regs[slot->reg] = value_unknown(DEF_ENTRY, slot->reg);
		state_store(state, slot->off_from_cfa, c->backend->regs[slot->reg].size_bytes, value);
	}
	state->regs[row->cfa_reg] = value_cfa(-(int64_t)row->cfa_off);
}
