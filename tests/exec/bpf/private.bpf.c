/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF stacks outside the machine stack: for --private-stack. */
#include "bpf_test.h"

/* By hand: what the word below R10 holds, and puts another value there. */
static __attribute__((naked, noinline)) u64 swap_word(u64 value)
{
	__asm__ volatile("r0 = *(u64 *)(r10 - 8)\n\t"
			 "*(u64 *)(r10 - 8) = r1\n\t"
			 "exit");
}

static __noinline u64 scribbles(u64 seed)
{
	volatile u64 stack[40];

	fill(stack, seed);
	return damage(stack, seed);
}

/* A function's stack is its own also between calls: nobody else's lies there. */
SEC("tc")
u64 private_keeps(struct args *ctx)
{
	u64 number = 0;

	swap_word(0x1234);
	scribbles(1);
	jf_scramble_registers();
	CHECK(swap_word(0x5678), 0x1234);
	scribbles(2);
	CHECK(swap_word(0), 0x5678);
	return 0;
}

/* Every level with a stack of another size, looked at on the way back. */
#define LEVEL(name, next, words)                                      \
	static __noinline u64 name(u64 a, u64 b)                      \
	{                                                             \
		volatile u64 stack[words];                            \
		u64 c = opaque(a + 1), d = opaque(b + 2), result;     \
                                                                      \
		fill(stack, words);                                   \
		result = next(c, d);                                  \
		return result + a + b + c + d + damage(stack, words); \
	}

static __noinline u64 bottom(u64 a, u64 b)
{
	volatile u64 stack[8];

	fill(stack, 8);
	jf_scramble_registers();
	if (a == 5)
		bpf_throw(b + damage(stack, 8));
	return damage(stack, 8);
}

LEVEL(level5, bottom, 1)
LEVEL(level4, level5, 61)
LEVEL(level3, level4, 2)
LEVEL(level2, level3, 33)
LEVEL(level1, level2, 64)

__noinline u64 handler(u64 cookie)
{
	volatile u64 stack[50];

	fill(stack, cookie);
	return cookie + scribbles(cookie) + damage(stack, cookie) + 1;
}

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 private_deep(struct args *ctx)
{
	volatile u64 stack[16];
	u64 a = opaque(ctx->a[1]), result;

	fill(stack, 5);
	result = level1(ctx->a[0], a);
	return result + damage(stack, 5) + a;
}

/* The callback's stack and that of the boundary, which is gone, and of what the callback calls. */
static u64 addresses[4];

static __noinline void note_address(u64 place)
{
	volatile u64 stack[4];

	fill(stack, place);
	addresses[place] = (u64)stack;
	if (damage(stack, place))
		bpf_throw(1000);
}

static __always_inline u64 distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

__noinline u64 notes_handler(u64 cookie)
{
	volatile u64 stack[20];
	u64 number = 0;

	fill(stack, 1);
	addresses[2] = (u64)stack;
	note_address(3);
	/* Each is where it was, or none of another's bytes lie on it. */
	CHECK(addresses[3], addresses[1]);
	CHECK(distance(addresses[2], addresses[0]) < 20 * 8, 0);
	CHECK(distance(addresses[2], addresses[1]) < 4 * 8, 0);
	CHECK(distance(addresses[0], addresses[1]) < 4 * 8, 0);
	/* All in one place, which is not the machine's stack: that has this thread's context. */
	CHECK(distance(addresses[2], addresses[0]) > 65536, 0);
	CHECK(distance(addresses[1], addresses[0]) > 65536, 0);
	CHECK(damage(stack, 1), 0);
	return cookie;
}

SEC("tc")
EXCEPTION_CALLBACK(notes_handler)
u64 private_apart(struct args *ctx)
{
	volatile u64 stack[20];

	fill(stack, 2);
	addresses[0] = (u64)stack;
	note_address(1);
	if (damage(stack, 2) == 0)
		bpf_throw(0);
	return 100;
}

/* By hand: a stack of 8 words, and a store to the one of that index, counted from the lowest. */
static __attribute__((naked, noinline)) u64 writes_at(u64 index)
{
	__asm__ volatile("r2 = r10\n\t"
			 "r2 += -64\n\t"
			 "r1 <<= 3\n\t"
			 "r2 += r1\n\t"
			 "*(u64 *)(r2 + 0) = r1\n\t"
			 "r0 = 0\n\t"
			 "exit");
}

SEC("tc")
u64 private_beyond(struct args *ctx)
{
	return writes_at(ctx->a[0]);
}

/* Two programs, one inside the other, each with its own. */
enum { PRIVATE_KEEPS, PRIVATE_DEEP, PRIVATE_APART, PRIVATE_BEYOND, PRIVATE_INNER };

SEC("tc")
u64 private_inner(struct args *ctx)
{
	volatile u64 stack[30];

	fill(stack, ctx->a[0]);
	if (damage(stack, ctx->a[0]) == 0)
		bpf_throw(6);
	return 1;
}

SEC("tc")
u64 private_outer(struct args *ctx)
{
	volatile u64 stack[30];
	u64 result;

	fill(stack, 77);
	result = jf_run_program(PRIVATE_INNER, ctx);
	return result + damage(stack, 77);
}

static __noinline u64 large(u64 seed)
{
	volatile u64 stack[1500];

	fill(stack, seed);
	return damage(stack, seed);
}

/* More than there is. */
SEC("tc")
u64 private_too_large(struct args *ctx)
{
	volatile u64 stack[1000];

	fill(stack, 1);
	return large(2) + damage(stack, 1);
}

static u64 add_index(u64 index, u64 *sum)
{
	volatile u64 stack[6];

	fill(stack, index);
	*sum += index + damage(stack, index);
	return 0;
}

/* C code calls a subprogram with a stack of its own. */
SEC("tc")
u64 private_loop(struct args *ctx)
{
	u64 sum = 0;

	bpf_loop(100, add_index, &sum, 0);
	return sum;
}

/* ---- variables that each processor has for itself ------------------------------------------------------- */

SEC(".percpu") u64 percpu_count = 5;
SEC(".percpu.more") u64 percpu_more[3] = {1, 2, 3};

SEC("tc") u64 percpu(struct args *ctx)
{
	for (int i = 0; i < 1000; i++) {
		percpu_count = opaque(percpu_count) + 1;
		percpu_more[opaque(i % 3)] += 2;
	}
	return percpu_count * 10000 + percpu_more[0] + percpu_more[2];
}
