/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that C code runs inside another program: a throw ends at the boundary of the program that was
 * entered last, and the outer one is as it was. jf_run_program() takes the number of a program in this
 * file, counted from 0 from the top.
 */
#include "bpf_test.h"

enum { INNER_THROWS, INNER_RETURNS, INNER_CALLBACK, MIDDLE };

static __noinline u64 inner_subprogram(u64 cookie)
{
	u64 a = opaque(cookie * 3), b = opaque(cookie * 5), c = opaque(cookie * 7), d = opaque(cookie * 9);

	jf_scramble_registers();
	if (cookie)
		bpf_throw(cookie);
	return a + b + c + d;
}

SEC("tc")
u64 inner_throws(struct args *ctx)
{
	volatile u64 stack[16];

	fill(stack, 3);
	return inner_subprogram(ctx->a[0]) + damage(stack, 3);
}

SEC("tc")
u64 inner_returns(struct args *ctx)
{
	return ctx->a[0] + 2;
}

__noinline u64 inner_handler(u64 cookie)
{
	volatile u64 stack[24];

	fill(stack, cookie);
	return cookie + 100 + damage(stack, cookie);
}

SEC("tc")
EXCEPTION_CALLBACK(inner_handler)
u64 inner_callback(struct args *ctx)
{
	return inner_subprogram(ctx->a[0]);
}

/* Runs an inner program that throws, then throws itself. */
SEC("tc")
u64 middle(struct args *ctx)
{
	u64 a = opaque(5), inner = jf_run_program(INNER_CALLBACK, ctx);

	if (inner > 50)
		bpf_throw(inner + a);
	return inner;
}

/* Everything that an outer program has, around one inner run. */
static __always_inline u64 around(u32 program, struct args *ctx)
{
	volatile u64 stack[8];
	u64 a = opaque(ctx->a[1] + 1), b = opaque(ctx->a[1] + 2), c = opaque(ctx->a[1] + 3), inner;

	fill(stack, 9);
	inner = jf_run_program(program, ctx);
	return inner + 1000 * (a + b + c) + 1000000 * damage(stack, 9);
}

SEC("tc")
u64 outer_catches(struct args *ctx)
{
	return around(INNER_THROWS, ctx);
}

SEC("tc")
u64 outer_returns(struct args *ctx)
{
	return around(INNER_RETURNS, ctx);
}

SEC("tc")
u64 outer_callback(struct args *ctx)
{
	return around(INNER_CALLBACK, ctx);
}

SEC("tc")
u64 outer_middle(struct args *ctx)
{
	return around(MIDDLE, ctx);
}

static __noinline u64 outer_subprogram(struct args *ctx)
{
	return around(INNER_THROWS, ctx);
}

/* After the inner throw the outer one throws too: two throws, two boundaries. */
SEC("tc")
u64 outer_throws(struct args *ctx)
{
	u64 result = outer_subprogram(ctx);

	if (result)
		bpf_throw(result + 1);
	return 0;
}

static struct args handler_args;

__noinline u64 handler_runs(u64 cookie)
{
	u64 a = opaque(cookie + 1);

	handler_args.a[0] = 4;
	return jf_run_program(INNER_THROWS, &handler_args) + a * 10;
}

/* The exception callback itself runs a program that throws. */
SEC("tc")
EXCEPTION_CALLBACK(handler_runs)
u64 callback_runs(struct args *ctx)
{
	return inner_subprogram(ctx->a[0]);
}
