/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/image.h"

#include "base/memory.h"

#include <string.h>

/* Images: what callers see of one, and one in a single block of memory. */

void jf_image_show(struct image *image)
{
	image->shown.size = sizeof(image->shown);
	for (uint32_t i = 0; i < image->shown.function_count; i++) {
		struct image_function *f = &image->functions[i];

		f->shown.size = sizeof(f->shown);
		f->shown.frame = &f->frame;
		f->shown.rows = image->rows + f->row_start;
		f->shown.faults = f->shown.fault_count ? image->faults + f->fault_start : NULL;
		f->shown.cleanups = f->shown.cleanup_count ? image->cleanups + f->cleanup_start : NULL;
	}
}

const struct jf_image_function *jf_image_function_at(const struct jf_image *image, uint32_t index)
{
	return image && index < image->function_count ? &image_of(image)->functions[index].shown : NULL;
}

void jf_image_free(struct jf_image *shown)
{
	struct image *image = (struct image *)shown;

	if (!image)
		return;
	jf_free(image->insn_off);
	jf_free(image->faults);
	jf_free(image->cleanups);
	jf_free(image->rows);
	jf_free(image->functions);
	jf_free(image);
}

/* ---- in one block -------------------------------------------------------------------------------------- */

/* How many insn_off there are: behind the last one of every function comes another one. */
static size_t off_count(const struct image *image)
{
	size_t count = 0;

	for (uint32_t i = 0; i < image->shown.function_count; i++) {
		const struct jf_image_function *f = &image->functions[i].shown;
		size_t end = f->insn_off ? (size_t)(f->insn_off - image->insn_off) + f->insn_count + 1 : 0;

		count = end > count ? end : count;
	}
	return count;
}

size_t jf_image_packed_bytes(const struct jf_image *shown)
{
	const struct image *image = image_of(shown);

	return sizeof(*image) + shown->function_count * sizeof(*image->functions) +
	       image->row_count * sizeof(*image->rows) + shown->fault_count * sizeof(*image->faults) +
	       image->cleanup_count * sizeof(*image->cleanups) + off_count(image) * sizeof(*image->insn_off);
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

_Static_assert(sizeof(struct image) % 8 == 0 && sizeof(struct image_function) % 8 == 0, "each part is aligned");
_Static_assert(sizeof(struct jf_row) % 4 == 0 && sizeof(struct jf_fault) % 4 == 0 &&
		       sizeof(struct jf_cleanup_code) % 4 == 0,
	       "each part is aligned");

struct jf_image *jf_image_pack(const struct jf_image *shown, void *at)
{
	const struct image *image = image_of(shown);
	uint8_t *next = at;
	struct image *packed = put(&next, image, sizeof(*image));

	packed->functions = put(&next, image->functions, shown->function_count * sizeof(*image->functions));
	packed->rows = put(&next, image->rows, image->row_count * sizeof(*image->rows));
	packed->faults = put(&next, image->faults, shown->fault_count * sizeof(*image->faults));
	packed->cleanups = put(&next, image->cleanups, image->cleanup_count * sizeof(*image->cleanups));
	packed->insn_off = put(&next, image->insn_off, off_count(image) * sizeof(*image->insn_off));
	for (uint32_t i = 0; i < shown->function_count; i++) {
		struct jf_image_function *f = &packed->functions[i].shown;

		if (f->insn_off)
			f->insn_off = packed->insn_off + (f->insn_off - image->insn_off);
	}
	jf_image_show(packed);
	return &packed->shown;
}
