/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TOY_RUN_H
#define JF_TESTS_TOY_RUN_H

#include "bpf.h"
#include "check.h"
#include "toy_sim.h"

#include <jitframe/codemap.h>

/*
 * Compiles a program for the toy and runs it, walking the stack at every single instruction and comparing
 * what the rows say with what really happened (R10).
 */
#define RUN_ADDRESS    UINT64_C(0x40000)
#define RUN_CODE_BYTES 65536
#define RUN_DEPTH_MAX  64

/*
 * Numbers of imports; their addresses are IMPORT(number). All of them walk and clobber what C may. sum: R0
 * (which a sixth argument is in, too) + 10 * R1 + 20 * R2 + ... + 50 * R5; walk: how often it was called.
 */
enum { IMPORT_SUM, IMPORT_WALK, IMPORT_THROW, IMPORT__COUNT };
#define IMPORT(number) (TOY_IMPORTS + 16 * (number))

/* What a function's caller had when it called. */
struct shadow {
	uint64_t cfa, ra;
	struct jf_regs regs;
};

struct run {
	struct toy_sim sim;
	struct jf_image *image;
	struct jf_range ranges[16];
	uint32_t range_count;
	struct shadow shadow[RUN_DEPTH_MAX];
	unsigned int depth;
	unsigned int imports[IMPORT__COUNT]; /* how often each was called */
	unsigned int deepest;
	unsigned int walks;
	unsigned int tail_calls;
	bool walk_everywhere;
	uint8_t code[RUN_CODE_BYTES];
};

/* A program of these functions, with the imports above as helpers and as kfuncs. */
struct jf_program run_program(const struct jf_function *functions, uint32_t count, int32_t callback);

/* Compiles it and puts it into the code map; fails the test if it cannot. Free with run_free(). */
struct run *run_new(const struct jf_convention *conv, const struct jf_program *program,
		    const struct jf_compile_opts *opts);
void run_free(struct run *run);

/* Runs main with R1 = arg and R2 = arg2 to the end. returns: R0. Every register that the ABI wants kept is. */
uint64_t run_call(struct run *run, uint64_t arg, uint64_t arg2);

/* The same from the state that run->sim is in: for those who put something into its memory first. */
uint64_t run_go(struct run *run);

#endif
