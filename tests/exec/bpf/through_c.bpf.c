/* SPDX-License-Identifier: BSD-2-Clause */
/* Throws with C frames between the throw and the boundary. */
#include "bpf_test.h"

enum { INNER_OF_C }; /* for jf_run_program(): the first of this file */

static __noinline u64 calls_c(u64 cookie, u64 frames)
{
	u64 a = opaque(cookie * 3), b = opaque(cookie * 5), c = opaque(cookie * 7);

	return jf_throw_from_deep_c(cookie, frames) + opaque(a) + opaque(b) + opaque(c);
}

/* The inner program's throw comes out of C, and stays its own. */
SEC("tc")
u64 inner_of_c(struct args *ctx)
{
	return calls_c(ctx->a[0], 2);
}

static u64 throw_at_three(u32 i, void *ctx)
{
	if (i == 3)
		bpf_throw(77);
	return 0;
}

SEC("tc")
u64 throw_in_loop(struct args *ctx)
{
	bpf_loop(5, throw_at_three, NULL, 0);
	return 1;
}

static __noinline u64 deeper(u64 cookie)
{
	if (cookie)
		bpf_throw(cookie);
	return cookie;
}

static u64 call_deeper(u32 i, u64 *cookie)
{
	return deeper(*cookie + i);
}

/* A cookie of 0: the second round throws. */
SEC("tc")
u64 throw_below_loop(struct args *ctx)
{
	u64 cookie = ctx->a[0];

	return bpf_loop(2, call_deeper, &cookie, 0);
}

static u64 loop_again(u32 i, u64 *cookie)
{
	bpf_loop(2, call_deeper, cookie, 0);
	return 0;
}

/* C, BPF, C and BPF again. */
SEC("tc")
u64 throw_in_loops(struct args *ctx)
{
	u64 cookie = ctx->a[0];

	return bpf_loop(2, loop_again, &cookie, 0);
}

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} elements SEC(".maps");

static u64 throw_for_element(void *map, u32 *key, u64 *value, void *ctx)
{
	bpf_throw(*key + 5);
	return 0;
}

SEC("tc")
u64 throw_in_for_each(struct args *ctx)
{
	bpf_for_each_map_elem(&elements, throw_for_element, NULL, 0);
	return 1;
}

SEC("tc")
u64 throw_from_c(struct args *ctx)
{
	return jf_throw_from_c(ctx->a[0]) + 1000;
}

/* Frames of C that each hold something of their own in every callee-saved register. */
SEC("tc")
u64 throw_from_deep_c(struct args *ctx)
{
	return calls_c(ctx->a[0], ctx->a[1]) + 1000;
}

__noinline u64 c_handler(u64 cookie)
{
	return opaque(cookie) * 10 + opaque(1);
}

SEC("tc")
EXCEPTION_CALLBACK(c_handler)
u64 throw_from_c_callback(struct args *ctx)
{
	return calls_c(ctx->a[0], 3) + 1000;
}

static u64 throw_from_c_in_loop_at(u32 i, u64 *cookie)
{
	return i == 2 ? jf_throw_from_deep_c(*cookie, 2) : 0;
}

SEC("tc")
u64 throw_from_c_in_loop(struct args *ctx)
{
	u64 cookie = ctx->a[0];

	return bpf_loop(4, throw_from_c_in_loop_at, &cookie, 0);
}

SEC("tc")
u64 throw_from_c_inner(struct args *ctx)
{
	return jf_run_program(INNER_OF_C, ctx) + 100;
}
