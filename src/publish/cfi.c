/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "publish/consumer.h"
#include "publish/kept.h"
#include "publish/section.h"

#include <stddef.h>
#include <string.h>

/*
 * Rows as .eh_frame, for the unwinders of C++ exceptions. Any thread may be unwinding at any time, and keeps pointers
 * to FDEs without a lock. So a range's section stays at its place from the range's coming to its going, and a range
 * that stays is never without registration, whatever comes and goes beside it.
 *
 *     group   the ranges that begin in the same 256 KiB
 *     table   the sections of a group, in the order of their addresses
 *
 * Where libgcc keeps a list, a table is one object of that list. A change registers a new table over the old one, and
 * then removes the old one. Elsewhere each section is registered by itself.
 */
#define GROUP_SHIFT 18

/* Of libgcc's list. */
struct listed {
	struct kept kept;
	struct unwinder_object object;
};

struct table {
	struct listed *listed;
	size_t count;
	uint8_t *sections[]; /* bytes of struct section; NULL behind the last, for libgcc */
};

struct group {
	uint64_t number; /* start >> GROUP_SHIFT */
	struct table *table;
};

static struct unwinders unwinders;
static struct group *groups; /* by number */
static size_t group_count, group_capacity;
static struct kept_list kept; /* struct listed */

/* ---- what unwinders know ----------------------------------------------------------------------------------- */

static void each_fde(const struct section *section, void (*use)(uintptr_t fde))
{
	for (uintptr_t fde = 0; (fde = jf_section_next_fde(section, fde)) != 0;)
		use(fde);
}

static void register_section(struct section *section)
{
	if (unwinders.add_section && !unwinders.is_list)
		unwinders.add_section(section->bytes, &section->object);
	if (unwinders.add_fde)
		each_fde(section, unwinders.add_fde);
}

static void drop_section(struct section *section)
{
	if (unwinders.add_section && !unwinders.is_list)
		unwinders.remove(section->bytes);
	if (unwinders.remove_fde)
		each_fde(section, unwinders.remove_fde);
	jf_free(section);
}

static bool is_registered(const struct table *table)
{
	return unwinders.is_list && table && table->count;
}

static void table_free(struct table *table)
{
	if (table)
		jf_kept_give(&kept, &table->listed->kept);
	jf_free(table);
}

/* In place of another table; NULL: of none. The new one is there before the old one goes. */
static void register_table(struct table *table, struct table *old)
{
	if (is_registered(table))
		unwinders.add_table(table->sections, &table->listed->object);
	if (is_registered(old))
		unwinders.remove(old->sections);
	table_free(old);
}

/* ---- tables ------------------------------------------------------------------------------------------------ */

static struct section *section_at(const struct table *table, size_t index)
{
	return (struct section *)(uintptr_t)(table->sections[index] - offsetof(struct section, bytes));
}

/* The sections of another one (NULL: none), and room for more. returns: NULL without memory. */
static struct table *table_new(const struct table *old, size_t more)
{
	size_t count = old ? old->count : 0;
	struct table *table = jf_alloc(sizeof(*table) + (count + more + 1) * sizeof(table->sections[0]));

	if (!table)
		return NULL;
	table->listed = jf_alloc(sizeof(*table->listed));
	if (!table->listed) {
		jf_free(table);
		return NULL;
	}
	table->count = count;
	if (count)
		memcpy(table->sections, old->sections, count * sizeof(table->sections[0]));
	table->sections[count] = NULL;
	return table;
}

/* The first section that does not begin below `start`. */
static size_t table_find(const struct table *table, uint64_t start)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (section_at(table, middle)->range->start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Moves what is behind a place, with the NULL at the end. */
static void table_shift(struct table *table, size_t from, size_t to)
{
	memmove(&table->sections[to], &table->sections[from], (table->count + 1 - from) * sizeof(table->sections[0]));
	table->count += to - from;
}

static void table_insert(struct table *table, struct section *section)
{
	size_t at = table_find(table, section->range->start);

	table_shift(table, at, at + 1);
	table->sections[at] = section->bytes;
}

/* returns: the range's section, out of the table; NULL: it has none. */
static struct section *table_take(struct table *table, const struct jf_range *range)
{
	size_t at = table_find(table, range->start);
	struct section *section = at < table->count ? section_at(table, at) : NULL;

	if (!section || section->range != range)
		return NULL;
	table_shift(table, at + 1, at);
	return section;
}

/* ---- groups ------------------------------------------------------------------------------------------------ */

static uint64_t number_of(const struct jf_range *range)
{
	return range->start >> GROUP_SHIFT;
}

/* How many of the ranges, from the first on, are of one group. */
static size_t run_of(const struct jf_range *ranges, size_t count)
{
	size_t run = 1;

	while (run < count && number_of(&ranges[run]) == number_of(&ranges[0]))
		run++;
	return run;
}

/* The first group whose number is not lower. */
static size_t group_find(uint64_t number)
{
	size_t low = 0, high = group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (groups[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool group_is(size_t at, uint64_t number)
{
	return at < group_count && groups[at].number == number;
}

/* returns: false without memory. */
static bool group_insert(size_t at, uint64_t number)
{
	if (group_count == group_capacity) {
		size_t capacity = group_capacity ? 2 * group_capacity : 16;
		struct group *moved = jf_realloc(groups, capacity * sizeof(*groups));

		if (!moved)
			return false;
		groups = moved;
		group_capacity = capacity;
	}
	memmove(&groups[at + 1], &groups[at], (group_count - at) * sizeof(*groups));
	groups[at] = (struct group){.number = number};
	group_count++;
	return true;
}

static void group_drop_if_empty(size_t at)
{
	if (groups[at].table && groups[at].table->count)
		return;
	table_free(groups[at].table);
	group_count--;
	memmove(&groups[at], &groups[at + 1], (group_count - at) * sizeof(*groups));
}

/* returns: how many of the ranges, all of this group, are refused. */
static size_t group_add(size_t at, const struct jf_range *ranges, size_t count)
{
	struct table *table = table_new(groups[at].table, count);
	size_t refused = 0;

	if (!table)
		return count;
	for (size_t i = 0; i < count; i++) {
		struct section *section = jf_section_new(&ranges[i]);

		if (section) {
			table_insert(table, section);
			register_section(section);
		} else {
			refused++;
		}
	}
	register_table(table, groups[at].table);
	groups[at].table = table;
	return refused;
}

/* returns: how many of the ranges there were. */
static size_t group_remove(size_t at, const struct jf_range *ranges, size_t count)
{
	struct table *old = groups[at].table, *table = table_new(old, 0);
	struct section *gone = NULL, *section;
	size_t removed = 0;

	if (!table) {
		/* Without memory the group goes unregistered for a moment. */
		table = old;
		old = NULL;
		if (is_registered(table))
			unwinders.remove(table->sections);
	}
	for (size_t i = 0; i < count; i++) {
		section = table_take(table, &ranges[i]);
		if (section) {
			section->next = gone;
			gone = section;
			removed++;
		}
	}
	register_table(table, old);
	groups[at].table = table;
	for (; gone; gone = section) {
		section = gone->next;
		drop_section(gone);
	}
	return removed;
}

/* ---- the consumer ------------------------------------------------------------------------------------------ */

static enum jf_status begin(struct jf_error *error)
{
	return jf_unwinders_find(&unwinders, error);
}

static size_t added(const struct jf_range *ranges, size_t count)
{
	size_t refused = 0;

	for (size_t i = 0, run; i < count; i += run) {
		uint64_t number = number_of(&ranges[i]);
		size_t at = group_find(number);

		run = run_of(ranges + i, count - i);
		if (!group_is(at, number) && !group_insert(at, number)) {
			refused += run;
			continue;
		}
		refused += group_add(at, ranges + i, run);
		group_drop_if_empty(at);
	}
	return refused;
}

static size_t removed(const struct jf_range *ranges, size_t count)
{
	size_t all = 0;

	for (size_t i = 0, run; i < count; i += run) {
		size_t at = group_find(number_of(&ranges[i]));

		run = run_of(ranges + i, count - i);
		if (!group_is(at, number_of(&ranges[i])))
			continue;
		all += group_remove(at, ranges + i, run);
		group_drop_if_empty(at);
	}
	return all;
}

static void end(void)
{
	for (size_t i = 0; i < group_count; i++) {
		struct table *table = groups[i].table;

		if (is_registered(table))
			unwinders.remove(table->sections);
		for (size_t s = 0; s < table->count; s++)
			drop_section(section_at(table, s));
		table_free(table);
	}
	jf_kept_free(&kept);
	jf_free(groups);
	groups = NULL;
	group_count = 0;
	group_capacity = 0;
}

const struct publish_consumer jf_publish_cfi = {begin, added, removed, end};
