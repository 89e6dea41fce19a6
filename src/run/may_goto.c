/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/isa.h"

#include <jitframe/load.h>
#include <time.h>

/* Linux's figure: give up after a quarter second. */
#define LIMIT_NS UINT64_C(250000000)

uint64_t jf_may_goto_check(uint64_t slots[2])
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
	if (!slots[1])
		slots[1] = now;
	return now - slots[1] >= LIMIT_NS ? 0 : JF_MAY_GOTO_ITERATIONS;
}
