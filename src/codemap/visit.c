/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/index.h"
#include "codemap/watch.h"

/* A range has a part in many regions and blocks; it counts where its first byte is. */
static void visit_part(const struct jf_range *range, uint64_t unit, unsigned int shift,
		       void (*visit)(const struct jf_range *range))
{
	if (range && range->start >> shift == unit)
		visit(range);
}

static void visit_block(const struct map_line *line, uint64_t block, void (*visit)(const struct jf_range *range))
{
	for (; line; line = atomic_load(&line->next))
		for (unsigned int i = 0; i < MAP_PARTS; i++)
			if (atomic_load(&line->spans[i]))
				visit_part(atomic_load(&line->ranges[i]), block, MAP_BLOCK_SHIFT, visit);
}

void jf_code_map_each(void (*visit)(const struct jf_range *range))
{
	const struct map_regions *regions = atomic_load(&jf_code_map_regions);

	for (size_t i = 0; regions && i <= regions->mask; i++) {
		uint64_t region = atomic_load(&regions->places[i].key) - 1;
		uintptr_t word = atomic_load(&regions->places[i].word);
		const struct map_leaf *leaf = (const struct map_leaf *)word;

		if (!word || word & MAP_COVERED) {
			visit_part((const struct jf_range *)(word & ~MAP_COVERED), region, MAP_REGION_SHIFT, visit);
			continue;
		}
		for (unsigned int b = 0; b < MAP_BLOCKS; b++)
			visit_block(&leaf->lines[b], region * MAP_BLOCKS + b, visit);
	}
}
