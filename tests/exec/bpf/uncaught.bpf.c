/* SPDX-License-Identifier: BSD-2-Clause */
/* Throws that cannot work: C frames lie between the throw and the boundary. */
#include "bpf_test.h"

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

SEC("tc")
u64 throw_below_loop(struct args *ctx)
{
	u64 cookie = ctx->a[0];

	return bpf_loop(2, call_deeper, &cookie, 0);
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

/* C code that calls jf_throw() gets a status; nothing was thrown. */
SEC("tc")
u64 throw_from_c(struct args *ctx)
{
	u64 kept = ctx->a[0];
	s64 status = jf_throw_from_c(5);

	return status == -10 ? kept : (u64)status;
}

static __noinline u64 reads(const u64 *address)
{
	return *address;
}

/* Not a throw at all: the program reads where nothing is. */
SEC("tc")
u64 bad_address(struct args *ctx)
{
	return reads((const u64 *)ctx->a[0]) + 1;
}

__noinline u64 recurses(u64 depth)
{
	volatile u64 stack[8];

	if (depth == 1ull << 40)
		return 0;
	stack[depth & 7] = depth;
	return recurses(opaque(depth + 1)) + stack[opaque(0)];
}

/* Nothing stops it but the end of the stack. */
SEC("tc")
u64 endless_recursion(struct args *ctx)
{
	return recurses(ctx->a[0]) + 1;
}

/* The same in a helper. */
SEC("tc")
u64 bad_address_in_helper(struct args *ctx)
{
	return bpf_map_update_elem(&elements, (const void *)ctx->a[0], (const void *)ctx->a[0], 0);
}
