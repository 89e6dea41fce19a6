/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C functions with narrow arguments and results. The upper bits of an argument's register are anything, as BPF leaves
 * them; R0 is whole.
 */
#include "bpf_test.h"

extern int jf_seventh(int x) __ksym;
extern long long jf_weigh(signed char a, unsigned short b, int c, u32 d, _Bool e) __ksym;
extern signed char jf_low_byte(u64 x) __ksym;
extern _Bool jf_is_odd(unsigned char x) __ksym;

/* The compiler has to know of the kfuncs to make them known to the linker. */
#define CALL(got, registers, name)                                                \
	do {                                                                      \
		__asm__ volatile("" : : "r"(&(name)));                            \
		__asm__ volatile(registers "call " #name "\n\t%0 = r0"            \
				 : "=r"(got)                                      \
				 :                                                \
				 : "r0", "r1", "r2", "r3", "r4", "r5", "memory"); \
	} while (0)

#define WEIGHT (-128 + 2 * 65535ll + 3 * -2147483648ll + 4 * 2147483648ll + 5)

SEC("tc")
u64 signatures(struct args *ctx)
{
	u64 number = 0, got;

	CALL(got, "r1 = 0xdeadbeeffffffff2 ll\n\t", jf_seventh);
	CHECK(got, (u64)-2);
	CALL(got, "w1 = -14\n\t", jf_seventh);
	CHECK(got, (u64)-2);
	CHECK(jf_seventh((int)ctx->a[0]), -3);
	CALL(got,
	     "r1 = 0x1234567812345680 ll\n\tr2 = 0x123456781234ffff ll\n\tr3 = 0x7777777780000000 ll\n\t"
	     "r4 = 0x7777777780000000 ll\n\tr5 = 0x5a5a5a5a5a5a5a01 ll\n\t",
	     jf_weigh);
	CHECK(got, (u64)WEIGHT);
	CALL(got, "r1 = 0x1234567812345680 ll\n\t", jf_low_byte);
	CHECK(got, (u64)-128);
	CALL(got, "r1 = 0x1234567812345603 ll\n\t", jf_is_odd);
	CHECK(got, 1);
	return 0;
}
