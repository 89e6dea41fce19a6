/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TOY_SIM_H
#define JF_TESTS_TOY_SIM_H

#include "toy.h"

/* Runs the toy's code. Its memory is one stack; code is read-only and apart from it. */
#define TOY_STACK_BYTES 16384
#define TOY_STACK_LOW   UINT64_C(0x70000000)
#define TOY_STACK_HIGH  (TOY_STACK_LOW + TOY_STACK_BYTES)
#define TOY_HALT        UINT64_C(0x1000) /* returning there ends the run */
#define TOY_IMPORTS     UINT64_C(0x2000) /* [TOY_IMPORTS, + 0x1000): C code; the run stops at its first instruction */

enum toy_stop {
	TOY_STEP, /* one instruction was done */
	TOY_DONE,
	TOY_IMPORT,
	TOY_BAD_CODE,   /* pc outside the code, or no such instruction */
	TOY_BAD_MEMORY, /* outside the stack, or below sp */
};

struct toy_sim {
	uint64_t reg[16]; /* by hardware number */
	uint64_t special[2];
	bool flag;
	uint64_t pc;
	const uint8_t *code;
	uint64_t code_address;
	size_t code_bytes;
	uint8_t stack[TOY_STACK_BYTES];
};

/* Ready to call `entry` from TOY_HALT: sp at the top, every register with a value of its own. */
void toy_sim_init(struct toy_sim *sim, const void *code, size_t code_bytes, uint64_t address, uint64_t entry);

/* Runs one instruction. */
enum toy_stop toy_sim_step(struct toy_sim *sim);

uint64_t toy_sim_get(const struct toy_sim *sim, unsigned int id);
void toy_sim_set(struct toy_sim *sim, unsigned int id, uint64_t value);
struct jf_regs toy_sim_regs(const struct toy_sim *sim);

/* The stack as a walk reads it; the memory's arg is the sim. */
struct jf_memory toy_sim_memory(struct toy_sim *sim);

#endif
