/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a bundle. libc only: the side that runs programs links this.
 * The bytes may come from anybody, so every number is checked before it is used.
 */
#include "bundle.h"

#include <string.h>

_Static_assert(sizeof(struct bundle_header) == 16 + 8 * BUNDLE_TABLE__COUNT, "part of the format");
_Static_assert(sizeof(struct bundle_program) == 16, "part of the format");
_Static_assert(sizeof(struct bundle_function) == 32, "part of the format");
_Static_assert(sizeof(struct jf_insn) == 8, "part of the format");
_Static_assert(sizeof(struct bundle_map) == 48, "part of the format");
_Static_assert(sizeof(struct bundle_kfunc) == 24, "part of the format");
_Static_assert(sizeof(struct bundle_init) == 24, "part of the format");
_Static_assert(sizeof(struct bundle_line) == 20, "part of the format");
_Static_assert(sizeof(struct jf_cleanup) == 12, "part of the format");
_Static_assert(sizeof(struct bundle_variable) == 16, "part of the format");
_Static_assert(sizeof(struct bundle_jit) == 40, "part of the format");
_Static_assert(sizeof(struct bundle_image) == 16, "part of the format");
_Static_assert(sizeof(struct bundle_code) == 56, "part of the format");
_Static_assert(sizeof(struct bundle_place) == 32, "part of the format");
_Static_assert(sizeof(struct jf_fault) == 16, "part of the format");

static const struct {
	const char *name;
	uint32_t record_bytes;
} table_info[BUNDLE_TABLE__COUNT] = {
	[BUNDLE_PROGRAMS] = {"programs", sizeof(struct bundle_program)},
	[BUNDLE_FUNCTIONS] = {"functions", sizeof(struct bundle_function)},
	[BUNDLE_INSNS] = {"instructions", sizeof(struct jf_insn)},
	[BUNDLE_MAPS] = {"maps", sizeof(struct bundle_map)},
	[BUNDLE_KFUNCS] = {"kfuncs", sizeof(struct bundle_kfunc)},
	[BUNDLE_INITS] = {"initialisers", sizeof(struct bundle_init)},
	[BUNDLE_LINES] = {"lines", sizeof(struct bundle_line)},
	[BUNDLE_CLEANUPS] = {"clean-up records", sizeof(struct jf_cleanup)},
	[BUNDLE_VARIABLES] = {"variables", sizeof(struct bundle_variable)},
	[BUNDLE_DATA] = {"data", 1},
	[BUNDLE_STRINGS] = {"strings", 1},
	[BUNDLE_JITS] = {"JITs", sizeof(struct bundle_jit)},
	[BUNDLE_IMAGES] = {"images", sizeof(struct bundle_image)},
	[BUNDLE_CODES] = {"codes", sizeof(struct bundle_code)},
	[BUNDLE_PLACES] = {"places", sizeof(struct bundle_place)},
	[BUNDLE_OFFSETS] = {"offsets", sizeof(uint32_t)},
	[BUNDLE_FAULTS] = {"faults", sizeof(struct jf_fault)},
	[BUNDLE_BYTES] = {"bytes", 1},
};

uint32_t bundle_record_bytes(enum bundle_table which)
{
	return table_info[which].record_bytes;
}

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
	bundle->lines = table[BUNDLE_LINES];
	bundle->cleanups = table[BUNDLE_CLEANUPS];
	bundle->variables = table[BUNDLE_VARIABLES];
	bundle->data = table[BUNDLE_DATA];
	bundle->strings = table[BUNDLE_STRINGS];
	bundle->jit = bundle->count[BUNDLE_JITS] ? table[BUNDLE_JITS] : NULL;
	bundle->images = table[BUNDLE_IMAGES];
	bundle->codes = table[BUNDLE_CODES];
	bundle->places = table[BUNDLE_PLACES];
	bundle->offsets = table[BUNDLE_OFFSETS];
	bundle->faults = table[BUNDLE_FAULTS];
	bundle->bytes = table[BUNDLE_BYTES];
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

static enum jf_status check_lines(const struct check *c, const struct bundle_function *f)
{
	uint64_t free_from = 0; /* the lowest instruction that may come next */

	if (f->line_start > c->bundle->count[BUNDLE_LINES] ||
	    f->line_count > c->bundle->count[BUNDLE_LINES] - f->line_start)
		return bad(c, f, "function's lines are not in the table");
	for (uint32_t i = 0; i < f->line_count; i++) {
		const struct bundle_line *line = &c->bundle->lines[f->line_start + i];

		if (!string_ok(c, line->file) || !string_ok(c, line->text))
			return bad(c, line, "line's file or text lies outside the strings");
		if (line->insn < free_from || line->insn >= f->insn_count)
			return bad(c, line, "line's instruction is not above the one before, or not in the function");
		free_from = (uint64_t)line->insn + 1;
	}
	return JF_OK;
}

/* Functions lie one behind the other, and their line tables: so no selection is larger than the bundle. */
static enum jf_status check_functions(const struct check *c)
{
	uint32_t free_from = 0, lines_from = 0, cleanups_from = 0;

	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_FUNCTIONS]; i++) {
		const struct bundle_function *f = &c->bundle->functions[i];
		enum jf_status status;

		if (!string_ok(c, f->name))
			return bad(c, f, "function's name lies outside the strings");
		if (f->flags & ~(uint32_t)(BUNDLE_FUNCTION_GLOBAL | BUNDLE_FUNCTION_REFUSED))
			return bad(c, f, "function has unknown flags");
		if (f->insn_start < free_from || f->line_start < lines_from || f->cleanup_start < cleanups_from)
			return bad(c, f, "function overlaps the one before it");
		if (f->insn_start > c->bundle->count[BUNDLE_INSNS] ||
		    f->insn_count > c->bundle->count[BUNDLE_INSNS] - f->insn_start)
			return bad(c, f, "function's instructions are not in the table");
		if (f->cleanup_start > c->bundle->count[BUNDLE_CLEANUPS] ||
		    f->cleanup_count > c->bundle->count[BUNDLE_CLEANUPS] - f->cleanup_start)
			return bad(c, f, "function's clean-up records are not in the table");
		free_from = f->insn_start + f->insn_count;
		status = check_lines(c, f);
		if (status != JF_OK)
			return status;
		lines_from = f->line_start + f->line_count;
		cleanups_from = f->cleanup_start + f->cleanup_count;
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
		if (m->type == BUNDLE_TYPE_ARENA && (m->flags & BUNDLE_MAP_DATA))
			return bad(c, m, "map is an arena and data");
		if (m->type != BUNDLE_TYPE_ARENA && m->data_bytes > m->value_bytes)
			return bad(c, m, "map's initial value is larger than its value");
	}
	return JF_OK;
}

static enum jf_status check_kfuncs(const struct check *c)
{
	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_KFUNCS]; i++) {
		const struct bundle_kfunc *kfunc = &c->bundle->kfuncs[i];

		if (!string_ok(c, kfunc->name))
			return bad(c, kfunc, "kfunc's name lies outside the strings");
		if (kfunc->arg_count > JF_ARGS_MAX)
			return bad(c, kfunc, "kfunc has more arguments than programs can pass");
		if (kfunc->program > c->bundle->count[BUNDLE_PROGRAMS])
			return bad(c, kfunc, "kfunc's program is not in the table");
	}
	return JF_OK;
}

static enum jf_status check_variables(const struct check *c)
{
	for (uint32_t i = 0; i < c->bundle->count[BUNDLE_VARIABLES]; i++) {
		const struct bundle_variable *variable = &c->bundle->variables[i];
		const struct bundle_map *map;
		uint32_t bytes;

		if (!string_ok(c, variable->name))
			return bad(c, variable, "variable's name lies outside the strings");
		if (!index_ok(c, variable->map, BUNDLE_MAPS))
			return bad(c, variable, "variable's map is not in the table");
		map = &c->bundle->maps[variable->map];
		bytes = map->type == BUNDLE_TYPE_ARENA ? map->data_bytes : map->value_bytes;
		if (!bundle_map_has_address(map) || variable->off > bytes || variable->bytes > bytes - variable->off)
			return bad(c, variable, "variable lies outside its map");
	}
	return JF_OK;
}

bool bundle_map_has_address(const struct bundle_map *map)
{
	return map->type == BUNDLE_TYPE_ARENA || (map->flags & BUNDLE_MAP_DATA) != 0;
}

bool bundle_map_is_percpu(const struct bundle_map *map)
{
	return map->type == BUNDLE_TYPE_PERCPU_ARRAY && (map->flags & BUNDLE_MAP_DATA) != 0;
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
	if (init->kind == BUNDLE_INIT_VALUE_ADDRESS && !bundle_map_has_address(&c->bundle->maps[init->target]))
		return bad(c, init, "initialiser wants the address of a value that is no data");
	return JF_OK;
}

static enum jf_status check_init(const struct check *c, const struct bundle_init *init)
{
	const struct bundle_map *map;
	uint32_t bytes;

	if (!index_ok(c, init->map, BUNDLE_MAPS))
		return bad(c, init, "initialiser's map is not in the table");
	map = &c->bundle->maps[init->map];

	switch (init->kind) {
	case BUNDLE_INIT_VALUE_ADDRESS:
	case BUNDLE_INIT_FUNCTION_ADDRESS:
	case BUNDLE_INIT_MAP_ADDRESS:
		if (!bundle_map_has_address(map))
			return bad(c, init, "initialiser writes an address into a map that is no data");
		bytes = map->type == BUNDLE_TYPE_ARENA ? map->data_bytes : map->value_bytes;
		if (bytes < 8 || init->key > bytes - 8)
			return bad(c, init, "initialiser writes behind the end of its map");
		break;
	case BUNDLE_INIT_PROGRAM_SLOT:
		if (map->type != BUNDLE_TYPE_PROG_ARRAY || init->key >= map->max_entries)
			return bad(c, init, "initialiser's map has no such program slot");
		break;
	case BUNDLE_INIT_MAP_SLOT:
		if ((map->type != BUNDLE_TYPE_ARRAY_OF_MAPS && map->type != BUNDLE_TYPE_HASH_OF_MAPS) ||
		    init->key >= map->max_entries)
			return bad(c, init, "initialiser's map has no such map slot");
		break;
	default: return bad(c, init, "initialiser of unknown kind");
	}
	return check_init_target(c, init);
}

enum jf_status bundle_open(struct bundle *bundle, const void *bytes, size_t size, struct jf_error *error)
{
	struct bundle opened;
	struct check c = {&opened, bytes, error};
	const void *record;
	const char *what;
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
	if (status == JF_OK)
		status = check_kfuncs(&c);
	if (status == JF_OK)
		status = check_variables(&c);
	for (uint32_t i = 0; status == JF_OK && i < opened.count[BUNDLE_INITS]; i++)
		status = check_init(&c, &opened.inits[i]);
	if (status == JF_OK) {
		record = bundle_check_code(&opened, &what);
		status = record ? bad(&c, record, what) : JF_OK;
	}
	if (status == JF_OK)
		*bundle = opened;
	return status;
}
