/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic operations on ordinary memory: the context, the BPF stack, a map's value. */
#define MEMORY
#include "atomics.h"

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64[8]);
} words SEC(".maps");

SEC("tc")
u64 on_context(struct args *ctx)
{
	return all_atomics(&ctx->a[3]);
}

SEC("tc")
u64 on_stack(struct args *ctx)
{
	u64 stack[6];

	return all_atomics(&stack[2]);
}

SEC("tc")
u64 on_threads(struct args *ctx)
{
	u32 key = 0;
	u64 *p = bpf_map_lookup_elem(&words, &key);

	return p ? sum_of_threads(p, ctx->a[0]) : 1000;
}

static __noinline u64 throw_old(u64 *p)
{
	u64 old = __sync_val_compare_and_swap(p, 5ull, 6ull);

	if (old == 5)
		bpf_throw(*p * 100 + __sync_fetch_and_xor(p, 3ull));
	return 1;
}

SEC("tc")
u64 then_throw(struct args *ctx)
{
	return throw_old(&ctx->a[0]);
}
