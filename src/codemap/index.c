/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/index.h"

#include "base/memory.h"
#include "codemap/section.h"

/* Changes of the index, by one thread at a time: see index.h for what readers may meet meanwhile. */

_Atomic(struct map_regions *) jf_code_map_regions;

/* ---- what was replaced ------------------------------------------------------------------------------------ */

#define RETIRED_MAX 64

static void *retired[RETIRED_MAX];
static unsigned int retired_count;

void jf_map_flush(void)
{
	jf_code_map_wait();
	while (retired_count)
		jf_free(retired[--retired_count]);
}

static void retire(void *memory)
{
	if (retired_count == RETIRED_MAX)
		jf_map_flush();
	retired[retired_count++] = memory;
}

/* ---- parts ------------------------------------------------------------------------------------------------ */

static uintptr_t covered_by(const struct jf_range *range)
{
	return (uintptr_t)range | MAP_COVERED;
}

/* The part of [first, last] that lies in unit number `unit` of 2^shift bytes. */
struct part {
	uint64_t first, last;
	bool whole;
};

static struct part part_of(uint64_t first, uint64_t last, uint64_t unit, unsigned int shift)
{
	uint64_t unit_first = unit << shift, unit_last = unit_first + ((UINT64_C(1) << shift) - 1);

	return (struct part){
		.first = first > unit_first ? first : unit_first,
		.last = last < unit_last ? last : unit_last,
		.whole = first <= unit_first && last >= unit_last,
	};
}

/* ---- regions ---------------------------------------------------------------------------------------------- */

static struct map_place *find_place(struct map_regions *regions, uint64_t key)
{
	size_t i = map_hash(regions, key);

	while (atomic_load(&regions->places[i].key) && atomic_load(&regions->places[i].key) != key)
		i = (i + 1) & regions->mask;
	return &regions->places[i];
}

static struct map_place *add_place(struct map_regions *regions, uint64_t key, uintptr_t word)
{
	struct map_place *place = find_place(regions, key);

	atomic_store(&place->word, word);
	if (!atomic_load(&place->key)) {
		atomic_store(&place->key, key);
		regions->keys++;
	}
	return place;
}

/* A table with room for another key, without those whose word is 0. */
static struct map_regions *regions_copy(const struct map_regions *old)
{
	size_t live = old ? old->live : 0, places = 16;
	unsigned int shift = 60;
	struct map_regions *regions;

	for (; places < 3 * (live + 1); places *= 2)
		shift--;
	regions = jf_calloc(1, sizeof(*regions) + places * sizeof(regions->places[0]));
	if (!regions)
		return NULL;
	regions->shift = shift;
	regions->mask = places - 1;
	regions->live = live;
	for (size_t i = 0; old && i <= old->mask; i++) {
		uintptr_t word = atomic_load(&old->places[i].word);

		if (word)
			add_place(regions, atomic_load(&old->places[i].key), word);
	}
	return regions;
}

/* The word of a region, to be changed; from then on it has a key. returns: NULL without memory. */
static map_word *region_word(uint64_t region)
{
	struct map_regions *regions = atomic_load(&jf_code_map_regions), *old = regions;
	struct map_place *place;

	if (regions) {
		place = find_place(regions, region + 1);
		if (atomic_load(&place->key))
			return &place->word;
	}
	if (!regions || 2 * (regions->keys + 1) > regions->mask + 1) {
		regions = regions_copy(old);
		if (!regions)
			return NULL;
		atomic_store(&jf_code_map_regions, regions);
		if (old)
			retire(old);
	}
	return &add_place(regions, region + 1, 0)->word;
}

static uintptr_t region_is(uint64_t region)
{
	const struct map_regions *regions = atomic_load(&jf_code_map_regions);

	return regions ? map_region_word(regions, region + 1) : 0;
}

/* From 0 to something, or back. */
static void set_region(map_word *word, uintptr_t value)
{
	struct map_regions *regions = atomic_load(&jf_code_map_regions);

	regions->live += value ? 1 : (size_t)-1;
	atomic_store(word, value);
}

/* ---- lines ------------------------------------------------------------------------------------------------ */

static struct map_line *next_of(const struct map_line *line)
{
	return atomic_load(&line->next);
}

static bool block_is_free(const struct map_line *line, const struct part *part)
{
	uint64_t first = part->first % MAP_BLOCK_BYTES, last = part->last % MAP_BLOCK_BYTES;

	for (; line; line = next_of(line))
		for (unsigned int i = 0; i < MAP_PARTS; i++) {
			uint32_t span = atomic_load(&line->spans[i]);

			if (span && span >> 16 <= last && first < (span >> 16) + (span & 0xffff))
				return false;
		}
	return true;
}

/* returns: where a part can be put, *i in that line; NULL without memory. */
static struct map_line *find_empty(struct map_line *line, unsigned int *i)
{
	struct map_line *last = line;

	for (; line; last = line, line = next_of(line))
		for (*i = 0; *i < MAP_PARTS; ++*i)
			if (!atomic_load(&line->spans[*i]))
				return line;
	line = jf_calloc_lines(sizeof(*line));
	if (line)
		atomic_store(&last->next, line);
	*i = 0;
	return line;
}

static bool block_put(struct map_line *block, const struct jf_range *range, const struct part *part)
{
	uint32_t first = (uint32_t)(part->first % MAP_BLOCK_BYTES), count = (uint32_t)(part->last - part->first + 1);
	unsigned int i;
	struct map_line *line = find_empty(block, &i);

	if (!line)
		return false;
	atomic_store(&line->ranges[i], range);
	atomic_store(&line->spans[i], first << 16 | count);
	block->live++;
	return true;
}

/* returns: the line with the range's part, *i in that line; NULL: the block has none. */
static struct map_line *find_part(struct map_line *line, const struct jf_range *range, unsigned int *i)
{
	for (; line; line = next_of(line))
		for (*i = 0; *i < MAP_PARTS; ++*i)
			if (atomic_load(&line->spans[*i]) && atomic_load(&line->ranges[*i]) == range)
				return line;
	return NULL;
}

/* returns: whether the block was in use, and is no longer. */
static bool block_take(struct map_line *block, const struct jf_range *range)
{
	unsigned int i;
	struct map_line *line = find_part(block, range, &i), *next;

	if (!line)
		return false;
	atomic_store(&line->spans[i], 0);
	if (--block->live)
		return false;
	for (line = atomic_exchange(&block->next, NULL); line; line = next) {
		next = next_of(line);
		retire(line);
	}
	return true;
}

/* ---- leaves ----------------------------------------------------------------------------------------------- */

static struct map_line *line_of(struct map_leaf *leaf, uint64_t block)
{
	return &leaf->lines[block & (MAP_BLOCKS - 1)];
}

static bool leaf_is_free(struct map_leaf *leaf, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++) {
		struct part part = part_of(first, last, block, MAP_BLOCK_SHIFT);

		if (!block_is_free(line_of(leaf, block), &part))
			return false;
	}
	return true;
}

static bool leaf_put(struct map_leaf *leaf, const struct jf_range *range, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++) {
		struct part part = part_of(first, last, block, MAP_BLOCK_SHIFT);
		struct map_line *line = line_of(leaf, block);

		if (!block_put(line, range, &part))
			return false;
		leaf->lines[0].used += line->live == 1;
	}
	return true;
}

/* returns: whether nothing is left. */
static bool leaf_take(struct map_leaf *leaf, const struct jf_range *range, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++)
		leaf->lines[0].used -= block_take(line_of(leaf, block), range);
	return !leaf->lines[0].used;
}

/* ---- the whole -------------------------------------------------------------------------------------------- */

bool jf_map_is_free(uint64_t first, uint64_t last)
{
	for (uint64_t region = first >> MAP_REGION_SHIFT; region <= last >> MAP_REGION_SHIFT; region++) {
		struct part part = part_of(first, last, region, MAP_REGION_SHIFT);
		uintptr_t word = region_is(region);

		if (word &&
		    (part.whole || word & MAP_COVERED || !leaf_is_free((struct map_leaf *)word, part.first, part.last)))
			return false;
	}
	return true;
}

static bool region_put(const struct jf_range *range, uint64_t region)
{
	struct part part = part_of(range->start, range->end - 1, region, MAP_REGION_SHIFT);
	map_word *word = region_word(region);
	struct map_leaf *leaf;

	if (!word)
		return false;
	if (part.whole) {
		set_region(word, covered_by(range));
		return true;
	}
	leaf = (struct map_leaf *)atomic_load(word);
	if (!leaf) {
		leaf = jf_calloc_lines(sizeof(*leaf));
		if (!leaf)
			return false;
		set_region(word, (uintptr_t)leaf);
	}
	return leaf_put(leaf, range, part.first, part.last);
}

bool jf_map_put(const struct jf_range *range)
{
	for (uint64_t region = range->start >> MAP_REGION_SHIFT; region <= (range->end - 1) >> MAP_REGION_SHIFT;
	     region++)
		if (!region_put(range, region))
			return false;
	return true;
}

void jf_map_take(const struct jf_range *range)
{
	for (uint64_t region = range->start >> MAP_REGION_SHIFT; region <= (range->end - 1) >> MAP_REGION_SHIFT;
	     region++) {
		struct part part = part_of(range->start, range->end - 1, region, MAP_REGION_SHIFT);
		uintptr_t word = region_is(region);

		if (!word || (word & MAP_COVERED && word != covered_by(range)))
			continue;
		if (!(word & MAP_COVERED) && !leaf_take((struct map_leaf *)word, range, part.first, part.last))
			continue;
		set_region(region_word(region), 0);
		if (!(word & MAP_COVERED))
			retire((void *)word);
	}
}
