/* SPDX-License-Identifier: BSD-2-Clause */

/* Programs to be compiled and looked at: the runner has not what they call. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

extern short kfunc_of_tomorrow(void *p, unsigned char b, int i) __ksym;
static long (*helper)(void) = (void *)9999;

SEC("tc") int calls(void *ctx)
{
	return kfunc_of_tomorrow(ctx, 1, -1) + bpf_get_current_task();
}

SEC("?tc") int by_name(void *ctx)
{
	return bpf_get_current_task();
}

SEC("tc") int refused(void *ctx)
{
	return helper();
}

SEC("tc") __attribute__((naked)) int dead(void)
{
	__asm__ volatile("r0 = 7;"
			 "goto 1f;"
			 "r10 += 1;"
			 "call 9999;"
			 "r1 = 0x1234567890abcdef ll;"
			 "1: if r0 s> 9 goto 2f;"
			 "exit;"
			 "2: r0 = 9;"
			 "exit;" ::
				 : "r0", "r1");
}

SEC("tc") __attribute__((naked)) int writes_r10(void)
{
	__asm__ volatile("r0 = 7;"
			 "if r0 s> 9 goto 1f;"
			 "exit;"
			 "1: r10 = 1;"
			 "exit;" ::
				 : "r0");
}
