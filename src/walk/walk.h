/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_WALK_H
#define JF_WALK_WALK_H

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

/* Walks read no lower than the red zone: the pages below may be missing. */
static inline uint64_t walk_low_for(const struct jf_backend *backend, uint64_t low, uint64_t sp)
{
	return sp - low > backend->red_zone_bytes ? sp - backend->red_zone_bytes : low;
}

/* The handler of a signal returns there: what it interrupted lies on the stack. */
static inline bool walk_at_trampoline(const struct jf_walk *walk)
{
	return walk->function && walk->function->flags & JF_CFI_SIGNAL && walk->backend->signal_frame;
}

#endif
