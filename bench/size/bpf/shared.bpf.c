/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that others write to at the same time. */
#include "common.h"

struct shared {
	__u64 count, flags, best;
	__u32 owner, turns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct shared);
} shared SEC(".maps");

SEC("tc")
int counters(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 3;
	struct shared *s = bpf_map_lookup_elem(&shared, &key);
	__u64 ticket;

	if (!s)
		return 0;
	ticket = __sync_fetch_and_add(&s->count, skb->len);
	__sync_fetch_and_or(&s->flags, 1ull << (ticket & 63));
	if (ticket % 3 == 0)
		__sync_fetch_and_and(&s->flags, ~0xffull);
	__sync_fetch_and_add(&s->turns, 1);
	return (int)__sync_fetch_and_xor(&s->best, ticket);
}

SEC("tc")
int lock_free_maximum(struct __sk_buff *skb)
{
	__u32 key = 0, me = bpf_get_smp_processor_id() + 1;
	struct shared *s = bpf_map_lookup_elem(&shared, &key);
	__u64 value = skb->len;

	if (!s)
		return 0;
	if (__sync_val_compare_and_swap(&s->owner, 0, me) != 0)
		return 2;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 8; i++) {
		__u64 best = s->best;

		if (value <= best || __sync_val_compare_and_swap(&s->best, best, value) == best)
			break;
	}
	return __sync_lock_test_and_set(&s->owner, 0);
}
