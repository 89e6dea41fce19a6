/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/index.h"

#include "base/memory.h"

/*
 * How many of a block's places are not above `place`; they go up. Eight at a time: the high bit of a byte of
 * (place | 0x80) - (byte & 0x7f) says so, where both have the same high bit; else their high bits do.
 */
static inline unsigned int rank_narrow(const uint8_t *places, unsigned int count, unsigned int place)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	unsigned int below = 0;
	uint64_t bytes, wanted, same, not_above;

	while (count > 8) {
		unsigned int half = count / 2;

		below += places[below + half - 1] <= place ? half : 0;
		count -= half;
	}
	bytes = jf_get_le64(places + below);
	wanted = ones * place;
	same = ((wanted | high) - (bytes & ~high)) & ~(wanted ^ bytes);
	not_above = ((wanted & ~bytes) | same) & high;
	/* What lies behind the block's places does not count. In two steps: a shift by 64 is undefined. */
	not_above &= ((UINT64_C(1) << 4 * count) << 4 * count) - 1;
	return below + (unsigned int)((not_above >> 7) * ones >> 56);
}

static inline unsigned int rank_wide(const uint8_t *places, unsigned int count, unsigned int place)
{
	unsigned int below = 0;

	while (count > 0) {
		unsigned int half = (count + 1) / 2;

		below += jf_get_le16(places + 2 * (size_t)(below + half - 1)) <= place ? half : 0;
		count -= half;
	}
	return below;
}

const struct jf_orc_entry *jf_orc_index_find(const struct jf_orc_index *index, uint64_t address)
{
	uint64_t off = address - index->start;
	unsigned int place, places, rank;
	const uint8_t *record, *id;
	uint32_t first;
	size_t block;

	if (off >= index->length)
		return NULL;
	off += index->skew;
	block = (size_t)(off >> index->block_shift);
	place = (unsigned int)((off & index->block_mask) >> index->unit_shift);
	first = index->first[block];
	places = index->first[block + 1] - first - 1;
	record = index->records + orc_record_at(index, block, first);
	rank = index->place_bytes == 1 ? rank_narrow(record, places, place) : rank_wide(record, places, place);
	id = record + (size_t)places * index->place_bytes + (size_t)rank * index->id_bytes;
	return &index->entries[index->id_bytes == 2 ? jf_get_le16(id) : jf_get_le32(id)];
}

size_t jf_orc_index_bytes(const struct jf_orc_index *index)
{
	return index->bytes;
}

void jf_orc_index_free(struct jf_orc_index *index)
{
	jf_free(index);
}
