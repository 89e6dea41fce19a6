/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets: headers read and rewritten in place, as filters, balancers and translators do. */
#include "common.h"

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct counter);
} per_protocol SEC(".maps");

static __always_inline int next_protocol(void *data, void *end, void **payload)
{
	struct ethhdr *eth = data;
	__be16 type;

	if ((void *)(eth + 1) > end)
		return -1;
	type = eth->h_proto;
	*payload = eth + 1;
	for (int i = 0; i < 2 && (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD)); i++) {
		struct vlan *tag = *payload;

		if ((void *)(tag + 1) > end)
			return -1;
		type = tag->type;
		*payload = tag + 1;
	}
	return bpf_ntohs(type);
}

SEC("xdp")
int count_protocols(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *payload;
	struct counter *counter;
	__u32 key;

	switch (next_protocol(data, end, &payload)) {
	case ETH_P_IP: {
		struct iphdr *ip = payload;

		if ((void *)(ip + 1) > end)
			return XDP_DROP;
		key = ip->protocol;
		break;
	}
	case ETH_P_IPV6: {
		struct ipv6hdr *ip = payload;

		if ((void *)(ip + 1) > end)
			return XDP_DROP;
		key = ip->nexthdr;
		break;
	}
	default: return XDP_PASS;
	}
	counter = bpf_map_lookup_elem(&per_protocol, &key);
	if (counter) {
		counter->packets++;
		counter->bytes += end - data;
	}
	return XDP_PASS;
}

/* What comes to a port goes back to where it came from. */
SEC("xdp")
int reflect_udp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	unsigned char mac[ETH_ALEN];
	__be32 address;
	__be16 port;

	if ((void *)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->ihl != 5 || ip->protocol != IPPROTO_UDP || udp->dest != bpf_htons(7))
		return XDP_PASS;
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	port = udp->source;
	udp->source = udp->dest;
	udp->dest = port;
	return XDP_TX;
}

struct endpoint {
	__be32 address;
	__be16 port;
	__u16 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct endpoint);
	__type(value, struct endpoint);
} translations SEC(".maps");

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

static __always_inline __u16 checksum_replace(__u16 checksum, __be32 from, __be32 to)
{
	__u32 sum = (__u16)~checksum;

	sum += (__u16) ~(from & 0xffff);
	sum += (__u16) ~(from >> 16);
	sum += to & 0xffff;
	sum += to >> 16;
	return fold(sum);
}

SEC("tc")
int translate_destination(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end, *payload;
	struct endpoint key = {0}, *to;
	struct tcphdr *tcp;
	struct iphdr *ip;

	if (next_protocol(data, end, &payload) != ETH_P_IP)
		return 0;
	ip = payload;
	tcp = (void *)(ip + 1);
	if ((void *)(tcp + 1) > end || ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
		return 0;
	key.address = ip->daddr;
	key.port = tcp->dest;
	to = bpf_map_lookup_elem(&translations, &key);
	if (!to)
		return 0;
	ip->check = checksum_replace(ip->check, ip->daddr, to->address);
	tcp->check = checksum_replace(tcp->check, ip->daddr, to->address);
	tcp->check = checksum_replace(tcp->check, tcp->dest, to->port);
	ip->daddr = to->address;
	tcp->dest = to->port;
	if (ip->ttl <= 1)
		return 2;
	ip->ttl--;
	return 0;
}

/* The whole header, as a router checks it. */
SEC("xdp")
int verify_checksum(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *payload;
	struct iphdr *ip;
	__u32 sum = 0;

	if (next_protocol(data, end, &payload) != ETH_P_IP)
		return XDP_PASS;
	ip = payload;
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	for (int i = 0; i < (int)(sizeof(*ip) / 2); i++)
		sum += ((__u16 *)ip)[i];
	return fold(sum) == 0 ? XDP_PASS : XDP_DROP;
}

/* Options of a TCP header, one by one. */
SEC("xdp")
int clamp_segment_size(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u8 *option = (void *)(tcp + 1), *last;

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP || !tcp->syn)
		return XDP_PASS;
	last = (__u8 *)tcp + tcp->doff * 4;
	for (int i = 0; i < 10; i++) {
		__u8 length;

		if (option + 4 > (__u8 *)end || option + 4 > last || option[0] == 0)
			break;
		if (option[0] == 1) {
			option++;
			continue;
		}
		length = option[1];
		if (option[0] == 2 && length == 4) {
			__u16 size = option[2] << 8 | option[3];

			if (size > 1400) {
				option[2] = 1400 >> 8;
				option[3] = 1400 & 0xff;
			}
			break;
		}
		if (length < 2 || length > 40)
			return XDP_DROP;
		option += length;
	}
	return XDP_PASS;
}

/* Fields of the kernel's own packet, by way of the context. */
SEC("tc")
int classify(struct __sk_buff *skb)
{
	__u32 mark = skb->mark, length = skb->len;

	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return 0;
	if (skb->vlan_present)
		mark |= (skb->vlan_tci & 0xfff) << 16;
	if (length > 1514)
		mark |= 0x8000;
	if (skb->ingress_ifindex && skb->ifindex != skb->ingress_ifindex)
		mark ^= skb->ifindex * 31;
	skb->mark = mark;
	skb->priority = length < 128 ? 7 : length < 512 ? 5 : 1;
	skb->cb[0] = mark >> 8;
	skb->cb[1] = skb->hash;
	skb->tc_classid = mark & 0xff;
	return skb->queue_mapping & 1;
}
