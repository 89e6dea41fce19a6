/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EFFECTS_SHOT_H
#define JF_TESTS_EFFECTS_SHOT_H

#include <jitframe/backend.h>

/*
 * One instruction, executed with registers of one's choice: between two traps, whose signal handler sets the
 * registers before it and takes them after it. The code at `code` is trap, instruction, trap; on x86_64, where
 * a trap's signal comes behind it, there is a byte of nothing between trap and instruction.
 */
struct shot {
	struct jf_regs in; /* floating-point registers are as they happen to be, callee-saved ones as given */
	uint64_t entry;    /* where the code goes on after the first trap; 0: behind that */
	struct jf_regs out;
	int signal;  /* SIGTRAP, and what else the instruction raised */
	uint64_t pc; /* where that was */
};

/* returns: false when signals cannot be handled. */
bool shot_init(const struct jf_backend *host);
void shot_fire(const void *code, struct shot *shot);

#endif
