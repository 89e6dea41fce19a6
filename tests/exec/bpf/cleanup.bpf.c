/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clean-up pads that a compiler has made of `asm goto`. Each program holds things, and gives the cookie, and a thousand
 * for each thing that is held still when the callback runs; a million for each pad that finds another value than it
 * had.
 */
#include "bpf_test.h"

#include "../../../examples/bpf_cleanup.h"

u64 held SEC(".data") = 0;
u64 wrong SEC(".data") = 0;
u64 order SEC(".data") = 0;

static __noinline void release(u64 number)
{
	volatile u64 stack[4];

	fill(stack, number);
	jf_scramble_registers();
	held--;
	order = order * 10 + number;
	wrong += damage(stack, number);
}

__noinline u64 handler(u64 cookie)
{
	u64 result = cookie + 1000 * held + 1000000 * wrong + 10000000 * order;

	held = wrong = order = 0;
	return result;
}

static __noinline u64 throws(u64 cookie)
{
	jf_scramble_registers();
	if (cookie)
		bpf_throw(cookie);
	return 5;
}

/* Values in registers and on the stack, over calls that throw and calls that do not. */
static __noinline u64 middle(u64 cookie)
{
	volatile u64 stack[8];
	u64 a = opaque(cookie * 3), b = opaque(cookie * 5), result;

	fill(stack, 2);
	held++;
	CLEANUP_CALL(throws, 0) on_throw(wrong += 100);
	CLEANUP_CALL_TO(result, throws, cookie)
	on_throw(wrong += damage(stack, 2) + (a != cookie * 3) + (b != cookie * 5); release(2));
	held--;
	return result + a + b;
}

static __noinline u64 passed_over(u64 cookie)
{
	volatile u64 stack[30];
	u64 result;

	fill(stack, 9);
	jf_scramble_registers();
	result = middle(opaque(cookie));
	return result + damage(stack, 9);
}

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_chain(struct args *ctx)
{
	volatile u64 stack[3];
	u64 a = opaque(ctx->a[0] + 11), result;

	fill(stack, 1);
	held++;
	CLEANUP_CALL_TO(result, passed_over, ctx->a[0])
	on_throw(wrong += damage(stack, 1) + (a != ctx->a[0] + 11); release(1));
	held--;
	return result + 1000 * held;
}

/* ---- C throws, C lies between -------------------------------------------------------------------------------- */

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_from_c(struct args *ctx)
{
	u64 a = opaque(7), result;

	held++;
	CLEANUP_CALL_TO(result, jf_throw_from_c, ctx->a[0]) on_throw(wrong += a != 7; release(1));
	jf_throw_from_c(result);
	return 1;
}

static long in_loop(u64 index, u64 *ctx)
{
	u64 result;

	held++;
	CLEANUP_CALL_TO(result, throws, index == 2 ? *ctx : 0) on_throw(wrong += index != 2; release(2));
	held--;
	return result != 5;
}

/* bpf_loop(count, callback, ctx, 0), covered. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_loop(struct args *ctx)
{
	register u64 count __asm__("r1") = 5;
	register u64 callback __asm__("r2") = (u64)in_loop;
	register u64 arg __asm__("r3") = (u64)ctx;
	register u64 flags __asm__("r4") = 0;

	held++;
	__asm__ volatile goto("1: call 181\n"
			      "2:\n"
			      ".pushsection .bpf_cleanup,\"a\",@progbits\n"
			      ".long 1b, 2b, %l[pad]\n"
			      ".popsection\n"
			      : "+r"(count), "+r"(callback), "+r"(arg), "+r"(flags)
			      :
			      : "r0", "r5", "memory"
			      : pad);
	held--;
	return 1000 * held;
pad:
	release(1);
	bpf_unwind_resume(0);
	__builtin_unreachable();
}

/* Through a register. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_callx(struct args *ctx)
{
	u64 (*function)(u64) = opaque((u64(*)(u64))throws);
	register u64 arg __asm__("r1") = ctx->a[0];

	held++;
	__asm__ volatile goto("1: callx %[function]\n"
			      "2:\n"
			      ".pushsection .bpf_cleanup,\"a\",@progbits\n"
			      ".long 1b, 2b, %l[pad]\n"
			      ".popsection\n"
			      : "+r"(arg)
			      : [function] "r"(function)
			      : "r0", "r2", "r3", "r4", "r5", "memory"
			      : pad);
	bpf_throw(99);
	return 1;
pad:
	release(1);
	bpf_unwind_resume(0);
	__builtin_unreachable();
}

/* ---- programs in pads, and behind tail calls ------------------------------------------------------------------- */

SEC("tc")
u64 inner(struct args *ctx)
{
	bpf_throw(ctx->a[1]);
	return 1;
}
enum { INNER = 4 }; /* its number among the programs of this file */

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_nested(struct args *ctx)
{
	u64 result;

	held++;
	CLEANUP_CALL_TO(result, throws, ctx->a[0])
	on_throw(wrong += jf_run_program(INNER, ctx) != ctx->a[1]; release(3));
	return result;
}

#define PROGRAM_ARRAY(entries)        \
	__uint(type, MAP_PROG_ARRAY); \
	__uint(max_entries, entries); \
	__uint(key_size, 4);          \
	__array(values, u64(struct args *))
struct {
	PROGRAM_ARRAY(1);
} array SEC(".maps") = {.values = {(void *)&inner}};

static __noinline u64 leaves(struct args *ctx)
{
	bpf_tail_call(ctx, &array, 0);
	bpf_throw(1);
	return 2;
}

/* The program behind the tail call catches its own throw: the covered call returns the cookie. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_tail(struct args *ctx)
{
	u64 result;

	held++;
	CLEANUP_CALL_TO(result, leaves, ctx) on_throw(wrong++; release(1));
	CLEANUP_CALL(throws, result + ctx->a[0]) on_throw(release(2));
	return 3;
}

/* ---- arenas ---------------------------------------------------------------------------------------------------- */

struct {
	__uint(type, MAP_ARENA);
	__uint(max_entries, 10);
} arena SEC(".maps");

struct node {
	u64 value;
	struct node __arena *next;
};
struct node __arena second = {2, NULL};
struct node __arena first = {1, &second};

/* What the frame holds is an arena pointer, which the pad goes through. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_arena(struct args *ctx)
{
	struct node __arena *node = first.next;
	u64 result;

	held++;
	node->value = 2;
	CLEANUP_CALL_TO(result, throws, ctx->a[0])
	on_throw(wrong += node->value != 2; node->value = 40; wrong += first.next->value != 40; release(1));
	return result;
}

/* The upper half of what a pad reads: 32-bit operations clear it, also where only the pad asks. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 cleanup_upper(struct args *ctx)
{
	u32 low = (u32)opaque(ctx->a[2]) + 1;
	u64 result;

	held++;
	CLEANUP_CALL_TO(result, throws, ctx->a[0]) on_throw(wrong += (u64)low + 1 != ctx->a[3]; release(1));
	return result;
}
