/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PUBLISH_PROGRAMS_H
#define JF_TESTS_PUBLISH_PROGRAMS_H

#include <jitframe/jitframe.h>

/*
 * Two programs with C between them, each a main function that calls a subprogram that calls a helper:
 *
 *     programs_run()   outer main, subprogram   between   inner main, subprogram   leaf
 */
extern uint64_t (*programs_leaf)(uint64_t arg);
/* Calls inner_run(arg), and adds something to its result. */
extern uint64_t (*programs_between)(uint64_t (*inner_run)(uint64_t), uint64_t arg);

enum {
	PROGRAMS_BOUNDARY = 1 << 0, /* both mains are boundaries */
	PROGRAMS_PRIVATE_STACK = 1 << 1,
	PROGRAMS_SIGN_RETURN = 1 << 2,
	PROGRAMS__COUNT = 1 << 3, /* of combinations */
};

/* returns: JF_E_UNSUPPORTED where the convention has it not. */
enum jf_status programs_load(const struct jf_convention *conv, unsigned int how, struct jf_error *error);
enum jf_status programs_unload(void);

/* Runs the outer program. */
uint64_t programs_run(uint64_t arg);

/* Where the outer program begins. */
uint64_t programs_address(void);

/* Another program, of two instructions. */
enum jf_status programs_load_small(const struct jf_convention *conv, int32_t number, struct jf_loaded **loaded);

/* Runs `body` in a forked child. returns: the signal that ended the child, or 100 + its exit status. */
int programs_in_a_child(void (*body)(void));

#endif
