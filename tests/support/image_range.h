/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SUPPORT_IMAGE_RANGE_H
#define JF_TESTS_SUPPORT_IMAGE_RANGE_H

#include <jitframe/codemap.h>
#include <jitframe/compile.h>

/* The range of one function of an image, as jf_load() fills one in: its callback is 0, and it has no faults. */
static inline struct jf_range image_range(const struct jf_image *image, uint32_t index)
{
	static const uint8_t kinds[] = {JF_RANGE_MAIN, JF_RANGE_SUBPROGRAM, JF_RANGE_BOUNDARY, JF_RANGE_CALLBACK};
	const struct jf_image_function *f = jf_image_function_at(image, index);

	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = f->is_stub ? JF_RANGE_STUB : kinds[f->frame->spec.role],
		.start = image->address + f->start,
		.end = image->address + f->start + f->size_bytes,
		.name = f->name,
		.backend = image->conv->backend,
		.rows = f->rows,
		.row_count = f->row_count,
		.slots = f->frame->slots,
		.slot_count = f->frame->slot_count,
		.fp_off_from_cfa = image->conv->fp_off_from_cfa,
		.landing_sp_off_from_cfa = f->frame->landing_sp_off_from_cfa,
		.insn_off = f->insn_off,
		.insn_count = f->insn_count,
		.lines = f->lines,
		.line_count = f->line_count,
	};
}

#endif
