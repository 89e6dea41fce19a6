/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_HERE_H
#define JF_WALK_HERE_H

#include "walk/walk.h"

/*
 * [low, high) of the thread's stack; high 0: not known. [floor, low) is its guard, where SP is after an overflow and
 * nothing can be read. Read by the thread's own signal handlers: high is written last.
 */
extern __thread volatile uint64_t jf_walk_stack_low __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern __thread volatile uint64_t jf_walk_stack_floor __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern __thread volatile uint64_t jf_walk_stack_high __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* How far up there is stack to read from `sp` on, as far as that is known. */
static inline uint64_t walk_stack_high(uint64_t sp)
{
	uint64_t low = jf_walk_stack_low, high = jf_walk_stack_high;

	return sp >= low && sp <= high ? high : UINT64_MAX;
}

/* Finds the bounds above, once for the thread; JF_E_NOT_FOUND: the system gives none. */
enum jf_status jf_walk_find_own_stack(void);

/*
 * When `sp` lies in the stack that jf_thread_init() found: its bounds, from sp less the red zone on.
 * Async-signal-safe.
 */
bool jf_walk_own_stack(const struct jf_backend *backend, uint64_t sp, struct jf_memory *memory);

/* As jf_walk_here_from(), in a reader section of the caller's. */
enum jf_status jf_walk_first_here(struct walk *walk, const struct jf_walk_opts *opts, const struct jf_regs *regs,
				  uint64_t pc);

#endif
