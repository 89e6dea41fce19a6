/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function that programs of this file are put in the place of. Each takes the object a second time, so that `seen`
 * of the one that calls and `seen` of the one that is called are two variables.
 */
#include "bpf_test.h"

u64 seen = 5;

/* Weak, so that the compiler takes nothing for granted of what it returns. */
__attribute__((weak)) __noinline u64 target(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return opaque(a) + b + c + d + e;
}

/* Everything that a caller has, around one call. */
static __always_inline u64 around(struct args *ctx)
{
	volatile u64 stack[8];
	u64 a = opaque(ctx->a[1] + 1), b = opaque(ctx->a[1] + 2), c = opaque(ctx->a[1] + 3), got;

	fill(stack, 9);
	seen = 30;
	got = target(ctx->a[0], 2, 3, 4, 5);
	return got + 1000 * (a + b + c) + 1000000 * damage(stack, 9) + (seen - 30);
}

SEC("tc")
u64 calls(struct args *ctx)
{
	return around(ctx);
}

/* Two throws, two boundaries. */
SEC("tc")
u64 calls_and_throws(struct args *ctx)
{
	u64 got = around(ctx);

	if (got)
		bpf_throw(got + 1);
	return 0;
}

SEC("freplace")
u64 gives(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + seen;
}

static __noinline u64 thrower(u64 cookie)
{
	u64 a = opaque(cookie * 3), b = opaque(cookie * 5), c = opaque(cookie * 7), d = opaque(cookie * 9);

	jf_scramble_registers();
	seen = 40;
	if (cookie)
		bpf_throw(cookie);
	return a + b + c + d;
}

SEC("freplace")
u64 throws(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	volatile u64 stack[16];

	fill(stack, 3);
	return thrower(a + b) + damage(stack, 3);
}

__noinline u64 handler(u64 cookie)
{
	return cookie + 100;
}

SEC("freplace")
EXCEPTION_CALLBACK(handler)
u64 throws_to_handler(u64 a)
{
	return thrower(a);
}
