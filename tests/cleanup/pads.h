/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PADS_H
#define JF_TESTS_PADS_H

#include <jitframe/load.h>

/*
 * Programs with clean-up pads. Every pad looks at all that a pad is promised: R0 to R5 are 0, R6 to R9 and a word of
 * the BPF stack are what the frame had at the call. Then it notes its number, a hexadecimal digit. The program's result
 * is the cookie; the log is the order in which pads ran: 0x421 for 4, then 2, then 1.
 */
struct pad_case {
	const char *name;
	struct jf_program program;
	bool private_stack;
	bool enters; /* C that the program calls enters BPF code */
	/* What not every convention has; a convention that lacks it refuses the program: */
	uint32_t needs;       /* JF_CAP_ */
	uint32_t stack_bytes; /* of the largest BPF stack */
	uint64_t result, log;
};

extern const struct pad_case pad_cases[];
extern const unsigned int pad_case_count;

bool pad_case_runs(const struct pad_case *c, const struct jf_convention *conv);

/* Fills in addresses, which constants of C are not. `conv`: of the programs that pads and covered calls run. */
void pads_begin(const struct jf_convention *conv);
void pads_end(void);

/* What pads have noted since the last call. */
uint64_t pads_log(void);

/* Programs that end badly, for a process of their own: a throw while a pad runs, and one that nothing catches. */
extern const struct pad_case pad_throws, pad_uncaught;
/* A program that has no boundary, and throws: only jf_try() further out catches. */
extern const struct pad_case pad_past_entry;
/* The same around such a program: the frames of the inner one are of the convention that pads_mix() has named. */
extern const struct pad_case pad_mixed;
bool pads_mix(const struct jf_convention *inner);

#endif
