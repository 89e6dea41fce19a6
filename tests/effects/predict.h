/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EFFECTS_PREDICT_H
#define JF_TESTS_EFFECTS_PREDICT_H

#include <jitframe/backend.h>

#include "../support/compare.h"

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
	struct compared flags;
	/* Of the last instruction, where it is known: whether what it asks holds. */
	enum choice { CHOICE_NONE, CHOICE_FIRST, CHOICE_SECOND } choice;
};

/*
 * Does what an effect says; state->flags become what it leaves there. returns: NULL, or the step that accesses memory
 * outside of the piece; *address is where.
 */
const struct jf_step *predict(const struct jf_backend *backend, const struct jf_effect *effect, struct state *state,
			      uint64_t *address);

/*
 * Whether an instruction branches or chooses by the condition flags; whether it leaves in them what can be asked about.
 * The second is then to be executed in front of the first.
 */
bool asks_flags(const struct jf_effect *effect);
bool sets_flags(const struct jf_effect *effect);
/* Whether the registers that were aimed at memory are still so behind the comparison. */
bool goes_before(const struct jf_effect *comparison, const struct jf_effect *effect);
/* Makes numbers that are to be compared more alike than chance would: in one of four ways. */
void bring_near(const struct jf_backend *backend, struct state *state, const struct jf_compare *compare,
		unsigned int way);

#endif
