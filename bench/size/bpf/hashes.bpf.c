/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes and checks over bytes of a packet: shifts, rotations, constants of all sizes. */
#include "common.h"

#define BYTES 64

#define rol32(x, by) ((x) << (by) | (x) >> (32 - (by)))
#define rol64(x, by) ((x) << (by) | (x) >> (64 - (by)))

static __always_inline int take(struct xdp_md *ctx, __u8 **bytes)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + ETH_HLEN + BYTES > end)
		return 0;
	*bytes = data + ETH_HLEN;
	return 1;
}

SEC("xdp")
int fnv(struct xdp_md *ctx)
{
	__u64 hash = 0xcbf29ce484222325ull;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BYTES; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return (__u32)(hash ^ hash >> 32) & 3;
}

SEC("xdp")
int jenkins(struct xdp_md *ctx)
{
	__u32 a, b, c, *words;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
	words = (__u32 *)bytes;
	a = b = c = 0xdeadbeef + 48;
	for (int i = 0; i < 9; i += 3) {
		a += words[i];
		b += words[i + 1];
		c += words[i + 2];
		a -= c, a ^= rol32(c, 4), c += b;
		b -= a, b ^= rol32(a, 6), a += c;
		c -= b, c ^= rol32(b, 8), b += a;
		a -= c, a ^= rol32(c, 16), c += b;
		b -= a, b ^= rol32(a, 19), a += c;
		c -= b, c ^= rol32(b, 4), b += a;
	}
	c ^= b, c -= rol32(b, 14);
	a ^= c, a -= rol32(c, 11);
	b ^= a, b -= rol32(a, 25);
	return (c ^ a ^ b) & 3;
}

struct sip {
	__u64 v0, v1, v2, v3;
};

static __always_inline void sip_round(struct sip *s)
{
	s->v0 += s->v1, s->v1 = rol64(s->v1, 13), s->v1 ^= s->v0, s->v0 = rol64(s->v0, 32);
	s->v2 += s->v3, s->v3 = rol64(s->v3, 16), s->v3 ^= s->v2;
	s->v0 += s->v3, s->v3 = rol64(s->v3, 21), s->v3 ^= s->v0;
	s->v2 += s->v1, s->v1 = rol64(s->v1, 17), s->v1 ^= s->v2, s->v2 = rol64(s->v2, 32);
}

SEC("xdp")
int siphash(struct xdp_md *ctx)
{
	struct sip s = {0x736f6d6570736575ull, 0x646f72616e646f6dull, 0x6c7967656e657261ull, 0x7465646279746573ull};
	__u64 *words;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
	words = (__u64 *)bytes;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 4; i++) {
		s.v3 ^= words[i];
		sip_round(&s);
		sip_round(&s);
		s.v0 ^= words[i];
	}
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	return (s.v0 ^ s.v1 ^ s.v2 ^ s.v3) & 3;
}

/* Four bits at a time. */
static const __u32 crc_table[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

SEC("xdp")
int crc32(struct xdp_md *ctx)
{
	__u32 crc = ~0u;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ crc_table[crc & 15];
		crc = crc >> 4 ^ crc_table[crc & 15];
	}
	return ~crc & 3;
}

SEC("xdp")
int murmur(struct xdp_md *ctx)
{
	__u32 hash = 0x9747b28c, *words;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
	words = (__u32 *)bytes;
	for (int i = 0; i < 8; i++) {
		__u32 k = words[i] * 0xcc9e2d51;

		k = rol32(k, 15) * 0x1b873593;
		hash ^= k;
		hash = rol32(hash, 13) * 5 + 0xe6546b64;
	}
	hash ^= BYTES;
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return (hash ^ hash >> 16) & 3;
}

/* Everything that big-endian protocols ask for. */
SEC("xdp")
int byte_orders(struct xdp_md *ctx)
{
	__u64 sum = 0, *words;
	__u8 *bytes;

	if (!take(ctx, &bytes))
		return 0;
	words = (__u64 *)bytes;
	for (int i = 0; i < 4; i++) {
		sum += bpf_be64_to_cpu(words[i]);
		sum ^= bpf_ntohl((__u32)words[i + 1]);
		sum -= bpf_ntohs((__u16)words[i + 2]);
		words[i] = bpf_cpu_to_be64(sum);
	}
	return sum & 3;
}
