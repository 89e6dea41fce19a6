/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/view.h"
#include "base/memory.h"

#include "cfi/met.h"
#include "codemap/section.h"

#include <jitframe/codemap.h>

#include <stdatomic.h>
#include <stdlib.h>

/*
 * Walks see an immutable, sorted snapshot through one atomic pointer, as in the code map and under the same
 * reader sections. Under the lock: the list of tables that it is made from.
 */
struct view {
	const struct jf_backend *host; /* the objects' */
	struct cfi_regs regs;          /* the host's */
	struct cfi_met *met;           /* rows of the objects; NULL: no objects were loaded */
	size_t count;
	struct entry {
		uint64_t start, end;
		const struct jf_cfi_table *table; /* or: */
		const struct cfi_object *object;
	} entries[];
};

#define MET_BYTES     ((size_t)512 << 10)
#define MET_BYTES_MAX ((size_t)64 << 20)

static _Atomic(struct view *) current;
pthread_mutex_t jf_cfi_lock = PTHREAD_MUTEX_INITIALIZER;
struct cfi_list jf_cfi_members;

/* ---- look-up ------------------------------------------------------------------------------------------- */

/* Meets an address of the object. */
static const struct jf_cfi_function *find_in_object(const struct view *view, const struct cfi_object *object,
						    uint64_t address, struct jf_cfi_room *room)
{
	const struct jf_cfi_function *kept;

	if (!jf_cfi_object_is_there(object, address) ||
	    jf_cfi_index_find(&object->index, &view->regs, address, room) != JF_OK)
		return NULL;
	kept = jf_cfi_met_add(view->met, address, room, object->name);
	return kept ? kept : &room->function;
}

static const struct jf_cfi_function *find(const struct view *view, const struct jf_backend *backend, uint64_t address,
					  struct jf_cfi_room *room, const char **name)
{
	size_t low = 0, high = view->count;

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
		const struct entry *entry = &view->entries[low];

		if ((entry->object ? view->host : jf_cfi_table_backend(entry->table)) != backend)
			continue;
		if (address >= entry->end)
			break;
		*name = entry->object ? entry->object->name : jf_cfi_table_name(entry->table);
		return entry->object ? find_in_object(view, entry->object, address, room) :
				       jf_cfi_table_find(entry->table, address);
	}
	return NULL;
}

const struct jf_cfi_function *jf_cfi_find(const struct jf_backend *backend, uint64_t address, struct jf_cfi_room *room,
					  const char **name)
{
	const struct view *view = atomic_load(&current);
	const struct jf_cfi_function *function = NULL;
	const char *unused;

	if (!view)
		return NULL;
	if (!name)
		name = &unused;
	if (view->met && backend == view->host)
		function = jf_cfi_met_find(view->met, address, name);
	return function ? function : find(view, backend, address, room, name);
}

/* ---- the view ------------------------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b; /* start comes first */

	return *x < *y ? -1 : *x > *y;
}

/* [*start, *end) and backend of a member. returns: false when it has no functions. */
static bool extent_of(const struct cfi_member *member, uint64_t *start, uint64_t *end,
		      const struct jf_backend **backend)
{
	if (member->object) {
		*start = member->object->index.start;
		*end = member->object->index.end;
		*backend = member->object->index.backend;
		return true;
	}
	if (!member->table || !jf_cfi_table_extent(member->table, start, end))
		return false;
	*backend = jf_cfi_table_backend(member->table);
	return true;
}

static void view_free(struct view *view)
{
	if (view)
		jf_cfi_met_free(view->met);
	jf_free(view);
}

/* With the host's registers and room for rows that are met: twice as much when there was little left. */
static bool prepare_for_objects(struct view *view)
{
	const struct view *old = atomic_load(&current);
	size_t bytes = MET_BYTES;

	if (old && old->met)
		bytes = jf_cfi_met_bytes(old->met) << (jf_cfi_met_is_low(old->met) ? 1 : 0);
	view->host = jf_backend_host();
	jf_cfi_regs_fill(&view->regs, view->host);
	view->met = jf_cfi_met_new(bytes < MET_BYTES_MAX ? bytes : MET_BYTES_MAX);
	return view->met;
}

static struct view *view_new(void)
{
	const struct cfi_member *member = jf_cfi_members.items;
	struct view *view = jf_calloc(1, sizeof(*view) + jf_cfi_members.count * sizeof(view->entries[0]));
	const struct jf_backend *backend;

	if (!view)
		return NULL;
	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		struct entry *entry = &view->entries[view->count];

		if (!extent_of(&member[i], &entry->start, &entry->end, &backend))
			continue;
		entry->table = member[i].table;
		entry->object = member[i].object;
		view->count++;
		if (entry->object && !view->met && !prepare_for_objects(view)) {
			view_free(view);
			return NULL;
		}
	}
	qsort(view->entries, view->count, sizeof(view->entries[0]), compare_entries);
	return view;
}

bool jf_cfi_show(void)
{
	struct view *view = view_new(), *old;

	if (!view)
		return false;
	old = atomic_exchange(&current, view);
	jf_code_map_wait();
	view_free(old);
	return true;
}

void jf_cfi_make_room(void)
{
	const struct view *view = atomic_load(&current);

	/* Without memory walks go on converting some rows each time. */
	if (view && view->met && jf_cfi_met_is_low(view->met) && jf_cfi_met_bytes(view->met) < MET_BYTES_MAX)
		(void)jf_cfi_show();
}

bool jf_cfi_overlaps(const struct cfi_member *added)
{
	const struct cfi_member *member = jf_cfi_members.items;
	uint64_t start, end, other_start, other_end;
	const struct jf_backend *backend, *other_backend;

	if (!extent_of(added, &start, &end, &backend))
		return false;
	for (size_t i = 0; i < jf_cfi_members.count; i++)
		if (&member[i] != added && extent_of(&member[i], &other_start, &other_end, &other_backend) &&
		    other_backend == backend && start < other_end && other_start < end)
			return true;
	return false;
}

/* ---- tables of the caller's ----------------------------------------------------------------------------- */

static enum jf_status add_locked(const struct jf_cfi_table *table)
{
	struct cfi_member added = {.table = table}, *member;

	if (jf_cfi_overlaps(&added))
		return JF_E_OVERLAP;
	member = jf_cfi_list_add(&jf_cfi_members, sizeof(*member));
	if (!member)
		return JF_E_NO_MEMORY;
	*member = added;
	if (!jf_cfi_show()) {
		jf_cfi_members.count--;
		return JF_E_NO_MEMORY;
	}
	return JF_OK;
}

enum jf_status jf_cfi_add(const struct jf_cfi_table *table)
{
	enum jf_status status;

	if (!table)
		return JF_E_INVAL;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&jf_cfi_lock);
	status = add_locked(table);
	pthread_mutex_unlock(&jf_cfi_lock);
	return status;
}

static enum jf_status remove_locked(const struct jf_cfi_table *table)
{
	struct cfi_member *member = jf_cfi_members.items, kept;

	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		if (member[i].is_object || member[i].table != table)
			continue;
		kept = member[i];
		member[i] = member[--jf_cfi_members.count];
		if (!jf_cfi_show()) {
			member[jf_cfi_members.count++] = member[i];
			member[i] = kept;
			return JF_E_NO_MEMORY;
		}
		return JF_OK;
	}
	return JF_E_NOT_FOUND;
}

enum jf_status jf_cfi_remove(const struct jf_cfi_table *table)
{
	enum jf_status status;

	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&jf_cfi_lock);
	status = table ? remove_locked(table) : JF_E_NOT_FOUND;
	pthread_mutex_unlock(&jf_cfi_lock);
	return status;
}
