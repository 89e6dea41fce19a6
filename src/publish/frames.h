/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_FRAMES_H
#define JF_PUBLISH_FRAMES_H

#include "publish/out.h"

#include <jitframe/codemap.h>

/*
 * Appends a whole .eh_frame section of these ranges' rows to `out`, for a reader who takes it to lie at `address`. A
 * range whose rows cannot be said in CFI is left out. returns: how many were; all without memory, and out->failed.
 */
size_t jf_frames_put(struct out *out, const struct jf_range *const *ranges, size_t count, uint64_t address);

#endif
