/* SPDX-License-Identifier: BSD-2-Clause */
/* What debuggers and profilers look at: main, two subprograms, and a C function that the inner one calls. */
#include "../../exec/bpf/bpf_test.h"

extern s32 jf_seventh(s32 value) __ksym;

/* Work for a profiler, as long as it is asked for. */
static __noinline u64 spin(u64 rounds)
{
	u64 sum = rounds;

	for (u64 i = 0; i < rounds; i++)
		sum = opaque(sum * 5 + i);
	return 0;
}

static __noinline u64 inner(u64 value)
{
	u64 seventh = jf_seventh((s32)value);

	return opaque(seventh) + 1;
}

static __noinline u64 outer(u64 value)
{
	u64 first = inner(value * 2);

	return opaque(first) + 100;
}

SEC("tc")
u64 seen(struct args *ctx)
{
	u64 result = outer(ctx->a[0]);

	return opaque(result) + spin(ctx->a[1]);
}
