/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EFFECTS_TALLY_H
#define JF_TESTS_EFFECTS_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* What programs that execute instructions count, print and are told. */

#define DIFFERENT_MAX 20 /* differences, after which such a program ends */

struct name {
	const char *name;
	unsigned long taken, compared, illegal, signals;
};

extern unsigned long compared, different; /* of all instructions */
extern unsigned long chosen[2];           /* what asks something that is known: what it asks holds, does not hold */

/* The counts of the instruction of that name, which stays the caller's. returns: NULL when there are too many names. */
struct name *name_of(const char *text);

struct options {
	uint64_t count, seed;
	bool list; /* the names */
};

/* --count N, --seed N, --names. returns: false for others. */
bool read_options(int argc, char **argv, struct options *options);

/* Prints the counts. returns: the exit status. */
int report(bool list);

#endif
