/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a bundle and picking a program from it. libc only: the side that runs programs links this.
 * The bytes may come from anybody, so every number is checked before it is used.
 */
#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct bundle_header) == 16 + 8 * BUNDLE_TABLE__COUNT, "part of the format");
_Static_assert(sizeof(struct bundle_program) == 16, "part of the format");
_Static_assert(sizeof(struct bundle_function) == 16, "part of the format");
_Static_assert(sizeof(struct jf_insn) == 8, "part of the format");
_Static_assert(sizeof(struct bundle_map) == 36, "part of the format");
_Static_assert(sizeof(struct bundle_kfunc) == 4, "part of the format");
_Static_assert(sizeof(struct bundle_init) == 24, "part of the format");

/* enum bpf_map_type of linux/bpf.h, which the target side need not have. */
enum { MAP_TYPE_PROG_ARRAY = 3, MAP_TYPE_ARRAY_OF_MAPS = 12, MAP_TYPE_HASH_OF_MAPS = 13 };

static const struct {
	const char *name;
	uint32_t record_bytes;
} table_info[BUNDLE_TABLE__COUNT] = {
	[BUNDLE_PROGRAMS] = { "programs", sizeof(struct bundle_program) },
	[BUNDLE_FUNCTIONS] = { "functions", sizeof(struct bundle_function) },
	[BUNDLE_INSNS] = { "instructions", sizeof(struct jf_insn) },
	[BUNDLE_MAPS] = { "maps", sizeof(struct bundle_map) },
	[BUNDLE_KFUNCS] = { "kfuncs", sizeof(struct bundle_kfunc) },
	[BUNDLE_INITS] = { "initialisers", sizeof(struct bundle_init) },
	[BUNDLE_DATA] = { "data", 1 },
	[BUNDLE_STRINGS] = { "strings", 1 },
};

/* ---- opening ------------------------------------------------------------------------------------ */

/* What the checks share. `base` is the bundle's first byte. */
struct check {
	const struct bundle *bundle;
	const uint8_t *base;
	struct jf_error *error;
};

/* Refuses the record at `record` (a pointer into the bundle). */
static enum jf_status bad(const struct check *c, const void *record, const char *what)
{
	return jf_error_set(c->error, JF_E_BAD_IMAGE, "bundle", "byte %zu: %s",
			    (size_t)((const uint8_t *)record - c->base), what);
}

static bool string_ok(const struct check *c, uint32_t off)
{
	return off < c->bundle->count[BUNDLE_STRINGS];
}

static bool index_ok(const struct check *c, uint32_t index, enum bundle_table table)
{
	return index < c->bundle->count[table];
}

static enum jf_status check_header(const uint8_t *base, size_t size, struct jf_error *error)
{
	const struct bundle_header *header = (const struct bundle_header *)(const void *)base;

	if (size < sizeof(*header))
		return jf_error_set(error, JF_E_BAD_IMAGE, "bundle", "byte %zu: ends inside the header", size);
	if (memcmp(header->magic, BUNDLE_MAGIC, sizeof(header->magic)) != 0)
		return jf_error_set(error, JF_E_BAD_IMAGE, "bundle", "byte 0: not a bundle");
	if (header->total_bytes != size)
		return jf_error_set(error, JF_E_BAD_IMAGE, "bundle", "byte 8: made for %u bytes, there are %zu",
				    header->total_bytes, size);

	for (unsigned int i = 0; i < BUNDLE_TABLE__COUNT; i++) {
		const struct bundle_extent *extent = &header->tables[i];
		uint64_t bytes = (uint64_t)extent->count * table_info[i].record_bytes;

		if (extent->off % 8 != 0 || extent->off > size || bytes > size - extent->off)
			return jf_error_set(error, JF_E_BAD_IMAGE, "bundle",
					    "byte %zu: table of %s lies outside the bundle, or is not aligned",
					    (size_t)((const uint8_t *)extent - base), table_info[i].name);
	}
	return JF_OK;
}

static void open_tables(struct bundle *bundle, const uint8_t *base)
{
	const struct bundle_header *header = (const struct bundle_header *)(const void *)base;
	const void *table[BUNDLE_TABLE__COUNT];

	for (unsigned int i = 0; i < BUNDLE_TABLE__COUNT; i++) {
		table[i] = base + header->tables[i].off;
		bundle->count[i] = header->tables[i].count;
	}
	bundle->programs = table[BUNDLE_PROGRAMS];
	bundle->functions = table[BUNDLE_FUNCTIONS];
	bundle->insns = table[BUNDLE_INSNS];
	bundle->maps = table[BUNDLE_MAPS];
	bundle->kfuncs = table[BUNDLE_KFUNCS];
	bundle->inits = table[BUNDLE_INITS];
	bundle->data = table[BUNDLE_DATA];
	bundle->strings = table[BUNDLE_STRINGS];
}

static enum jf_status check_programs(const struct check *c)
{
	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_PROGRAMS]; i++) {
		const struct bundle_program *p = &c->bundle->programs[i];

		if (!string_ok(c, p->name) || !string_ok(c, p->section))
			return bad(c, p, "program's name lies outside the strings");
		if (!index_ok(c, p->main, BUNDLE_FUNCTIONS))
			return bad(c, p, "program's main function is not in the table");
		if (p->callback == -1)
			continue;
		if (p->callback < 0 || !index_ok(c, (uint32_t)p->callback, BUNDLE_FUNCTIONS))
			return bad(c, p, "program's callback is not in the table");
		if ((uint32_t)p->callback == p->main)
			return bad(c, p, "program is its own callback");
	}
	return JF_OK;
}

/* Functions lie one behind the other: so no selection is larger than the bundle. */
static enum jf_status check_functions(const struct check *c)
{
	uint32_t free_from = 0;

	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_FUNCTIONS]; i++) {
		const struct bundle_function *f = &c->bundle->functions[i];

		if (!string_ok(c, f->name))
			return bad(c, f, "function's name lies outside the strings");
		if (f->flags & ~(uint32_t)(BUNDLE_FUNCTION_GLOBAL | BUNDLE_FUNCTION_REFUSED))
			return bad(c, f, "function has unknown flags");
		if (f->insn_start < free_from)
			return bad(c, f, "function overlaps the one before it");
		if (f->insn_start > c->bundle->count[BUNDLE_INSNS] ||
		    f->insn_count > c->bundle->count[BUNDLE_INSNS] - f->insn_start)
			return bad(c, f, "function's instructions are not in the table");
		free_from = f->insn_start + f->insn_count;
	}
	return JF_OK;
}

static enum jf_status check_maps(const struct check *c)
{
	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_MAPS]; i++) {
		const struct bundle_map *m = &c->bundle->maps[i];
		uint32_t data_count = c->bundle->count[BUNDLE_DATA];

		if (!string_ok(c, m->name))
			return bad(c, m, "map's name lies outside the strings");
		if (m->flags & ~(uint32_t)(BUNDLE_MAP_DATA | BUNDLE_MAP_READ_ONLY))
			return bad(c, m, "map has unknown flags");
		if ((m->flags & BUNDLE_MAP_READ_ONLY) && !(m->flags & BUNDLE_MAP_DATA))
			return bad(c, m, "map is read-only and no data");
		if ((m->flags & BUNDLE_MAP_DATA) && m->max_entries != 1)
			return bad(c, m, "data map does not have one entry");
		if (m->data_off > data_count || m->data_bytes > data_count - m->data_off)
			return bad(c, m, "map's initial value lies outside the data");
		if (m->data_bytes > m->value_bytes)
			return bad(c, m, "map's initial value is larger than its value");
	}
	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_KFUNCS]; i++)
		if (!string_ok(c, c->bundle->kfuncs[i].name))
			return bad(c, &c->bundle->kfuncs[i], "kfunc's name lies outside the strings");
	return JF_OK;
}

static enum jf_status check_init_target(const struct check *c, const struct bundle_init *init)
{
	enum bundle_table table = BUNDLE_MAPS;

	if (init->kind == BUNDLE_INIT_FUNCTION_ADDRESS)
		table = BUNDLE_FUNCTIONS;
	if (init->kind == BUNDLE_INIT_PROGRAM_SLOT)
		table = BUNDLE_PROGRAMS;
	if (!index_ok(c, init->target, table))
		return bad(c, init, "initialiser's target is not in its table");
	if (init->kind == BUNDLE_INIT_VALUE_ADDRESS && !(c->bundle->maps[init->target].flags & BUNDLE_MAP_DATA))
		return bad(c, init, "initialiser wants the address of a value that is no data");
	return JF_OK;
}

static enum jf_status check_init(const struct check *c, const struct bundle_init *init)
{
	const struct bundle_map *map;

	if (!index_ok(c, init->map, BUNDLE_MAPS))
		return bad(c, init, "initialiser's map is not in the table");
	map = &c->bundle->maps[init->map];

	switch (init->kind) {
	case BUNDLE_INIT_VALUE_ADDRESS:
	case BUNDLE_INIT_FUNCTION_ADDRESS:
	case BUNDLE_INIT_MAP_ADDRESS:
		if (!(map->flags & BUNDLE_MAP_DATA))
			return bad(c, init, "initialiser writes an address into a map that is no data");
		if (map->value_bytes < 8 || init->key > map->value_bytes - 8)
			return bad(c, init, "initialiser writes behind the end of its map");
		break;
	case BUNDLE_INIT_PROGRAM_SLOT:
		if (map->type != MAP_TYPE_PROG_ARRAY || init->key >= map->max_entries)
			return bad(c, init, "initialiser's map has no such program slot");
		break;
	case BUNDLE_INIT_MAP_SLOT:
		if ((map->type != MAP_TYPE_ARRAY_OF_MAPS && map->type != MAP_TYPE_HASH_OF_MAPS) ||
		    init->key >= map->max_entries)
			return bad(c, init, "initialiser's map has no such map slot");
		break;
	default:
		return bad(c, init, "initialiser of unknown kind");
	}
	return check_init_target(c, init);
}

enum jf_status bundle_open(struct bundle *bundle, const void *bytes, size_t size, struct jf_error *error)
{
	struct bundle opened;
	struct check c = { &opened, bytes, error };
	enum jf_status status;

	if (!bundle || !bytes || (uintptr_t)bytes % 8 != 0)
		return jf_error_set(error, JF_E_INVAL, "bundle", "no bytes, or not aligned to 8");
	status = check_header(bytes, size, error);
	if (status != JF_OK)
		return status;

	open_tables(&opened, bytes);
	if (opened.count[BUNDLE_STRINGS] > 0 && opened.strings[opened.count[BUNDLE_STRINGS] - 1] != '\0')
		return bad(&c, opened.strings, "the last string is not terminated");
	status = check_programs(&c);
	if (status == JF_OK)
		status = check_functions(&c);
	if (status == JF_OK)
		status = check_maps(&c);
	for (uint32_t i = 0; status == JF_OK && i < opened.count[BUNDLE_INITS]; i++)
		status = check_init(&c, &opened.inits[i]);
	if (status == JF_OK)
		*bundle = opened;
	return status;
}

/* ---- picking one program ------------------------------------------------------------------------ */

enum { OP_LDDW = 0x18, OP_CALL = 0x85, CALL_BPF = 1, LDDW_FUNCTION = 4 };

/* Whether the instruction refers to a function of its program by its imm. */
static bool refers_to_function(const struct jf_insn *insn)
{
	unsigned int src = insn->regs >> 4;

	return (insn->opcode == OP_CALL && src == CALL_BPF) || (insn->opcode == OP_LDDW && src == LDDW_FUNCTION);
}

/* The functions found so far, in the order in which they are visited, and the way back. */
struct reach {
	const struct bundle *bundle;
	uint32_t *list; /* bundle function indexes */
	uint32_t *place; /* bundle function index -> place in list, plus 1; 0: not reached */
	uint32_t count;
	struct jf_error *error;
};

static void reach_function(struct reach *r, uint32_t function)
{
	if (r->place[function] != 0)
		return;
	r->list[r->count++] = function;
	r->place[function] = r->count;
}

static enum jf_status reach_callees(struct reach *r, uint32_t function)
{
	const struct bundle_function *f = &r->bundle->functions[function];
	const struct jf_insn *insns = r->bundle->insns + f->insn_start;

	for (uint32_t i = 0; i < f->insn_count; i++) {
		if (refers_to_function(&insns[i])) {
			uint32_t target = (uint32_t)insns[i].imm;

			if (target >= r->bundle->count[BUNDLE_FUNCTIONS])
				return jf_error_set(r->error, JF_E_BAD_IMAGE, r->bundle->strings + f->name,
						    "instruction %u: function %u is not in the bundle", i, target);
			reach_function(r, target);
		}
		if (insns[i].opcode == OP_LDDW)
			i++; /* the second half is no instruction of its own */
	}
	return JF_OK;
}

/* Copies function `place` of the list to `insns`, renumbering what it refers to. */
static void copy_function(const struct reach *r, uint32_t place, struct jf_function *function, struct jf_insn *insns)
{
	const struct bundle_function *f = &r->bundle->functions[r->list[place]];

	*function = (struct jf_function){ r->bundle->strings + f->name, insns, f->insn_count };
	if (f->insn_count > 0)
		memcpy(insns, r->bundle->insns + f->insn_start, f->insn_count * sizeof(*insns));
	for (uint32_t i = 0; i < f->insn_count; i++) {
		if (refers_to_function(&insns[i]))
			insns[i].imm = (int32_t)(r->place[(uint32_t)insns[i].imm] - 1);
		if (insns[i].opcode == OP_LDDW)
			i++;
	}
}

static enum jf_status copy_selection(const struct reach *r, int32_t callback, struct bundle_selection *selection)
{
	struct bundle_selection s = { .bundle_function = r->list };
	size_t insn_count = 0;

	for (uint32_t i = 0; i < r->count; i++)
		insn_count += r->bundle->functions[r->list[i]].insn_count;
	s.functions = calloc(r->count, sizeof(*s.functions));
	s.insns = calloc(insn_count ? insn_count : 1, sizeof(*s.insns));
	if (!s.functions || !s.insns) {
		free(s.functions);
		free(s.insns);
		return jf_error_set(r->error, JF_E_NO_MEMORY, "bundle", "no memory for a program");
	}

	insn_count = 0;
	for (uint32_t i = 0; i < r->count; i++) {
		copy_function(r, i, &s.functions[i], s.insns + insn_count);
		insn_count += s.functions[i].insn_count;
	}
	s.program.size = sizeof(s.program);
	s.program.functions = s.functions;
	s.program.function_count = r->count;
	s.program.callback = callback < 0 ? -1 : (int32_t)(r->place[callback] - 1);
	*selection = s;
	return JF_OK;
}

enum jf_status bundle_select(const struct bundle *bundle, uint32_t program, struct bundle_selection *selection,
			     struct jf_error *error)
{
	struct reach r = { .bundle = bundle, .error = error };
	const struct bundle_program *p;
	enum jf_status status = JF_OK;

	if (program >= bundle->count[BUNDLE_PROGRAMS])
		return jf_error_set(error, JF_E_INVAL, "bundle", "there is no program %u", program);
	p = &bundle->programs[program];

	r.list = calloc(bundle->count[BUNDLE_FUNCTIONS], sizeof(*r.list));
	r.place = calloc(bundle->count[BUNDLE_FUNCTIONS], sizeof(*r.place));
	if (!r.list || !r.place) {
		status = jf_error_set(error, JF_E_NO_MEMORY, "bundle", "no memory for a program");
	} else {
		reach_function(&r, p->main);
		if (p->callback >= 0)
			reach_function(&r, (uint32_t)p->callback);
		for (uint32_t i = 0; status == JF_OK && i < r.count; i++)
			status = reach_callees(&r, r.list[i]);
		if (status == JF_OK)
			status = copy_selection(&r, p->callback, selection);
	}
	free(r.place);
	if (status != JF_OK)
		free(r.list);
	return status;
}

void bundle_selection_free(struct bundle_selection *selection)
{
	free(selection->functions);
	free(selection->insns);
	free(selection->bundle_function);
	memset(selection, 0, sizeof(*selection));
}

/* ---- finding one by name ------------------------------------------------------------------------ */

static void list_names(const struct bundle *bundle, char *text, size_t capacity)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < bundle->count[BUNDLE_PROGRAMS] && used < capacity; i++)
		used += (size_t)snprintf(text + used, capacity - used, " %s",
					 bundle->strings + bundle->programs[i].name);
}

enum jf_status bundle_find(const struct bundle *bundle, const char *name, uint32_t *program, struct jf_error *error)
{
	uint32_t count = bundle->count[BUNDLE_PROGRAMS];
	char names[144];

	if (count == 0)
		return jf_error_set(error, JF_E_NOT_FOUND, name ? name : "bundle", "there are no programs");
	if (!name && count == 1) {
		*program = 0;
		return JF_OK;
	}
	for (uint32_t i = 0; name && i < count; i++) {
		if (strcmp(bundle->strings + bundle->programs[i].name, name) == 0) {
			*program = i;
			return JF_OK;
		}
	}
	list_names(bundle, names, sizeof(names));
	if (!name)
		return jf_error_set(error, JF_E_NOT_FOUND, "program", "which one? There are:%s", names);
	return jf_error_set(error, JF_E_NOT_FOUND, name, "no such program; there are:%s", names);
}
