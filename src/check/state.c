/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/state.h"

#include <string.h>

bool value_same(const struct value *a, const struct value *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool value_is_entry(const struct value *value, uint8_t reg)
{
	return value->kind == VALUE_ENTRY && value->reg == reg && !value->imm && !value->ext;
}

bool value_is_cfa(const struct value *value, int32_t off)
{
	return value->kind == VALUE_CFA && value->imm == off;
}

bool value_is_vague(const struct value *value)
{
	return value->kind == VALUE_LOST ||
	       ((value->kind == VALUE_STACK || value->kind == VALUE_BPF) && !(value->def & DEF_JOIN));
}

unsigned int value_taint(const struct stack_map *map, const struct value *value)
{
	switch (value->kind) {
	case VALUE_CFA: return value->imm >= map->bpf_low && value->imm <= map->bpf_high ? 1 : 2;
	case VALUE_BPF: return 1;
	case VALUE_COUNT: return value->imm ? 2 : 0;
	case VALUE_STACK: return 2;
	case VALUE_LOST: return 3;
	default: return 0;
	}
}

struct value value_tainted(unsigned int taint, uint32_t def, uint8_t reg)
{
	struct value value = value_unknown(def, reg);

	if (taint == 1)
		value.kind = VALUE_BPF;
	else if (taint == 2)
		value = (struct value){.kind = VALUE_STACK, .reg = reg, .def = def, .imm = 1};
	else if (taint == 3)
		value = (struct value){.kind = VALUE_LOST};
	return value;
}

struct value value_extend(struct value value, unsigned int bytes, bool sign, uint32_t def, uint8_t reg)
{
	unsigned int shift = 64 - 8 * bytes;
	uint8_t ext = (uint8_t)(bytes | (sign ? 0x80u : 0));

	if (!bytes || bytes >= 8 || value.kind == VALUE_LOST)
		return value;
	if (value.kind == VALUE_CONST) {
		uint64_t low = (uint64_t)value.imm << shift;

		return value_const(sign ? (int64_t)low >> shift : (int64_t)(low >> shift));
	}
	if ((value.kind != VALUE_UNKNOWN && value.kind != VALUE_ENTRY) || value.flags)
		return value_unknown(def, reg);
	if (!value.ext || bytes <= (value.ext & 0x7fu))
		value.ext = ext;
	else if (value.ext & 0x80 && !sign)
		return value_unknown(def, reg);
	return value; /* extended from less already */
}

struct value value_add(const struct stack_map *map, struct value a, struct value b, uint32_t def, uint8_t reg)
{
	unsigned int taint_a = value_taint(map, &a), taint_b = value_taint(map, &b);

	if (a.kind == VALUE_CONST && b.kind != VALUE_CONST)
		return value_add(map, b, a, def, reg);
	if (b.kind == VALUE_CONST && !b.imm)
		return a;
	if (b.kind == VALUE_CONST && !a.ext && !a.flags && a.kind != VALUE_BPF && a.kind != VALUE_STACK &&
	    a.kind != VALUE_LOST && a.kind != VALUE_CHOSEN && (a.kind != VALUE_COUNT || map->count_by_value)) {
		a.imm = (int64_t)((uint64_t)a.imm + (uint64_t)b.imm);
		return a;
	}
	if (a.kind == VALUE_COUNT || b.kind == VALUE_COUNT)
		def |= DEF_JOIN; /* in some frame, and beside the count */
	return value_tainted(taint_a > taint_b ? taint_a : taint_b, def, reg);
}

/* ---- memory ---------------------------------------------------------------------------------------- */

const struct cell *state_cell_at(const struct state *state, int32_t off)
{
	for (uint32_t i = 0; i < state->cell_count; i++)
		if (state->cells[i].off == off)
			return &state->cells[i];
	return NULL;
}

const struct cell *state_cell(const struct state *state, int32_t off, uint32_t bytes)
{
	const struct cell *cell = state_cell_at(state, off);

	return cell && cell->bytes == bytes ? cell : NULL;
}

static void remove_cell(struct state *state, uint32_t index)
{
	state->cells[index] = state->cells[--state->cell_count];
}

void state_forget(struct state *state, int32_t off, uint32_t bytes)
{
	int64_t end = bytes ? (int64_t)off + bytes : INT32_MAX;

	for (uint32_t i = state->cell_count; i-- > 0;) {
		const struct cell *cell = &state->cells[i];

		if (cell->off < end && off < (int64_t)cell->off + cell->bytes)
			remove_cell(state, i);
	}
}

void state_forget_below(struct state *state, int64_t off)
{
	for (uint32_t i = state->cell_count; i-- > 0;)
		if (state->cells[i].off < off)
			remove_cell(state, i);
}

void state_store(struct state *state, int32_t off, uint32_t bytes, struct value value)
{
	state_forget(state, off, bytes);
	if (state->cell_count == CELLS_MAX) {
		state->cells_dropped = true;
		return;
	}
	state->cells[state->cell_count++] = (struct cell){off, bytes, value};
}

/* ---- where paths meet ------------------------------------------------------------------------------ */

/* Of our own count. */
static bool is_address_of_count(const struct stack_map *map, const struct value *value)
{
	return !map->count_by_value &&
	       ((value->kind == VALUE_COUNT && value->imm) || (map->tcc && value_is_cfa(value, map->tcc)));
}

/* Whether it may be what travels in the count register: the count that a program starts with, its address. */
static bool is_count(const struct stack_map *map, const struct value *value)
{
	return (value->kind == VALUE_COUNT && !(map->count_by_value && value->imm)) ||
	       (!map->tcc_ptr && is_address_of_count(map, value)) ||
	       (value->kind == VALUE_CONST && value->imm == map->count_start) ||
	       (map->count_reg != JF_REG_NONE && !map->is_main && value_is_entry(value, map->count_reg));
}

#define ALIGN_MAX 16

static int64_t alignment(const struct value *value)
{
	uint64_t imm = (uint64_t)value->imm;

	if (value->kind == VALUE_STACK)
		return value->imm;
	return imm ? (int64_t)(imm & -imm) : ALIGN_MAX; /* the CFA itself is as aligned as it is promised to be */
}

/* a and b come by ways to code_off; came_in: what is known of these. */
static struct value join(const struct stack_map *map, const struct value *a, const struct value *b,
			 const uint8_t came_in[2], uint32_t code_off, uint8_t reg)
{
	unsigned int taint_a = value_taint(map, a), taint_b = value_taint(map, b);
	struct value value;
	bool address;

	if (came_in[1] != WAY__COUNT) {
		if (value_has_part(map, a, (enum way)came_in[1], b))
			return *a;
		if (came_in[0] == !came_in[1] && value_joins_ways(map, a, (enum way)came_in[0], b, &value))
			return value;
	}
	/* Where counts come in as well, which of both it is has to be asked. */
	address = !map->tcc_ptr && (is_address_of_count(map, a) || is_address_of_count(map, b));
	if ((address || a->kind == VALUE_COUNT || b->kind == VALUE_COUNT) && is_count(map, a) && is_count(map, b))
		return (struct value){.kind = VALUE_COUNT, .imm = address};
	value = value_tainted(taint_a > taint_b ? taint_a : taint_b, code_off | DEF_JOIN, reg);
	if (value.kind == VALUE_STACK && taint_a == 2 && taint_b == 2)
		value.imm = alignment(a) < alignment(b) ? alignment(a) : alignment(b);
	return value;
}

static bool join_cells(const struct stack_map *map, struct state *into, const struct state *from,
		       const uint8_t came_in[2], uint32_t code_off)
{
	bool changed = false;

	for (uint32_t i = into->cell_count; i-- > 0;) {
		struct cell *cell = &into->cells[i];
		const struct cell *other = state_cell(from, cell->off, cell->bytes);
		struct value value;

		if (!other) {
			remove_cell(into, i);
			changed = true;
			continue;
		}
		if (value_same(&cell->value, &other->value))
			continue;
		value = join(map, &cell->value, &other->value, came_in, code_off,
			     (uint8_t)(0x80 | ((uint32_t)-cell->off / 8 & 0x7f)));
		changed |= !value_same(&value, &cell->value);
		cell->value = value;
	}
	if (from->cells_dropped && !into->cells_dropped)
		changed = into->cells_dropped = true;
	return changed;
}

/* Charged on one way alone is charged on some. The lower instruction stays: there is an end to that. */
static bool join_charges(struct state *into, const struct state *from)
{
	uint32_t at = from->charged_at < into->charged_at ? from->charged_at : into->charged_at;
	bool always = into->charged_always && from->charged_always &&
		      (into->charged_at == NOT_CHARGED) == (from->charged_at == NOT_CHARGED);
	bool changed = at != into->charged_at || always != into->charged_always;

	into->charged_at = at;
	into->charged_always = always;
	return changed;
}

bool state_join(const struct stack_map *map, struct state *into, const struct state *from, uint32_t code_off)
{
	const uint8_t came_in[2] = {into->came_in, from->came_in};
	bool changed = into->came_in != WAY__COUNT && into->came_in != from->came_in;

	if (changed)
		into->came_in = WAY__COUNT;
	if (into->in_pad != from->in_pad && into->in_pad != PAD_SOMETIMES) {
		into->in_pad = PAD_SOMETIMES;
		changed = true;
	}
	for (unsigned int reg = 0; reg < map->reg_count; reg++) {
		const struct value met = value_unknown(code_off | DEF_JOIN, (uint8_t)reg);
		struct value value;

		if (value_same(&into->regs[reg], &from->regs[reg]))
			continue;
		/* Most have met before. Whatever is no address of this stack makes nothing else of them. */
		if (value_same(&into->regs[reg], &met) && !value_taint(map, &from->regs[reg]))
			continue;
		value = join(map, &into->regs[reg], &from->regs[reg], came_in, code_off, (uint8_t)reg);
		changed |= !value_same(&value, &into->regs[reg]);
		into->regs[reg] = value;
	}
	changed |= join_cells(map, into, from, came_in, code_off);
	changed |= join_charges(into, from);
	return changed;
}
