/* SPDX-License-Identifier: BSD-2-Clause */
#include "../exec/bpf/bpf_test.h"

/* Instructions that a verifier rewrites, one kind a program. */

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} programs SEC(".maps");

/* Without variables: nothing stands at its end. */
struct {
	__uint(type, MAP_ARENA);
	__uint(map_flags, 1 << 10);
	__uint(max_entries, 4);
} arena SEC(".maps");

SEC("tc") __attribute__((naked)) int divides(void)
{
	asm volatile("r0 = 7\n"
		     "r1 = 2\n"
		     "if r1 == 9 goto 1f\n" /* over all that is put in */
		     "r0 /= r1\n"
		     "w0 /= w1\n"
		     ".8byte 0x000000000000109f\n" /* r0 %= r1 */
		     ".8byte 0x000000000000109c\n" /* w0 %= w1 */
		     ".8byte 0x000000000001103f\n" /* r0 s/= r1 */
		     ".8byte 0x000000000001103c\n" /* w0 s/= w1 */
		     ".8byte 0x000000000001109f\n" /* r0 s%= r1 */
		     ".8byte 0x000000000001109c\n" /* w0 s%= w1 */
		     ".8byte 0xffffffff00010037\n" /* r0 s/= -1 */
		     ".8byte 0xffffffff00010094\n" /* w0 s%= -1 */
		     "1: exit\n" ::
			     : "r0", "r1");
}

SEC("tc") int goes(void *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
	return 1;
}

SEC("tc") __attribute__((naked)) int counts(void)
{
	asm volatile("r0 = 0\n"
		     "*(u64 *)(r10 - 8) = r0\n"
		     "1: r0 += 1\n"
		     ".8byte 0x00000000000100e5\n" /* may_goto over the next one */
		     "goto 1b\n"
		     "exit\n" ::
			     : "r0");
}

static __noinline int throws(u64 cookie)
{
	bpf_throw(cookie);
	return 0;
}

SEC("tc") int boundary(void *ctx)
{
	return throws(*(u32 *)ctx);
}

char LICENSE[] SEC("license") = "GPL";

SEC("tc") __attribute__((naked)) int asks(void)
{
	asm volatile("call 8\n" /* bpf_get_smp_processor_id() */
		     "exit\n");
}
