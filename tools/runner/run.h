/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_RUN_H
#define JF_RUNNER_RUN_H

#include "programs.h"

#define RUN_CTX_BYTES 4096

struct run_opts {
	const char *name; /* of the program, for the report */
	const uint8_t *ctx;
	size_t ctx_bytes;      /* up to RUN_CTX_BYTES; the rest of the context is zero */
	const uint8_t *packet; /* see packet_init(); NULL: none */
	size_t packet_bytes;
	uint32_t repeat; /* runs on each thread */
	uint32_t threads;
	bool check_registers;
	bool check_stacks; /* the guards of private stacks, after each run */
};

/*
 * Runs a program on all threads, each run with a context of its own, and reports the result.
 * returns: EXIT_OK; EXIT_FAILED when two runs gave different results, a callee-saved register came
 *      back changed or a private stack's guard was written to; EXIT_BAD_INPUT when threads cannot be had.
 */
int run_program(const struct program *program, const struct run_opts *opts);

#endif
