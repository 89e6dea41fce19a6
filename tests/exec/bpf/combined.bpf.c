/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same shape with an arena, a loop on the clock and tail calls in every combination: main has a stack,
 * live registers, a subprogram with the same, and a callback with the same again. a[0]: what the subprogram
 * throws, 0 for nothing. Private stacks come by the command line, where there are no tail calls.
 */
#include "bpf_test.h"

struct {
	__uint(type, MAP_ARENA);
	__uint(max_entries, 100);
} arena SEC(".maps");

u64 __arena in_arena[16]; /* a word for each thread */

/* The parts; each gives 0 when all is well. */
static __always_inline u64 no_part(struct args *ctx)
{
	return 0;
}

static __always_inline u64 arena_part(struct args *ctx)
{
	u64 __arena *word = &in_arena[bpf_get_smp_processor_id() % 16];
	u64 old = __sync_fetch_and_add(word, 5ull), now = __sync_fetch_and_add(word, -5ull);
	u64 missing = *(volatile u64 __arena *)(u64 __arena *)opaque(0x90000000ull);

	*(volatile u64 __arena *)(u64 __arena *)opaque(0x90000000ull) = 3;
	return old != 0 || now != 5 || missing;
}

static __always_inline u64 loop_part(struct args *ctx)
{
	u64 count = 0;

	while (can_loop && opaque(count) < 70000)
		count++;
	return count != 70000;
}

static __always_inline u64 both_parts(struct args *ctx)
{
	return arena_part(ctx) | loop_part(ctx) << 1;
}

u64 target(struct args *ctx);
u64 target_throws(struct args *ctx);
u64 target_arena(struct args *ctx);
struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, u64(struct args *));
} table SEC(".maps") = {.values = {(void *)&target, (void *)&target_throws, (void *)&target_arena}};
enum { TARGET, TARGET_THROWS, TARGET_ARENA, NO_TARGET };

SEC("tc")
u64 target(struct args *ctx)
{
	ctx->a[7]++;
	return 100;
}

__noinline u64 target_handler(u64 cookie)
{
	volatile u64 stack[17];

	fill(stack, 6);
	return cookie + arena_part(NULL) + damage(stack, 6);
}

SEC("tc")
EXCEPTION_CALLBACK(target_handler)
u64 target_throws(struct args *ctx)
{
	volatile u64 stack[6];

	fill(stack, 7);
	ctx->a[7]++;
	bpf_throw(100 + damage(stack, 7));
	return 1;
}

SEC("tc")
u64 target_arena(struct args *ctx)
{
	ctx->a[7]++;
	return 100 + both_parts(ctx);
}

static __noinline u64 goes(struct args *ctx, u64 index)
{
	volatile u64 stack[3];

	fill(stack, 8);
	bpf_tail_call(ctx, &table, index);
	return 100 + damage(stack, 8);
}

static __always_inline u64 tail_part(struct args *ctx)
{
	u64 wrong = 0;

	for (u64 index = TARGET; index <= NO_TARGET; index++)
		wrong += goes(ctx, opaque(index)) != 100;
	return wrong;
}

static __always_inline u64 tail_arena_part(struct args *ctx)
{
	return tail_part(ctx) + arena_part(ctx);
}

static __always_inline u64 tail_loop_part(struct args *ctx)
{
	return tail_part(ctx) + loop_part(ctx);
}

static __always_inline u64 all_parts(struct args *ctx)
{
	return tail_part(ctx) + both_parts(ctx);
}

/* The callback has the parts too, but for tail calls. */
#define COMBINATION(name, subprogram, handler, part, handler_part, words)                        \
	static __noinline u64 subprogram(struct args *ctx, u64 seed)                             \
	{                                                                                        \
		volatile u64 stack[words + 2];                                                   \
		u64 a = opaque(seed * 3), b = opaque(seed * 5), wrong;                           \
                                                                                                 \
		fill(stack, seed);                                                               \
		wrong = part(ctx);                                                               \
		jf_scramble_registers();                                                         \
		wrong += damage(stack, seed) + (a != seed * 3) + (b != seed * 5);                \
		if (ctx->a[0])                                                                   \
			bpf_throw(ctx->a[0] + wrong * 100);                                      \
		return wrong;                                                                    \
	}                                                                                        \
	__noinline u64 handler(u64 cookie)                                                       \
	{                                                                                        \
		volatile u64 stack[2 * words];                                                   \
                                                                                                 \
		fill(stack, cookie);                                                             \
		return cookie * 10 + handler_part(NULL) + damage(stack, cookie);                 \
	}                                                                                        \
	SEC("tc")                                                                                \
	EXCEPTION_CALLBACK(handler)                                                              \
	u64 name(struct args *ctx)                                                               \
	{                                                                                        \
		volatile u64 stack[words];                                                       \
		u64 a = opaque(ctx->a[1]), b = opaque(ctx->a[1] + 1), c = opaque(ctx->a[1] + 2); \
		u64 wrong;                                                                       \
                                                                                                 \
		fill(stack, 9);                                                                  \
		wrong = part(ctx) + subprogram(ctx, a);                                          \
		wrong += damage(stack, 9) + part(ctx);                                           \
		return wrong * 1000 + a + b + c;                                                 \
	}

COMBINATION(plain, plain_subprogram, plain_handler, no_part, no_part, 7)
COMBINATION(with_arena, arena_subprogram, arena_handler, arena_part, arena_part, 12)
COMBINATION(with_loop, loop_subprogram, loop_handler, loop_part, loop_part, 9)
COMBINATION(with_both, both_subprogram, both_handler, both_parts, both_parts, 15)
COMBINATION(with_tail, tail_subprogram, tail_handler, tail_part, no_part, 10)
COMBINATION(with_tail_arena, tail_arena_subprogram, tail_arena_handler, tail_arena_part, arena_part, 3)
COMBINATION(with_tail_loop, tail_loop_subprogram, tail_loop_handler, tail_loop_part, loop_part, 5)
COMBINATION(with_all, all_subprogram, all_handler, all_parts, both_parts, 14)
