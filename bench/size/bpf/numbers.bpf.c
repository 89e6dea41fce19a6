/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic of both widths, with and without sign; at -mcpu=v4 with its division and moves too. */
#include "common.h"

SEC("tc")
int isqrt(struct __sk_buff *skb)
{
	__u64 x = skb->len, root = 0, bit = 1 << 18;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 10; i++) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
		bit >>= 2;
	}
	return (int)root;
}

SEC("tc")
int gcd(struct __sk_buff *skb)
{
	__u32 a = skb->len, b = skb->mark | 1;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 40; i++) {
		__u32 rest;

		if (b == 0)
			break;
		rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Days to a date, after the civil calendar. */
SEC("tc")
int calendar(struct __sk_buff *skb)
{
	__u64 seconds = bpf_ktime_get_ns() / 1000000000ull;
	__u32 days = seconds / 86400, rest = seconds % 86400;
	__u32 z = days + 719468, era = z / 146097, day_of_era = z - era * 146097;
	__u32 year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	__u32 day = day_of_era - (365 * year + year / 4 - year / 100), month = (5 * day + 2) / 153;

	skb->cb[0] = year + era * 400 + (month >= 10);
	skb->cb[1] = month < 10 ? month + 3 : month - 9;
	skb->cb[2] = day - (153 * month + 2) / 5 + 1;
	skb->cb[3] = rest / 3600 << 16 | rest % 3600 / 60 << 8 | rest % 60;
	return 0;
}

/* Moving average and deviation, in fixed point. */
static volatile __s64 mean, deviation;

SEC("tc")
int average(struct __sk_buff *skb)
{
	__s64 value = (__s64)skb->len << 16, error = value - mean;

	mean += error >> 3;
	if (error < 0)
		error = -error;
	deviation += (error - deviation) >> 2;
	return mean > 4 * deviation ? (int)(mean >> 16) : -1;
}

SEC("tc")
int bits(struct __sk_buff *skb)
{
	__u64 x = (__u64)skb->hash << 32 | skb->mark, y = x;
	__u32 count;

	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	count = (x * 0x0101010101010101ull) >> 56;
	y ^= y << 13;
	y ^= y >> 7;
	y ^= y << 17;
	y = (y & 0xff00ff00ff00ff00ull) >> 8 | (y & 0x00ff00ff00ff00ffull) << 8;
	skb->cb[0] = y;
	skb->cb[1] = y >> 32;
	return count > 32 ? count | 0x100 : count & ~0x7u;
}

/* What every width of operand and result asks for. */
SEC("tc")
int widths(struct __sk_buff *skb)
{
	__s8 a = skb->len;
	__s16 b = skb->mark;
	__s32 c = skb->hash, d = skb->priority;
	__s64 sum = a;

	sum += b * 3;
	sum -= (__s64)c * d;
	sum ^= (__u8)c;
	sum += (__u16)d;
	if (a < 0 && b > -100)
		sum = -sum;
	if (c <= d)
		sum |= (__u32)c >> (d & 31);
	else
		sum &= (__s64)c << (d & 63);
	if ((__u32)c > 0x80000000u)
		sum += 0x123456789ll;
	skb->cb[0] = c >> 4;
	skb->cb[1] = (__u32)c >> 28;
	return sum >> 33;
}

#if __BPF_CPU_VERSION__ >= 4
SEC("tc")
int signed_division(struct __sk_buff *skb)
{
	__s32 a = skb->len, b = skb->mark;
	__s64 c = (__s64)a << 20, d = b;

	skb->cb[0] = a / b;
	skb->cb[1] = a % b;
	skb->cb[2] = c / d;
	skb->cb[3] = c % d;
	return (a / 7) ^ (b % -3) ^ (int)(c / 1000);
}
#endif

SEC("tc")
int unsigned_division(struct __sk_buff *skb)
{
	__u32 a = skb->len, b = skb->mark;
	__u64 c = (__u64)a << 20 | b, d = b;

	skb->cb[0] = a / b;
	skb->cb[1] = a % b;
	skb->cb[2] = c / d;
	skb->cb[3] = c % d;
	return (a / 7) ^ (b % 10) ^ (int)(c / 1000000007);
}
