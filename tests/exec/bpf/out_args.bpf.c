/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls with more than five arguments, by hand: compilers that have them are new. R11 stands for the rest:
 * *(u64 *)(r11 - 8) = the sixth going out, *(u64 *)(r11 + 8) the sixth coming in. The sums weigh each
 * argument by its place, so that no two can be mistaken for each other.
 */
#include "bpf_test.h"

extern u64 jf_sum6(u64 a, ...) __ksym;
extern u64 jf_sum8(u64 a, ...) __ksym;
extern u64 jf_sum10(u64 a, ...) __ksym;

#define FIVE  "r1 = 11\n\tr2 = 22\n\tr3 = 33\n\tr4 = 44\n\tr5 = 55\n\t"
#define SIXTH "r0 = 66\n\t*(u64 *)(r11 - 8) = r0\n\t"
#define EIGHT SIXTH "*(u64 *)(r11 - 16) = 77\n\tr6 = 88\n\t*(u64 *)(r11 - 24) = r6\n\t"
#define TEN   EIGHT "r9 = 99\n\t*(u64 *)(r11 - 32) = r9\n\t*(u64 *)(r11 - 40) = -10\n\t"

#define SUM6  (11 + 2 * 22 + 3 * 33 + 4 * 44 + 5 * 55 + 6 * 66)
#define SUM8  (SUM6 + 7 * 77 + 8 * 88)
#define SUM10 (SUM8 + 9 * 99 - 10 * 10)

/* The compiler has to know of the kfuncs to make them known to the linker. */
#define KNOWN(name) __asm__ volatile("" : : "r"(&name))

#define CLOBBERS "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r9", "memory"

SEC("tc")
u64 six_to_c(struct args *ctx)
{
	volatile u64 stack[3];
	u64 result;

	fill(stack, 1);
	KNOWN(jf_sum6);
	__asm__ volatile(SIXTH FIVE "call jf_sum6\n\t%0 = r0" : "=r"(result) : : CLOBBERS);
	return result - SUM6 + damage(stack, 1);
}

SEC("tc")
u64 eight_to_c(struct args *ctx)
{
	volatile u64 stack[3];
	u64 result;

	fill(stack, 1);
	KNOWN(jf_sum8);
	__asm__ volatile(FIVE EIGHT "call jf_sum8\n\t%0 = r0" : "=r"(result) : : CLOBBERS);
	return result - SUM8 + damage(stack, 1);
}

SEC("tc")
u64 ten_to_c(struct args *ctx)
{
	volatile u64 stack[3];
	u64 result;

	fill(stack, 1);
	KNOWN(jf_sum10);
	__asm__ volatile(FIVE TEN "call jf_sum10\n\t%0 = r0" : "=r"(result) : : CLOBBERS);
	return result - SUM10 + damage(stack, 1);
}

/* Between BPF functions. */
static __attribute__((naked, noinline)) u64 sum_ten(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	__asm__ volatile("r0 = r1\n\t"
			 "r2 *= 2\n\tr0 += r2\n\tr3 *= 3\n\tr0 += r3\n\tr4 *= 4\n\tr0 += r4\n\t"
			 "r5 *= 5\n\tr0 += r5\n\t"
			 "r1 = *(u64 *)(r11 + 8)\n\tr1 *= 6\n\tr0 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 16)\n\tr1 *= 7\n\tr0 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 24)\n\tr1 *= 8\n\tr0 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 32)\n\tr1 *= 9\n\tr0 += r1\n\t"
			 "r6 = *(u64 *)(r11 + 40)\n\tr6 *= 10\n\tr0 += r6\n\t"
			 "*(u64 *)(r10 - 8) = r0\n\t"
			 "exit");
}

static __attribute__((naked, noinline)) u64 throw_ten(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	__asm__ volatile("r6 = r1\n\t"
			 "r6 += r2\n\tr6 += r3\n\tr6 += r4\n\tr6 += r5\n\t"
			 "r1 = *(u64 *)(r11 + 8)\n\tr6 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 16)\n\tr6 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 24)\n\tr6 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 32)\n\tr6 += r1\n\t"
			 "r1 = *(u64 *)(r11 + 40)\n\tr6 += r1\n\t"
			 "*(u64 *)(r10 - 16) = r6\n\t"
			 "r1 = r6\n\t"
			 "call bpf_throw\n\t"
			 "exit");
}

#define CALL_TEN(name)                                                                               \
	({                                                                                           \
		u64 result_;                                                                         \
		__asm__ volatile("" : : "r"(&name));                                                 \
		__asm__ volatile(FIVE TEN "call " #name "\n\t%0 = r0" : "=r"(result_) : : CLOBBERS); \
		result_;                                                                             \
	})

SEC("tc")
u64 ten_to_bpf(struct args *ctx)
{
	volatile u64 stack[5];
	u64 result = 0;

	fill(stack, 2);
	for (int i = 0; i < 3; i++)
		result |= CALL_TEN(sum_ten) ^ SUM10;
	return result + damage(stack, 2);
}

/* Ten arguments of which the sum is thrown; the callback adds 1. */
__noinline u64 adds_one(u64 cookie)
{
	return cookie + 1;
}

__noinline u64 adds_with_stack(u64 cookie)
{
	volatile u64 stack[9];

	fill(stack, 3);
	return CALL_TEN(sum_ten) - SUM10 + cookie + 1 + damage(stack, 3);
}

SEC("tc")
EXCEPTION_CALLBACK(adds_one)
u64 ten_thrown(struct args *ctx)
{
	CALL_TEN(throw_ten);
	bpf_throw(1000);
	return 1;
}

static __noinline u64 between(u64 seed)
{
	volatile u64 stack[4];

	fill(stack, seed);
	jf_scramble_registers();
	return CALL_TEN(throw_ten) + damage(stack, seed);
}

SEC("tc")
EXCEPTION_CALLBACK(adds_one)
u64 ten_thrown_below(struct args *ctx)
{
	volatile u64 stack[4];

	fill(stack, 4);
	return between(5) + damage(stack, 4);
}

/* Throws behind the call, itself or from a subprogram; the callback makes such calls too. */
SEC("tc")
EXCEPTION_CALLBACK(adds_with_stack)
u64 thrown_after_ten(struct args *ctx)
{
	if (CALL_TEN(sum_ten) == SUM10)
		bpf_throw(55);
	return 1;
}

static __noinline u64 throws(u64 cookie)
{
	bpf_throw(cookie);
	return 1;
}

SEC("tc")
EXCEPTION_CALLBACK(adds_with_stack)
u64 thrown_below_after_ten(struct args *ctx)
{
	return CALL_TEN(sum_ten) == SUM10 ? throws(55) : 1;
}
