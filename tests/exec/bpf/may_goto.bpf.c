/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that the clock ends. The count is looked at every 65535 times: what goes on longer has been through
 * the stub. 0, or what went wrong.
 */
#include "bpf_test.h"

#define MS   1000000ull
#define LONG 140000

/* As long as it may, and not much less: the limit is 250 ms. */
static __always_inline u64 look(u64 start, u64 count)
{
	u64 elapsed = bpf_ktime_get_ns() - start;

	if (count <= 0xffff)
		return 1;
	return elapsed < 240 * MS ? 2 : elapsed > 60000 * MS ? 3 : 0;
}

SEC("tc")
u64 may_goto_endless(struct args *ctx)
{
	u64 start = bpf_ktime_get_ns(), count = 0;

	while (can_loop)
		count++;
	return look(start, count);
}

/* Ends by itself first. */
SEC("tc")
u64 may_goto_short(struct args *ctx)
{
	u64 count = 0;

	while (can_loop && opaque(count) < 1000)
		count++;
	return count;
}

SEC("tc")
u64 may_goto_long(struct args *ctx)
{
	volatile u64 stack[9];
	u64 count = 0;

	fill(stack, 1);
	while (can_loop && opaque(count) < LONG)
		count++;
	return count + damage(stack, 1);
}

/* One clock for a function's loops: where the first has used the time up, no other goes on. */
SEC("tc")
u64 may_goto_two(struct args *ctx)
{
	u64 start = bpf_ktime_get_ns(), first = 0, second = 0;

	while (can_loop)
		first++;
	while (can_loop)
		second++;
	return second ? 10 : look(start, first);
}

/*
 * By hand: R0 to R9 in a loop that goes through the stub, all counting, each from a start of its own; with
 * two words of stack. All of them end up in R0, each times another power of 31, less what that has to be.
 */
#define COUNT_REGISTERS                                                            \
	__asm__ volatile("r0 = 0x1000000000000000 ll\n\t"                          \
			 "r1 = 0x1100000000000000 ll\n\t"                          \
			 "r2 = 0x2200000000000000 ll\n\t"                          \
			 "r3 = 0x3300000000000000 ll\n\t"                          \
			 "r4 = 0x4400000000000000 ll\n\t"                          \
			 "r5 = 0x5500000000000000 ll\n\t"                          \
			 "r6 = 0\n\t"                                              \
			 "r7 = 0x7700000000000000 ll\n\t"                          \
			 "r8 = 0x4800000000000000 ll\n\t"                          \
			 "r9 = 0x2900000000000000 ll\n\t"                          \
			 "*(u64 *)(r10 - 8) = r9\n\t"                              \
			 "*(u64 *)(r10 - 40) = r8\n\t"                             \
			 "1:\n\t"                                                  \
			 "r0 += 1\n\tr1 += 1\n\tr2 += 1\n\tr3 += 1\n\tr4 += 1\n\t" \
			 "r5 += 1\n\tr6 += 1\n\tr7 += 1\n\tr8 += 1\n\tr9 += 1\n\t" \
			 "if r6 == 140000 goto 2f\n\t"                             \
			 "may_goto 2f\n\t"                                         \
			 "goto 1b\n\t"                                             \
			 "2:\n\t"                                                  \
			 "r0 *= 31\n\tr0 += r1\n\t"                                \
			 "r0 *= 31\n\tr0 += r2\n\t"                                \
			 "r0 *= 31\n\tr0 += r3\n\t"                                \
			 "r0 *= 31\n\tr0 += r4\n\t"                                \
			 "r0 *= 31\n\tr0 += r5\n\t"                                \
			 "r0 *= 31\n\tr0 += r6\n\t"                                \
			 "r0 *= 31\n\tr0 += r7\n\t"                                \
			 "r0 *= 31\n\tr0 += r8\n\t"                                \
			 "r0 *= 31\n\tr0 += r9\n\t"                                \
			 "r1 = *(u64 *)(r10 - 8)\n\tr0 *= 31\n\tr0 += r1\n\t"      \
			 "r1 = *(u64 *)(r10 - 40)\n\tr0 *= 31\n\tr0 += r1\n\t"     \
			 "r1 = 0xfd699da6898ccc00 ll\n\t"                          \
			 "r0 -= r1\n\t"                                            \
			 "exit\n\t")

__attribute__((naked)) SEC("tc") u64 may_goto_registers(struct args *ctx)
{
	COUNT_REGISTERS;
}

static __attribute__((naked, noinline)) u64 count_registers(void)
{
	COUNT_REGISTERS;
}

static __noinline u64 loops(u64 cookie)
{
	volatile u64 stack[3];
	u64 count = 0;

	fill(stack, 2);
	while (can_loop && opaque(count) < LONG)
		count++;
	if (count != LONG || damage(stack, 2))
		bpf_throw(1000);
	if (cookie)
		bpf_throw(cookie);
	return 5;
}

/* In main and subprogram, each on a clock of its own; a[0]: thrown out of the inner one. */
SEC("tc")
u64 may_goto_throw(struct args *ctx)
{
	volatile u64 stack[7];
	u64 count = 0, sum = 0;

	fill(stack, 3);
	while (can_loop && count < 3) {
		sum += loops(count == 2 ? ctx->a[0] : 0);
		count++;
	}
	return sum + damage(stack, 3);
}

/* The time is up, and the next thing is a throw. */
SEC("tc")
u64 may_goto_endless_throw(struct args *ctx)
{
	u64 start = bpf_ktime_get_ns(), count = 0;

	while (can_loop)
		count++;
	bpf_throw(look(start, count) + 20);
	return 1;
}

__noinline u64 handler(u64 cookie)
{
	volatile u64 stack[11];
	u64 start = bpf_ktime_get_ns(), count = 0;

	fill(stack, 4);
	while (can_loop)
		count++;
	return cookie * 10 + look(start, count) + damage(stack, 4);
}

/* The callback's loop has its own time too. */
SEC("tc")
EXCEPTION_CALLBACK(handler)
u64 may_goto_callback(struct args *ctx)
{
	u64 count = 0;

	while (can_loop)
		count++;
	return loops(7) + count;
}

__noinline u64 registers_handler(u64 cookie)
{
	return count_registers() == 0 ? cookie : 1;
}

SEC("tc")
EXCEPTION_CALLBACK(registers_handler)
u64 may_goto_registers_callback(struct args *ctx)
{
	if (count_registers() == 0)
		bpf_throw(33);
	return 2;
}
