/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include <stdio.h>

/* Whether unwind rows say what is (R10), also for the byte before a return address (R17). */

static bool cfa_is_true(const struct checker *c, const struct state *state, const struct jf_row *row, char *why,
			size_t capacity)
{
	const struct value *value;
	char text[VALUE_TEXT_MAX];

	if (row->cfa_reg >= c->backend->reg_count) {
		snprintf(why, capacity, "its CFA register is none");
		return false;
	}
	value = &state->regs[row->cfa_reg];
	if (value_is_cfa(value, -row->cfa_off))
		return true;
	value_text(c->backend, value, text, sizeof(text));
	snprintf(why, capacity, "CFA = %s%+d, and %s is %s", reg_name(c, row->cfa_reg), row->cfa_off,
		 reg_name(c, row->cfa_reg), text);
	return false;
}

/* A register that the row says nothing of, or says to be where it was. */
static bool register_is_true(const struct checker *c, const struct state *state, unsigned int reg, uint8_t flags,
			     char *why, size_t capacity)
{
	const struct value *value = &state->regs[reg];
	bool is_ra = reg == c->backend->ra;
	char text[VALUE_TEXT_MAX];

	if (value_is_entry(value, (uint8_t)reg) &&
	    (!is_ra || !(value->flags & VALUE_SIGNED) == !(flags & JF_ROW_RA_SIGNED)))
		return true;
	value_text(c->backend, value, text, sizeof(text));
	snprintf(why, capacity, "%s unchanged, and it is %s", reg_name(c, reg), text);
	return false;
}

/* SP has been left at one place on one way and at another on another. */
static bool differs_by_way(const struct value *sp)
{
	return sp->kind == VALUE_STACK && sp->def & DEF_JOIN;
}

static bool slot_is_true(const struct checker *c, const struct state *state, const struct jf_slot *slot, uint8_t flags,
			 char *why, size_t capacity)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const struct cell *cell = state_cell_at(state, slot->off_from_cfa);
	char text[VALUE_TEXT_MAX] = "something else";

	if (cell && value_is_entry(&cell->value, slot->reg) &&
	    (sp->kind == VALUE_CFA ? slot->off_from_cfa >= sp->imm : !differs_by_way(sp)) &&
	    (slot->reg != c->backend->ra || !(cell->value.flags & VALUE_SIGNED) == !(flags & JF_ROW_RA_SIGNED)))
		return true;
	if (cell)
		value_text(c->backend, &cell->value, text, sizeof(text));
	if (cell && value_is_entry(&cell->value, slot->reg) && sp->kind == VALUE_CFA && slot->off_from_cfa < sp->imm)
		snprintf(text, sizeof(text), "below SP");
	snprintf(why, capacity, "%s at CFA%+d, and there is %s", reg_name(c, slot->reg), slot->off_from_cfa, text);
	return false;
}

bool row_is_true(const struct checker *c, const struct state *state, const struct jf_row *row,
		 const struct jf_slot *slots, unsigned int slot_count, char *why, size_t capacity)
{
	bool in_memory[JF_REGS_MAX] = {false};

	if (row->flags & JF_ROW_UNKNOWN) {
		snprintf(why, capacity, "nothing");
		return false;
	}
	if (!cfa_is_true(c, state, row, why, capacity))
		return false;
	for (unsigned int i = 0; i < slot_count; i++) {
		if (!(row->saved & UINT32_C(1) << i) || slots[i].reg >= c->backend->reg_count)
			continue;
		in_memory[slots[i].reg] = true;
		if (!slot_is_true(c, state, &slots[i], row->flags, why, capacity))
			return false;
	}
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		bool is_ra = reg == c->backend->ra;

		if (in_memory[reg] || (!is_ra && (!is_callee_saved(c, reg) || row->flags & JF_ROW_REGS_LOST)))
			continue;
		if (!register_is_true(c, state, reg, row->flags, why, capacity))
			return false;
	}
	return true;
}

void rules_row(struct checker *c, const struct state *state)
{
	const struct jf_check_input *input = c->input;
	unsigned int rule = state->in_pad ? 22 : 10;
	const struct jf_row *row;
	char why[128];

	if (!input->row_count)
		return;
	applies(c, rule);
	row = jf_row_find(input->rows, input->row_count, c->off);
	if (row && row == c->row_judged && c->changes == c->row_changes)
		return;
	c->row_judged = NULL;
	if (!row) {
		finding(c, rule, JF_VERDICT_BROKEN, "has no row");
	} else if (!row_is_true(c, state, row, input->slots, input->slot_count, why, sizeof(why))) {
		finding(c, rule,
			row->cfa_reg < c->backend->reg_count ? verdict_on_aligned(&state->regs[row->cfa_reg]) :
							       JF_VERDICT_BROKEN,
			"has the row of +0x%x, which says: %s", row->code_off, why);
	} else {
		c->row_judged = row;
		c->row_changes = c->changes;
	}
}

static bool has_return_address(const struct checker *c, const struct jf_row *row)
{
	for (unsigned int i = 0; i < c->input->slot_count; i++)
		if (row->saved & UINT32_C(1) << i && c->input->slots[i].reg == c->backend->ra)
			return true;
	return false;
}

/* While the call lasts, the byte before its return address is looked up. */
void rules_row_of_call(struct checker *c, const struct state *state)
{
	const struct jf_check_input *input = c->input;
	uint32_t last = c->off + c->effect.size_bytes - 1;
	const struct jf_row *row;
	char why[128];

	if (!input->row_count)
		return;
	applies(c, 17);
	row = jf_row_find(input->rows, input->row_count, last);
	if (!row)
		finding(c, 17, JF_VERDICT_BROKEN,
			"has no row for its last byte, where its return address is looked up");
	else if (!c->backend->ra_pushed && !has_return_address(c, row))
		finding(c, 17, JF_VERDICT_BROKEN,
			"is looked up by its last byte, whose row leaves the return address in %s",
			reg_name(c, c->backend->ra));
	else if (row != jf_row_find(input->rows, input->row_count, c->off) &&
		 !row_is_true(c, state, row, input->slots, input->slot_count, why, sizeof(why)))
		finding(c, 17, JF_VERDICT_BROKEN, "is looked up by its last byte, whose row says: %s", why);
}
