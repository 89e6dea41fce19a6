/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_file.h"

#include <stdlib.h>

/* Jumps from one function into another, as the verifier meets them. */

/* What finds no room is forgotten: then some code stays undecided. */
static void keep(struct rows_file *file, uint64_t address)
{
	if (file->jump_count == file->jump_capacity) {
		size_t capacity = file->jump_capacity ? 2 * file->jump_capacity : 256;
		uint64_t *jumps = realloc(file->jumps, capacity * sizeof(*jumps));

		if (!jumps)
			return;
		file->jumps = jumps;
		file->jump_capacity = capacity;
	}
	file->jumps[file->jump_count++] = address;
}

const struct jf_cfi_function *rows_file_find(void *arg, uint64_t address)
{
	struct rows_file *file = arg;
	size_t low = 0, high = file->function_count;
	const struct jf_cfi_function *function;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->functions[middle].cfi.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address >= file->functions[low - 1].cfi.end)
		return NULL;
	function = &file->functions[low - 1].cfi;
	if (address != function->start)
		keep(file, address);
	return function;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void rows_file_sort_jumps(struct rows_file *file)
{
	size_t kept = 0;

	if (file->jump_count)
		qsort(file->jumps, file->jump_count, sizeof(*file->jumps), compare);
	for (size_t i = 0; i < file->jump_count; i++)
		if (!kept || file->jumps[kept - 1] != file->jumps[i])
			file->jumps[kept++] = file->jumps[i];
	file->jump_count = kept;
	free(file->entries);
	file->entries = calloc(kept + 1, sizeof(*file->entries));
	file->sorted_count = file->entries ? kept : 0;
}

const uint32_t *rows_file_entries(struct rows_file *file, const struct rows_function *function, size_t *count)
{
	size_t low = 0, high = file->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->jumps[middle] < function->cfi.start)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	for (; low < file->sorted_count && file->jumps[low] < function->cfi.end; low++)
		file->entries[(*count)++] = (uint32_t)(file->jumps[low] - function->cfi.start);
	return file->entries;
}
