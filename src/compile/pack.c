/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/pack.h"

#include <string.h>

/* How many insn_off there are: behind the last one of every function comes another one. */
static size_t off_count(const struct jf_image *image)
{
	size_t count = 0;

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = &image->functions[i];
		size_t end = f->insn_off ? (size_t)(f->insn_off - image->insn_off) + f->insn_count + 1 : 0;

		count = end > count ? end : count;
	}
	return count;
}

size_t jf_image_packed_bytes(const struct jf_image *image)
{
	return sizeof(*image) + image->function_count * sizeof(*image->functions) +
	       image->row_count * sizeof(*image->rows) + image->fault_count * sizeof(*image->faults) +
	       off_count(image) * sizeof(*image->insn_off);
}

/* returns: where the copy is; *at goes behind it. */
static void *put(uint8_t **at, const void *from, size_t bytes)
{
	void *to = *at;

	if (bytes)
		memcpy(to, from, bytes);
	*at += bytes;
	return to;
}

_Static_assert(sizeof(struct jf_image) % 8 == 0 && sizeof(struct jf_image_function) % 8 == 0, "each part is aligned");
_Static_assert(sizeof(struct jf_row) % 4 == 0 && sizeof(struct jf_fault) % 4 == 0, "each part is aligned");

struct jf_image *jf_image_pack(const struct jf_image *image, void *at)
{
	uint8_t *next = at;
	struct jf_image *packed = put(&next, image, sizeof(*image));

	packed->functions = put(&next, image->functions, image->function_count * sizeof(*image->functions));
	packed->rows = put(&next, image->rows, image->row_count * sizeof(*image->rows));
	packed->faults = put(&next, image->faults, image->fault_count * sizeof(*image->faults));
	packed->insn_off = put(&next, image->insn_off, off_count(image) * sizeof(*image->insn_off));
	if (!image->fault_count)
		packed->faults = NULL;
	for (uint32_t i = 0; i < packed->function_count; i++)
		if (packed->functions[i].insn_off)
			packed->functions[i].insn_off =
				packed->insn_off + (image->functions[i].insn_off - image->insn_off);
	return packed;
}
