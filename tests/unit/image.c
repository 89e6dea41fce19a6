/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"
#include "check.h"
#include "compile/image.h"

void check_image(const struct jf_image *image)
{
	uint32_t end = 0, row_end = 0;

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);
		const struct jf_row *rows = f->rows;

		CHECK(f->name, "function %u", i);
		CHECK(f->start % 16 == 0 && f->start >= end && f->start < end + 16, "function %u at %u behind %u", i,
		      f->start, end);
		CHECK(f->size_bytes, "function %u", i);
		CHECK(rows == image_of(image)->rows + row_end && f->row_count, "function %u", i);
		end = f->start + f->size_bytes;
		row_end += f->row_count;
		CHECK(rows[0].code_off == 0, "function %u", i);
		for (uint32_t k = 0; k < f->row_count; k++) {
			CHECK(rows[k].code_off < f->size_bytes, "function %u, row %u", i, k);
			CHECK(!k || rows[k].code_off > rows[k - 1].code_off, "function %u, row %u", i, k);
			CHECK(!k || !jf_row_same(&rows[k], &rows[k - 1]), "function %u, row %u", i, k);
			CHECK(!(rows[k].saved & ~jf_frame_saved_mask(f->frame)), "function %u, row %u", i, k);
		}
		if (f->is_stub) {
			CHECK(!f->insn_off && !f->insn_count, "stub %u", i);
			continue;
		}
		CHECK(f->insn_off[0] == f->marks[JF_MARK_BODY], "function %u", i);
		CHECK(f->insn_off[f->insn_count] == f->marks[JF_MARK_EPILOGUE], "function %u", i);
		for (uint32_t k = 0; k < f->insn_count; k++)
			CHECK(f->insn_off[k] <= f->insn_off[k + 1], "function %u, instruction %u", i, k);
	}
	CHECK(image->size_bytes == end, "%zu bytes, not %u", image->size_bytes, end);
	CHECK(image_of(image)->row_count == row_end, "%u rows, not %u", image_of(image)->row_count, row_end);
}
