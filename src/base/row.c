/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/row.h>

bool jf_row_same(const struct jf_row *a, const struct jf_row *b)
{
	return a->cfa_reg == b->cfa_reg && a->cfa_off == b->cfa_off && a->saved == b->saved && a->flags == b->flags;
}

const struct jf_row *jf_row_find(const struct jf_row *rows, size_t count, uint32_t code_off)
{
	size_t low = 0, high = count;

	/* Invariant: rows before low start at or before code_off, rows from high on start after it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle].code_off <= code_off)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &rows[low - 1] : NULL;
}
