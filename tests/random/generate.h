/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_GENERATE_H
#define TESTS_RANDOM_GENERATE_H

#include <jitframe/program.h>

#define GENERATE_FUNCTIONS_MAX 5
#define GENERATE_RECORDS_MAX   32 /* of a function: calls that have clean-up pads */

/* What programs may contain, by what the convention and its hosts have. */
struct generate_opts {
	bool arena;
	bool per_cpu;
	unsigned int stack_args;   /* most arguments after the fifth, of BPF functions */
	unsigned int c_stack_args; /* the same, of C */
	uint32_t stack_max_bytes;
	bool throws;
	bool cleanups; /* throws run clean-up pads */
	bool pad_args; /* pads may call with arguments after the fifth */
};

/* One program, and where it keeps its instructions. generated_free() when no more are wanted. */
struct generated {
	struct jf_program program;
	struct jf_function functions[GENERATE_FUNCTIONS_MAX];
	struct jf_insn *insns; /* of all functions */
	uint32_t insn_count;
	uint32_t insn_capacity;
	uint32_t starts[GENERATE_FUNCTIONS_MAX + 1];
	struct jf_cleanups tables[GENERATE_FUNCTIONS_MAX];
	struct jf_cleanup records[GENERATE_FUNCTIONS_MAX][GENERATE_RECORDS_MAX];
};

/*
 * A valid program from `seed`: it ends, keeps to its memory, never uses a register before it is set, and
 * leaves R0-R9 in the context at the end. Seed and options alone decide what it is.
 */
void generate_mixed(struct generated *out, const struct generate_opts *opts, uint64_t seed);
/* The same with branches over so much code that no architecture's short form reaches. */
void generate_long(struct generated *out, const struct generate_opts *opts, uint64_t seed);
void generated_free(struct generated *out);

/*
 * Programs around one instruction each: every opcode with every register, immediates and offsets from
 * edges.h. Main loads R0-R9 from the context's first words, runs the instruction, and leaves R0-R9 behind.
 */
uint32_t generate_single_count(const struct generate_opts *opts);
/* out: *runs, how many sets of operands the program is worth. */
void generate_single(struct generated *out, const struct generate_opts *opts, uint32_t number, uint32_t *runs);
/* Puts the operands of that run in the context. */
void generate_single_operands(uint32_t number, uint32_t run);

#endif
