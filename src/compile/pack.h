/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_PACK_H
#define JF_COMPILE_PACK_H

#include <jitframe/program.h>

/* An image in one block of memory, for those who keep many: no part of it is larger than it needs to be. Such an image
 * is not for jf_image_free(). */
size_t jf_image_packed_bytes(const struct jf_image *image);
/* in: at = as many bytes, aligned for a pointer. */
struct jf_image *jf_image_pack(const struct jf_image *image, void *at);

#endif
