/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_CHOICE_H
#define JF_CHECK_CHOICE_H

#include "check/checker.h"

/* Choices between two values without a branch: cmov, csel, masks. */

/* What the flags hold where a block begins: nothing that its choices may rest on. */
extern const struct question choice_of_nothing;

/* What an instruction asks, with `state` as it was before the instruction. */
struct question choice_question(const struct checker *c, const struct state *state, const struct jf_compare *compare);
/* options[0] where what c->effect asks holds, else options[1]. */
struct value choice_made(const struct checker *c, const struct question *asked, const struct jf_step *step,
			 const struct value options[2]);

/* What came in where the branch is taken, as its question tells; the other where it is not. WAY__COUNT: not told. */
enum way choice_of_branch(const struct checker *c, const struct state *state);

#endif
