/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/places.h"

static uint32_t off_of(const struct jf_range *range, uint32_t line)
{
	return range->insn_off[range->lines[line].insn];
}

bool jf_place_next(const struct jf_range *range, uint32_t *next, struct place *place)
{
	uint32_t line = *next ? *next - 1 : 0; /* *next counts the prologue, too */

	if (!range->insn_off)
		return false;
	while (line + 1 < range->line_count && off_of(range, line + 1) <= off_of(range, line))
		line++;
	if (line >= range->line_count || range->start + off_of(range, line) >= range->end)
		return false;
	place->line = &range->lines[line];
	place->is_body = *next == 1;
	if (!*next && off_of(range, line)) {
		place->address = range->start;
		*next = 1;
		return true;
	}
	place->address = range->start + off_of(range, line);
	*next = line + 2;
	return true;
}
