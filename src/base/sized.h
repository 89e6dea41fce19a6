/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BASE_SIZED_H
#define JF_BASE_SIZED_H

#include <jitframe/status.h>
#include <jitframe/types.h>

/*
 * Reads a struct of the caller's whose first field is its size, a uint32_t, by the caller's header. A smaller struct
 * is of an older header: the fields that it lacks are 0 here. A larger one is of a newer header: its unknown fields
 * must be 0.
 * in: out = room for `known` bytes, the size by this library's header; least = the bytes that every header has.
 * returns: JF_E_INVAL with `where` and a sentence.
 */
enum jf_status jf_sized_read(void *out, size_t known, size_t least, const void *in, const char *where,
			     struct jf_error *error);

/* Whether reserved[0, bytes) of a struct is 0, as it is in programs that were built with this header. */
bool jf_sized_is_zero(const void *reserved, size_t bytes);

/*
 * Fills in a struct of the caller's that jf_sized_read() has accepted: as many bytes as both know. `size` stays.
 * in: from = a struct of this library's header, with `known` bytes.
 */
void jf_sized_write(void *out, size_t known, const void *from);

#endif
