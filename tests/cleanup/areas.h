/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_AREAS_H
#define JF_TESTS_AREAS_H

#include <jitframe/load.h>

/*
 * Looks at throws of a program whose pads are called, as an observer. An unwinder without rows finds a frame's
 * registers where the callee has saved them, or where the frame has stored them before it threw. At each pad that
 * memory is held to the registers that the rows have given.
 */
void areas_begin(const struct jf_loaded *loaded);
/* Adds the pads that were looked at, and those whose memory was different. A pad of a call of C between BPF functions
 * has no such memory. */
void areas_end(unsigned int *compared, unsigned int *different);

#endif
