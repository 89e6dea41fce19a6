/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program arrays that change: set before the run by --set, and by some threads while others go through
 * them. Values are the numbers of programs in this file, counted from 0 from the top.
 */
#include "bpf_test.h"

enum { FIRST, SECOND };

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 3);
	__type(key, u32);
	__type(value, u32);
} table SEC(".maps");

SEC("tc")
u64 first(struct args *ctx)
{
	volatile u64 stack[10];

	fill(stack, 1);
	return 7 + damage(stack, 1);
}

static __noinline u64 throws(u64 cookie)
{
	bpf_throw(cookie);
	return 1;
}

SEC("tc")
u64 second(struct args *ctx)
{
	return throws(7);
}

static __noinline u64 goes(struct args *ctx)
{
	bpf_tail_call(ctx, &table, 0);
	return 7;
}

/* Every fourth thread writes, the others read; whatever they find gives 7. */
SEC("tc")
u64 race(struct args *ctx)
{
	u32 key = 0, value = ctx->a[0] ? opaque(FIRST) : opaque(SECOND);
	u64 a = opaque(11), b = opaque(12), c = opaque(13), result;

	if (bpf_get_smp_processor_id() % 4 == 0) {
		value = bpf_get_prandom_u32() % 3;
		if (value == 2)
			bpf_map_delete_elem(&table, &key);
		else if (bpf_map_update_elem(&table, &key, &value, UPDATE_ANY))
			return 1000;
		return 7;
	}
	result = goes(ctx);
	return a + b + c == 36 ? result : 2000;
}

/* a[0]: which slot; 5 when it is empty. */
SEC("tc")
u64 goes_to(struct args *ctx)
{
	bpf_tail_call(ctx, &table, ctx->a[0]);
	return 5;
}

SEC("tc")
u64 helpers(struct args *ctx)
{
	u32 key = 1, beyond = 3, second = SECOND, none = 1000;
	u64 number = 0;

	CHECK(goes(ctx), 7);
	CHECK(bpf_map_delete_elem(&table, &key), -ENOENT);
	CHECK(bpf_map_update_elem(&table, &key, &second, UPDATE_ANY), 0);
	CHECK(bpf_map_lookup_elem(&table, &key), NULL);
	CHECK(bpf_map_update_elem(&table, &key, &second, UPDATE_NOEXIST), -EINVAL);
	CHECK(bpf_map_update_elem(&table, &beyond, &second, UPDATE_ANY), -E2BIG);
	CHECK(bpf_map_update_elem(&table, &key, &none, UPDATE_ANY), -EINVAL);
	CHECK(bpf_map_delete_elem(&table, &key), 0);
	CHECK(bpf_map_delete_elem(&table, &beyond), -E2BIG);
	return 0;
}
