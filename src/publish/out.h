/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_OUT_H
#define JF_PUBLISH_OUT_H

#include <jitframe/types.h>

/*
 * Bytes of a file on its way, little-endian. Writing is sticky: without memory out->failed is set, and the rest is not
 * written. Start with all 0.
 */
struct out {
	uint8_t *bytes;
	size_t size, capacity;
	bool failed;
};

/* Room for `bytes` more at out->bytes + out->size. returns: false without memory. */
bool jf_out_reserve(struct out *out, size_t bytes);
void jf_out_put(struct out *out, const void *from, size_t bytes);
void jf_out_number(struct out *out, uint64_t value, unsigned int bytes);
void jf_out_uleb(struct out *out, uint64_t value);
void jf_out_sleb(struct out *out, int64_t value);
/* With its NUL. */
void jf_out_string(struct out *out, const char *text);
/* Zeros up to a multiple of `align`. */
void jf_out_align(struct out *out, unsigned int align);
/* A number of `bytes` bytes over what is at `at`. */
void jf_out_patch(struct out *out, size_t at, uint64_t value, unsigned int bytes);
void jf_out_free(struct out *out);

#endif
