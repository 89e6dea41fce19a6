/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_WALK_H
#define JF_BENCH_WALK_H

#include <stdint.h>

/*
 * Walkers: each walks from its caller to the thread's outermost frame, and returns the number of frames. walk.c
 * measures them at the same place of the same stack.
 */
#define WALK_FRAMES_MAX 2048

/* Calls end(arg) from `depth` C functions deep. Each frame holds something over its call, or it would not be one. */
uint64_t walk_down(unsigned int depth, uint64_t (*end)(uint64_t arg), uint64_t arg);

unsigned int walk_jitframe(void);
/* _Unwind_Backtrace() of libgcc. */
unsigned int walk_libgcc(void);
/* A cache of rules by return address, as framehop's README describes its own; first prepare() makes the rules of the
 * frames from its caller on. */
void walk_cached_rule_prepare(void);
unsigned int walk_cached_rule(void);

/* unw_backtrace() and unw_step(); NULL where libunwind is missing. */
typedef unsigned int (*walker)(void);
void walk_libunwind(walker *backtrace, walker *step);

#endif
