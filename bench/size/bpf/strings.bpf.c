/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes one after the other: names, numbers, words, on the stack and in packets. */
#include "common.h"

/* The name of a DNS question, in lower case. */
SEC("xdp")
int dns_name(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *at = data + 14 + 20 + 8 + 12;
	__u32 hash = 5381, left = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 64; i++) {
		__u8 byte;

		if (at + 1 > end)
			return XDP_DROP;
		byte = *at++;
		if (left == 0) {
			if (byte == 0)
				break;
			if (byte > 63)
				return XDP_DROP;
			left = byte;
			continue;
		}
		left--;
		if (byte >= 'A' && byte <= 'Z')
			byte += 'a' - 'A';
		else if ((byte < 'a' || byte > 'z') && (byte < '0' || byte > '9') && byte != '-')
			return XDP_DROP;
		hash = hash * 33 + byte;
	}
	return hash & 1 ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int http_method(struct __sk_buff *skb)
{
	char *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	char *text = data + 14 + 20 + 20;

	if (text + 8 > end)
		return 0;
	if (text[0] == 'G' && text[1] == 'E' && text[2] == 'T' && text[3] == ' ')
		return 1;
	if (__builtin_memcmp(text, "POST", 4) == 0)
		return 2;
	if (__builtin_memcmp(text, "DELETE ", 7) == 0)
		return 3;
	if (__builtin_memcmp(text, "OPTIONS ", 8) == 0)
		return 4;
	return 0;
}

/* Decimal and hexadecimal, whichever it is. */
SEC("xdp")
int number(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 value = 0, base = 10;
	int negative = 0;

	if (data + 20 > end)
		return 0;
	if (*data == '-') {
		negative = 1;
		data++;
	}
	if (data[0] == '0' && (data[1] | 0x20) == 'x') {
		base = 16;
		data += 2;
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < 16; i++) {
		__u32 digit = (__u8)data[i] - '0';

		if (digit > 9)
			digit = ((__u8)data[i] | 0x20) - 'a' + 10;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	if (negative)
		value = -value;
	return value % 5 == 3;
}

/* A process's name, sought for a word. */
SEC("tc")
int find_word(struct __sk_buff *skb)
{
	static const char word[] = "worker";
	char name[16] = {0};

	*(__u32 *)name = skb->cb[0];
	*(__u32 *)(name + 4) = skb->cb[1];
	*(__u32 *)(name + 8) = skb->cb[2];
#pragma clang loop unroll(disable)
	for (int i = 0; i + 6 <= 16; i++) {
		int same = 0;

		for (int k = 0; k < 6; k++)
			same += name[i + k] == word[k];
		if (same == 6)
			return i + 1;
	}
	return 0;
}

/* Text into a buffer: number, colon, number. */
SEC("tc")
int print_decimal(struct __sk_buff *skb)
{
	char text[32];
	__u32 value = skb->len, count = 0, sum = 0;

#pragma clang loop unroll(disable)
	for (int i = 31; i >= 20; i--) {
		text[i & 31] = '0' + value % 10;
		value /= 10;
		count++;
		if (value == 0)
			break;
	}
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < 12; i++)
		if (i < count)
			sum = sum * 31 + text[(31 - i) & 31];
	return sum & 0xff;
}
