/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_test.h"

/* Packets: by pointers of the context, and by loads that a kernel has kept from classic BPF. */

struct skb {
	u32 len, unused[18], data, data_end;
};

struct xdp {
	u32 data, data_end;
};

static __always_inline u64 sum(u8 *at, u8 *end)
{
	u64 all = 0;

	while (at < end)
		all += *at++;
	return all;
}

SEC("tc") u64 packet_sum(const struct skb *skb)
{
	return sum((u8 *)(u64)skb->data, (u8 *)(u64)skb->data_end) << 16 | skb->len;
}

/* Written to, and read again: each run has the packet as it was. */
SEC("xdp") u64 packet_write(const struct xdp *ctx)
{
	u8 *at = (u8 *)(u64)ctx->data, *end = (u8 *)(u64)ctx->data_end;

	at[0]++;
	return sum(at, end);
}

SEC("socket") __attribute__((naked)) int packet_loads(void)
{
	__asm__ volatile("r6 = r1;"
			 "r7 = 1;"
			 "r0 = *(u32 *)skb[0];"
			 "r8 = r0;"
			 ".8byte 0x0000000200007048;" /* r0 = *(u16 *)skb[r7 + 2] */
			 "r8 += r0;"
			 ".8byte 0x0000000000007050;" /* r0 = *(u8 *)skb[r7] */
			 "r0 += r8;"
			 "exit;" ::
				 : "memory");
}

/* The load behind the packet's end is the end of the program, with 0. */
SEC("socket") __attribute__((naked)) int packet_too_short(void)
{
	__asm__ volatile("r6 = r1;"
			 "r0 = 7;"
			 "if r6 == 0 goto 1f;"
			 "r0 = *(u32 *)skb[4];"
			 "r0 = 9;"
			 "1: exit;" ::
				 : "memory");
}

SEC("syscall") u64 packet_never(void *ctx)
{
	return 0;
}
