/* SPDX-License-Identifier: BSD-2-Clause */

/* Programs whose throws run clean-up pads: of a pad that holds its values in registers, in its stack and in none; in a
 * chain of functions that overwrite R6-R9; of a throw by the function that holds; of a pad that calls a function. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define NAKED      __attribute__((naked))
#define TABLE(...) ".pushsection .bpf_cleanup,\"a\",@progbits\n" __VA_ARGS__ ".popsection\n"
#define RECORD(begin, end, pad) ".long " #begin ", " #end ", " #pad "\n"

extern void bpf_throw(__u64 cookie) __ksym;
extern void bpf_unwind_resume(void) __ksym;

__u64 released;

static __noinline void release(__u64 what)
{
	__sync_fetch_and_add(&released, what);
}

/* What it holds is in registers, which the frames below overwrite, and in its stack. */
static __noinline NAKED int thrower(void)
{
	asm volatile("r6 = 66\n"
		     "r7 = 77\n"
		     "r8 = 88\n"
		     "r9 = 99\n"
		     "*(u64 *)(r10 - 8) = r6\n"
		     "1: r1 = 5\n"
		     "call bpf_throw\n"
		     "2: exit\n"
		     "3: r1 = r6\n"
		     "call %[release]\n"
		     "r1 = *(u64 *)(r10 - 8)\n"
		     "call %[release]\n"
		     "call bpf_unwind_resume\n" TABLE(RECORD(1b, 2b, 3b))
		     :
		     : [release] "i"(release));
}

static __noinline NAKED int uncovered(void)
{
	asm volatile("r6 = 1\n"
		     "r7 = 2\n"
		     "call %[thrower]\n"
		     "exit\n"
		     :
		     : [thrower] "i"(thrower));
}

static __always_inline int covered(__u64 held)
{
	register __u64 r1 asm("r1") = held;

	asm volatile goto("1: call %[uncovered]\n"
			  "2:\n" TABLE(".long 1b, 2b, %l[pad]\n")
			  : "+r"(r1)
			  : [uncovered] "i"(uncovered)
			  : "r0", "r2", "r3", "r4", "r5", "memory"
			  : pad);
	return 0;
pad:
	release(held);
	bpf_unwind_resume();
	__builtin_unreachable();
}

SEC("tc") int program(struct __sk_buff *ctx)
{
	return covered(ctx->len) + covered(ctx->mark);
}
