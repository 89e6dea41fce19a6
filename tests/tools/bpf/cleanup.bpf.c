/* SPDX-License-Identifier: BSD-2-Clause */

/* Objects with a table of clean-up pads, one for each name that is defined. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define NAKED __attribute__((naked))
/* A record: a throw out of [begin, end) goes to pad. */
#define RECORD(begin, end, pad)                       \
	".pushsection .bpf_cleanup,\"a\",@progbits\n" \
	".long " #begin ", " #end ", " #pad "\n"      \
	".popsection\n"

extern void bpf_throw(__u64 cookie) __ksym;
extern void _Unwind_Resume(void);

#if defined(CASE_throws)
static __noinline NAKED void thrower(void)
{
	asm volatile("r1 = 5\n"
		     "call bpf_throw\n"
		     "exit\n");
}
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("1: call %[thrower]\n"
		     "2: r0 = 0\n"
		     "exit\n"
		     "3: r0 = 1\n"
		     "exit\n" RECORD(1b, 2b, 3b)
		     :
		     : [thrower] "i"(thrower));
}

#elif defined(CASE_resumes)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("1: call 5\n"
		     "2: r0 = 0\n"
		     "exit\n"
		     "3: call _Unwind_Resume\n" RECORD(1b, 2b, 3b));
}

#elif defined(CASE_quiet)
static __noinline NAKED int sub(void)
{
	asm volatile("r0 = 7\n"
		     "exit\n");
}
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("1: call %[sub]\n"
		     "2: exit\n"
		     "3: r0 = 1\n"
		     "exit\n" RECORD(1b, 2b, 3b)
		     :
		     : [sub] "i"(sub));
}
#endif

char _license[] SEC("license") = "GPL";
