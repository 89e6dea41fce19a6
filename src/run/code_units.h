/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_CODE_UNITS_H
#define JF_RUN_CODE_UNITS_H

#include <jitframe/types.h>

/* Which of `count` units are taken, a bit for each; `count` is a multiple of 64. */
struct code_units {
	uint64_t *words;
	size_t count;
	size_t taken;
	size_t wanted;   /* at least, the last time; places that are smaller are passed over */
	size_t next;     /* where to look first: few places are before */
	size_t hopeless; /* 0: nothing is known; n: no n free units lie side by side */
};

/* Takes `least` to `most` (1 or more) units that lie side by side. out: *first. returns: how many; 0: none. */
size_t code_units_take(struct code_units *units, size_t least, size_t most, size_t *first);
void code_units_give(struct code_units *units, size_t first, size_t count);

#endif
