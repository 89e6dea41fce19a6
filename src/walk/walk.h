/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SRC_WALK_H
#define JF_SRC_WALK_H

#include <jitframe/walk.h>

static inline uint64_t walk_bit(unsigned int reg)
{
	return UINT64_C(1) << reg % 64;
}

static inline void walk_set_known(struct jf_walk *walk, unsigned int reg, bool known)
{
	if (known)
		walk->known[reg / 64] |= walk_bit(reg);
	else
		walk->known[reg / 64] &= ~walk_bit(reg);
}

static inline bool walk_is_known(const struct jf_walk *walk, unsigned int reg)
{
	return walk->known[reg / 64] & walk_bit(reg);
}

static inline enum jf_status walk_fail(struct jf_walk *walk, enum jf_status status, uint64_t address)
{
	walk->fail_address = address;
	return status;
}

/* Nothing is read further down than signals leave alone: the pages there need not exist yet. */
static inline uint64_t walk_low_for(const struct jf_backend *backend, uint64_t low, uint64_t sp)
{
	return sp - low > backend->red_zone_bytes ? sp - backend->red_zone_bytes : low;
}

/* The handler of a signal returns there: what it interrupted lies on the stack. */
static inline bool walk_at_trampoline(const struct jf_walk *walk)
{
	return walk->function && walk->function->flags & JF_CFI_SIGNAL && walk->backend->signal_frame;
}

/* Finds range, C function or ORC entry, row and CFA of the present pc. returns: as jf_walk_start(). */
enum jf_status jf_walk_locate(struct jf_walk *walk);

/* [low, high) of the thread's stack; high 0: not known. Read by its own signal handlers: low is written first. */
extern __thread volatile uint64_t jf_walk_stack_low __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern __thread volatile uint64_t jf_walk_stack_high __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* How far up there is stack to read from `sp` on, as far as that is known. */
static inline uint64_t walk_stack_high(uint64_t sp)
{
	uint64_t low = jf_walk_stack_low, high = jf_walk_stack_high;

	return sp >= low && sp <= high ? high : UINT64_MAX;
}

/*
 * When `sp` lies in the stack that jf_walk_thread_init() found: its bounds, from sp less the red zone on.
 * Async-signal-safe.
 */
bool jf_walk_own_stack(const struct jf_backend *backend, uint64_t sp, struct jf_memory *memory);

/* Called by the native stubs alone, with registers and pc of their caller: jf_walk_here(), jf_bpf_stack_walk(). */
enum jf_status jf_walk_here_from(struct jf_walk *walk, const struct jf_walk_opts *opts, const struct jf_regs *regs,
				 uint64_t pc);
enum jf_status jf_bpf_stack_walk_here_from(jf_bpf_frame_fn consume, void *cookie, const struct jf_regs *regs,
					   uint64_t pc);

#endif
