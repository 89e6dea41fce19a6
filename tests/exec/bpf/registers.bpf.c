/* SPDX-License-Identifier: BSD-2-Clause */
/* R6 to R9 and the stack stay a function's own, whoever it calls and whether that throws. */
#include "bpf_test.h"

static __noinline u64 uses_none(u64 x)
{
	return opaque(x) + 1;
}

static __noinline u64 uses_r6(u64 x)
{
	u64 a = opaque(x * 3);

	jf_scramble_registers();
	return a + uses_none(x);
}

static __noinline u64 uses_r6_r7(u64 x)
{
	u64 a = opaque(x * 3), b = opaque(x * 5);

	jf_scramble_registers();
	b += uses_r6(a);
	return a + b;
}

static __noinline u64 uses_r6_r8(u64 x)
{
	u64 a = opaque(x * 3), b = opaque(x * 5), c = opaque(x * 7);

	c += uses_r6_r7(b);
	jf_scramble_registers();
	return a + b + c;
}

static __noinline u64 uses_r6_r9(u64 x)
{
	u64 a = opaque(x * 3), b = opaque(x * 5), c = opaque(x * 7), d = opaque(x * 9);

	d += uses_r6_r8(c);
	jf_scramble_registers();
	return a + b + c + d;
}

/* By hand: a function that uses r9 and r7 alone. */
static __noinline u64 uses_r9_r7(u64 x)
{
	u64 result;

	__asm__ volatile("r9 = %1\n\t"
			 "r7 = %1\n\t"
			 "r7 *= 2\n\t"
			 "r9 += r7\n\t"
			 "%0 = r9"
			 : "=r"(result)
			 : "r"(x)
			 : "r7", "r9");
	return result;
}

/* Four values live over calls of functions that use every subset of R6 to R9. */
SEC("tc")
u64 registers_kept(struct args *ctx)
{
	u64 a = ctx->a[0], b = ctx->a[1], c = ctx->a[2], x = ctx->a[3], sum;

	sum = uses_none(x);
	sum += uses_r6(x) * 2;
	sum += uses_r6_r7(x) * 3;
	sum += uses_r6_r8(x) * 4;
	sum += uses_r6_r9(x) * 5;
	sum += uses_r9_r7(x) * 6;
	jf_scramble_registers();
	return opaque(a) * 1000000 + opaque(b) * 10000 + opaque(c) * 100 + (sum & 63);
}

static __noinline u64 throw_from_full(u64 x)
{
	u64 a = opaque(x * 3), b = opaque(x * 5), c = opaque(x * 7), d = opaque(x * 9);

	jf_scramble_registers();
	d += uses_r6_r8(c);
	if (x & 1)
		bpf_throw(a + b + c);
	return a + b + c + d;
}

static __noinline u64 through_r6(u64 x)
{
	u64 a = opaque(x + 1);

	return throw_from_full(x) + a;
}

/* All four hold something when the throw takes the frames between away. */
SEC("tc")
u64 registers_thrown(struct args *ctx)
{
	u64 a = ctx->a[0], b = ctx->a[1], c = ctx->a[2], x = ctx->a[3], sum;

	jf_scramble_registers();
	sum = through_r6(x);
	return a + b + c + sum;
}

/* The main program uses none of R6 to R9, those it calls use all. */
SEC("tc")
u64 registers_of_others(struct args *ctx)
{
	return through_r6(ctx->a[3]);
}

/* The first call does not throw, the second does: what was live is gone, the cookie counts. */
SEC("tc")
u64 registers_twice(struct args *ctx)
{
	u64 a = ctx->a[0], first = through_r6(ctx->a[3] & ~1ull);

	return first + a + through_r6(ctx->a[3] | 1);
}
