/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SIGNATURES_CALLEES_H
#define TESTS_SIGNATURES_CALLEES_H

#include <jitframe/program.h>

/*
 * C functions of every type in every position, and what they saw. Their file is compiled at -O2 by the compiler of the
 * processor that runs them, so that they take for granted what the platform ABI lets a callee take for granted.
 */
#define TYPES 9

/* What code makes of one value. A wrongly extended register shows in one of these. */
struct seen {
	uint64_t whole;    /* converted to 64 bits */
	uint64_t seventh;  /* divided by 7 */
	uint64_t is_small; /* whether at most what `callees_limit` has */
};

struct type {
	const char *name;
	struct jf_c_value value;
};
extern const struct type types[TYPES];

extern struct seen callees_seen[JF_ARGS_MAX];
extern uint64_t callees_limit;

/*
 * A function whose argument number i, from 0, is of type (i + first_type) % TYPES, and fills in callees_seen[i]. The
 * function returns 64 bits.
 * in:  count: 5, 6, 8 or 12. returns: the address, or 0.
 */
uint64_t callees_take(unsigned int count, unsigned int first_type);
/* A function of one argument of 64 bits, which the function returns as this type. */
uint64_t callees_give(unsigned int type);

/* The same by plain C: what a value of this type is, when the low bits of `raw` are its bits. */
struct seen callees_expect(unsigned int type, uint64_t raw);

#endif
