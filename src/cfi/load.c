/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "base/sized.h"
#include "cfi/view.h"
#include "codemap/section.h"

#include <link.h>
#include <stdlib.h>

/* The objects of this process. */

static bool scanned;
static unsigned long long loads_seen, unloads_seen; /* the dynamic linker's counters, at that time */

struct scan {
	unsigned long long loads, unloads;
	struct cfi_regs regs; /* the host's */
	bool begun;
	enum jf_status status;
};

/* Marks the one that is this object. */
static bool find_same(const struct cfi_member *found)
{
	struct cfi_member *member = jf_cfi_members.items;

	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		bool same = found->object ? member[i].object && jf_cfi_object_same(member[i].object, found->object) :
					    member[i].is_object && !member[i].object && member[i].base == found->base &&
						    member[i].sum == found->sum;

		if (same) {
			member[i].seen = true;
			return true;
		}
	}
	return false;
}

/* An object that cannot be searched. returns: JF_E_NO_MEMORY. Whatever else goes wrong is the object's fault. */
static enum jf_status convert_whole(const struct dl_phdr_info *info, const struct jf_cfi_section *section,
				    struct cfi_member *member)
{
	enum jf_status status;

	if (!section->size_bytes)
		return JF_OK;
	status = jf_cfi_convert(jf_backend_host(), section, info->dlpi_name ? info->dlpi_name : "", &member->owned,
				NULL);
	member->table = member->owned;
	return status == JF_E_NO_MEMORY ? status : JF_OK;
}

static void free_rows(struct cfi_member *member)
{
	jf_free(member->object);
	jf_cfi_table_free(member->owned);
	member->object = NULL;
	member->table = member->owned = NULL;
}

/* owns: what is found, also when there is no memory. */
static enum jf_status add_member(struct cfi_member *found)
{
	struct cfi_member *member = jf_cfi_list_add(&jf_cfi_members, sizeof(*member));

	if (!member) {
		free_rows(found);
		return JF_E_NO_MEMORY;
	}
	*member = *found;
	return JF_OK;
}

/* Runs under the dynamic linker's lock: the object stays while it is looked at. */
static int scan_object(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct scan *scan = arg;
	struct jf_cfi_section section = {0};
	struct cfi_member found = {.is_object = true, .seen = true, .is_new = true, .base = info->dlpi_addr};

	(void)bytes;
	if (!scan->begun && scanned && info->dlpi_adds == loads_seen && info->dlpi_subs == unloads_seen)
		return 1;
	if (!scan->begun)
		jf_cfi_regs_fill(&scan->regs, jf_backend_host());
	scan->begun = true;
	scan->loads = info->dlpi_adds;
	scan->unloads = info->dlpi_subs;
	if (!jf_cfi_object_section(info, &section))
		section.size_bytes = 0;
	if (section.size_bytes)
		scan->status = jf_cfi_object_open(info, &section, &scan->regs, &found.object);
	if (scan->status == JF_OK && !found.object)
		found.sum = section.size_bytes ? jf_cfi_object_sum(&section) : (uintptr_t)info->dlpi_phdr;
	if (scan->status == JF_OK && find_same(&found)) {
		jf_free(found.object);
		return 0;
	}
	if (scan->status == JF_OK && !found.object)
		scan->status = convert_whole(info, &section, &found);
	if (scan->status == JF_OK)
		scan->status = add_member(&found);
	return scan->status != JF_OK;
}

/* Moves the objects that are gone behind the others. returns: how many members stay. */
static size_t part_gone(void)
{
	struct cfi_member *member = jf_cfi_members.items;
	size_t kept = 0;

	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		struct cfi_member moved = member[i];

		if (moved.is_object && !moved.seen)
			continue;
		member[i] = member[kept];
		member[kept++] = moved;
	}
	return kept;
}

static enum jf_status show_objects(const struct scan *scan)
{
	struct cfi_member *member = jf_cfi_members.items;
	size_t all = jf_cfi_members.count;

	jf_cfi_members.count = part_gone();
	/* Now that the gone ones are out of the way: a new object that overlaps a table of jf_cfi_add() has no rows. */
	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		if (member[i].is_new && jf_cfi_overlaps(&member[i]))
			free_rows(&member[i]);
		member[i].is_new = false;
	}
	if (!jf_cfi_show()) {
		jf_cfi_members.count = all;
		return JF_E_NO_MEMORY;
	}
	for (size_t i = jf_cfi_members.count; i < all; i++)
		free_rows(&member[i]);
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
	const struct cfi_member *member = jf_cfi_members.items;

	*counts = (struct jf_cfi_counts){.size = sizeof(*counts)};
	for (size_t i = 0; i < jf_cfi_members.count; i++) {
		counts->objects += member[i].is_object;
		counts->objects_skipped += member[i].is_object && !member[i].owned && !member[i].object;
		counts->functions += member[i].object ? member[i].object->index.count : 0;
		if (member[i].owned)
			add_counts(counts, jf_cfi_table_counts(member[i].owned));
	}
}

enum jf_status jf_cfi_load_objects(struct jf_cfi_counts *out)
{
	struct scan scan = {.status = JF_OK};
	struct jf_cfi_counts counts;
	struct cfi_member *member;

	if (out && jf_sized_read(&counts, sizeof(counts), offsetof(struct jf_cfi_counts, functions), out, "counts",
				 NULL) != JF_OK)
		return JF_E_INVAL;
	if (!jf_backend_host())
		return JF_E_UNSUPPORTED;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&jf_cfi_lock);
	member = jf_cfi_members.items;
	for (size_t i = 0; i < jf_cfi_members.count; i++)
		member[i].seen = false;
	dl_iterate_phdr(scan_object, &scan);
	if (scan.begun && scan.status == JF_OK)
		scan.status = show_objects(&scan);
	else if (scan.status == JF_OK)
		jf_cfi_make_room();
	if (out && scan.status == JF_OK) {
		count_objects(&counts);
		jf_sized_write(out, sizeof(counts), &counts);
	}
	pthread_mutex_unlock(&jf_cfi_lock);
	return scan.status;
}
