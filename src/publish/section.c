/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/section.h"

#include "base/memory.h"
#include "cfi/cfi.h"

#include <string.h>

/* Most sections fit in this; a longer one takes another try. */
#define SECTION_TRY 1024

/* returns: JF_E_NOSPACE; JF_E_NO_ROW when no row says anything, or a lazy range gives none now; else as
 * jf_cfi_write_rows(). */
static enum jf_status write_section(const struct jf_range *range, uint8_t *bytes, size_t capacity, size_t *size)
{
	struct jf_range_rows rows;
	struct jf_cfi_writer writer;
	enum jf_status status = jf_range_find_rows(range, &rows);
	size_t empty;

	if (status == JF_OK)
		status = jf_cfi_writer_init_far(&writer, range->backend, bytes, capacity);
	if (status != JF_OK)
		return status;
	empty = writer.size;
	status = jf_cfi_write_rows(&writer, range->start, range->end, rows.rows, rows.row_count, rows.slots,
				   rows.slot_count, NULL);
	if (status == JF_OK && writer.size == empty)
		status = JF_E_NO_ROW;
	if (status == JF_OK)
		status = jf_cfi_write_end(&writer);
	*size = writer.size;
	return status;
}

struct section *jf_section_new(const struct jf_range *range)
{
	enum jf_status status = JF_E_NOSPACE;
	struct section *section = NULL, *moved;
	size_t size = 0;

	for (size_t capacity = SECTION_TRY; status == JF_E_NOSPACE; capacity *= 4) {
		moved = jf_realloc(section, sizeof(*section) + capacity);
		if (!moved)
			break;
		section = moved;
		status = write_section(range, section->bytes, capacity, &size);
	}
	if (status != JF_OK) {
		jf_free(section);
		return NULL;
	}
	moved = jf_realloc(section, sizeof(*section) + size);
	section = moved ? moved : section;
	section->range = range;
	section->size = size;
	return section;
}

uintptr_t jf_section_next_fde(const struct section *section, uintptr_t fde)
{
	size_t at = fde ? fde - (uintptr_t)section->bytes : 0;
	uint32_t head[2]; /* length behind itself, distance to the CIE */

	for (; at + sizeof(head) <= section->size; at += sizeof(head[0]) + head[0]) {
		memcpy(head, section->bytes + at, sizeof(head));
		if (head[1] && (uintptr_t)section->bytes + at != fde)
			return (uintptr_t)section->bytes + at;
	}
	return 0;
}
