/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_PROGRAM_H
#define JF_KERNEL_JIT_PROGRAM_H

#include "function.h"

/* The BPF program of standard input. */
struct program {
	struct function *functions;
	u32 function_count;
	bool has_arena;
	u32 timed; /* how often the program is compiled for its time */
};
extern struct program program;

/* Reads all of standard input into `program`. Does not return when a line is wrong. */
void program_read(void);

/* Answers "error line N: WHAT: WORD", and ends with exit status 2. word: NULL: none. */
_Noreturn void refuse(const char *what, const char *word);

#endif
