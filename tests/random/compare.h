/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_COMPARE_H
#define TESTS_RANDOM_COMPARE_H

#include "generate.h"

enum compare_kind { COMPARE_SINGLE, COMPARE_MIXED, COMPARE_LONG };

/* What is compared, and how it went. */
struct compare {
	const struct jf_convention *conv;
	enum compare_kind kind;
	struct generate_opts opts;
	struct generated generated;
	/* The present one, for whoever finds the process at fault. */
	uint64_t seed;
	uint32_t run;
	uint64_t programs, runs, refused, endless;
	uint64_t largest; /* bytes of code */
	bool keep_going;  /* when the compiler refuses a program */
};

/* out: *c for the convention; false and a message when this host cannot. */
bool compare_init(struct compare *c, const struct jf_convention *conv, enum compare_kind kind);
/* Makes the program of `seed`, runs it both ways. returns: false after a difference, which it tells. */
bool compare_program(struct compare *c, uint64_t seed);
/* Says which program this is, and prints it on standard error. */
void compare_tell(const struct compare *c, const char *what);
void compare_fini(struct compare *c);

#endif
