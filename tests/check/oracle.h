/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_ORACLE_H
#define JF_TESTS_CHECK_ORACLE_H

#include "arch.h"
#include "subject.h"

/*
 * What really happens: a function is run on the machine until every branch has gone both ways, and each
 * rule is held to what registers and memory are, at every instruction, call and exit. Nothing is inferred: a
 * mutation that breaks no rule here changes nothing that a throw, a walk or a caller could notice.
 */

struct judgement {
	uint32_t rules;  /* RULE() of those that were seen broken */
	uint32_t either; /* those that may be said to be broken or not: what happens lies outside of frames */
	uint32_t known;  /* those that the convention itself breaks: R3 where its boundaries do not save all */
	bool branched;   /* outside of bodies, where the way depends on what the count is */
	bool ran_on;     /* some path came to no exit: endless, or into bytes that are no instruction */
	char text[160];  /* of the first */
};

/* in: main = the unchanged main function of the same program, whose frame a callback lands in. */
void oracle_judge(const struct subject *s, const struct subject *main, struct judgement *out);

uint8_t reg_named(const struct jf_backend *backend, const char *name);

#endif
