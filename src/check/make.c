/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/found.h"
#include "check/prove.h"

#include "base/memory.h"

/* Rows of a function of the platform ABI, from its code alone. */

/* SP as long as its place is known, else the frame pointer, else any register that survives calls. */
static bool find_cfa(const struct checker *c, const struct state *state, struct jf_row *row)
{
	const uint8_t first[] = {c->backend->sp, c->backend->fp};

	for (unsigned int i = 0; i < 2u + c->backend->reg_count; i++) {
		uint8_t reg = i < 2 ? first[i] : (uint8_t)(i - 2);
		const struct value *value = &state->regs[reg];

		if (value->kind != VALUE_CFA || cfa_from(value) != (int32_t)cfa_from(value) ||
		    (i >= 2 && !is_callee_saved(c, reg)))
			continue;
		row->cfa_reg = reg;
		row->cfa_off = (int32_t)cfa_from(value);
		return true;
	}
	return false;
}

/* The highest place in memory that the caller's value is safe in; NULL: there is none. */
static const struct cell *find_save(const struct checker *c, const struct state *state, uint8_t reg)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const struct cell *best = NULL;

	for (uint32_t i = 0; i < state->cell_count; i++) {
		const struct cell *cell = &state->cells[i];

		if (value_is_entry(&cell->value, reg) && (sp->kind != VALUE_CFA || cell->off >= sp->imm) &&
		    (!best || cell->off > best->off))
			best = cell;
	}
	return best;
}

/* One register into the row. returns: false when nobody knows where it is. */
static bool add_register(const struct checker *c, const struct state *state, uint8_t reg, struct found *found,
			 struct jf_row *row)
{
	const struct cell *cell = find_save(c, state, reg);
	const struct value *value = cell ? &cell->value : &state->regs[reg];
	int slot = cell ? found_slot(found, c->backend, reg, cell->off) : -1;

	if (slot < 0 && !value_is_entry(&state->regs[reg], reg))
		return false;
	if (slot >= 0)
		row->saved |= UINT32_C(1) << slot;
	else
		value = &state->regs[reg];
	if (reg == c->backend->ra && value->flags & VALUE_SIGNED)
		row->flags |= JF_ROW_RA_SIGNED;
	return true;
}

static void find_row(struct prover *p, const struct state *before, void *arg)
{
	const struct checker *c = &p->c;
	struct found *found = arg;
	struct jf_row row = {.code_off = c->off};
	const struct table table = {.slots = found->slots};

	if (!find_cfa(c, before, &row))
		row.flags = JF_ROW_UNKNOWN;
	for (unsigned int reg = 0; reg < c->backend->reg_count && !(row.flags & JF_ROW_UNKNOWN); reg++) {
		bool is_ra = reg == c->backend->ra;

		if (!is_ra && (!is_callee_saved(c, reg) || c->backend->regs[reg].cls == JF_REG_CONTROL))
			continue;
		if (!add_register(c, before, (uint8_t)reg, found, &row))
			row.flags |= is_ra ? JF_ROW_UNKNOWN : JF_ROW_REGS_LOST;
	}
	if (row.flags & JF_ROW_UNKNOWN)
		row = (struct jf_row){.code_off = c->off, .flags = JF_ROW_UNKNOWN};
	/* While the call lasts, the link register holds this function's own address. */
	if (effect_is_call(&c->effect) && truth_keeps_link(c, &table, &row))
		row = (struct jf_row){.code_off = c->off, .flags = JF_ROW_UNKNOWN};
	found->by_off[c->off] = row;
}

enum jf_status jf_rows_make(const struct jf_rows_input *in, struct jf_row *rows, size_t *row_count,
			    struct jf_slot *slots, size_t *slot_count, struct jf_error *error)
{
	struct jf_rows_input input;
	struct found found = {.by_off = NULL};
	struct prover *p;
	enum jf_status status;

	if (!in || !row_count || !slot_count || (!rows && *row_count) || (!slots && *slot_count))
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = prover_read_input(in, &input, false, error);
	if (status != JF_OK)
		return status;
	p = jf_alloc(sizeof(*p));
	if (!p)
		return jf_error_set(error, JF_E_NO_MEMORY, "bytes", "no memory");
	status = prover_init(p, &input, false);
	if (status == JF_OK && !found_init(&found, input.byte_count))
		status = JF_E_NO_MEMORY;
	p->visit = find_row;
	p->visit_arg = &found;
	if (status == JF_OK)
		status = prover_run(p);
	if (status == JF_OK)
		status = found_give(&p->c, &found, rows, row_count, slots, slot_count, error);
	if (status == JF_E_NO_MEMORY)
		jf_error_set(error, status, "bytes", "no memory");
	prover_fini(p);
	jf_free(p);
	jf_free(found.by_off);
	return status;
}
