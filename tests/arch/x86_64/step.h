/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_STEP_H
#define JF_TESTS_STEP_H

#include <jitframe/backend.h>
#include <jitframe/codemap.h>
#include <jitframe/program.h>
#include <string.h>

#define STEP_PROGRAMS 3

/* Programs to be stepped through: programs[0] is entered, programs[k] is in slot k of the array that they
 * tail call through; slot STEP_PROGRAMS is empty. */
struct scenario {
	const char *name;
	struct jf_program programs[STEP_PROGRAMS];
	unsigned int program_count;
	bool user_only; /* `user` conventions alone can do it, or run it */
	bool private_stack;
	uint64_t result;
};

extern const struct scenario scenarios[];
extern const unsigned int scenario_count;

/* What scenarios refer to as map 0, filled by the stepper, and where their arena lies. */
extern struct jf_program_array *const step_array;
uint64_t step_arena(void);

/* Every register has a value of its own; the control words one that they accept. */
void step_registers(struct jf_regs *in);

/* As generated code does when a count has run out, which takes too many instructions to step through. */
uint64_t step_call_may_goto_stub(uint64_t slots[2]);

/* Throws *cookie, a uint64_t. */
uint64_t step_throw(void *cookie);

/* Whether the unwinder calls a clean-up pad there. */
bool step_is_called_pad(const struct jf_range *range, uint64_t pc);

/* Where a caller goes on, and its SP there. */
struct step_frame {
	uint64_t pc, sp;
};

/* In a handler: whether libgcc's unwinder finds `pc`, which was interrupted, and behind it these frames, from the
 * innermost caller on. */
bool step_unwinder_agrees(uint64_t pc, const struct step_frame *frames, unsigned int count);

static inline uint64_t word_at(uint64_t address)
{
	uint64_t value;

	memcpy(&value, (const void *)(uintptr_t)address, sizeof(value));
	return value;
}

#endif
