/* SPDX-License-Identifier: BSD-2-Clause */
/* Long functions: jumps over more than a short branch reaches, and gotol over more than 16 bits hold. */
#include "bpf_test.h"

/* Conditional jumps, forwards and backwards, over what no short form of a machine reaches. */
__attribute__((naked)) SEC("tc") u64 long_jumps(struct args *ctx)
{
	__asm__ volatile("r6 = r1\n\t"
			 "r0 = 0\n\t"
			 "r7 = 0\n\t"
			 "r8 = 0\n\t"
			 "1:\n\t"
			 "r7 += 1\n\t"
			 "if r7 == 2 goto 2f\n\t"
			 "if r7 s> 2 goto 3f\n\t"
			 ".rept 15000\n\t"
			 "r0 += 0x12345\n\t"
			 "r0 ^= 0x7654321\n\t"
			 ".endr\n\t"
			 "2:\n\t"
			 "r8 += 1\n\t"
			 "if r7 != 3 goto 1b\n\t"
			 "3:\n\t"
			 "r2 = *(u64 *)(r6 + 0)\n\t"
			 "r0 *= r2\n\t"
			 "r8 *= 1000\n\t"
			 "r8 += r7\n\t"
			 "r0 += r8\n\t"
			 "exit");
}

/* Further than 32767 instructions, there and back, with calls and an exit in between. */
static __noinline u64 adds(u64 a, u64 b)
{
	return opaque(a) + b;
}

__attribute__((naked)) SEC("tc") u64 long_gotol(struct args *ctx)
{
	__asm__ volatile("r6 = r1\n\t"
			 "r7 = 0\n\t"
			 "gotol 2f\n\t"
			 "1:\n\t"
			 "r1 = r7\n\t"
			 "r2 = 3\n\t"
			 "call %[adds]\n\t"
			 "exit\n\t"
			 ".rept 50000\n\t"
			 "r7 += 1\n\t"
			 ".endr\n\t"
			 "2:\n\t"
			 "r7 += 40\n\t"
			 "if r7 s> 50000 goto 4f\n\t"
			 "if r7 == 40 goto 3f\n\t"
			 "r0 = 1\n\t"
			 "exit\n\t"
			 "3:\n\t"
			 "r1 = *(u64 *)(r6 + 0)\n\t"
			 "r7 += r1\n\t"
			 "4:\n\t"
			 "gotol 1b\n\t"
			 :
			 : [adds] "i"(adds));
}

/* Thrown from the far end. */
__attribute__((naked)) SEC("tc") u64 long_throw(struct args *ctx)
{
	__asm__ volatile("gotol 2f\n\t"
			 "1:\n\t"
			 "r0 = 1\n\t"
			 "exit\n\t"
			 ".rept 50000\n\t"
			 "r7 += 1\n\t"
			 ".endr\n\t"
			 "2:\n\t"
			 "r1 = *(u64 *)(r1 + 0)\n\t"
			 "call bpf_throw\n\t"
			 "gotol 1b\n\t");
}
