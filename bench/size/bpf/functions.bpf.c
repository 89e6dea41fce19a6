/* SPDX-License-Identifier: BSD-2-Clause */
/* Subprograms, tail calls, loops over the stack, state machines. */
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

static __noinline int mix(__u64 a, __u64 b, __u32 c, __u32 d, __u64 e)
{
	return (a * 3 + b) ^ (c - d) ^ (e >> 7);
}

static __noinline int weigh(__u64 a, __u64 b)
{
	__u64 w = mix(a, b, a >> 32, b >> 32, a ^ b);

	return w > 1000 ? mix(w, a, 1, 2, b) : mix(b, w, 3, 4, a);
}

SEC("tc")
int subprograms(struct __sk_buff *skb)
{
	__u64 a = skb->len, b = skb->hash;

	return weigh(a, b) + weigh(b, a) * 2;
}

/* The index is known, as where one program is split in several. */
SEC("tc")
int tail_known(struct __sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		bpf_tail_call(skb, &next, 1);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(skb, &next, 2);
	return 0;
}

SEC("tc")
int tail_chosen(struct __sk_buff *skb)
{
	__u32 hash = skb->hash * 2654435761u;

	skb->cb[0] = hash;
	bpf_tail_call(skb, &next, hash >> 29);
	return 2;
}

SEC("tc")
int tail_after_calls(struct __sk_buff *skb)
{
	int weight = weigh(skb->len, skb->mark);

	skb->cb[1] = weight;
	bpf_tail_call(skb, &next, weight & 7);
	return weight;
}

/* An array on the stack. */
SEC("tc")
int sort(struct __sk_buff *skb)
{
	__u32 values[16], seed = skb->hash;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 16; i++) {
		seed = seed * 1664525 + 1013904223;
		values[i] = seed >> 8;
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < 15; i++) {
#pragma clang loop unroll(disable)
		for (int k = 0; k < 15; k++) {
			if (values[k] > values[k + 1]) {
				__u32 value = values[k];

				values[k] = values[k + 1];
				values[k + 1] = value;
			}
		}
	}
	return values[8];
}

SEC("tc")
int matrix(struct __sk_buff *skb)
{
	__u64 a[3][3], b[3][3], sum = 0;

	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			a[i][k] = skb->len * (i + 1) + k;
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 3; k++) {
			b[i][k] = 0;
			for (int m = 0; m < 3; m++)
				b[i][k] += a[i][m] * a[m][k];
		}
	}
	for (int i = 0; i < 3; i++)
		sum += b[i][i] * b[i][2 - i];
	return (int)(sum >> 16);
}

enum state { LISTEN, SYN_RECEIVED, ESTABLISHED, CLOSING, CLOSED };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} states SEC(".maps");

SEC("tc")
int machine(struct __sk_buff *skb)
{
	__u32 key = skb->hash, event = skb->mark & 7, *state, fresh = LISTEN;

	state = bpf_map_lookup_elem(&states, &key);
	if (!state) {
		bpf_map_update_elem(&states, &key, &fresh, BPF_ANY);
		return 0;
	}
	switch (*state) {
	case LISTEN:
		if (event == 1)
			*state = SYN_RECEIVED;
		break;
	case SYN_RECEIVED:
		if (event == 2)
			*state = ESTABLISHED;
		else if (event == 4)
			*state = LISTEN;
		break;
	case ESTABLISHED:
		if (event == 3)
			*state = CLOSING;
		else if (event == 4)
			*state = CLOSED;
		break;
	case CLOSING:
		if (event == 2 || event == 4)
			*state = CLOSED;
		break;
	case CLOSED: bpf_map_delete_elem(&states, &key); return 1;
	default: return -1;
	}
	return *state;
}
