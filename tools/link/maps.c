/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

/* The maps of the bundle: those that the object defines, and one for each section of variables. */

/* What a section of variables becomes; memory for it has to be had when the program runs. */
#define DATA_BYTES_MAX (UINT32_C(1) << 30)
#define MAP_TYPE_ARRAY 2

static enum jf_status refuse_sections(struct link *link)
{
	for (uint32_t i = 1; i < link->object.section_count; i++) {
		const struct section *section = &link->object.sections[i];
		const char *name = section->name;

		if (strcmp(name, "maps") == 0 || strncmp(name, "maps/", 5) == 0)
			return link_fail(link, JF_E_UNSUPPORTED, name,
					 "legacy map definitions; define them in section .maps");
		if ((section_is_data(section) || section_is_arena(section)) && section->size > DATA_BYTES_MAX)
			return link_fail(link, JF_E_UNSUPPORTED, name, "%llu bytes of variables are too many",
					 (unsigned long long)section->size);
	}
	return JF_OK;
}

static uint32_t count_maps(const struct link *link)
{
	int32_t id = link->btf ? btf__find_by_name_kind(link->btf, ".maps", BTF_KIND_DATASEC) : -1;
	uint32_t count = link->object.section_count;

	return id > 0 ? count + btf_vlen(btf__type_by_id(link->btf, (uint32_t)id)) : count;
}

static void add_data_map(struct link *link, uint32_t index)
{
	const struct section *section = &link->object.sections[index];
	struct link_map *map = &link->maps[link->map_count++];

	map->name = section->name;
	map->section = index;
	map->data_section = index;
	map->size = section->size;
	map->def.type = section_is_percpu(section) ? (uint32_t)BUNDLE_TYPE_PERCPU_ARRAY : MAP_TYPE_ARRAY;
	map->def.key_bytes = 4;
	map->def.value_bytes = (uint32_t)section->size;
	map->def.max_entries = 1;
	map->def.flags = BUNDLE_MAP_DATA | (section_is_read_only(section) ? BUNDLE_MAP_READ_ONLY : 0u);
	map->def.data_bytes = section->bytes ? (uint32_t)section->size : 0;
}

static int compare_maps(const void *a, const void *b)
{
	const struct link_map *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

/* Variables in an arena are bytes of the object's one arena; the runner knows the page size, and so where. */
static enum jf_status find_arena(struct link *link)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < link->object.section_count; i++)
		if (section_is_arena(&link->object.sections[i]) && link->object.sections[i].size > 0)
			link->arena_section = i;
	if (link->arena_section == 0)
		return JF_OK;
	for (uint32_t i = 0; i < link->map_count; i++) {
		if (link->maps[i].def.type != BUNDLE_TYPE_ARENA)
			continue;
		link->arena = i;
		link->maps[i].data_section = link->arena_section;
		link->maps[i].def.data_bytes = (uint32_t)link->object.sections[link->arena_section].size;
		count++;
	}
	if (count != 1)
		return link_fail(link, JF_E_UNSUPPORTED, link->object.sections[link->arena_section].name,
				 "variables in an arena, but the object has %u arenas, not one", count);
	return JF_OK;
}

enum jf_status link_maps_collect(struct link *link)
{
	enum jf_status status = refuse_sections(link);

	if (status != JF_OK)
		return status;
	link->maps = calloc(count_maps(link), sizeof(*link->maps));
	if (!link->maps)
		return link_fail(link, JF_E_NO_MEMORY, "maps", "no memory");
	status = link_map_defs(link);
	if (status != JF_OK)
		return status;
	for (uint32_t i = 1; i < link->object.section_count; i++)
		if (section_is_data(&link->object.sections[i]) && link->object.sections[i].size > 0)
			add_data_map(link, i);
	qsort(link->maps, link->map_count, sizeof(*link->maps), compare_maps);
	return find_arena(link);
}

bool link_is_value(const struct link_map *map, uint32_t section)
{
	return (map->def.flags & BUNDLE_MAP_DATA) || map->section != section;
}

int32_t link_map_at(const struct link *link, uint32_t section, uint64_t off)
{
	uint32_t low = 0, high = link->map_count;

	if (section != 0 && section == link->arena_section)
		return off < link->object.sections[section].size ? (int32_t)link->arena : -1;
	/* The last map that does not start behind (section, off). */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct link_map *map = &link->maps[middle];

		if (map->section < section || (map->section == section && map->off <= off))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return -1;
	low--;
	return link->maps[low].section == section && off - link->maps[low].off < link->maps[low].size ? (int32_t)low :
													-1;
}
