/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/index.h"

#include "base/memory.h"
#include "codemap/section.h"

#include <string.h>

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

	for (; places < 4 * (live + 1); places *= 2)
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

/* ---- buckets ---------------------------------------------------------------------------------------------- */

struct entry {
	uint16_t start, end;
	const struct jf_range *range;
};

static struct entry entry_at(const struct map_bucket *bucket, unsigned int i)
{
	return (struct entry){
		.start = (uint16_t)(bucket->starts[i / MAP_PER_WORD] >> 16 * (i % MAP_PER_WORD)),
		.end = map_ends(bucket)[i],
		.range = atomic_load(&map_ranges(bucket)[i]),
	};
}

static void append(struct map_bucket *bucket, struct entry entry)
{
	unsigned int i = bucket->count++, shift = 16 * (i % MAP_PER_WORD);
	uint64_t *word = &bucket->starts[i / MAP_PER_WORD];

	*word = (*word & ~(UINT64_C(0xffff) << shift)) | (uint64_t)entry.start << shift;
	map_ends(bucket)[i] = entry.end;
	atomic_init(&map_ranges(bucket)[i], entry.range);
	bucket->live++;
}

static struct map_bucket *bucket_new(unsigned int count)
{
	unsigned int words = (count + MAP_PER_WORD - 1) / MAP_PER_WORD;
	size_t bytes = sizeof(struct map_bucket) +
		       words * (sizeof(uint64_t) + MAP_PER_WORD * (sizeof(uint16_t) + sizeof(map_range)));
	struct map_bucket *bucket = jf_calloc(1, bytes);

	if (!bucket)
		return NULL;
	bucket->words = (uint16_t)words;
	for (unsigned int i = 0; i < words; i++)
		bucket->starts[i] = MAP_NEVER * MAP_ONES;
	return bucket;
}

/* The bucket (NULL: none) without its dead entries and with a new one. */
static struct map_bucket *bucket_with(const struct map_bucket *old, struct entry added)
{
	struct map_bucket *bucket = bucket_new(old ? old->live + 1u : 1);
	bool is_in = false;

	if (!bucket)
		return NULL;
	for (unsigned int i = 0; old && i < old->count; i++) {
		struct entry entry = entry_at(old, i);

		if (!entry.range)
			continue;
		if (!is_in && entry.start > added.start) {
			append(bucket, added);
			is_in = true;
		}
		append(bucket, entry);
	}
	if (!is_in)
		append(bucket, added);
	return bucket;
}

static bool bucket_is_free(const struct map_bucket *bucket, unsigned int first, unsigned int last)
{
	for (unsigned int i = 0; i < bucket->count; i++) {
		struct entry entry = entry_at(bucket, i);

		if (entry.range && entry.start <= last && first < entry.end)
			return false;
	}
	return true;
}

/* returns: whether it was the last one. */
static bool bucket_take(struct map_bucket *bucket, const struct jf_range *range)
{
	for (unsigned int i = 0; i < bucket->count; i++) {
		if (atomic_load(&map_ranges(bucket)[i]) != range)
			continue;
		atomic_store(&map_ranges(bucket)[i], NULL);
		bucket->live--;
	}
	return !bucket->live;
}

/* ---- leaves ----------------------------------------------------------------------------------------------- */

static map_word *block_word(struct map_leaf *leaf, uint64_t block)
{
	return &leaf->words[block & (MAP_BLOCKS - 1)];
}

static bool leaf_is_free(struct map_leaf *leaf, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++) {
		struct part part = part_of(first, last, block, MAP_BLOCK_SHIFT);
		uintptr_t word = atomic_load(block_word(leaf, block));

		if (!word)
			continue;
		if (part.whole || word & MAP_COVERED ||
		    !bucket_is_free((struct map_bucket *)word, part.first % MAP_BLOCK_BYTES,
				    part.last % MAP_BLOCK_BYTES))
			return false;
	}
	return true;
}

static bool leaf_put(struct map_leaf *leaf, const struct jf_range *range, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++) {
		struct part part = part_of(first, last, block, MAP_BLOCK_SHIFT);
		struct entry entry = {
			.start = (uint16_t)(part.first % MAP_BLOCK_BYTES),
			.end = (uint16_t)(part.last % MAP_BLOCK_BYTES + 1),
			.range = range,
		};
		map_word *word = block_word(leaf, block);
		struct map_bucket *old = (struct map_bucket *)atomic_load(word), *bucket;

		if (part.whole) {
			atomic_store(word, covered_by(range));
		} else {
			bucket = bucket_with(old, entry);
			if (!bucket)
				return false;
			atomic_store(word, (uintptr_t)bucket);
		}
		leaf->used += !old;
		if (old)
			retire(old);
	}
	return true;
}

/* returns: whether nothing is left. */
static bool leaf_take(struct map_leaf *leaf, const struct jf_range *range, uint64_t first, uint64_t last)
{
	for (uint64_t block = first >> MAP_BLOCK_SHIFT; block <= last >> MAP_BLOCK_SHIFT; block++) {
		map_word *word = block_word(leaf, block);
		uintptr_t value = atomic_load(word);

		if (!value || (value & MAP_COVERED && value != covered_by(range)))
			continue;
		if (!(value & MAP_COVERED) && !bucket_take((struct map_bucket *)value, range))
			continue;
		atomic_store(word, 0);
		leaf->used--;
		if (!(value & MAP_COVERED))
			retire((void *)value);
	}
	return !leaf->used;
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
	if (leaf)
		return leaf_put(leaf, range, part.first, part.last);
	leaf = jf_calloc(1, sizeof(*leaf));
	if (!leaf)
		return false;
	if (!leaf_put(leaf, range, part.first, part.last)) {
		leaf_take(leaf, range, part.first, part.last);
		jf_free(leaf);
		return false;
	}
	set_region(word, (uintptr_t)leaf);
	return true;
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
