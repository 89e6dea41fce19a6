/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tail calls. a[7] of the context counts how often programs were entered: the first time, and 33 times by
 * tail calls, wherever those are made from.
 */
#include "bpf_test.h"

/* A program of this file, for program arrays' values. */
#define program(name) ((void *)&name)
#define PROGRAM_ARRAY(entries)        \
	__uint(type, MAP_PROG_ARRAY); \
	__uint(max_entries, entries); \
	__uint(key_size, 4);          \
	__array(values, u64(struct args *))

/* ---- the limit -------------------------------------------------------------------------------------- */

u64 tail_limit(struct args *ctx);
struct {
	PROGRAM_ARRAY(1);
} limit SEC(".maps") = {.values = {program(tail_limit)}};

SEC("tc")
u64 tail_limit(struct args *ctx)
{
	ctx->a[7]++;
	bpf_tail_call(ctx, &limit, 0);
	return ctx->a[7];
}

u64 tail_limit_subprogram(struct args *ctx);
struct {
	PROGRAM_ARRAY(1);
} limit_subprogram SEC(".maps") = {.values = {program(tail_limit_subprogram)}};

static __noinline u64 calls_itself(struct args *ctx)
{
	volatile u64 stack[3];

	fill(stack, 5);
	bpf_tail_call(ctx, &limit_subprogram, 0);
	return ctx->a[7] + damage(stack, 5);
}

SEC("tc")
u64 tail_limit_subprogram(struct args *ctx)
{
	volatile u64 stack[5];
	u64 result;

	ctx->a[7]++;
	fill(stack, 6);
	result = calls_itself(ctx);
	return result + damage(stack, 6);
}

/* Two subprograms, one of them deeper, and main itself: one count for all of them. */
u64 tail_limit_tree(struct args *ctx);
struct {
	PROGRAM_ARRAY(1);
} limit_tree SEC(".maps") = {.values = {program(tail_limit_tree)}};

static __noinline u64 deeper(struct args *ctx)
{
	bpf_tail_call(ctx, &limit_tree, 0);
	return ctx->a[7];
}

static __noinline u64 less_deep(struct args *ctx)
{
	u64 a = opaque(ctx->a[7]);

	jf_scramble_registers();
	deeper(ctx);
	bpf_tail_call(ctx, &limit_tree, 0);
	return a;
}

SEC("tc")
u64 tail_limit_tree(struct args *ctx)
{
	ctx->a[7]++;
	less_deep(ctx);
	deeper(ctx);
	bpf_tail_call(ctx, &limit_tree, 0);
	return ctx->a[7];
}

/* Two programs with different frames in turn; each looks at what it has on its stack and in registers. */
u64 tail_large(struct args *ctx);
u64 tail_small(struct args *ctx);
struct {
	PROGRAM_ARRAY(2);
} turns SEC(".maps") = {.values = {program(tail_small), program(tail_large)}};

SEC("tc")
u64 tail_large(struct args *ctx)
{
	volatile u64 stack[48];
	u64 a = opaque(ctx->a[0] * 3), b = opaque(ctx->a[0] * 5), c = opaque(ctx->a[0] * 7);

	ctx->a[7]++;
	fill(stack, ctx->a[7]);
	jf_scramble_registers();
	ctx->a[6] += damage(stack, ctx->a[7]) + (a + b + c != ctx->a[0] * 15);
	bpf_tail_call(ctx, &turns, 0);
	return ctx->a[7] + ctx->a[6] + (a + b + c != ctx->a[0] * 15);
}

SEC("tc")
u64 tail_small(struct args *ctx)
{
	ctx->a[7]++;
	bpf_tail_call(ctx, &turns, 1);
	return ctx->a[7] + ctx->a[6];
}

/* ---- tail calls that do not happen -------------------------------------------------------------------- */

u64 tail_holes(struct args *ctx);
u64 tail_answer(struct args *ctx);
struct {
	PROGRAM_ARRAY(4);
} holes SEC(".maps") = {.values = {[0] = program(tail_holes), [2] = program(tail_answer)}};

SEC("tc")
u64 tail_answer(struct args *ctx)
{
	return ctx->a[0] + 0x123456789abcdef0;
}

/* They do not count, and leave R6 to R9 and the stack alone. */
SEC("tc")
u64 tail_holes(struct args *ctx)
{
	volatile u64 stack[7];
	u64 a = opaque(ctx->a[7] * 3), b = opaque(ctx->a[7] * 5), c = opaque(ctx->a[7] * 7), n = ctx->a[7];

	ctx->a[7]++;
	fill(stack, 9);
	for (int i = 0; i < 20; i++) {
		bpf_tail_call(ctx, &holes, 1);
		bpf_tail_call(ctx, &holes, 3);
		bpf_tail_call(ctx, &holes, 4 + i);
		bpf_tail_call(ctx, &holes, 0xffffffff - i);
		bpf_tail_call(ctx, &holes, 0x7fffffff00000004 + i);
	}
	if (a != n * 3 || b != n * 5 || c != n * 7 || damage(stack, 9))
		return 1000;
	bpf_tail_call(ctx, &holes, 0);
	return ctx->a[7];
}

/* The index is 32 bits wide. */
SEC("tc")
u64 tail_index(struct args *ctx)
{
	bpf_tail_call(ctx, &holes, 0xabcdef0100000001);
	bpf_tail_call(ctx, &holes, 0xabcdef0100000002);
	return 1;
}

/* ---- throws --------------------------------------------------------------------------------------------- */

u64 tail_thrower(struct args *ctx);
u64 tail_catcher(struct args *ctx);
u64 tail_deep_thrower(struct args *ctx);
u64 tail_limit(struct args *ctx);
struct {
	PROGRAM_ARRAY(5);
} throwers SEC(".maps") = {
	.values = {program(tail_thrower), program(tail_catcher), program(tail_deep_thrower), program(tail_limit)}};
enum { THROWER, CATCHER, DEEP_THROWER, LIMIT, NONE };

SEC("tc")
u64 tail_thrower(struct args *ctx)
{
	ctx->a[7]++;
	bpf_throw(16);
	return 1;
}

__noinline u64 add_hundred(u64 cookie)
{
	volatile u64 stack[20];

	fill(stack, cookie);
	return cookie + 100 + damage(stack, cookie);
}

static __noinline u64 throws(u64 cookie)
{
	u64 a = opaque(cookie * 3), b = opaque(cookie * 5), c = opaque(cookie * 7), d = opaque(cookie * 9);

	jf_scramble_registers();
	if (cookie)
		bpf_throw(cookie);
	return a + b + c + d;
}

SEC("tc")
EXCEPTION_CALLBACK(add_hundred)
u64 tail_catcher(struct args *ctx)
{
	volatile u64 stack[4];

	fill(stack, 1);
	return throws(16) + damage(stack, 1);
}

static __noinline u64 between(u64 cookie)
{
	volatile u64 stack[9];

	fill(stack, 2);
	return throws(cookie) + damage(stack, 2);
}

SEC("tc")
u64 tail_deep_thrower(struct args *ctx)
{
	return between(16);
}

static __noinline u64 tail_calls(struct args *ctx, u64 index)
{
	volatile u64 stack[2];
	u64 a = opaque(index), b = opaque(index + 1), c = opaque(index + 2), d = opaque(index + 3);

	fill(stack, 3);
	jf_scramble_registers();
	bpf_tail_call(ctx, &throwers, a);
	return a + b + c + d + damage(stack, 3);
}

/* a[0]: which program the subprogram goes to. What main has in R6 to R9 and on its stack stays. */
SEC("tc")
u64 tail_throw(struct args *ctx)
{
	volatile u64 stack[11];
	u64 a = opaque(ctx->a[0] + 1), b = opaque(ctx->a[0] + 2), c = opaque(ctx->a[0] + 3), result;

	fill(stack, 4);
	result = tail_calls(ctx, ctx->a[0]);
	if (a != ctx->a[0] + 1 || b != ctx->a[0] + 2 || c != ctx->a[0] + 3 || damage(stack, 4))
		return 1000;
	return result + 8;
}

/* Main goes itself: the thrower has its frame. */
SEC("tc")
u64 tail_throw_main(struct args *ctx)
{
	volatile u64 stack[30];

	fill(stack, 4);
	ctx->a[6] = damage(stack, 4);
	bpf_tail_call(ctx, &throwers, ctx->a[0]);
	return 1;
}

/* A boundary of its own before, and after, a program that throws in its subprogram's place. */
SEC("tc")
EXCEPTION_CALLBACK(add_hundred)
u64 tail_throw_both(struct args *ctx)
{
	u64 result = tail_calls(ctx, ctx->a[0]);

	if (ctx->a[1])
		throws(result + ctx->a[1]);
	return result;
}

/* The slot is empty: the subprogram goes on, and throws. */
static __noinline u64 falls_through(struct args *ctx)
{
	bpf_tail_call(ctx, &throwers, NONE);
	return throws(ctx->a[1]) + 1;
}

SEC("tc")
u64 tail_throw_fallen(struct args *ctx)
{
	return falls_through(ctx) + 5;
}

/* The thrower counts, and what came before a throw counts on behind it. */
SEC("tc")
u64 tail_throw_count(struct args *ctx)
{
	u64 result = tail_calls(ctx, THROWER) + tail_calls(ctx, CATCHER) + tail_calls(ctx, DEEP_THROWER);

	if (result != 16 + 116 + 16 || ctx->a[7] != 1)
		return 1000;
	ctx->a[7] = 0;
	bpf_tail_call(ctx, &throwers, LIMIT);
	return 2000;
}

u64 tail_chain_throw(struct args *ctx);
u64 tail_nest_throw(struct args *ctx);
struct {
	PROGRAM_ARRAY(2);
} chains SEC(".maps") = {.values = {program(tail_chain_throw), program(tail_nest_throw)}};

/* The last of 34 throws. */
SEC("tc")
u64 tail_chain_throw(struct args *ctx)
{
	ctx->a[7]++;
	bpf_tail_call(ctx, &chains, 0);
	return throws(ctx->a[7]);
}

static __noinline u64 nests(struct args *ctx)
{
	bpf_tail_call(ctx, &chains, 1);
	return throws(1000);
}

/* 34 of them on the stack; the innermost throws, the others return. */
SEC("tc")
u64 tail_nest_throw(struct args *ctx)
{
	volatile u64 stack[3];
	u64 result;

	ctx->a[7]++;
	fill(stack, ctx->a[0]);
	result = nests(ctx);
	return result + 1 + damage(stack, ctx->a[0]);
}

/* ---- callbacks ------------------------------------------------------------------------------------------- */

static __noinline u64 from_callback(struct args *ctx)
{
	bpf_tail_call(ctx, &throwers, LIMIT);
	return ctx->a[7];
}

/* Its subprogram makes tail calls, on the count of main: as many as are left, or none at all. */
__noinline u64 handler_calls(u64 cookie)
{
	struct args *ctx = (struct args *)cookie;
	u64 calls;

	ctx->a[7] = 0;
	calls = from_callback(ctx);
	return calls == 0 || calls == ctx->a[1] ? 1000 : calls;
}

SEC("tc")
EXCEPTION_CALLBACK(handler_calls)
u64 tail_in_handler(struct args *ctx)
{
	if (ctx->a[0])
		ctx->a[6] = tail_calls(ctx, LIMIT);
	bpf_throw((u64)ctx);
	return 1;
}

/* Programs that throw, and callbacks that run them again: not more than 33 times in all. */
u64 tail_again(struct args *ctx);
struct {
	PROGRAM_ARRAY(1);
} again SEC(".maps") = {.values = {program(tail_again)}};

static __noinline u64 runs_again(struct args *ctx)
{
	bpf_tail_call(ctx, &again, 0);
	return 0;
}

__noinline u64 handler_again(u64 cookie)
{
	struct args *ctx = (struct args *)cookie;

	runs_again(ctx);
	return ctx->a[7] <= 34 ? 0 : ctx->a[7];
}

SEC("tc")
EXCEPTION_CALLBACK(handler_again)
u64 tail_again(struct args *ctx)
{
	volatile u64 stack[5];

	ctx->a[7]++;
	fill(stack, ctx->a[7]);
	if (damage(stack, ctx->a[7]) == 0)
		bpf_throw((u64)ctx);
	return 1;
}

__noinline u64 handler_goes(u64 cookie)
{
	bpf_tail_call((void *)cookie, &throwers, LIMIT);
	return cookie;
}

/* A callback's frame is not its own to leave. */
SEC("tc")
EXCEPTION_CALLBACK(handler_goes)
u64 tail_from_handler(struct args *ctx)
{
	bpf_throw((u64)ctx);
	return 1;
}

static u64 add_index(u64 index, u64 *sum)
{
	*sum += index;
	return 0;
}

/* C code calls a subprogram of a program that counts; then the count goes on. */
SEC("tc")
u64 tail_after_loop(struct args *ctx)
{
	u64 sum = 0;

	bpf_loop(10, add_index, &sum, 0);
	if (sum != 45)
		return 1000;
	bpf_tail_call(ctx, &throwers, LIMIT);
	return 2000;
}
