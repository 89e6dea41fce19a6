/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FRAME_RANGE_H
#define JF_FRAME_RANGE_H

#include <jitframe/codemap.h>

/* What a function of that enum jf_role is in the code map. */
enum jf_range_kind jf_range_kind_of(uint32_t role);

#endif
