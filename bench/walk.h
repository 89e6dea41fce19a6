/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_WALK_H
#define JF_BENCH_WALK_H

#include <stdint.h>

/* What walk.c and walk_libunwind.c have to do alike. */

#define WALK_FRAMES_MAX 256
#define WALK_REPEAT     200
/* clang-format off */
#define WALK_DEPTHS    \
	{              \
		4, 132 \
	} /* what a frame costs is the difference, divided */
/* clang-format on */

/* Calls end(arg) from `depth` C functions deep. Each frame holds something over its call, or it would not be one. */
uint64_t walk_down(unsigned int depth, uint64_t (*end)(uint64_t arg), uint64_t arg);

#endif
