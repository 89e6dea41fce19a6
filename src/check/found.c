/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/found.h"

#include "base/memory.h"

#include <string.h>

bool found_init(struct found *found, size_t byte_count)
{
	*found = (struct found){.by_off = jf_calloc(byte_count, sizeof(*found->by_off))};
	for (size_t off = 0; found->by_off && off < byte_count; off++)
		found->by_off[off].flags = JF_ROW_UNKNOWN;
	return found->by_off != NULL;
}

int found_slot(struct found *found, const struct jf_backend *backend, uint8_t reg, int32_t off)
{
	for (unsigned int i = 0; i < found->slot_count; i++)
		if (found->slots[i].reg == reg && found->slots[i].off_from_cfa == off)
			return (int)i;
	if (found->slot_count == JF_FRAME_SLOTS_MAX)
		return -1;
	found->slots[found->slot_count] = (struct jf_slot){.kind = reg == backend->ra ? JF_SLOT_RETURN : JF_SLOT_SAVE,
							   .reg = reg,
							   .off_from_cfa = off,
							   .size_bytes = 8};
	return (int)found->slot_count++;
}

/* Bytes inside of an instruction are the instruction's; those that no path reaches are nobody's. */
static size_t compress(const struct checker *c, const struct jf_row *by_off, struct jf_row *out, size_t capacity)
{
	const struct jf_row unknown = {.flags = JF_ROW_UNKNOWN};
	struct jf_effect effect;
	struct jf_row last = {0};
	size_t count = 0;
	uint32_t size = 1;

	for (uint32_t off = 0; off < c->input->byte_count; off += size) {
		struct jf_row row = checker_is_start(c, off) ? by_off[off] : unknown;

		size = 1;
		if (checker_is_start(c, off) &&
		    jf_decode(c->backend, c->input->bytes + off, c->input->byte_count - off, &effect) == JF_OK)
			size = effect.size_bytes;
		row.code_off = off;
		if (count && jf_row_same(&row, &last))
			continue;
		if (count < capacity)
			out[count] = row;
		last = row;
		count++;
	}
	return count;
}

enum jf_status found_give(const struct checker *c, const struct found *found, struct jf_row *rows, size_t *row_count,
			  struct jf_slot *slots, size_t *slot_count, struct jf_error *error)
{
	size_t rows_needed = compress(c, found->by_off, NULL, 0);
	bool fits = rows_needed <= *row_count && found->slot_count <= *slot_count;

	*row_count = rows_needed;
	*slot_count = found->slot_count;
	if (!fits)
		return jf_error_set(error, JF_E_NOSPACE, "rows", "%zu rows and %zu slots are needed", *row_count,
				    *slot_count);
	compress(c, found->by_off, rows, rows_needed);
	memcpy(slots, found->slots, found->slot_count * sizeof(*slots));
	return JF_OK;
}
