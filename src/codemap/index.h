/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_INDEX_H
#define JF_CODEMAP_INDEX_H

#include "base/memory.h"

#include <jitframe/codemap.h>

#include <stdatomic.h>

/*
 * Addresses are cut into regions of 256 KiB, and those into blocks of 1 KiB:
 *
 *     regions   a hash table: number of region -> word
 *     leaf      of a region: a line for each of its blocks
 *     line      of a block, 64 bytes, as many as a cache line has: the parts of it that ranges have, in no order, and
 *               where there are more than four, a pointer to another line
 *
 *     word      0: no range; MAP_COVERED | range: all of it is that range's; else its leaf
 *
 * So a look-up reads one line of memory beside the hash table. What readers can reach changes in these ways only: a
 * word is replaced; a key is put into an empty place of the hash table, behind its word; the table is replaced by a
 * copy; a part's span becomes 0; a span is put into an empty part, behind its range; a line gets a next one. A part
 * that has become empty is filled again, and what was replaced is freed, when no reader can be there any more.
 */
#define MAP_BLOCK_SHIFT  10
#define MAP_REGION_SHIFT 18
#define MAP_BLOCKS       (1u << (MAP_REGION_SHIFT - MAP_BLOCK_SHIFT))
#define MAP_BLOCK_BYTES  (1u << MAP_BLOCK_SHIFT)
#define MAP_COVERED      ((uintptr_t)1)
#define MAP_PARTS        4

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

struct map_line {
	_Atomic(uint32_t) spans[MAP_PARTS]; /* first byte << 16 | count of bytes, in the block; 0: empty */
	_Atomic(const struct jf_range *) ranges[MAP_PARTS];
	_Atomic(struct map_line *) next;
	uint32_t live; /* the first line of a block: parts in use, of all its lines */
	uint32_t used; /* the first line of a leaf: blocks in use */
};

struct map_leaf {
	struct map_line lines[MAP_BLOCKS];
};
_Static_assert(sizeof(struct map_line) == JF_LINE_BYTES, "a block's line is a line of memory");

extern _Atomic(struct map_regions *) jf_code_map_regions;

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

/* Without branches on what is there: a wrong guess takes longer than all four. */
static inline const struct jf_range *map_find_in_line(const struct map_line *line, unsigned int off)
{
	const struct jf_range *found = NULL;

	for (unsigned int i = 0; i < MAP_PARTS; i++) {
		uint32_t span = atomic_load(&line->spans[i]);
		const struct jf_range *range = atomic_load(&line->ranges[i]);

		/* Below the first byte the distance wraps around, to more than any count. */
		found = (uint16_t)(off - (span >> 16)) < (uint16_t)span ? range : found;
	}
	return found;
}

static inline const struct jf_range *map_find_in_block(const struct map_line *line, unsigned int off)
{
	const struct jf_range *found;

	do {
		found = map_find_in_line(line, off);
		line = atomic_load(&line->next);
	} while (!found && line);
	return found;
}

/* jf_code_map_find() */
static inline const struct jf_range *map_find(uint64_t address)
{
	const struct map_regions *regions = atomic_load(&jf_code_map_regions);
	uintptr_t word;

	if (!regions)
		return NULL;
	word = map_region_word(regions, (address >> MAP_REGION_SHIFT) + 1);
	if (!word || word & MAP_COVERED)
		return (const struct jf_range *)(word & ~MAP_COVERED);
	return map_find_in_block(&((const struct map_leaf *)word)->lines[address >> MAP_BLOCK_SHIFT & (MAP_BLOCKS - 1)],
				 address % MAP_BLOCK_BYTES);
}

/* ---- changing the index: one thread at a time, under the caller's lock ---------------------------------- */

/* Whether no range has a byte of [first, last]. */
bool jf_map_is_free(uint64_t first, uint64_t last);
/* Puts in a range whose addresses are free. returns: false without memory; then take out what went in. */
bool jf_map_put(const struct jf_range *range);
/* Takes out all of the range that is in. Allocates nothing. Before the next range goes in, flush: what was taken out
 * may be filled again. */
void jf_map_take(const struct jf_range *range);
/* Waits for readers and frees what was replaced. */
void jf_map_flush(void);

#endif
