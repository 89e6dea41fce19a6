/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Frames that hold something when a throw skips them: each gives it back in its clean-up pad.
 *
 *     clang -O2 -g -target bpf -mcpu=v3 -c cleanup.bpf.c -o cleanup.bpf.o
 *     jitframe run cleanup.bpf.o --ctx 0500000000000000
 *     jitframe run cleanup.bpf.o --ctx 0a00000000000000 --trace
 */
#include "bpf_cleanup.h"

typedef unsigned long long u64;

#define SEC(name)  __attribute__((section(name), used))
#define __noinline __attribute__((noinline))

extern void bpf_throw(u64 cookie) SEC(".ksyms");

/* What is held: a bit for each thing. */
u64 held SEC(".data");

static __noinline u64 hold(u64 bit)
{
	held |= bit;
	return bit;
}

static __noinline void release(u64 bit)
{
	held &= ~bit;
}

static __noinline u64 parse(u64 number)
{
	if (number > 9)
		bpf_throw(number);
	return number * 10;
}

static __noinline u64 parse_twice(u64 number)
{
	u64 bit = hold(1), first, second;

	CLEANUP_CALL_TO(first, parse, number - 1) on_throw(release(bit));
	CLEANUP_CALL_TO(second, parse, number) on_throw(release(bit));
	release(bit);
	return first + second;
}

/* The exception callback: the cookie, and in the upper half what is still held. */
__noinline u64 handler(u64 cookie)
{
	return cookie + (held << 32);
}

/* The context is a number. returns: the sum, and what is still held as above. */
SEC("tc") __attribute__((btf_decl_tag("exception_callback:handler"))) u64 program(const u64 *ctx)
{
	u64 bit = hold(2), sum;

	CLEANUP_CALL_TO(sum, parse_twice, ctx[0]) on_throw(release(bit));
	release(bit);
	return sum + (held << 32);
}
