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
 * without a lock, and reads what it finds there. So each range has a member of its own, which does not change from the
 * range's coming to its going.
 */

/* As <libunwind-dynamic.h> has them: UNW_INFO_FORMAT_IP_OFFSET, unw_dyn_info_t, and entries as of .eh_frame_hdr. */
enum { FORMAT_IP_OFFSET = 4 };

struct search_entry {
	int32_t start_off; /* bytes from the member's start */
	int32_t fde_off;   /* bytes from the table's base */
};

struct member {
	struct member *next, *prev; /* the library's */
	uint64_t start, end;
	uint64_t global_pointer; /* none */
	int32_t format, padding;
	uint64_t load_off;
	struct {
		uint64_t name, base, word_count, entries;
	} table;
};

struct told_range {
	struct kept kept;
	struct member member;
	const struct jf_range *range;
	struct section *section;
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

/* ---- one range -------------------------------------------------------------------------------------------- */

#define FDE_START_AT 8 /* behind its length and the distance to the CIE */

static struct search_entry entry_of(const struct member *member, uintptr_t fde)
{
	uint64_t start;

	memcpy(&start, (const uint8_t *)fde + FDE_START_AT, sizeof(start));
	return (struct search_entry){
		.start_off = (int32_t)(start - member->start),
		.fde_off = (int32_t)(fde - member->table.base),
	};
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
	told->member = (struct member){
		.start = range->start,
		.end = range->end,
		.format = FORMAT_IP_OFFSET,
		.table = {.base = (uintptr_t)section->bytes,
			  .word_count = count * sizeof(told->entries[0]) / sizeof(uint64_t),
			  .entries = (uintptr_t)told->entries},
	};
	count = 0;
	for (uintptr_t fde = 0; (fde = jf_section_next_fde(section, fde)) != 0;)
		told->entries[count++] = entry_of(&told->member, fde);
	return told;
}

static int compare(const void *a, const void *b)
{
	const struct told_range *x = a, *y = b;

	return (x->range > y->range) - (x->range < y->range);
}

/* returns: false without memory, and for a range whose rows cannot be said. */
static bool tell(const struct jf_range *range)
{
	struct section *section = jf_section_new(range);
	struct told_range *told = section ? told_new(range, section) : NULL;

	if (!told || !tsearch(told, &told_ranges, compare)) {
		jf_free(told);
		jf_free(section);
		return false;
	}
	library.add(&told->member);
	return true;
}

/* The member stays readable for a moment. Nobody reads the rest, for nobody unwinds through the range. */
static void take_back(struct told_range *told)
{
	library.remove(&told->member);
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

/* Members that are kept stay so: others may be going through the list. */
static void end(void)
{
	while (told_ranges)
		take_back(*(struct told_range **)told_ranges);
	library.flush(*library.space, 0, UINT64_MAX);
}

const struct publish_consumer jf_publish_libunwind = {begin, added, removed, end};
