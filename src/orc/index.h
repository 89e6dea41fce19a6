/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ORC_INDEX_H
#define JF_ORC_INDEX_H

#include "orc/orc.h"

/*
 * The code is cut into blocks of 2^block_shift bytes, small enough that each has a handful of entries. A
 * table has a few hundred different entries, so an entry is a number (id) into the list of these.
 *
 *     first[]     per block, where its ids begin among all ids, and one more for the end
 *     records     per block, one behind the other:
 *                    place of its second, third ... entry, in units from the block's start
 *                    id of each entry
 *     entries[]   by id
 *
 * The first entry of a block always is at its start: where the table has none there, it is the one that holds
 * on from the block before. So each block answers for itself, and a look-up reads one word pair, one record
 * (seldom more than a cache line) and one of the few entries. A unit is 2^unit_shift bytes, what all
 * addresses are multiples of; a place is one byte as long as a block has no more than 256 units, else two.
 */
struct jf_orc_index {
	uint64_t start; /* the code looked up in: [start, start + length) */
	uint64_t length;
	uint64_t skew; /* the first block begins so many bytes before */
	uint64_t block_mask;
	uint8_t block_shift;
	uint8_t unit_shift;
	uint8_t place_bytes; /* 1 or 2 */
	uint8_t id_bytes;    /* 2 or 4 */
	const uint32_t *first;
	const uint8_t *records;
	const struct jf_orc_entry *entries;
	size_t bytes; /* of all this */
};

/* Bytes behind the last record that may be read, for nothing. */
#define ORC_INDEX_SLACK 8

/* Where a block's record begins: its ids and places behind those of the blocks before, each of which has one
 * place less than ids. */
static inline size_t orc_record_at(const struct jf_orc_index *index, size_t block, uint32_t first)
{
	return (size_t)first * (index->id_bytes + index->place_bytes) - block * index->place_bytes;
}

#endif
