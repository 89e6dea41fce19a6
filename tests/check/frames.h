/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_FRAMES_H
#define JF_TESTS_CHECK_FRAMES_H

#include <jitframe/jitframe.h>

/*
 * Solves every role of a convention with every set of registers, stack size and combination of options, and calls
 * visit() with each frame. returns: the number of combinations that the convention refuses.
 */
unsigned int frames_each(const struct jf_convention *conv, void (*visit)(void *arg, const struct jf_frame *frame),
			 void *arg);

/* The constants of the n-th frame's prologue: of different lengths. */
struct jf_values frames_values(unsigned int n);

#endif
