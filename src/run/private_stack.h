/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_PRIVATE_STACK_H
#define JF_RUN_PRIVATE_STACK_H

#include <jitframe/backend.h>

struct jf_loaded;

/* Takes `bytes` (more than 0) of the pool, for all threads. out: *off. returns: how many were taken, at
 * least `bytes`, or 0 when the pool has no room. */
uint32_t jf_private_stack_take(uint32_t bytes, uint32_t *off);
/* What is taken when `bytes` are asked for. */
uint32_t jf_private_stack_round(uint32_t bytes);
void jf_private_stack_give(uint32_t off, uint32_t bytes);

/* What generated code goes by: a word of the thread, and what is added to the word for a pool offset. */
void jf_private_stack_values(uint32_t off, struct jf_values *values);
/* Pool offset -> address in this thread; NULL: the thread has no record. */
uint8_t *jf_private_stack_here(uint32_t off);

/* Clears the guards of the program's private stacks in this thread: the pool may hold what a program that is gone
 * has left there. jf_private_stack_check() looks at the guards. */
void jf_private_stack_clear_guards(const struct jf_loaded *loaded);

#endif
