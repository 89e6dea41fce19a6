/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CONFORMANCE_SPLIT_H
#define JF_CONFORMANCE_SPLIT_H

#include <jitframe/program.h>

/*
 * A program as one array of instructions, with subprograms behind main and distances where jitframe has
 * indexes: taken apart at the targets of its local calls.
 */
struct split {
	struct jf_insn *insns;
	uint32_t insn_count;
	struct jf_function *functions;
	uint32_t function_count;
	const char *why; /* when it cannot be taken apart */
	uint32_t index;  /* and the instruction concerned */
};

/* out: *s, for split_fini() in any case. returns: whether it can be taken apart. */
bool split_program(struct split *s, const uint8_t *bytes, size_t size);
void split_fini(struct split *s);

#endif
