/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOY_BRANCHES_H
#define TOY_BRANCHES_H

#include "toy_run.h"

/* Programs of jumps, for the toy. */

/* One function, compiled by toy_plain. */
struct run *branches_run(const struct jf_insn *insns, uint32_t count);
/* Bytes of instruction i of its main program. */
uint32_t branches_size(const struct run *run, uint32_t i);
/* What a program of the kinds below returns. */
uint64_t branches_interpret(const struct jf_insn *insns, uint64_t arg);

/*
 * Forward jumps only, so that every program ends; mostly not far, for there lies the limit of the short form.
 * in: insns = room for BRANCHES_MAX. returns: how many instructions.
 */
#define BRANCHES_MAX 608
uint32_t branches_random(struct rng *rng, struct jf_insn *insns);

/* Straight code of BRANCHES_FAR instructions with a jump at every multiple of 40: near, around the limit of the toy's
 * form 1, or anywhere. */
#define BRANCHES_FAR 22001
void branches_far(struct rng *rng, struct jf_insn *insns, bool backwards);

#endif
