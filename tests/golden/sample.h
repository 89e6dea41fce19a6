/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SAMPLE_H
#define JF_TESTS_SAMPLE_H

#include <jitframe/jitframe.h>

/* A frame to be looked at, and the addresses in its code. */
struct sample {
	struct jf_frame_spec spec;
	struct jf_values values;
};

/*
 * Reads a title: a role and what the frame has, with commas between them, in any order.
 *
 *     main, R6 R7, stack 20, tail calls
 *     callback, hardened, arena at 0xffff812345670000, 3 outgoing arguments
 *     main, private stack 24, word at 0x12348
 *     subprogram, private stack 72 at 0x654321000, landing pads, signed return
 *     boundary, the largest stack
 *     main, nothing used
 *
 * conv: whose largest stack it is. out: *sample; addresses that the title does not name have a value of their own.
 * returns: NULL, or the phrase that is none of these.
 */
const char *sample_read(const char *title, const struct jf_convention *conv, struct sample *sample);

#endif
