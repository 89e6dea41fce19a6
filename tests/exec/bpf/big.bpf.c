/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF stacks beyond Linux's 512 bytes, and beyond what one instruction can add or address. Only the `user`
 * conventions allow them. Compiled with a larger limit than the compiler's own.
 */
#include "bpf_test.h"

static __noinline u64 throws(u64 cookie)
{
	volatile u64 stack[700];

	fill(stack, cookie);
	if (cookie)
		bpf_throw(cookie + damage(stack, cookie));
	return damage(stack, cookie);
}

static __noinline u64 between(u64 cookie)
{
	volatile u64 stack[3000];
	u64 result;

	fill(stack, 5);
	result = throws(cookie);
	return result + damage(stack, 5);
}

__noinline u64 big_handler(u64 cookie)
{
	volatile u64 stack[4000];

	fill(stack, cookie);
	return cookie + 10 + damage(stack, cookie);
}

__noinline u64 small_handler(u64 cookie)
{
	return cookie + 20;
}

/* a[0] not 0 is thrown; else all stacks are looked at on the way back, which gives 0. */
SEC("tc")
EXCEPTION_CALLBACK(big_handler)
u64 big_small(struct args *ctx)
{
	volatile u64 stack[3];
	u64 result;

	fill(stack, 7);
	result = between(ctx->a[0]);
	return result + damage(stack, 7);
}

SEC("tc")
EXCEPTION_CALLBACK(small_handler)
u64 big_large(struct args *ctx)
{
	volatile u64 stack[4090];
	u64 result;

	fill(stack, 7);
	result = between(ctx->a[0]);
	return result + damage(stack, 7);
}
