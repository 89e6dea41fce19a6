/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_INDEX_H
#define JF_CODEMAP_INDEX_H

#include <jitframe/codemap.h>

#include <stdatomic.h>

/*
 * Addresses are cut into regions of 256 KiB, and those into blocks of 1 KiB:
 *
 *     regions   a hash table: number of region -> word
 *     leaf      of a region: a word for each of its blocks
 *     bucket    of a block: the ranges that have a part of it, by their first byte
 *
 *     word      0: no range; MAP_COVERED | range: all of it is that range's; else its leaf or bucket
 *
 * Readers go down from the table through at most one leaf and one bucket, whatever is registered. What they
 * can reach changes in these ways only: a word is replaced; a key is put into an empty place of the hash
 * table, behind its word; the table is replaced by a copy; a range in a bucket becomes NULL. What was
 * replaced is freed when no reader can be there any more.
 */
#define MAP_BLOCK_SHIFT  10
#define MAP_REGION_SHIFT 18
#define MAP_BLOCKS       (1u << (MAP_REGION_SHIFT - MAP_BLOCK_SHIFT))
#define MAP_BLOCK_BYTES  (1u << MAP_BLOCK_SHIFT)
#define MAP_COVERED      ((uintptr_t)1)

typedef _Atomic(uintptr_t) map_word;

struct map_regions {
	unsigned int shift; /* 64 - log2 of places */
	size_t mask;        /* places - 1 */
	size_t keys;        /* places taken, for ever: at most half of all */
	size_t live;        /* their words that are not 0 */
	struct map_place {
		_Atomic(uint64_t) key; /* number of region + 1; 0: empty */
		map_word word;
	} places[];
};

struct map_leaf {
	unsigned int used; /* words that are not 0 */
	map_word words[MAP_BLOCKS];
};

/*
 * Where the parts begin, in bytes from the block's start, goes up; four to a word, of 16 bits each; the unused
 * rest is MAP_NEVER. ends[i] and ranges[i] lie behind.
 */
struct map_bucket {
	uint16_t words;
	uint16_t count;
	uint16_t live; /* ranges that are not NULL */
	uint64_t starts[];
};
#define MAP_PER_WORD 4
#define MAP_NEVER    0x7fffu
#define MAP_ONES     UINT64_C(0x0001000100010001)
#define MAP_HIGHS    (MAP_ONES << 15)

extern _Atomic(struct map_regions *) jf_code_map_regions;

static inline uint16_t *map_ends(const struct map_bucket *bucket)
{
	return (uint16_t *)(uintptr_t)(bucket->starts + bucket->words);
}

typedef _Atomic(const struct jf_range *) map_range;

static inline map_range *map_ranges(const struct map_bucket *bucket)
{
	return (map_range *)(uintptr_t)(bucket->starts + 2 * (size_t)bucket->words);
}

static inline size_t map_hash(const struct map_regions *regions, uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> regions->shift);
}

/* One place is always empty: this ends. */
static inline uintptr_t map_region_word(const struct map_regions *regions, uint64_t key)
{
	for (size_t i = map_hash(regions, key);; i = (i + 1) & regions->mask) {
		uint64_t found = atomic_load(&regions->places[i].key);

		if (found == key)
			return atomic_load(&regions->places[i].word);
		if (!found)
			return 0;
	}
}

static inline const struct jf_range *map_find_in_bucket(const struct map_bucket *bucket, unsigned int off)
{
	const uint64_t *starts = bucket->starts;
	unsigned int words = bucket->words, rank;

	/* Invariant: the last start not above off is in the `words` from starts on, or the first word has it. */
	while (words > 2) {
		unsigned int half = words / 2;

		starts = (starts[half] & 0xffff) <= off ? starts + half : starts;
		words -= half;
	}
	rank = MAP_PER_WORD * (unsigned int)(starts - bucket->starts);
	/* A lane's high bit stays where its start is not above off. */
	for (unsigned int i = 0; i < words; i++)
		rank += (unsigned int)((((((off * MAP_ONES) | MAP_HIGHS) - starts[i]) & MAP_HIGHS) >> 15) * MAP_ONES >>
				       48);
	if (!rank || off >= map_ends(bucket)[rank - 1])
		return NULL;
	return atomic_load(&map_ranges(bucket)[rank - 1]);
}

/* jf_code_map_find() */
static inline const struct jf_range *map_find(uint64_t address)
{
	const struct map_regions *regions = atomic_load(&jf_code_map_regions);
	uintptr_t word;

	if (!regions)
		return NULL;
	word = map_region_word(regions, (address >> MAP_REGION_SHIFT) + 1);
	if (word && !(word & MAP_COVERED)) {
		const struct map_leaf *leaf = (const struct map_leaf *)word;

		word = atomic_load(&leaf->words[address >> MAP_BLOCK_SHIFT & (MAP_BLOCKS - 1)]);
		if (word && !(word & MAP_COVERED))
			return map_find_in_bucket((const struct map_bucket *)word, address % MAP_BLOCK_BYTES);
	}
	return (const struct jf_range *)(word & ~MAP_COVERED);
}

/* ---- changing the index: one thread at a time, under the caller's lock ---------------------------------- */

/* Whether no range has a byte of [first, last]. */
bool jf_map_is_free(uint64_t first, uint64_t last);
/* Puts in a range whose addresses are free. returns: false without memory; then take out what went in. */
bool jf_map_put(const struct jf_range *range);
/* Takes out all of the range that is in. Allocates nothing. */
void jf_map_take(const struct jf_range *range);
/* Waits for readers and frees what was replaced. */
void jf_map_flush(void);

#endif
