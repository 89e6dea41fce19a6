/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Static initialisers with addresses in them: pointers in variables, and slots of maps. */

/* One relocation, in the value or definition of map `map`. */
struct site {
	struct link *link;
	uint32_t map;
	const struct section *section;
	const struct reloc *reloc;
	const struct symbol *symbol;
	int64_t addend;
};

static enum jf_status refuse(const struct site *s, enum jf_status status, const char *what)
{
	return link_fail(s->link, status, s->link->maps[s->map].name, "byte %" PRIu64 " of section %s: %s (%s)",
			 s->reloc->off, s->section->name, what, s->symbol->name[0] ? s->symbol->name : "no name");
}

static void add(const struct site *s, uint32_t key, enum bundle_init_kind kind, uint32_t target, int32_t addend)
{
	s->link->inits[s->link->init_count++] = (struct bundle_init){
		.map = s->map,
		.key = key,
		.kind = kind,
		.target = target,
		.addend = addend,
	};
}

/* ---- variables ---------------------------------------------------------------------------------- */

static enum jf_status init_variable(const struct site *s)
{
	uint32_t key = (uint32_t)s->reloc->off;
	uint64_t off = s->symbol->value + (uint64_t)s->addend;
	int32_t target;

	if (s->symbol->section == 0)
		return refuse(s, JF_E_UNSUPPORTED, "it holds the address of something that is not there");
	if (section_is_code(&s->link->object.sections[s->symbol->section])) {
		target = off % 8 ? -1 : link_function_at(s->link, s->symbol->section, off / 8);
		if (target < 0)
			return refuse(s, JF_E_BAD_IMAGE, "it points into code, where no function starts");
		add(s, key, BUNDLE_INIT_FUNCTION_ADDRESS, (uint32_t)target, 0);
		return JF_OK;
	}

	/* The end of an array is a fair address too. */
	target = link_map_at(s->link, s->symbol->section, off);
	if (target < 0 && off > 0)
		target = link_map_at(s->link, s->symbol->section, off - 1);
	if (target < 0)
		return refuse(s, JF_E_UNSUPPORTED, "it points to what is neither variable nor map");
	if (bundle_map_is_percpu(&s->link->maps[target].def))
		return refuse(s, JF_E_UNSUPPORTED, "it points to a per-CPU variable, which has no one address");
	if (link_is_value(&s->link->maps[target], s->symbol->section))
		add(s, key, BUNDLE_INIT_VALUE_ADDRESS, (uint32_t)target, (int32_t)off);
	else
		add(s, key, BUNDLE_INIT_MAP_ADDRESS, (uint32_t)target, 0);
	return JF_OK;
}

/* ---- slots -------------------------------------------------------------------------------------- */

static enum jf_status init_program_slot(const struct site *s, uint32_t slot)
{
	int32_t function = link_function_at(s->link, s->symbol->section, s->symbol->value / 8);

	if (function < 0 || s->link->functions[function].program < 0)
		return refuse(s, JF_E_BAD_IMAGE, "a slot of a program array holds something else");
	add(s, slot, BUNDLE_INIT_PROGRAM_SLOT, (uint32_t)s->link->functions[function].program, 0);
	return JF_OK;
}

static enum jf_status init_map_slot(const struct site *s, uint32_t slot)
{
	int32_t target = link_map_at(s->link, s->symbol->section, s->symbol->value);

	if (target < 0 || link_is_value(&s->link->maps[target], s->symbol->section))
		return refuse(s, JF_E_BAD_IMAGE, "a slot of a map of maps holds something else");
	add(s, slot, BUNDLE_INIT_MAP_SLOT, (uint32_t)target, 0);
	return JF_OK;
}

static enum jf_status init_slot(const struct site *s)
{
	struct link_map *map = &s->link->maps[s->map];
	uint64_t in_map = s->reloc->off - map->off;
	uint64_t slot;

	if (map->values_off == 0 || in_map < map->values_off || (in_map - map->values_off) % 8 != 0)
		return refuse(s, JF_E_BAD_IMAGE, "a map definition has a value outside its slots");
	slot = (in_map - map->values_off) / 8;
	if (slot >= map->def.max_entries)
		return refuse(s, JF_E_BAD_IMAGE, "more slots have values than the map has entries");
	switch (map->def.type) {
	case BUNDLE_TYPE_PROG_ARRAY: return init_program_slot(s, (uint32_t)slot);
	case BUNDLE_TYPE_ARRAY_OF_MAPS:
	case BUNDLE_TYPE_HASH_OF_MAPS: return init_map_slot(s, (uint32_t)slot);
	default: return refuse(s, JF_E_UNSUPPORTED, "maps of this type have no slots to fill");
	}
}

/* ---- all ---------------------------------------------------------------------------------------- */

static enum jf_status init_one(struct link *link, uint32_t section, const struct reloc *reloc)
{
	struct site s = {link, 0, &link->object.sections[section], reloc, &link->object.symbols[reloc->symbol], 0};
	int32_t map = link_map_at(link, section, reloc->off);

	if (map < 0 || !s.section->bytes)
		return link_fail(link, JF_E_BAD_IMAGE, s.section->name, "byte %" PRIu64 ": a relocation of nothing",
				 reloc->off);
	s.map = (uint32_t)map;
	if (reloc->type != RELOC_ABS64)
		return refuse(&s, JF_E_UNSUPPORTED, "a relocation that data does not take");
	memcpy(&s.addend, s.section->bytes + reloc->off, sizeof(s.addend));
	return link_is_value(&link->maps[map], section) ? init_variable(&s) : init_slot(&s);
}

static bool has_inits(const struct section *section)
{
	return !section_is_code(section) && !section_is_cleanup(section);
}

enum jf_status link_inits_collect(struct link *link)
{
	size_t count = 0;

	for (uint32_t i = 1; i < link->object.section_count; i++)
		if (has_inits(&link->object.sections[i]))
			count += link->object.sections[i].reloc_count;
	link->inits = calloc(count + 1, sizeof(*link->inits));
	if (!link->inits)
		return link_fail(link, JF_E_NO_MEMORY, "initialisers", "no memory");

	for (uint32_t i = 1; i < link->object.section_count; i++) {
		const struct section *section = &link->object.sections[i];

		for (uint32_t k = 0; has_inits(section) && k < section->reloc_count; k++) {
			enum jf_status status = init_one(link, i, &section->relocs[k]);

			if (status != JF_OK)
				return status;
		}
	}
	return JF_OK;
}
