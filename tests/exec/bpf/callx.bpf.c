/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls through a register: of helpers by their numbers, of code by its address. */
#include "bpf_test.h"

typedef u64 (*function)(u64 a, u64 b, u64 c, u64 d, u64 e);

static __noinline u64 weighs(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	volatile u64 stack[4];

	fill(stack, 1);
	jf_scramble_registers();
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + damage(stack, 1);
}

static __noinline u64 other(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return a - b;
}

/* In every register that the compiler may choose, R6 to R9 live over it. */
SEC("tc")
u64 callx_function(struct args *ctx)
{
	volatile u64 stack[3];
	function f = ctx->a[0] ? opaque((function)weighs) : opaque((function)other);
	u64 a = opaque(7), b = opaque(8), result;

	fill(stack, 2);
	result = f(5, 4, 3, 2, 1);
	return result + (a * 10 + b != 78) + damage(stack, 2);
}

/* By hand: R0 to R9 as the register that is called through; arguments are what stands in R1 to R5. */
#define CALL_BY(register)                                                                                        \
	({                                                                                                       \
		u64 result_;                                                                                     \
		__asm__ volatile(                                                                                \
			"r1 = 1; r2 = 2; r3 = 3; r4 = 4; r5 = 5; " register " = %1; callx " register "; %0 = r0" \
			: "=r"(result_)                                                                          \
			: "r"(weighs)                                                                            \
			: "r0", "r1", "r2", "r3", "r4", "r5", register);                                         \
		result_;                                                                                         \
	})

SEC("tc")
u64 callx_registers(struct args *ctx)
{
	u64 all = 54321, number = 0, address = (u64)weighs;

	CHECK(CALL_BY("r0"), all);
	CHECK(CALL_BY("r6"), all);
	CHECK(CALL_BY("r7"), all);
	CHECK(CALL_BY("r8"), all);
	CHECK(CALL_BY("r9"), all);
	CHECK((u32)CALL_BY("r1"), (u32)(all - 1 + address));
	CHECK((u32)CALL_BY("r2"), (u32)(all - 20 + 10 * address));
	CHECK((u32)CALL_BY("r3"), (u32)(all - 300 + 100 * address));
	CHECK((u32)CALL_BY("r4"), (u32)(all - 4000 + 1000 * address));
	CHECK((u32)CALL_BY("r5"), (u32)(all - 50000 + 10000 * address));
	return 0;
}

SEC("tc")
u64 callx_helper(struct args *ctx)
{
	u32 (*id)(void) = (void *)opaque(8ull);
	long (*compare)(const char *, u32, const char *) = (void *)opaque(182ull);
	char a[] = "text", b[] = "tent";

	return id() * 100 + (compare(a, 4, b) > 0) * 10 + (compare(a, 2, b) == 0);
}

SEC("tc")
u64 callx_no_helper(struct args *ctx)
{
	function f = (function)opaque(100ull);

	return f(1, 2, 3, 4, 5);
}

static __noinline u64 calls(function f, u64 cookie)
{
	u64 result = f(1, 2, 3, 4, 5);

	if (cookie)
		bpf_throw(result + cookie);
	return result;
}

__noinline u64 handler(u64 cookie)
{
	return calls(opaque((function)weighs), 0) + cookie;
}

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 callx_throw(struct args *ctx)
{
	return calls(opaque((function)weighs), ctx->a[0]) + 1;
}

static __noinline u64 throws(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	bpf_throw(a + 76);
	return 1;
}

/* Through the C code that lies between. */
SEC("tc")
u64 callx_throws(struct args *ctx)
{
	return calls(opaque((function)throws), 0);
}
