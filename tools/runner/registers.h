/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_REGISTERS_H
#define JF_RUNNER_REGISTERS_H

#include <jitframe/backend.h>

/* What one run did to the callee-saved registers. */
struct registers {
	struct jf_regs in;  /* loaded before the call */
	struct jf_regs out; /* found after it */
};

/* Fills `in` with another sentinel for every callee-saved register, other ones with every `seed`. */
void registers_fill(const struct jf_backend *backend, struct jf_regs *in, uint64_t seed);

/* Whether callee-saved register `id` came back as it went in, as far as the ABI keeps it. */
bool registers_kept(const struct jf_backend *backend, const struct registers *registers, unsigned int id);

/* Overwrites every callee-saved register in C, which then restores them. */
void registers_scramble(void);

/* Calls innermost(arg) from under that many frames of C, each of which has saved every callee-saved register
 * and holds values of its own in them. */
uint64_t registers_deep(unsigned int frames, uint64_t (*innermost)(uint64_t), uint64_t arg);

#endif
