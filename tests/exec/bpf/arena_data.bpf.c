/* SPDX-License-Identifier: BSD-2-Clause */
/* Variables in an arena, throws out of functions that use one, tail calls between programs with and without. */
#include "bpf_test.h"

struct {
	__uint(type, MAP_ARENA);
	__uint(max_entries, 100);
} arena SEC(".maps");

#define PROGRAM_ARRAY(entries)        \
	__uint(type, MAP_PROG_ARRAY); \
	__uint(max_entries, entries); \
	__uint(key_size, 4);          \
	__array(values, u64(struct args *))
#define program(name) ((void *)&name)

/* ---- variables --------------------------------------------------------------------------------------------- */

struct node {
	struct node __arena *next;
	u64 value;
};
struct node __arena second = {NULL, 2};
struct node __arena first = {&second, 1};
u8 __arena bytes[20000] = {[19999] = 9};
u64 __arena zero;
u64 __arena counter = 40;
struct node __arena *plain_head = &first;

SEC("tc")
u64 variables(struct args *ctx)
{
	u64 number = 0;

	CHECK(first.value, 1);
	CHECK(first.next->value, 2);
	CHECK((u64)first.next->next, 0);
	CHECK(plain_head->next->value, 2);
	CHECK((u64)plain_head, (u64)&first);
	CHECK(bytes[19999], 9);
	CHECK(zero, 0);
	second.next = &first;
	CHECK(first.next->next->next->value, 2);
	second.next = NULL;
	zero = 3;
	CHECK(*(volatile u64 __arena *)&zero, 3);
	zero = 0;
	CHECK(__sync_fetch_and_add(&counter, 2ull), 40);
	CHECK(counter, 42);
	counter = 40;
	return 0;
}

/* ---- throws ------------------------------------------------------------------------------------------------- */

static __noinline u64 throws_value(struct node __arena *node)
{
	volatile u64 stack[5];
	u64 a = opaque(node->value * 3), b = opaque(node->value * 5);

	fill(stack, 1);
	jf_scramble_registers();
	node->next->value = a + b;
	if (node->value)
		bpf_throw(node->next->value + damage(stack, 1));
	return a;
}

static __noinline u64 between(struct node __arena *node)
{
	volatile u64 stack[8];

	fill(stack, 2);
	return throws_value(node) + node->value + damage(stack, 2);
}

SEC("tc")
u64 arena_throw(struct args *ctx)
{
	first.value = ctx->a[0];
	return between(&first) + first.next->value;
}

/* After the fault of an access, in the function that throws. */
static __noinline u64 throws_after_fault(u64 address)
{
	u64 value = *(volatile u64 __arena *)(u64 __arena *)address;

	*(volatile u64 __arena *)(u64 __arena *)address = 5;
	bpf_throw(value + counter);
	return 1;
}

SEC("tc")
u64 arena_throw_fault(struct args *ctx)
{
	return throws_after_fault(opaque(0x80000000)) + zero;
}

__noinline u64 handler(u64 cookie)
{
	volatile u64 stack[12];
	u64 a;

	fill(stack, 3);
	a = __sync_fetch_and_add(&counter, 1ull);
	__sync_fetch_and_add(&counter, -1ull);
	return cookie * 1000 + a + *(volatile u64 __arena *)(u64 __arena *)opaque(0x80000000ull) + damage(stack, 3);
}

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 arena_callback(struct args *ctx)
{
	first.value = ctx->a[0];
	return between(&first);
}

__noinline u64 plain_handler(u64 cookie)
{
	volatile u64 stack[2];

	fill(stack, 4);
	return cookie + 7 + damage(stack, 4);
}

SEC("tc")
EXCEPTION_CALLBACK(plain_handler)
u64 arena_plain_callback(struct args *ctx)
{
	first.value = ctx->a[0];
	return between(&first);
}

static __noinline u64 just_throws(u64 cookie)
{
	bpf_throw(cookie);
	return 1;
}

/* Only the callback has to do with the arena. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 arena_only_callback(struct args *ctx)
{
	return just_throws(ctx->a[0]);
}

/* ---- tail calls: with their count, the arena's register and a throw all three at once ------------------------ */

u64 tail_chain(struct args *ctx);
u64 tail_plain(struct args *ctx);
u64 tail_throws(struct args *ctx);
u64 tail_catches(struct args *ctx);
struct {
	PROGRAM_ARRAY(5);
} table SEC(".maps") = {
	.values = {program(tail_chain), program(tail_plain), program(tail_throws), program(tail_catches)}};
enum { CHAIN, PLAIN, THROWS, CATCHES, NONE };

static __noinline u64 goes(struct args *ctx, u64 index)
{
	volatile u64 stack[3];
	u64 before = counter;

	fill(stack, 5);
	bpf_tail_call(ctx, &table, index);
	return counter - before + damage(stack, 5) + 1;
}

/* Counts its 34 runs in the arena; every other one is a program without an arena. a[7] counts those. */
SEC("tc")
u64 tail_chain(struct args *ctx)
{
	__sync_fetch_and_add((u64 __arena *)&first.value, 1ull);
	bpf_tail_call(ctx, &table, ctx->a[6]);
	return first.value + ctx->a[7];
}

SEC("tc")
u64 tail_plain(struct args *ctx)
{
	ctx->a[7]++;
	bpf_tail_call(ctx, &table, CHAIN);
	return 1000;
}

SEC("tc")
u64 tail_throws(struct args *ctx)
{
	first.value = 4;
	return between(&first);
}

SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 tail_catches(struct args *ctx)
{
	first.value = 3;
	return between(&first);
}

/* a[6]: CHAIN for the arena's program alone, PLAIN for the two in turn. */
SEC("tc")
u64 arena_tail_limit(struct args *ctx)
{
	first.value = 1;
	bpf_tail_call(ctx, &table, CHAIN);
	return 1000;
}

SEC("tc")
u64 arena_tail_limit_subprogram(struct args *ctx)
{
	first.value = 1;
	return goes(ctx, CHAIN);
}

/* a[0]: where the subprogram goes. Main's arena register and values are as they were. */
SEC("tc")
u64 arena_tail_throw(struct args *ctx)
{
	volatile u64 stack[7];
	u64 a = opaque((u64)counter), b = opaque(a * 2), result;

	fill(stack, 6);
	result = goes(ctx, ctx->a[0]);
	if (a != counter || b != counter * 2 || damage(stack, 6))
		return 1000;
	return result + 8;
}

/* And throws itself then: result, count and arena go to a callback of its own. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 arena_tail_throw_both(struct args *ctx)
{
	u64 result = goes(ctx, ctx->a[0]);

	first.value = result;
	return between(&first);
}
