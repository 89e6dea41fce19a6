/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions on values: a global function checks one and throws when it does not hold. The program gives
 * 1 when it holds. a[0] is the value; a[1] not 0: throw value + 100 rather than 0.
 */
#include "bpf_test.h"

#define ASSERTS(program, check, condition)                        \
	__noinline s64 check(s64 value, u64 with)                 \
	{                                                         \
		if (!(condition))                                 \
			bpf_throw(with ? (u64)(value + 100) : 0); \
		return 0;                                         \
	}                                                         \
	SEC("tc")                                                 \
	s64 program(struct args *ctx)                             \
	{                                                         \
		return check((s64)ctx->a[0], ctx->a[1]) + 1;      \
	}

ASSERTS(assert_nz, check_nz, value != 0)
ASSERTS(assert_zero, check_zero, value == 0)
ASSERTS(assert_neg, check_neg, value < 0)
ASSERTS(assert_pos, check_pos, value > 0)
ASSERTS(assert_negeq, check_negeq, value <= -1)
ASSERTS(assert_poseq, check_poseq, value >= 1)

static __noinline void check_range(s64 value, s64 low, s64 high, u64 cookie)
{
	if (value < low || value > high)
		bpf_throw(cookie);
}

/* a[0] in [-4095, 4095], else throws a[1]. */
SEC("tc")
s64 assert_range(struct args *ctx)
{
	check_range((s64)ctx->a[0], opaque(-4095ll), opaque(4095ll), ctx->a[1]);
	return 1;
}
