/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that cannot end well: nothing says how to go on from a frame under the throw; faults. */
#include "bpf_test.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} elements SEC(".maps");

static __noinline u64 throws_cookie(u64 cookie)
{
	bpf_throw(cookie);
	return 0;
}

/* The C function in between was compiled without unwind tables. */
SEC("tc")
u64 throw_past_bare_c(struct args *ctx)
{
	return jf_call_without_rows(throws_cookie, ctx->a[0]);
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

/* Nothing stops it but the time that it may take. */
SEC("tc")
u64 endless_loop(struct args *ctx)
{
	u64 turns = 0;

	while (opaque(1))
		turns++;
	return turns;
}
