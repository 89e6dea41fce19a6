/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_STORM_H
#define JF_TESTS_STORM_H

#include <stdio.h>

#include <jitframe/program.h>

/* ---- programs to be interrupted (programs.c) ------------------------------------------------------------ */

struct storm_program {
	const char *name;
	struct jf_program program;
	uint64_t result;     /* with argument STORM_ARG */
	unsigned int repeat; /* how often in a turn: long ones less */
	bool user_only;      /* `user` conventions alone can do it */
	bool private_stack;
	bool tail_called; /* only by others: goes into the program array */
};
#define STORM_ARG 5

extern const struct storm_program storm_programs[];
extern const unsigned int storm_program_count;

/* What they refer to. returns: false when there is no memory. */
bool storm_programs_init(void);
/* Of the array that programs tail call through; slot 0 is the first of those tail called. */
struct jf_program_array *storm_array(void);
uint64_t storm_arena(void);

/* ---- what handlers must not call (forbidden.c) ------------------------------------------------------------- */

/* From now on in this thread, until it is off: allocating and locking is counted. */
void storm_forbid(bool on);
unsigned long long storm_forbidden_calls(void);

/* ---- walks (walks.c) ---------------------------------------------------------------------------------------- */

/*
 * Notes where this thread's stack ends, as a quiet walk finds it, and begins the storm in it: from now on a timer
 * interrupts it again and again, and every walk has to end with the same frames. Called by the thread's function.
 */
bool storm_begin(unsigned int seed);
void storm_end(void);

bool storm_walks_init(void);
/* Prints the counts, and which walks did not reach the bottom. returns: whether all did. */
bool storm_report(FILE *to);

#endif
