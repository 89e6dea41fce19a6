/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps and time: flows, rates, histograms, counters. */
#include "common.h"

struct flow_key {
	__u32 from, to;
	__u16 from_port, to_port;
	__u8 protocol;
	__u8 unused[3];
};

struct flow {
	__u64 packets, bytes;
	__u64 first, last;
	__u32 flags;
	__u32 gap_max_us;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

SEC("tc")
int track_flow(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct flow fresh = {0}, *flow;
	struct flow_key key = {0};
	__u64 now, gap;

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP)
		return 0;
	key.from = ip->saddr;
	key.to = ip->daddr;
	key.from_port = tcp->source;
	key.to_port = tcp->dest;
	key.protocol = IPPROTO_TCP;
	now = bpf_ktime_get_ns();
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow) {
		fresh.first = fresh.last = now;
		fresh.packets = 1;
		fresh.bytes = skb->len;
		bpf_map_update_elem(&flows, &key, &fresh, BPF_NOEXIST);
		return 0;
	}
	gap = (now - flow->last) / 1000;
	if (gap > flow->gap_max_us)
		flow->gap_max_us = gap;
	flow->last = now;
	flow->packets++;
	flow->bytes += skb->len;
	flow->flags |= tcp->fin | tcp->syn << 1 | tcp->rst << 2 | tcp->ack << 4;
	if (tcp->rst)
		bpf_map_delete_elem(&flows, &key);
	return 0;
}

struct bucket {
	__u64 tokens;
	__u64 filled;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

SEC("tc")
int limit_rate(struct __sk_buff *skb)
{
	const __u64 per_second = 1250000, burst = 64000;
	__u32 key = skb->ifindex;
	struct bucket *bucket, fresh = {burst, 0};
	__u64 now = bpf_ktime_get_ns(), earned;

	bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket) {
		fresh.filled = now;
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_ANY);
		return 0;
	}
	earned = (now - bucket->filled) * per_second / 1000000000;
	if (earned > 0) {
		bucket->tokens += earned;
		if (bucket->tokens > burst)
			bucket->tokens = burst;
		bucket->filled = now;
	}
	if (bucket->tokens < skb->len)
		return 2;
	bucket->tokens -= skb->len;
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} histogram SEC(".maps");

static __always_inline __u32 log2_of(__u64 value)
{
	__u32 log = 0;

	for (int shift = 32; shift > 0; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			log += shift;
		}
	}
	return log;
}

SEC("tc")
int length_histogram(struct __sk_buff *skb)
{
	__u32 slot = log2_of((__u64)skb->len * (skb->mark + 1));
	__u64 *count = bpf_map_lookup_elem(&histogram, &slot);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 128);
	__type(key, __u64);
	__type(value, __u64);
} per_cpu SEC(".maps");

SEC("socket")
int sample(struct __sk_buff *skb)
{
	__u64 key = (__u64)bpf_get_smp_processor_id() << 32 | skb->ifindex, one = 1, *found;

	if (bpf_get_prandom_u32() & 0xff)
		return 0;
	found = bpf_map_lookup_elem(&per_cpu, &key);
	if (found)
		*found += 1;
	else
		bpf_map_update_elem(&per_cpu, &key, &one, BPF_NOEXIST);
	return skb->len;
}

/* Variables of the program. */
static volatile __u64 seen, dropped;
static volatile __u32 last_lengths[16];
const volatile __u32 length_max = 9000;
static __u32 thresholds[] = {64, 128, 256, 512, 1024, 1518};
__u64 classes[6];

SEC("socket")
int variables(struct __sk_buff *skb)
{
	__u32 length = skb->len;

	last_lengths[seen & 15] = length;
	seen++;
	if (length > length_max) {
		dropped++;
		return 0;
	}
	for (int i = 0; i < 6; i++)
		if (length <= thresholds[i])
			classes[i]++;
	return length;
}
