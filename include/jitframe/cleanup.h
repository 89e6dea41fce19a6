/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CLEANUP_H
#define JF_CLEANUP_H

#include <jitframe/export.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/*
 * Clean-up pads: code of a function that gives back what a frame holds when a throw discards the frame. A record says
 * which calls of a function have which pad; docs/cleanup.md has the rules of the table and of pads.
 */

/* One record in a program, in BPF instructions of its function, counted as in struct jf_source: a throw out of a call
 * in [start, end) takes the pad. `end` may be the function's insn_count. */
struct jf_cleanup {
	uint32_t start;
	uint32_t end;
	uint32_t pad; /* first instruction of the pad */
};

/* The records of one function: sorted by start, disjoint. */
struct jf_cleanups {
	const struct jf_cleanup *list; /* NULL with count 0 */
	uint32_t count;
};

/* One record in machine code, in bytes from the function's start. Of a return address the byte before is looked up
 * (R17): start_off <= byte < end_off. A function's records are sorted and disjoint. Code that only pads reach has
 * records of its own, also where a record of the function's table covers the code. */
struct jf_cleanup_code {
	uint32_t start_off;
	uint32_t end_off;
	uint32_t pad_off; /* JF_CLEANUP_IN_PAD: the code is a pad's */
};
/* No throw passes code of a pad: what is thrown while a pad runs is uncaught. */
#define JF_CLEANUP_IN_PAD UINT32_MAX

JF_END_DECLS

#endif
