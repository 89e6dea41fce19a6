/* SPDX-License-Identifier: BSD-2-Clause */
/* Exception callbacks of the program's own: stacks larger and smaller than the boundary's, calls out of
 * a callback, helpers that write to its stack. */
#include "bpf_test.h"

__noinline u64 add_ten(u64 cookie)
{
	return cookie + 10;
}

__noinline u64 global_identity(u64 value)
{
	return opaque(value);
}

/* ---- a callback that just computes --------------------------------------------------------------- */

SEC("tc")
EXCEPTION_CALLBACK(add_ten)
u64 callback_plain(struct args *ctx)
{
	bpf_throw(ctx->a[0]);
	return 1;
}

SEC("tc")
EXCEPTION_CALLBACK(add_ten)
u64 callback_unused(struct args *ctx)
{
	if (ctx->a[0])
		bpf_throw(ctx->a[0]);
	return 3;
}

/* ---- a callback that calls a global function ------------------------------------------------------ */

__noinline u64 calls_global(u64 cookie)
{
	return global_identity(opaque(7)) + cookie + 3;
}

static __noinline u64 throws(u64 cookie)
{
	bpf_throw(cookie);
	return 0;
}

SEC("tc")
EXCEPTION_CALLBACK(calls_global)
u64 callback_calls(struct args *ctx)
{
	return throws(25) + 1;
}

/* ---- stack sizes ------------------------------------------------------------------------------------ */

static __noinline u64 leaf_with_stack(u64 seed)
{
	volatile u64 stack[12];

	fill(stack, seed);
	return damage(stack, seed);
}

__noinline u64 large_stack(u64 cookie)
{
	volatile u64 stack[56];

	fill(stack, cookie);
	return cookie + 1000 * leaf_with_stack(opaque(cookie + 1)) + 1000000 * damage(stack, cookie);
}

__noinline u64 small_stack(u64 cookie)
{
	volatile u64 stack[1];

	fill(stack, cookie);
	return cookie + 1000 * leaf_with_stack(opaque(cookie + 1)) + 1000000 * damage(stack, cookie);
}

__noinline u64 no_stack(u64 cookie)
{
	return cookie + 1000 * leaf_with_stack(opaque(cookie + 1));
}

#define THROWS_WITH_STACK(name, callback, words)      \
	SEC("tc")                                     \
	EXCEPTION_CALLBACK(callback)                  \
	u64 name(struct args *ctx)                    \
	{                                             \
		volatile u64 stack[words];            \
		u64 result;                           \
                                                      \
		fill(stack, words);                   \
		result = throws(ctx->a[0]);           \
		return result + damage(stack, words); \
	}

THROWS_WITH_STACK(callback_larger, large_stack, 2)
THROWS_WITH_STACK(callback_smaller, small_stack, 56)
THROWS_WITH_STACK(callback_no_stack, no_stack, 40)
THROWS_WITH_STACK(callback_same_stack, large_stack, 56)

SEC("tc")
EXCEPTION_CALLBACK(large_stack)
u64 callback_only_stack(struct args *ctx)
{
	return throws(ctx->a[0]);
}

/* ---- a helper writes to the callback's stack --------------------------------------------------------- */

__noinline u64 helper_writes_stack(u64 cookie)
{
	u64 source = opaque(0x1234), slot = 0;

	bpf_probe_read_kernel(&slot, sizeof(slot), &source);
	return slot + cookie;
}

static __noinline u64 throws_with_stack(u64 cookie)
{
	volatile u64 stack[4];

	fill(stack, cookie);
	bpf_throw(cookie);
	return damage(stack, cookie);
}

SEC("tc")
EXCEPTION_CALLBACK(helper_writes_stack)
u64 callback_probe_read(struct args *ctx)
{
	return throws_with_stack(ctx->a[0]);
}

/* ---- a callback that uses R6 to R9 across calls ------------------------------------------------------- */

__noinline u64 uses_registers(u64 cookie)
{
	u64 a = opaque(cookie + 1), b = opaque(cookie + 2), c = opaque(cookie + 3);

	jf_scramble_registers();
	a += global_identity(b);
	jf_scramble_registers();
	return a * 100 + b * 10 + c + cookie;
}

SEC("tc")
EXCEPTION_CALLBACK(uses_registers)
u64 callback_registers(struct args *ctx)
{
	jf_scramble_registers();
	return throws(ctx->a[0]);
}

/* ---- loops and text in a callback ---------------------------------------------------------------------- */

static u64 count_up(u32 i, u64 *sum)
{
	*sum += i;
	return 0;
}

__noinline u64 loops(u64 cookie)
{
	u64 sum = cookie;

	bpf_loop(10, count_up, &sum, 0);
	return sum;
}

SEC("tc")
EXCEPTION_CALLBACK(loops)
u64 callback_loops(struct args *ctx)
{
	u64 sum = 0;

	bpf_loop(5, count_up, &sum, 0);
	if (sum == 10)
		bpf_throw(ctx->a[0]);
	return 1;
}
