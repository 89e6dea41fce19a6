/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_KERNEL_REWRITE_H
#define JF_TOOLS_KERNEL_REWRITE_H

#include "kernel_jit.h"

/*
 * What Linux's verifier puts into a program before the JIT gets it, as far as JITs rely on it: tests in front of
 * divisions, addresses of maps, distances to helpers and kfuncs, the modes of arena accesses, counted loops.
 */
struct rewritten {
	struct jf_insn *insns; /* calls and addresses of functions name functions, as in struct jf_function */
	uint32_t count;
	uint32_t stack; /* bytes of BPF stack, with what counted loops need */
	bool calls;     /* something: a tail call and a helper that the JIT has code of do not count */
	/* Of each instruction that was there before, and of the end: where it is now. The second half of a 16-byte one
	 * has UINT32_MAX. */
	uint32_t *start;
	uint32_t source_count;
};

/* Function `index` of listing->image. owns: rewritten_free(), also after a failure. returns: 0, or prints and an exit
 * status. */
int kernel_rewrite(const struct kernel_jit *jit, const struct listing *listing, uint32_t index, struct rewritten *out);
void rewritten_free(struct rewritten *rewritten);

#endif
