/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_IMAGE_H
#define JF_COMPILE_IMAGE_H

#include <jitframe/image.h>

/* An image as the compiler has it: what callers are shown, and the tables behind. */
struct image_function {
	struct jf_image_function shown;
	struct jf_frame frame;
	uint32_t row_start;     /* index into the image's rows */
	uint32_t fault_start;   /* index into the image's faults */
	uint32_t cleanup_start; /* the same for its clean-up records */
};

struct image {
	struct jf_image shown;
	struct image_function *functions;
	struct jf_row *rows;
	uint32_t row_count;
	uint32_t *insn_off; /* behind the functions' insn_off */
	struct jf_fault *faults;
	struct jf_cleanup_code *cleanups;
	uint32_t cleanup_count;
};

static inline const struct image *image_of(const struct jf_image *image)
{
	return (const struct image *)image;
}

/* Points what is shown to the image's tables, which stay in their places from now on. */
void jf_image_show(struct image *image);

/* An image in one block of memory, for those who keep many: no part of it is larger than it needs to be. Such an image
 * is not for jf_image_free(). */
size_t jf_image_packed_bytes(const struct jf_image *image);
/* in: at = as many bytes, aligned for a pointer. */
struct jf_image *jf_image_pack(const struct jf_image *image, void *at);

#endif
