/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_INTERP_H
#define TESTS_RANDOM_INTERP_H

#include <jitframe/program.h>

/*
 * A BPF interpreter to compare with: written from RFC 9669, one instruction at a time, without a thought
 * for speed, and without the library's decoder.
 */
struct interp {
	const struct jf_program *program;
	/* Arena pointers are offsets from arena_base; addresses in [arena_start, arena_end) are there, an
	 * access of others reads 0 or writes nothing. */
	uint64_t arena_base;
	uint64_t arena_start, arena_end;
	uint64_t per_cpu_base;
	uint64_t steps_left;      /* ends a program that does not end by itself */
	const char *stopped;      /* why interp_run() gave up */
	uint32_t function, index; /* and where */
	bool throwing;            /* frames are being left, down to functions[0] */
	uint64_t cookie;          /* of the throw: the result, once nobody is left */
};

/* Runs functions[0]. returns: whether it came to its end; *r0 is what it returns. Memory is real memory. */
bool interp_run(struct interp *in, uint64_t r1, uint64_t r2, uint64_t *r0);

/* ---- the parts ---------------------------------------------------------------------------------- */

#define INTERP_STACK_BYTES 32768

/* One function while it runs. */
struct interp_frame {
	struct interp *in;
	uint64_t reg[11];
	bool arena[11]; /* the register holds an arena pointer: plain accesses through it go to the arena */
	bool arena_spilled[INTERP_STACK_BYTES / 8 + 1]; /* the same of stack words, by words below R10 */
	uint64_t args_in[7];                            /* after the fifth */
	uint64_t args_out[7];
	uint32_t may_goto_left;
	bool resumed; /* its clean-up pad has ended */
	_Alignas(16) uint8_t stack[INTERP_STACK_BYTES];
};

/* dst OP operand for opcode's class, code and offset. returns: false when there is no such operation. */
bool interp_alu(const struct jf_insn *insn, uint64_t dst, uint64_t operand, uint64_t *result);
/* Whether the jump's condition holds. */
bool interp_condition(uint8_t opcode, uint64_t dst, uint64_t operand, bool *holds);
/* Loads, stores, atomics. */
bool interp_memory(struct interp_frame *f, const struct jf_insn *insn);

static inline unsigned int interp_dst(const struct jf_insn *insn)
{
	return insn->regs & 15;
}

static inline unsigned int interp_src(const struct jf_insn *insn)
{
	return insn->regs >> 4;
}

#endif
