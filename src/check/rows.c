/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/found.h"

#include "base/memory.h"

/* Unwind rows from the code itself: what jf_frame_emit() states, found instead. */

struct rows {
	struct found found;
	struct jf_frame small; /* a callback's boundary without a stack: what is elsewhere in it, no row may say */
	bool any_boundary;
	const struct jf_row *last; /* found just before, and still true when no write has been counted since */
	uint64_t last_changes;
};

/* The frame pointer as soon as it is the frame's: SP may move then. In a callback's first instructions, an argument. */
static bool find_cfa(const struct checker *c, const struct state *state, struct jf_row *row)
{
	const struct value *fp = &state->regs[c->backend->fp], *sp = &state->regs[c->backend->sp];
	uint8_t reg = c->backend->sp;
	int64_t off;

	if (value_is_cfa(fp, c->conv->fp_off_from_cfa))
		reg = c->backend->fp;
	else if (c->is_callback && state->regs[c->backend->args[2]].kind == VALUE_CFA)
		reg = c->backend->args[2]; /* where SP is depends on the boundary */
	else if (sp->kind != VALUE_CFA)
		reg = c->backend->fp;
	if (state->regs[reg].kind != VALUE_CFA)
		return false;
	off = -state->regs[reg].imm;
	if (off != (int32_t)off)
		return false;
	row->cfa_reg = reg;
	row->cfa_off = (int32_t)off;
	return true;
}

/* Whether the slot is where it is whatever the boundary is like. */
static bool is_certain(const struct rows *rows, uint8_t reg, int32_t off)
{
	if (!rows->any_boundary)
		return true;
	for (unsigned int i = 0; i < rows->small.slot_count; i++)
		if (rows->small.slots[i].reg == reg && rows->small.slots[i].off_from_cfa == off)
			return true;
	return false;
}

static bool is_own(const struct checker *c, uint8_t reg, int32_t off)
{
	int slot = jf_frame_slot(&c->frame, JF_SLOT_SAVE, reg);

	return slot >= 0 && c->frame.slots[slot].off_from_cfa == off;
}

/*
 * A callback that has restored a register has where the boundary saved it for its own stack: only what it saves
 * itself counts then.
 */
static bool may_be_saved(const struct checker *c, const struct rows *rows, const struct state *state, uint8_t reg,
			 int32_t off)
{
	if (is_own(c, reg, off))
		return true;
	return is_certain(rows, reg, off) && !(c->is_callback && value_is_entry(&state->regs[reg], reg));
}

/* Its own slot, else the highest place in memory that the caller's value is safe in: at or above SP. */
static const struct cell *find_save(const struct checker *c, const struct rows *rows, const struct state *state,
				    uint8_t reg)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const struct cell *best = NULL;

	for (uint32_t i = 0; i < state->cell_count; i++) {
		const struct cell *cell = &state->cells[i];

		if (value_is_entry(&cell->value, reg) && (sp->kind != VALUE_CFA || cell->off >= sp->imm) &&
		    may_be_saved(c, rows, state, reg, cell->off) &&
		    (!best || is_own(c, reg, cell->off) || (cell->off > best->off && !is_own(c, reg, best->off))))
			best = cell;
	}
	return best;
}

static void find_row(struct checker *c, const struct state *before, void *arg)
{
	struct rows *rows = arg;
	struct jf_row *row = &rows->found.by_off[c->off];
	bool unchanged = rows->last && rows->last_changes == c->changes;

	if (unchanged)
		*row = *rows->last;
	rows->last = row;
	rows->last_changes = c->changes;
	if (unchanged)
		return;
	*row = (struct jf_row){.code_off = c->off};
	if (!find_cfa(c, before, row)) {
		row->flags = JF_ROW_UNKNOWN;
		return;
	}
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		bool is_ra = reg == c->backend->ra;
		const struct value *value = &before->regs[reg];
		const struct cell *cell;
		int slot = -1;

		if (!is_ra && !is_callee_saved(c, reg))
			continue;
		cell = find_save(c, arg, before, (uint8_t)reg);
		if (cell)
			slot = found_slot(&rows->found, c->backend, (uint8_t)reg, cell->off);
		if (slot >= 0) {
			row->saved |= UINT32_C(1) << slot;
			value = &cell->value;
		} else if (!value_is_entry(value, (uint8_t)reg)) {
			row->flags |= is_ra ? JF_ROW_UNKNOWN : JF_ROW_REGS_LOST;
		}
		if (is_ra && value->flags & VALUE_SIGNED)
			row->flags |= JF_ROW_RA_SIGNED;
	}
	if (row->flags & JF_ROW_UNKNOWN)
		*row = (struct jf_row){.code_off = c->off, .flags = JF_ROW_UNKNOWN};
}

enum jf_status jf_check_rows(const struct jf_check_input *in, struct jf_row *rows, size_t *row_count,
			     struct jf_slot *slots, size_t *slot_count, struct jf_error *error)
{
	struct jf_frame_spec boundary = JF_FRAME_SPEC_INIT;
	struct jf_check_input input;
	struct rows rows_found = {0};
	struct sink sink = {0};
	struct checker *c;
	enum jf_status status;

	if (!in || !row_count || !slot_count || (!rows && *row_count) || (!slots && *slot_count))
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = check_read_input(in, &input, error);
	if (status != JF_OK)
		return status;
	boundary.role = JF_ROLE_BOUNDARY;
	boundary.sign_return = input.spec.sign_return;
	c = jf_calloc(1, sizeof(*c));
	status = found_init(&rows_found.found, input.byte_count) && c ? JF_OK : JF_E_NO_MEMORY;
	if (status == JF_OK && input.spec.role == JF_ROLE_CALLBACK && !input.boundary) {
		rows_found.any_boundary = true;
		status = jf_frame_solve(input.conv, &boundary, &rows_found.small, error);
		/* Unlike its own: its slots must not be where the boundary's are by accident. */
		boundary.bpf_stack_bytes = input.conv->bpf_stack_max_bytes;
		if (input.spec.bpf_stack_bytes >= boundary.bpf_stack_bytes / 2)
			boundary.bpf_stack_bytes /= 4;
	}
	if (status == JF_OK)
		status = checker_init(c, &input, input.boundary ? input.boundary : &boundary, &sink, error);
	if (status == JF_OK)
		status = checker_run(c);
	if (status == JF_OK)
		checker_visit(c, find_row, &rows_found);
	if (status == JF_OK)
		status = found_give(c, &rows_found.found, rows, row_count, slots, slot_count, error);
	if (status == JF_E_NO_MEMORY)
		jf_error_set(error, status, "bytes", "no memory");
	if (c)
		checker_fini(c);
	jf_free(c);
	jf_free(rows_found.found.by_off);
	jf_free(sink.findings);
	return status;
}
