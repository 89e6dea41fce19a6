/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/frames.h"

#include <jitframe/cfi.h>

/* The writer works in memory of a given size, which grows under it here. */
static enum jf_status with_more_room(struct out *out, struct jf_cfi_writer *writer)
{
	if (!jf_out_reserve(out, 2 * writer->capacity))
		return JF_E_NO_MEMORY;
	writer->bytes = out->bytes + out->size;
	writer->capacity = out->capacity - out->size;
	return JF_OK;
}

static enum jf_status put_rows(struct out *out, struct jf_cfi_writer *writer, const struct jf_range *range)
{
	struct jf_range_rows rows;
	enum jf_status status = jf_range_find_rows(range, &rows);

	while (status == JF_OK) {
		status = jf_cfi_write_rows(writer, range->start, range->end, rows.rows, rows.row_count, rows.slots,
					   rows.slot_count, NULL);
		if (status != JF_E_NOSPACE)
			return status;
		status = with_more_room(out, writer);
	}
	return status;
}

/* The CIE and the end take less than this. */
#define FIXED_BYTES 128

size_t jf_frames_put(struct out *out, const struct jf_range *const *ranges, size_t count, uint64_t address)
{
	struct jf_cfi_writer writer;
	size_t left_out = 0;

	if (!count || !jf_out_reserve(out, FIXED_BYTES) ||
	    jf_cfi_writer_init(&writer, ranges[0]->backend, out->bytes + out->size, out->capacity - out->size,
			       address) != JF_OK)
		return count;
	for (size_t i = 0; i < count && !out->failed; i++)
		left_out += put_rows(out, &writer, ranges[i]) != JF_OK;
	if (writer.capacity - writer.size < sizeof(uint32_t))
		(void)with_more_room(out, &writer);
	if (out->failed || jf_cfi_write_end(&writer) != JF_OK)
		return count;
	out->size += writer.size;
	return left_out;
}
