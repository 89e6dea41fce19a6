/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"

#include "base/memory.h"

#include <string.h>

/* ---- growing lists --------------------------------------------------------------------------------- */

void *jf_cfi_list_add(struct cfi_list *list, size_t bytes)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		void *items = capacity > UINT32_MAX ? NULL : jf_realloc(list->items, capacity * bytes);

		if (!items)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	return (char *)list->items + bytes * list->count++;
}

/* ---- registers ------------------------------------------------------------------------------------- */

void jf_cfi_regs_fill(struct cfi_regs *regs, const struct jf_backend *backend)
{
	memset(regs->of_dw, JF_REG_NONE, sizeof(regs->of_dw));
	for (unsigned int i = backend->reg_count; i-- > 0;)
		regs->of_dw[backend->regs[i].dw] = (uint8_t)i;
}

/* ---- a state as a row --------------------------------------------------------------------------------- */

/* Whether the walk depends on what happens to this register. */
static bool matters(const struct jf_backend *backend, unsigned int reg)
{
	return backend->regs[reg].flags & JF_REG_CALLEE_SAVED || reg == backend->sp || reg == backend->ra;
}

/* The function's slot for this register and offset. returns: -1 = there are 32 others. */
static int slot_of(struct cfi_rows *rows, unsigned int reg, int32_t off)
{
	const struct jf_backend *backend = rows->converter->backend;
	struct jf_slot *slot;

	for (int i = 0; i < rows->slot_count; i++)
		if (rows->slots[i].reg == reg && rows->slots[i].off_from_cfa == off)
			return i;
	if (rows->slot_count == JF_FRAME_SLOTS_MAX)
		return -1;
	slot = &rows->slots[rows->slot_count];
	*slot = (struct jf_slot){
		.kind = reg == backend->ra ? JF_SLOT_RETURN : JF_SLOT_SAVE,
		.reg = (uint8_t)reg,
		.off_from_cfa = off,
		.size_bytes = backend->regs[reg].size_bytes,
	};
	return rows->slot_count++;
}

/* One register's rule into the row. returns: an enum jf_cfi_unknown, or -1 when the row can say it. */
static int add_rule(struct cfi_rows *rows, const struct cfi_state *state, unsigned int reg, struct jf_row *row)
{
	const struct jf_backend *backend = rows->converter->backend;
	int slot;

	switch ((enum cfi_rule)state->rule[reg]) {
	case CFI_UNSAID:
	case CFI_SAME: return -1;
	case CFI_UNDEFINED:
		if (reg == backend->ra)
			row->flags |= JF_ROW_OUTERMOST;
		else if (matters(backend, reg))
			row->flags |= JF_ROW_REGS_LOST;
		return -1;
	case CFI_OFFSET:
		if (reg == backend->sp)
			return JF_CFI_REG_VALUE;
		/* Above the CFA is the caller's frame: the rule, or the CFA, is not true. */
		if (reg == backend->ra && state->off[reg] >= 0)
			return JF_CFI_RETURN_COLUMN;
		slot = slot_of(rows, reg, state->off[reg]);
		if (slot >= 0)
			row->saved |= UINT32_C(1) << slot;
		return slot >= 0 ? -1 : JF_CFI_RANGE;
	case CFI_VALUE:
		if ((reg == backend->sp && !state->off[reg]) || !matters(backend, reg))
			return -1;
		return JF_CFI_REG_VALUE;
	case CFI_REGISTER: return matters(backend, reg) ? JF_CFI_REG_REGISTER : -1;
	case CFI_EXPRESSION: return matters(backend, reg) ? JF_CFI_REG_EXPRESSION : -1;
	case CFI_LINKAGE:
	case CFI_FAR: break;
	}
	return matters(backend, reg) ? JF_CFI_RANGE : -1;
}

static int add_cfa(const struct cfi_state *state, struct jf_row *row)
{
	if (state->cfa_rule == CFI_EXPRESSION)
		return JF_CFI_CFA_EXPRESSION;
	if (state->cfa_rule != CFI_VALUE || state->cfa_reg == JF_REG_NONE)
		return JF_CFI_CFA_REGISTER;
	if (state->cfa_off < INT32_MIN || state->cfa_off > INT32_MAX)
		return JF_CFI_RANGE;
	row->cfa_reg = state->cfa_reg;
	row->cfa_off = (int32_t)state->cfa_off;
	return -1;
}

/* returns: an enum jf_cfi_unknown, or -1. */
static int make_row(struct cfi_rows *rows, const struct cfi_state *state, struct jf_row *row)
{
	int unknown = rows->cie->ra == rows->converter->backend->ra ? add_cfa(state, row) : JF_CFI_RETURN_COLUMN;

	if (state->ra_signed)
		row->flags |= JF_ROW_RA_SIGNED;
	for (unsigned int word = 0; word < sizeof(state->ruled) / sizeof(state->ruled[0]); word++)
		for (uint64_t left = state->ruled[word]; left && unknown < 0; left &= left - 1)
			unknown = add_rule(rows, state, 64 * word + (unsigned int)__builtin_ctzll(left), row);
	return unknown;
}

enum jf_status jf_cfi_row_add(struct cfi_rows *rows, const struct cfi_state *state, uint32_t code_off)
{
	struct cfi_converter *converter = rows->converter;
	struct jf_row row = {.code_off = code_off}, *place;
	int unknown = make_row(rows, state, &row);

	if (unknown >= 0)
		row = (struct jf_row){.code_off = code_off, .flags = JF_ROW_UNKNOWN};
	if (rows->wanted) {
		*rows->wanted->row = row;
		rows->wanted->found = true;
		return JF_OK;
	}
	if (converter->rows.count > rows->first &&
	    jf_row_same((const struct jf_row *)converter->rows.items + converter->rows.count - 1, &row))
		return JF_OK;
	if (unknown >= 0)
		converter->counts.unknown[unknown]++;
	converter->counts.rows++;
	place = jf_cfi_list_add(&converter->rows, sizeof(row));
	if (!place)
		return JF_E_NO_MEMORY;
	*place = row;
	return JF_OK;
}

/* ---- sharing ------------------------------------------------------------------------------------------ */

static uint32_t hash(const void *items, size_t bytes)
{
	const uint8_t *at = items;
	uint32_t value = UINT32_C(2166136261);

	for (size_t i = 0; i < bytes; i += 4) { /* rows and slots are whole words */
		uint32_t word;

		memcpy(&word, at + i, 4);
		value = (value ^ word) * UINT32_C(16777619);
	}
	return value ^ value >> 16;
}

/*
 * Where the last `count` items of the list may as well be: at an earlier place that says the same, the
 * list cut back, or where they are.
 */
static uint32_t share(struct cfi_list *list, size_t bytes, uint32_t count, struct cfi_place *recent)
{
	uint32_t at = (uint32_t)(list->count - count);
	const char *items = (const char *)list->items;

	if (!count)
		return 0;
	recent += hash(items + at * bytes, count * bytes) % CFI_RECENT;
	if (recent->count == count && memcmp(items + recent->at * bytes, items + at * bytes, count * bytes) == 0) {
		list->count = at;
		return recent->at;
	}
	recent->at = at;
	recent->count = count;
	return at;
}

enum jf_status jf_cfi_rows_finish(struct cfi_rows *rows, struct cfi_draft *draft)
{
	struct cfi_converter *converter = rows->converter;

	draft->row_count = (uint32_t)(converter->rows.count - rows->first);
	draft->row_at = share(&converter->rows, sizeof(struct jf_row), draft->row_count, converter->recent->rows);
	for (unsigned int i = 0; i < rows->slot_count; i++) {
		struct jf_slot *slot = jf_cfi_list_add(&converter->slots, sizeof(*slot));

		if (!slot)
			return JF_E_NO_MEMORY;
		*slot = rows->slots[i];
	}
	draft->slot_count = rows->slot_count;
	draft->slot_at = share(&converter->slots, sizeof(struct jf_slot), draft->slot_count, converter->recent->slots);
	return JF_OK;
}
