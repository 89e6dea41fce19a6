/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/objects.h"
#include "codemap/section.h"

#include <jitframe/codemap.h>

#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * Walks see an immutable, sorted snapshot through one atomic pointer, as in the code map and under the same
 * reader sections. Under the lock: the list of tables that it is made from.
 */
struct view {
	size_t count;
	struct {
		uint64_t start, end;
		const struct jf_cfi_table *table;
	} entries[];
};

struct member {
	const struct jf_cfi_table *table; /* NULL: an object that cannot be converted */
	struct jf_cfi_table *owned;       /* the same, of an object loaded here; NULL: jf_cfi_add()'s */
	bool is_object;
	bool seen;          /* still loaded */
	uint64_t base, sum; /* of an object: its load address and jf_cfi_object_sum() */
};

static _Atomic(struct view *) current;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cfi_list members; /* struct member */
static bool scanned;
static unsigned long long loads_seen, unloads_seen; /* the dynamic linker's counters, at that time */

/* ---- look-up ------------------------------------------------------------------------------------------- */

const struct jf_cfi_function *jf_cfi_find(const struct jf_backend *backend, uint64_t address, const char **name)
{
	const struct view *view = atomic_load(&current);
	size_t low = 0, high = view ? view->count : 0;

	/* Invariant: entries before low start at or before address, entries from high on after it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (view->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Of different backends, tables may overlap. */
	while (low-- > 0) {
		const struct jf_cfi_table *table = view->entries[low].table;

		if (jf_cfi_table_backend(table) != backend)
			continue;
		if (address >= view->entries[low].end)
			break;
		if (name)
			*name = jf_cfi_table_name(table);
		return jf_cfi_table_find(table, address);
	}
	return NULL;
}

/* ---- the view ------------------------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b; /* start comes first */

	return *x < *y ? -1 : *x > *y;
}

static struct view *view_new(void)
{
	const struct member *member = members.items;
	struct view *view = malloc(sizeof(*view) + members.count * sizeof(view->entries[0]));

	if (!view)
		return NULL;
	view->count = 0;
	for (size_t i = 0; i < members.count; i++) {
		uint64_t start, end;

		if (!member[i].table || !jf_cfi_table_extent(member[i].table, &start, &end))
			continue;
		view->entries[view->count].start = start;
		view->entries[view->count].end = end;
		view->entries[view->count++].table = member[i].table;
	}
	qsort(view->entries, view->count, sizeof(view->entries[0]), compare_entries);
	return view;
}

static void publish(struct view *view)
{
	struct view *old = atomic_exchange(&current, view);

	jf_code_map_wait();
	free(old);
}

static bool overlaps(const struct jf_cfi_table *table)
{
	const struct member *member = members.items;
	uint64_t start, end, other_start, other_end;

	if (!jf_cfi_table_extent(table, &start, &end))
		return false;
	for (size_t i = 0; i < members.count; i++)
		if (member[i].table && jf_cfi_table_backend(member[i].table) == jf_cfi_table_backend(table) &&
		    jf_cfi_table_extent(member[i].table, &other_start, &other_end) && start < other_end &&
		    other_start < end)
			return true;
	return false;
}

/* ---- tables of the caller's ----------------------------------------------------------------------------- */

static enum jf_status add_locked(const struct jf_cfi_table *table)
{
	struct member *member;
	struct view *view;

	if (overlaps(table))
		return JF_E_OVERLAP;
	member = jf_cfi_list_add(&members, sizeof(*member));
	if (!member)
		return JF_E_NO_MEMORY;
	*member = (struct member){.table = table};
	view = view_new();
	if (!view) {
		members.count--;
		return JF_E_NO_MEMORY;
	}
	publish(view);
	return JF_OK;
}

enum jf_status jf_cfi_add(const struct jf_cfi_table *table)
{
	enum jf_status status;

	if (!table)
		return JF_E_INVAL;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&lock);
	status = add_locked(table);
	pthread_mutex_unlock(&lock);
	return status;
}

static enum jf_status remove_locked(const struct jf_cfi_table *table)
{
	struct member *member = members.items, kept;
	struct view *view;

	for (size_t i = 0; i < members.count; i++) {
		if (member[i].is_object || member[i].table != table)
			continue;
		kept = member[i];
		member[i] = member[--members.count];
		view = view_new();
		if (!view) {
			member[members.count++] = member[i];
			member[i] = kept;
			return JF_E_NO_MEMORY;
		}
		publish(view);
		return JF_OK;
	}
	return JF_E_NOT_FOUND;
}

enum jf_status jf_cfi_remove(const struct jf_cfi_table *table)
{
	enum jf_status status;

	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&lock);
	status = table ? remove_locked(table) : JF_E_NOT_FOUND;
	pthread_mutex_unlock(&lock);
	return status;
}

/* ---- loaded objects -------------------------------------------------------------------------------------- */

struct scan {
	unsigned long long loads, unloads;
	bool begun;
	enum jf_status status;
};

static struct member *find_object(const struct dl_phdr_info *info, uint64_t sum)
{
	struct member *member = members.items;

	for (size_t i = 0; i < members.count; i++)
		if (member[i].is_object && member[i].base == info->dlpi_addr && member[i].sum == sum)
			return &member[i];
	return NULL;
}

static enum jf_status add_object(const struct dl_phdr_info *info, const struct jf_cfi_section *section, uint64_t sum)
{
	struct member *member = jf_cfi_list_add(&members, sizeof(*member));
	struct jf_cfi_table *table = NULL;
	enum jf_status status;

	if (!member)
		return JF_E_NO_MEMORY;
	*member = (struct member){.is_object = true, .seen = true, .base = info->dlpi_addr, .sum = sum};
	if (!section->size_bytes)
		return JF_OK;
	status = jf_cfi_convert(jf_backend_host(), section, info->dlpi_name ? info->dlpi_name : "", &table, NULL);
	if (status == JF_E_NO_MEMORY) {
		members.count--;
		return status;
	}
	/* Whatever else went wrong is the object's fault: it has no rows. */
	if (status == JF_OK && !overlaps(table)) {
		member->table = member->owned = table;
		return JF_OK;
	}
	jf_cfi_table_free(table);
	return JF_OK;
}

/* Runs under the dynamic linker's lock: the object stays while its section is read. */
static int scan_object(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct scan *scan = arg;
	struct jf_cfi_section section = {0};
	struct member *member;
	uint64_t sum;

	(void)bytes;
	if (!scan->begun && scanned && info->dlpi_adds == loads_seen && info->dlpi_subs == unloads_seen)
		return 1;
	scan->begun = true;
	scan->loads = info->dlpi_adds;
	scan->unloads = info->dlpi_subs;
	if (!jf_cfi_object_section(info, &section))
		section.size_bytes = 0;
	sum = section.size_bytes ? jf_cfi_object_sum(&section) : (uintptr_t)info->dlpi_phdr;
	member = find_object(info, sum);
	if (member)
		member->seen = true;
	else
		scan->status = add_object(info, &section, sum);
	return scan->status != JF_OK;
}

/* Moves the objects that are gone behind the others. returns: how many members stay. */
static size_t part_gone(void)
{
	struct member *member = members.items;
	size_t kept = 0;

	for (size_t i = 0; i < members.count; i++) {
		struct member moved = member[i];

		if (moved.is_object && !moved.seen)
			continue;
		member[i] = member[kept];
		member[kept++] = moved;
	}
	return kept;
}

static enum jf_status show_objects(const struct scan *scan)
{
	struct member *member = members.items;
	size_t all = members.count;
	struct view *view;

	members.count = part_gone();
	view = view_new();
	if (!view) {
		members.count = all;
		return JF_E_NO_MEMORY;
	}
	publish(view);
	for (size_t i = members.count; i < all; i++)
		jf_cfi_table_free(member[i].owned);
	scanned = true;
	loads_seen = scan->loads;
	unloads_seen = scan->unloads;
	return JF_OK;
}

static void add_counts(struct jf_cfi_counts *sum, const struct jf_cfi_counts *counts)
{
	sum->functions += counts->functions;
	sum->functions_skipped += counts->functions_skipped;
	sum->rows += counts->rows;
	for (unsigned int i = 0; i < JF_CFI_UNKNOWN__COUNT; i++)
		sum->unknown[i] += counts->unknown[i];
}

static void count_objects(struct jf_cfi_counts *counts)
{
	const struct member *member = members.items;

	*counts = (struct jf_cfi_counts){0};
	for (size_t i = 0; i < members.count; i++) {
		counts->objects += member[i].is_object;
		counts->objects_skipped += member[i].is_object && !member[i].owned;
		if (member[i].owned)
			add_counts(counts, jf_cfi_table_counts(member[i].owned));
	}
}

enum jf_status jf_cfi_load_objects(struct jf_cfi_counts *counts)
{
	struct scan scan = {.status = JF_OK};
	struct member *member;

	if (!jf_backend_host())
		return JF_E_UNSUPPORTED;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&lock);
	member = members.items;
	for (size_t i = 0; i < members.count; i++)
		member[i].seen = false;
	dl_iterate_phdr(scan_object, &scan);
	if (scan.begun && scan.status == JF_OK)
		scan.status = show_objects(&scan);
	if (counts && scan.status == JF_OK)
		count_objects(counts);
	pthread_mutex_unlock(&lock);
	return scan.status;
}
