/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EFFECTS_PREDICT_H
#define JF_TESTS_EFFECTS_PREDICT_H

#include <jitframe/backend.h>

#define MEMORY_BYTES 4096

/* Registers and one piece of memory, as far as they are known. */
struct state {
	uint64_t pc; /* of the instruction */
	struct jf_regs regs;
	bool unknown[JF_REGS_MAX];
	bool is_signed[JF_REGS_MAX]; /* known but for an authentication code */
	uint64_t memory_at;          /* the address of memory[0] */
	uint8_t memory[MEMORY_BYTES];
	bool memory_unknown[MEMORY_BYTES];
};

/*
 * Does what an effect says. returns: NULL, or the step that accesses memory outside of the piece; *address is
 * where.
 */
const struct jf_step *predict(const struct jf_backend *backend, const struct jf_effect *effect, struct state *state,
			      uint64_t *address);

#endif
