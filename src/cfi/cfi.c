/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"

#include "base/memory.h"
#include "base/sized.h"

#include <stdlib.h>
#include <string.h>

/*
 * One allocation:
 *
 *     struct jf_cfi_table | functions | rows | slots | starts | name
 *
 * starts[i] = functions[i].start - start: what the search reads, 16 to a cache line.
 */
struct jf_cfi_table {
	const struct jf_backend *backend;
	uint64_t start, end; /* of all functions */
	struct jf_cfi_counts counts;
	size_t count;
	size_t bytes;
	const struct jf_cfi_function *functions;
	const uint32_t *starts;
	const char *name;
};

/* ---- building ---------------------------------------------------------------------------------------- */

static int compare_drafts(const void *a, const void *b)
{
	const struct cfi_draft *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts; of functions that start at the same address the first one stays. */
static void sort_functions(struct cfi_converter *converter)
{
	struct cfi_draft *drafts = converter->functions.items;
	size_t kept = 0;

	if (!converter->functions.count)
		return;
	qsort(drafts, converter->functions.count, sizeof(*drafts), compare_drafts);
	for (size_t i = 0; i < converter->functions.count; i++) {
		if (kept && drafts[kept - 1].start == drafts[i].start)
			converter->counts.functions_skipped++;
		else
			drafts[kept++] = drafts[i];
	}
	converter->functions.count = kept;
	converter->counts.functions = (uint32_t)kept;
}

static char *copy_list(char **at, const struct cfi_list *list, size_t bytes)
{
	char *copy = *at;

	if (list->count)
		memcpy(copy, list->items, list->count * bytes);
	*at += list->count * bytes;
	return copy;
}

static void fill(struct jf_cfi_table *table, const struct cfi_converter *converter, const char *name)
{
	const struct cfi_draft *drafts = converter->functions.items;
	char *at = (char *)(table + 1);
	struct jf_cfi_function *functions = (struct jf_cfi_function *)(void *)at;
	const struct jf_row *rows;
	const struct jf_slot *slots;
	uint32_t *starts;

	at += table->count * sizeof(*functions);
	rows = (const struct jf_row *)(void *)copy_list(&at, &converter->rows, sizeof(*rows));
	slots = (const struct jf_slot *)(void *)copy_list(&at, &converter->slots, sizeof(*slots));
	starts = (uint32_t *)(void *)at;
	at += table->count * sizeof(*starts);
	for (size_t i = 0; i < table->count; i++) {
		const struct cfi_draft *draft = &drafts[i];

		functions[i] = (struct jf_cfi_function){
			.start = draft->start,
			.end = draft->end,
			.rows = rows + draft->row_at,
			.row_count = draft->row_count,
			.slots = slots + draft->slot_at,
			.slot_count = draft->slot_count,
			.flags = draft->flags,
		};
		starts[i] = (uint32_t)(draft->start - table->start);
		if (draft->end > table->end)
			table->end = draft->end;
	}
	table->functions = functions;
	table->starts = starts;
	table->name = strcpy(at, name);
}

static enum jf_status build(struct cfi_converter *converter, const char *name, struct jf_cfi_table **out)
{
	const struct cfi_draft *drafts = converter->functions.items;
	size_t count = converter->functions.count;
	size_t bytes = sizeof(struct jf_cfi_table) + count * (sizeof(struct jf_cfi_function) + sizeof(uint32_t)) +
		       converter->rows.count * sizeof(struct jf_row) + converter->slots.count * sizeof(struct jf_slot) +
		       strlen(name) + 1;
	struct jf_cfi_table *table;

	if (count && drafts[count - 1].start - drafts[0].start > UINT32_MAX)
		return jf_cfi_fail(converter, JF_E_RANGE, converter->section.start,
				   "functions further apart than 4 GiB");
	table = jf_calloc(1, bytes);
	if (!table)
		return JF_E_NO_MEMORY;
	table->backend = converter->backend;
	table->counts = converter->counts;
	table->counts.size = sizeof(table->counts);
	table->counts.objects = 1;
	table->count = count;
	table->bytes = bytes;
	table->start = table->end = count ? drafts[0].start : 0;
	fill(table, converter, name);
	*out = table;
	return JF_OK;
}

enum jf_status jf_cfi_convert(const struct jf_backend *backend, const struct jf_cfi_section *in, const char *name,
			      struct jf_cfi_table **table, struct jf_error *error)
{
	struct jf_cfi_section read;
	const struct jf_cfi_section *section = &read;
	struct conversion {
		struct cfi_converter converter;
		struct cfi_regs regs;
		struct cfi_recent recent;
	} * conversion;
	struct cfi_converter *converter;
	struct jf_error why = {0};
	enum jf_status status;

	if (!backend || !in || !name || !table)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = jf_sized_read(&read, sizeof(read), offsetof(struct jf_cfi_section, fde_count), in, "section", error);
	if (status != JF_OK)
		return status;
	if (!section->bytes && section->size_bytes)
		return jf_error_set(error, JF_E_INVAL, "bytes", "NULL");
	conversion = jf_calloc(1, sizeof(*conversion));
	if (!conversion)
		return jf_error_set(error, JF_E_NO_MEMORY, "", "%s", jf_status_text(JF_E_NO_MEMORY));
	converter = &conversion->converter;
	converter->regs = &conversion->regs;
	converter->recent = &conversion->recent;
	converter->backend = backend;
	converter->error = &why;
	converter->section.start = converter->section.at = section->bytes;
	converter->section.end = converter->section.start + section->size_bytes;
	converter->section.address = section->address;
	jf_cfi_regs_fill(&conversion->regs, backend);
	status = jf_cfi_parse(converter, section->fde_count);
	if (status == JF_OK) {
		sort_functions(converter);
		status = jf_cfi_known_add(converter, section);
	}
	if (status == JF_OK) {
		sort_functions(converter);
		status = build(converter, name, table);
	}
	if (status == JF_E_NO_MEMORY)
		jf_error_set(&why, status, "", "%s", jf_status_text(status));
	if (status != JF_OK && error)
		*error = why;
	jf_free(converter->functions.items);
	jf_free(converter->rows.items);
	jf_free(converter->slots.items);
	jf_free(conversion);
	return status;
}

void jf_cfi_table_free(struct jf_cfi_table *table)
{
	jf_free(table);
}

/* ---- looking up --------------------------------------------------------------------------------------- */

const struct jf_cfi_function *jf_cfi_table_find(const struct jf_cfi_table *table, uint64_t address)
{
	const uint32_t *base = table->starts;
	size_t left = table->count;
	uint32_t off;
	const struct jf_cfi_function *function;

	if (address < table->start || address >= table->end || address - table->start > UINT32_MAX)
		return NULL;
	off = (uint32_t)(address - table->start);
	/* Invariant: *base <= off, and the last start that is lies among the `left` from base on. */
	while (left > 1) {
		size_t half = left / 2;

		base = base[half] <= off ? base + half : base;
		left -= half;
	}
	function = &table->functions[base - table->starts];
	return address < function->end ? function : NULL;
}

const struct jf_cfi_function *jf_cfi_table_at(const struct jf_cfi_table *table, size_t index)
{
	return index < table->count ? &table->functions[index] : NULL;
}

const struct jf_cfi_counts *jf_cfi_table_counts(const struct jf_cfi_table *table)
{
	return &table->counts;
}

const char *jf_cfi_table_name(const struct jf_cfi_table *table)
{
	return table->name;
}

size_t jf_cfi_table_bytes(const struct jf_cfi_table *table)
{
	return table->bytes;
}

const struct jf_backend *jf_cfi_table_backend(const struct jf_cfi_table *table)
{
	return table->backend;
}

bool jf_cfi_table_extent(const struct jf_cfi_table *table, uint64_t *start, uint64_t *end)
{
	*start = table->start;
	*end = table->end;
	return table->count;
}
