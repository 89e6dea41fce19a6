/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/source.h"

#include <jitframe/codemap.h>

/* From code to instructions and lines. */

const char *jf_source_lines_wrong(const struct jf_source_line *lines, uint32_t count, uint32_t insn_count)
{
	if (count && !lines)
		return "the table is NULL, and its count is not 0";
	for (uint32_t i = 0; i < count; i++) {
		if (!lines[i].file)
			return "an entry's file is NULL";
		if (lines[i].insn >= insn_count)
			return "an entry's instruction is behind the last of the function";
		if (i && lines[i].insn <= lines[i - 1].insn)
			return "an entry's instruction is not above the one before: sort the table";
	}
	return NULL;
}

/* The last instruction that begins at or before `off`. Those without code begin where the next one does. */
static uint32_t insn_of(const struct jf_range *range, uint32_t off)
{
	uint32_t low = 0, high = range->insn_count + 1;

	/* Invariant: instructions below low begin at or before off, those from high on behind it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (range->insn_off[middle] <= off)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

/* The last entry that begins at or before `insn`; code before the first entry belongs to the first. */
static const struct jf_source_line *line_of(const struct jf_range *range, uint32_t insn)
{
	uint32_t low = 0, high = range->line_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (range->lines[middle].insn <= insn)
			low = middle + 1;
		else
			high = middle;
	}
	return range->line_count ? &range->lines[low ? low - 1 : 0] : NULL;
}

enum jf_status jf_range_source(const struct jf_range *range, uint64_t address, struct jf_source *source)
{
	if (!range || !source || address < range->start || address >= range->end)
		return JF_E_INVAL;
	if (!range->insn_off)
		return JF_E_NOT_FOUND;
	source->insn = insn_of(range, (uint32_t)(address - range->start));
	source->line = line_of(range, source->insn);
	return JF_OK;
}
