/* SPDX-License-Identifier: BSD-2-Clause */
/* Throws from everywhere, caught by the default callback: the cookie is the program's result. */
#include "bpf_test.h"

SEC("tc")
u64 throw_main(struct args *ctx)
{
	bpf_throw(64);
	return 1;
}

SEC("tc")
u64 throw_zero(struct args *ctx)
{
	bpf_throw(0);
	return 1;
}

SEC("tc")
u64 throw_cookie(struct args *ctx)
{
	bpf_throw(ctx->a[0]);
	return 1;
}

static __noinline u64 static_thrower(u64 cookie)
{
	bpf_throw(cookie);
	return 99;
}

__noinline u64 global_caller(u64 cookie)
{
	return static_thrower(opaque(cookie)) + 1;
}

SEC("tc")
u64 throw_nested(struct args *ctx)
{
	global_caller(opaque(32));
	bpf_throw(15);
	return 1;
}

__noinline u64 global_chooser(struct args *ctx)
{
	if (ctx->a[0] == 8)
		bpf_throw(16);
	return 2;
}

static __noinline u64 static_chooser(struct args *ctx)
{
	if (global_chooser(ctx) == 2)
		bpf_throw(32);
	return 3;
}

/* a[0] = 8: the global throws, else the static that called it. */
SEC("tc")
u64 throw_choice(struct args *ctx)
{
	return static_chooser(ctx) + 1;
}

__noinline void void_global(u64 cookie)
{
	bpf_throw(cookie);
}

SEC("tc")
u64 throw_void_global(struct args *ctx)
{
	void_global(opaque(11));
	return 1;
}

__noinline u64 throw_in_switch(u64 which)
{
	u64 result = 0;

	switch (which) {
	case 1: result = 10; break;
	case 2: result = opaque(which) * 7; break;
	case 77: result = opaque(which) + 3; break;
	default: bpf_throw(1);
	}
	return result;
}

/* a[0] chooses the arm of a subprogram; the default one throws 1. */
SEC("tc")
u64 throw_switch(struct args *ctx)
{
	return throw_in_switch(ctx->a[0]);
}

/* a[0] not 0: throws it; else gives a[1]. */
SEC("tc")
u64 throw_if(struct args *ctx)
{
	u64 cookie = ctx->a[0], result = ctx->a[1];

	if (cookie)
		bpf_throw(cookie);
	return result;
}

/* A tail position that never comes back: the call is the last instruction that can run. */
static __noinline void never_returns(u64 cookie)
{
	bpf_throw(cookie);
	__builtin_unreachable();
}

SEC("tc")
u64 throw_last(struct args *ctx)
{
	if (ctx->a[0] == 1)
		never_returns(ctx->a[1]);
	return 5;
}

SEC("tc")
u64 throw_last_in_main(struct args *ctx)
{
	bpf_throw(ctx->a[0] + 1);
	__builtin_unreachable();
}

/* Eight frames deep, each with a stack and live registers of its own. */
#define LEVEL(name, next, words)                                      \
	static __noinline u64 name(u64 a, u64 b)                      \
	{                                                             \
		volatile u64 stack[words];                            \
		u64 c = opaque(a + 1), d = opaque(b + 2), result;     \
                                                                      \
		fill(stack, words);                                   \
		result = next(c, d);                                  \
		return result + a + b + c + d + damage(stack, words); \
	}

static __noinline u64 level8(u64 a, u64 b)
{
	if (a == 7)
		bpf_throw(b * 100 + a);
	return a;
}

LEVEL(level7, level8, 1)
LEVEL(level6, level7, 2)
LEVEL(level5, level6, 5)
LEVEL(level4, level5, 8)
LEVEL(level3, level4, 3)
LEVEL(level2, level3, 6)
LEVEL(level1, level2, 4)

/* a[0] = 0: throws at the bottom; else comes back through all of them. */
SEC("tc")
u64 throw_deep(struct args *ctx)
{
	return level1(ctx->a[0], ctx->a[1]);
}
