/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_KERNEL_JIT_H
#define JF_TOOLS_KERNEL_JIT_H

#include "listing.h"
#include "object.h"

/*
 * A kernel's own JIT as scripts/kernel-jit makes it: a program that gets a BPF program as the verifier leaves it, and
 * prints machine code. docs/kernel-jit.md has the lines.
 */

#define KERNEL_HELPERS_MAX 1024

struct kernel_jit {
	char program[4096];
	const struct jf_convention *conv;
	/* What the program says of itself. */
	char arch[32], tree[64];
	uint64_t base, call_base;
	uint8_t ax; /* number of the register that the verifier has to itself */
	bool exceptions, private_stack, warned;
	bool landing_pads, sign_return, atomic_insns;
	bool timed_may_goto;
	int32_t timed_may_goto_imm;
	bool inlines[KERNEL_HELPERS_MAX]; /* by helper number: the JIT has code of its own */
	/* Words of code under this mask have a part of an address; relocate_flip makes it one of a process. */
	bool relocates;
	uint32_t relocate_mask, relocate_match, relocate_flip;
	uint64_t per_cpu_word; /* as in struct bundle_jit; 0: nothing of a process can be that */
	uint32_t array_count_off, array_programs_off, program_code_off; /* as in struct bundle_jit */
	/* Ours, for all programs: */
	uint64_t arena_base, private_stack_address;
	uint32_t shift; /* code, helpers and kfuncs stand so much higher, in bytes */
};

/* One function as the tree's JIT made it. */
struct kernel_function {
	char *name;
	struct jf_frame_spec spec; /* what the function needs */
	uint64_t address;
	uint8_t *bytes;
	size_t size;
	bool calls;         /* as in struct rewritten */
	uint32_t *insn_off; /* of each BPF instruction that the JIT got, and of the epilogue; NULL: not known */
	uint32_t insn_count;
	uint32_t *start; /* of each instruction of the source, and of the end: its index in insn_off */
	uint32_t source_count;
	struct jf_fault *faults; /* in the order of the tree's exception table */
	uint32_t fault_count;
	uint32_t sp_adjust; /* of a boundary: bytes that are added to SP for the callback */
};

/* The functions of a program in their order, then the default callback. */
struct kernel_code {
	struct kernel_function *functions;
	uint32_t count;
};

/*
 * Asks the program in `folder` what it is. target: "ARCH/CONVENTION", NULL: the architecture's linux.
 * returns: 0, or prints and an exit status.
 */
enum kernel_use { KERNEL_TO_SEE, KERNEL_TO_RUN };
int kernel_jit_open(struct kernel_jit *jit, const char *folder, const char *target, enum kernel_use use);

/* Sets what our compiler has to know to make code for the same place, with the same helpers and options. returns: 0,
 * or prints and an exit status: the JIT has no private stacks, which the object's options ask for. */
int kernel_jit_set_up(const struct kernel_jit *jit, struct object *object);

/*
 * Hands a program to the JIT: with the verifier's rewriting, and with stacks and flags as our compiler found them.
 * owns: kernel_code_free() also after a failure. returns: 0, or prints and an exit status.
 */
int kernel_jit_compile(struct kernel_jit *jit, const struct listing *listing, struct kernel_code *code);
void kernel_code_free(struct kernel_code *code);

/* ---- printing ---- */

/* What the JIT is; the caller's. */
json_t *kernel_jit_json(const struct kernel_jit *jit);

struct kernel_shown {
	bool hex, opcodes, diff;
	json_t *programs; /* NULL: text */
};
/* A program of the tree's JIT; with `diff` beside ours. returns: the exit status. */
int kernel_print(const struct kernel_jit *jit, const struct listing *listing, const struct kernel_code *code,
		 const struct kernel_shown *shown);
/* Both codes of a function beside each other. returns: how many lines differ. */
uint32_t kernel_print_diff(const struct listing *ours, const struct kernel_code *theirs, uint32_t index);

/* ---- running ---- */

/*
 * Has a JIT that was opened to run compile the job's program of a linked bundle, and those that it may go on to, and
 * puts the code into the bundle. in, out: *bundle is the caller's, free(). returns: 0, or prints and an exit status.
 */
struct run_job;
int kernel_run_add(struct kernel_jit *jit, const struct run_job *job, void **bundle, size_t *size);

/* ---- for kernel_run.c ---- */

/* The address that stands in a process for one that the JIT makes code for: a JIT whose code is relocated takes the
 * upper 16 bits of addresses for ones. */
uint64_t kernel_in_process(const struct kernel_jit *jit, uint64_t address);

/* Compiles the program at a second place, and makes addresses of a process of what differs in *code. returns: 0, or
 * prints and an exit status. */
int kernel_relocate(const struct kernel_jit *jit, const struct listing *listing, struct kernel_code *code);

/* ---- for kernel_jit.c ---- */

/* out: *code, of `count` functions; the answer is cut up. returns: 0, or prints and an exit status. */
int kernel_answer_read(const struct kernel_jit *jit, char *answer, uint32_t count, struct kernel_code *code);

/* Runs `program`, with `argument` unless that is NULL. out: *output, NUL at its end, is the caller's.
 * returns: 0, or prints and an exit status. */
int kernel_process(const char *program, const char *argument, const char *input, size_t input_size, char **output);

#endif
