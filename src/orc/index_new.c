/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/index.h"

#include "base/memory.h"

#include <string.h>

/* Making an index: sorted list of changes first, then blocks of the size that suits it. */

#define LENGTH_MAX       (UINT64_C(1) << 32)
#define UNIT_SHIFT_MAX   4
#define NARROW_SHIFT_MAX 8 /* of a block, in units */
#define WIDE_SHIFT_MAX   16
#define BLOCK_SHIFT_MIN  4
/* Entries that a block shall have at least, on average: that much less does its own cost weigh. */
#define BLOCK_ENTRIES 4

/* From off (bytes from the start of the code) on, entry number id holds. */
struct change {
	uint32_t off;
	uint32_t id;
};

struct build {
	const struct jf_orc_table *table;
	uint64_t start, length;
	struct change *changes; /* the first one at off 0 */
	size_t change_count;
	struct jf_orc_entry *entries;
	uint32_t entry_count;
	uint32_t *slots; /* hash table: id + 1, or 0 */
	size_t slot_mask;
};

/* ---- the list of changes --------------------------------------------------------------------------- */

static bool same_entry(const struct jf_orc_entry *a, const struct jf_orc_entry *b)
{
	return a->sp_off == b->sp_off && a->fp_off == b->fp_off && a->ra_off == b->ra_off && a->sp_reg == b->sp_reg &&
	       a->fp_reg == b->fp_reg && a->ra_reg == b->ra_reg && a->type == b->type && a->signal == b->signal;
}

static uint32_t intern(struct build *build, size_t index)
{
	struct jf_orc_entry entry;
	uint64_t hash;
	size_t slot;

	jf_orc_entry_at(build->table, index, &entry);
	hash = (uint16_t)entry.sp_off | (uint64_t)(uint16_t)entry.fp_off << 16 |
	       (uint64_t)(uint16_t)entry.ra_off << 32 | (uint64_t)entry.sp_reg << 48 | (uint64_t)entry.fp_reg << 52 |
	       (uint64_t)entry.ra_reg << 56 | (uint64_t)entry.type << 60 | (uint64_t)entry.signal << 63;
	hash = (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
	for (slot = (size_t)(hash >> 32) & build->slot_mask; build->slots[slot]; slot = (slot + 1) & build->slot_mask)
		if (same_entry(&build->entries[build->slots[slot] - 1], &entry))
			return build->slots[slot] - 1;
	build->entries[build->entry_count++] = entry;
	build->slots[slot] = build->entry_count;
	return build->entry_count - 1;
}

static void add_change(struct build *build, uint32_t off, size_t index)
{
	uint32_t id = intern(build, index);
	struct change *last = build->change_count ? &build->changes[build->change_count - 1] : NULL;

	/* At one address the last counts. */
	if (last && last->off == off) {
		last->id = id;
		return;
	}
	if (!last || last->id != id)
		build->changes[build->change_count++] = (struct change){off, id};
}

static void list_changes(struct build *build, const struct orc_key *keys)
{
	size_t count = build->table->count, i = 0;

	while (i < count && keys[i].address <= build->start)
		i++;
	/* What holds at the start; below all entries it is the first one, as the kernel has it. */
	add_change(build, 0, keys[i ? i - 1 : 0].index);
	for (; i < count && keys[i].address - build->start < build->length; i++)
		add_change(build, (uint32_t)(keys[i].address - build->start), keys[i].index);
}

static enum jf_status sort_changes(struct build *build)
{
	size_t count = build->table->count, slots = 16;
	struct orc_key *keys;
	enum jf_status status = orc_sorted_keys(build->table, &keys);

	if (status != JF_OK)
		return status;
	while (slots < 2 * (count + 1))
		slots *= 2;
	build->slot_mask = slots - 1;
	build->slots = jf_calloc(slots, sizeof(*build->slots));
	build->entries = jf_alloc((count + 1) * sizeof(*build->entries));
	build->changes = jf_alloc((count + 1) * sizeof(*build->changes));
	if (build->slots && build->entries && build->changes)
		list_changes(build, keys);
	else
		status = JF_E_NO_MEMORY;
	jf_free(keys);
	return status;
}

/* ---- blocks ---------------------------------------------------------------------------------------- */

/* The largest unit that all changes but the first, which has none to be told from, are multiples of. */
static uint8_t choose_unit(const struct build *build)
{
	uint64_t all = UINT64_C(1) << UNIT_SHIFT_MAX;
	uint8_t shift = 0;

	for (size_t i = 1; i < build->change_count; i++)
		all |= build->start + build->changes[i].off;
	while (!(all >> shift & 1))
		shift++;
	return shift;
}

static void choose_shape(const struct build *build, struct jf_orc_index *index)
{
	uint8_t unit = choose_unit(build), shift = BLOCK_SHIFT_MIN;
	uint64_t skew = build->start & ((UINT64_C(1) << unit) - 1), span = build->length + skew;

	while (shift < unit + WIDE_SHIFT_MAX && span >> shift > build->change_count / BLOCK_ENTRIES)
		shift++;
	/* Rather a few more blocks than places of two bytes. */
	if (shift > unit + NARROW_SHIFT_MAX && span >> (unit + NARROW_SHIFT_MAX) <= build->change_count)
		shift = unit + NARROW_SHIFT_MAX;
	index->start = build->start;
	index->length = build->length;
	index->skew = skew;
	index->unit_shift = unit;
	index->block_shift = shift;
	index->block_mask = (UINT64_C(1) << shift) - 1;
	index->place_bytes = shift > unit + NARROW_SHIFT_MAX ? 2 : 1;
	index->id_bytes = build->entry_count > UINT16_MAX + 1 ? 4 : 2;
}

static size_t block_count(const struct jf_orc_index *index)
{
	return (size_t)((index->length - 1 + index->skew) >> index->block_shift) + 1;
}

/* Goes over a block's changes, from *next on. out: the id at its start. returns: how many more there are. */
static uint32_t block_changes(const struct build *build, const struct jf_orc_index *index, size_t block, size_t *next,
			      uint32_t *id)
{
	uint64_t block_start = (uint64_t)block << index->block_shift;
	size_t begin = *next, end;

	if (begin == 0 || (begin < build->change_count && build->changes[begin].off + index->skew == block_start))
		begin++;
	*id = build->changes[begin - 1].id;
	end = begin;
	while (end < build->change_count && build->changes[end].off + index->skew <= (block_start | index->block_mask))
		end++;
	*next = begin;
	return (uint32_t)(end - begin);
}

static void put_little(uint8_t *at, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void fill(const struct build *build, const struct jf_orc_index *index, uint32_t *first, uint8_t *records)
{
	size_t blocks = block_count(index), next = 0;
	uint32_t ids = 0;

	for (size_t block = 0; block < blocks; block++) {
		uint32_t id, places = block_changes(build, index, block, &next, &id);
		uint8_t *place = records + orc_record_at(index, block, ids);
		uint8_t *out = place + (size_t)places * index->place_bytes;

		first[block] = ids;
		put_little(out, id, index->id_bytes);
		for (uint32_t i = 0; i < places; i++) {
			const struct change *change = &build->changes[next++];
			uint64_t off = (change->off + index->skew) & index->block_mask;

			put_little(place + (size_t)i * index->place_bytes, (uint32_t)(off >> index->unit_shift),
				   index->place_bytes);
			put_little(out + (size_t)(i + 1) * index->id_bytes, change->id, index->id_bytes);
		}
		ids += places + 1;
	}
	first[blocks] = ids;
}

/* How many ids all blocks have together. */
static uint64_t count_ids(const struct build *build, const struct jf_orc_index *index)
{
	size_t blocks = block_count(index), next = 0;
	uint64_t ids = 0;

	for (size_t block = 0; block < blocks; block++) {
		uint32_t id, places = block_changes(build, index, block, &next, &id);

		next += places;
		ids += places + 1;
	}
	return ids;
}

/* ---- all in one piece of memory: struct, entries, first, records ------------------------------------ */

static enum jf_status allocate(const struct build *build, struct jf_orc_index **result)
{
	size_t entries_bytes = build->entry_count * sizeof(struct jf_orc_entry), first_bytes;
	struct jf_orc_index shape = {0}, *index;
	uint8_t *memory, *records;
	uint32_t *first;
	uint64_t ids;

	choose_shape(build, &shape);
	ids = count_ids(build, &shape);
	if (ids > UINT32_MAX)
		return JF_E_RANGE;
	entries_bytes = (entries_bytes + sizeof(*first) - 1) / sizeof(*first) * sizeof(*first);
	first_bytes = (block_count(&shape) + 1) * sizeof(*first);
	shape.bytes = sizeof(*index) + entries_bytes + first_bytes +
		      orc_record_at(&shape, block_count(&shape), (uint32_t)ids) + ORC_INDEX_SLACK;
	memory = jf_alloc(shape.bytes);
	if (!memory)
		return JF_E_NO_MEMORY;
	index = (struct jf_orc_index *)(void *)memory;
	first = (uint32_t *)(void *)(memory + sizeof(*index) + entries_bytes);
	records = (uint8_t *)first + first_bytes;
	shape.entries =
		memcpy(memory + sizeof(*index), build->entries, build->entry_count * sizeof(struct jf_orc_entry));
	shape.first = first;
	shape.records = records;
	*index = shape;
	fill(build, index, first, records);
	memset(memory + shape.bytes - ORC_INDEX_SLACK, 0, ORC_INDEX_SLACK);
	*result = index;
	return JF_OK;
}

enum jf_status jf_orc_index_new(const struct jf_orc_table *table, uint64_t start, uint64_t end,
				struct jf_orc_index **index)
{
	struct build build = {.table = table, .start = start, .length = end - start};
	enum jf_status status;

	if (!table || !index || start >= end)
		return JF_E_INVAL;
	if (build.length > LENGTH_MAX)
		return JF_E_RANGE;
	if (table->count == 0)
		return JF_E_NO_ROW;
	status = sort_changes(&build);
	if (status == JF_OK)
		status = allocate(&build, index);
	jf_free(build.changes);
	jf_free(build.entries);
	jf_free(build.slots);
	return status;
}
