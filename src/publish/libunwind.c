/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "publish/consumer.h"
#include "publish/kept.h"
#include "publish/section.h"

#include <search.h>
#include <stdio.h>
#include <string.h>

/*
 * nongnu's libunwind has a list of code that was made at run time: <libunwind-dynamic.h>. It goes through the list
 * without a lock, and _U_dyn_cancel() cuts the list behind what it takes out. So each range has a member of its own,
 * and a member stays in the list until the consumer ends: without a range it waits for the next one.
 */

/* As <libunwind-dynamic.h> has them: UNW_INFO_FORMAT_IP_OFFSET, unw_dyn_info_t, and entries as of .eh_frame_hdr. */
enum { FORMAT_IP_OFFSET = 4 };

struct search_entry {
	int32_t start_off; /* bytes from the member's start */
	int32_t fde_off;   /* bytes from the table's base */
};

struct member {
	struct member *next, *prev; /* the library's */
	_Atomic uint64_t start;     /* no address is behind UINT64_MAX: this member has no range */
	uint64_t end;
	uint64_t global_pointer; /* none */
	int32_t format, padding;
	uint64_t load_off;
	struct search_table {
		uint64_t name, base, word_count, entries;
	} table;
};

/* A member's, for good. */
struct place {
	struct kept kept;
	struct member member;
	uint64_t free_since;
	struct place *older, *newer; /* of those without a range */
};

/* Readable for a moment after the range has gone: see kept.h. */
struct told_range {
	struct kept kept;
	const struct jf_range *range;
	struct place *place;
	struct section *section;
	size_t entry_count;
	struct search_entry entries[];
};

static struct {
	void (*add)(struct member *member);
	void (*remove)(struct member *member);
	/* Rules of addresses that were met are in a cache: the library forgets all of them, whatever is asked for. */
	void (*flush)(void *space, uint64_t start, uint64_t end);
	void **space; /* of this process */
} library;

static void *told_ranges; /* by range: struct told_range, as tsearch(3) has them */
static struct kept_list kept;

/* ---- places ----------------------------------------------------------------------------------------------- */

static struct {
	struct place *oldest, *newest;
} free_places;

static void free_places_add(struct place *place)
{
	place->newer = NULL;
	place->older = free_places.newest;
	*(place->older ? &place->older->newer : &free_places.oldest) = place;
	free_places.newest = place;
}

static struct place *free_places_take(struct place *place)
{
	*(place->older ? &place->older->newer : &free_places.oldest) = place->newer;
	*(place->newer ? &place->newer->older : &free_places.newest) = place->older;
	return place;
}

/*
 * A search compares an address with the start first, then with the end. When it has read the start of the range before,
 * and reads the end of the next one, it must not take somebody else's address for the next range's:
 *
 *     start before |------ nobody runs here ------| end before
 *                        end of the next |
 *
 * Where the next range goes on behind the one before, the place waits until such a search is over.
 * returns: NULL without memory.
 */
static struct place *place_for(const struct jf_range *range)
{
	struct place *newest = free_places.newest, *oldest = free_places.oldest;

	if (newest && range->end <= newest->member.end)
		return free_places_take(newest);
	if (oldest && jf_kept_is_over(oldest->free_since))
		return free_places_take(oldest);
	return jf_calloc(1, sizeof(struct place));
}

static void place_clear(struct place *place)
{
	place->member.start = UINT64_MAX;
	place->free_since = jf_kept_now();
	free_places_add(place);
}

/* ---- one range -------------------------------------------------------------------------------------------- */

#define FDE_START_AT 8 /* behind its length and the distance to the CIE */

static uint64_t fde_start(uintptr_t fde)
{
	uint64_t start;

	memcpy(&start, (const uint8_t *)fde + FDE_START_AT, sizeof(start));
	return start;
}

/* returns: NULL without memory. */
static struct told_range *told_new(const struct jf_range *range, struct section *section)
{
	struct told_range *told;
	size_t count = 0;

	for (uintptr_t fde = 0; (fde = jf_section_next_fde(section, fde)) != 0;)
		count++;
	told = jf_alloc(sizeof(*told) + count * sizeof(told->entries[0]));
	if (!told)
		return NULL;
	told->range = range;
	told->section = section;
	told->entry_count = 0;
	for (uintptr_t fde = 0; (fde = jf_section_next_fde(section, fde)) != 0;)
		told->entries[told->entry_count++] = (struct search_entry){
			.start_off = (int32_t)(fde_start(fde) - range->start),
			.fde_off = (int32_t)(fde - (uintptr_t)section->bytes),
		};
	return told;
}

static int compare(const void *a, const void *b)
{
	const struct told_range *x = a, *y = b;

	return (x->range > y->range) - (x->range < y->range);
}

/* From now on searches find the range. */
static void settle(struct told_range *told, struct place *place)
{
	struct member *member = &place->member;
	bool is_new = !member->end;

	told->place = place;
	member->format = FORMAT_IP_OFFSET;
	member->table = (struct search_table){
		.base = (uintptr_t)told->section->bytes,
		.word_count = told->entry_count * sizeof(told->entries[0]) / sizeof(uint64_t),
		.entries = (uintptr_t)told->entries,
	};
	member->end = told->range->end;
	member->start = told->range->start;
	if (is_new)
		library.add(member);
}

/* returns: false without memory, and for a range whose rows cannot be said. */
static bool tell(const struct jf_range *range)
{
	struct section *section = jf_section_new(range);
	struct told_range *told = section ? told_new(range, section) : NULL;
	struct place *place = told ? place_for(range) : NULL;

	if (!place || !tsearch(told, &told_ranges, compare)) {
		if (place)
			place_clear(place);
		jf_free(told);
		jf_free(section);
		return false;
	}
	settle(told, place);
	return true;
}

static void take_back(struct told_range *told)
{
	place_clear(told->place);
	(void)tdelete(told, &told_ranges, compare);
	jf_free(told->section);
	jf_kept_give(&kept, &told->kept);
}

/* ---- the consumer ----------------------------------------------------------------------------------------- */

/* Functions and variables that have the architecture in their names. in: form = "_U%s_flush_cache". */
static bool find_of_arch(void *from, const char *form, void *found)
{
	const struct jf_native *native = jf_backend_host()->native;
	char name[64];

	if (!native || !native->libunwind_name)
		return false;
	snprintf(name, sizeof(name), form, native->libunwind_name);
	return jf_unwinder_function(from, name, found);
}

static enum jf_status begin(struct jf_error *error)
{
	void *from = jf_unwinder_library("libunwind.so.8");

	if (jf_unwinder_function(from, "_U_dyn_register", &library.add) &&
	    jf_unwinder_function(from, "_U_dyn_cancel", &library.remove) &&
	    find_of_arch(from, "_U%s_flush_cache", &library.flush) &&
	    find_of_arch(from, "_UL%s_local_addr_space", &library.space))
		return JF_OK;
	return jf_error_set(error, JF_E_UNSUPPORTED, "libunwind", "the process has not loaded libunwind.so.8");
}

static size_t added(const struct jf_range *ranges, size_t count)
{
	size_t refused = 0;

	for (size_t i = 0; i < count; i++)
		refused += !tell(&ranges[i]);
	return refused;
}

static size_t removed(const struct jf_range *ranges, size_t count)
{
	size_t had = 0;

	for (size_t i = 0; i < count; i++) {
		const struct told_range key = {.range = &ranges[i]};
		struct told_range *const *found = tfind(&key, &told_ranges, compare);

		if (!found)
			continue;
		take_back(*found);
		had++;
	}
	if (had)
		library.flush(*library.space, ranges[0].start, ranges[count - 1].end);
	return had;
}

/* Others may be going through the list: places stay readable for a moment as well. */
static void end(void)
{
	struct place *place;

	while (told_ranges)
		take_back(*(struct told_range **)told_ranges);
	while ((place = free_places.oldest) != NULL) {
		free_places_take(place);
		if (place->member.end)
			library.remove(&place->member);
		jf_kept_give(&kept, &place->kept);
	}
	library.flush(*library.space, 0, UINT64_MAX);
}

const struct publish_consumer jf_publish_libunwind = {begin, added, removed, end};
