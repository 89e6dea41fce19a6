/* SPDX-License-Identifier: BSD-2-Clause */

/* Objects with tables of clean-up pads, one for each name that is defined. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define NAKED      __attribute__((naked))
#define TABLE(...) ".pushsection .bpf_cleanup,\"a\",@progbits\n" __VA_ARGS__ ".popsection\n"
/* A record: a throw out of [begin, end) goes to pad. */
#define RECORD(begin, end, pad) ".long " #begin ", " #end ", " #pad "\n"

extern void bpf_throw(__u64 cookie) __ksym;
extern void _Unwind_Resume(void);
extern void bpf_unwind_resume(void) __ksym;

static __noinline NAKED int quiet(void)
{
	asm volatile("r0 = 7\n"
		     "exit\n");
}

/* A program of two calls, 0 and 3, and a pad from 5 on: 0 call, 1 lddw, 3 call, 4 exit, 5 mov, 6 resume. */
#define PROGRAM(...)                                    \
	SEC("tc") NAKED int program(void *ctx)          \
	{                                               \
		asm volatile("0: call %[quiet]\n"       \
			     "1: r1 = 7 ll\n"           \
			     "3: call %[quiet]\n"       \
			     "4: exit\n"                \
			     "5: r1 = 0\n"              \
			     "in_the_pad:\n"            \
			     "6: call _Unwind_Resume\n" \
			     "7:\n" __VA_ARGS__         \
			     :                          \
			     : [quiet] "i"(quiet));     \
	}

#if defined(CASE_throws)
static __noinline NAKED void thrower(void)
{
	asm volatile("r1 = 5\n"
		     "call bpf_throw\n"
		     "exit\n");
}
SEC("tc") NAKED int program(void *ctx)
{
	/* Behind a call that never returns, as compilers put it. */
	asm volatile("1: call %[thrower]\n"
		     "2: call bpf_unwind_resume\n" TABLE(RECORD(1b, 2b, 2b))
		     :
		     : [thrower] "i"(thrower));
}
/* Another program of the object: its throws skip no pads. */
SEC("tc") NAKED int without_pads(void *ctx)
{
	asm volatile("call %[thrower]\n"
		     "r0 = 0\n"
		     "exit\n"
		     :
		     : [thrower] "i"(thrower));
}

#elif defined(CASE_shapes)
/* Out of order, a pad in the other one's body, a range of several instructions, both types of relocation. */
PROGRAM(TABLE(RECORD(3b, 4b, in_the_pad) RECORD(0b, 3b, 5b)))
static __noinline NAKED int sub(void)
{
	asm volatile("exit\n"
		     "1: call bpf_unwind_resume\n"
		     "2: call %[quiet]\n" /* ends its function */
		     "3:\n" TABLE(RECORD(2b, 3b, 1b))
		     :
		     : [quiet] "i"(quiet));
}
/* Global: relocations name the function itself. */
__noinline NAKED int by_name(void)
{
	asm volatile("call %[quiet]\n"
		     "exit\n"
		     "1: call bpf_unwind_resume\n" TABLE(RECORD(by_name, by_name + 8, 1b))
		     :
		     : [quiet] "i"(quiet));
}
SEC("xdp") NAKED int other(void *ctx)
{
	asm volatile("0: call %[sub]\n"
		     "1: call %[by_name]\n"
		     "2: exit\n"
		     "3: call bpf_unwind_resume\n" TABLE(RECORD(1b, 2b, 3b) RECORD(0b, 1b, 3b))
		     :
		     : [sub] "i"(sub), [by_name] "i"(by_name));
}

#elif defined(CASE_asm_goto)
/* The compiler's own pad: it has the value that the frame holds. Arguments of the call are outputs. */
static __always_inline int covered(__u64 held)
{
	register __u64 r1 asm("r1") = held + 1;

	asm volatile goto("1: call %[quiet]\n"
			  "2:\n" TABLE(".long 1b, 2b, %l[pad]\n")
			  : "+r"(r1)
			  : [quiet] "i"(quiet)
			  : "r0", "r2", "r3", "r4", "r5", "memory"
			  : pad);
	return 0;
pad:
	asm volatile("r0 = %[held]\n" /* give back what is held */
		     "call bpf_unwind_resume\n"
		     :
		     : [held] "r"(held)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	__builtin_unreachable();
}
SEC("tc") int program(struct __sk_buff *ctx)
{
	return covered(ctx->len) + covered(ctx->mark); /* inlined twice: two records, two pads */
}

#elif defined(CASE_unwind)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("call %[quiet]\n"
		     ".8byte ((2f - 1f) << 13) + 0xfd\n" /* the distance in instructions, << 16 */
		     "1: exit\n"
		     "2: call bpf_unwind_resume\n"
		     :
		     : [quiet] "i"(quiet));
}
#elif defined(CASE_unwind_first)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile(".8byte 0x100fd\n"
		     "exit\n"
		     "call bpf_unwind_resume\n");
}
#elif defined(CASE_unwind_not_behind_call)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("r0 = 0\n"
		     ".8byte 0x100fd\n"
		     "exit\n"
		     "call bpf_unwind_resume\n");
}
#elif defined(CASE_unwind_behind_resume)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("exit\n"
		     "call bpf_unwind_resume\n"
		     ".8byte 0xfffe00fd\n");
}
#elif defined(CASE_unwind_out)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("call %[quiet]\n"
		     ".8byte 0x100fd\n"
		     "exit\n"
		     :
		     : [quiet] "i"(quiet));
}
#elif defined(CASE_unwind_reserved)
SEC("tc") NAKED int program(void *ctx)
{
	asm volatile("call %[quiet]\n"
		     ".8byte 0x700000000fd\n"
		     "exit\n"
		     :
		     : [quiet] "i"(quiet));
}

/* ---- refused by the linker ---- */

#elif defined(CASE_no_whole_records)
PROGRAM(TABLE(RECORD(0b, 1b, 5b) ".long 0b, 1b\n"))
#elif defined(CASE_no_relocation)
PROGRAM(TABLE(RECORD(0b, 1b, 5b) RECORD(3b, 4b, 40)))
#elif defined(CASE_wide_relocation)
PROGRAM(TABLE(".8byte 0b\n.long 5b\n"))
#elif defined(CASE_no_code)
__u64 variable = 1;
PROGRAM(TABLE(RECORD(0b, 1b, variable)))
#elif defined(CASE_undefined)
PROGRAM(TABLE(RECORD(0b, 1b, bpf_throw)))
#elif defined(CASE_no_insn)
PROGRAM(TABLE(RECORD(0b, 1b, 5b) RECORD(3b, 3b + 4, 5b)))
#elif defined(CASE_empty)
PROGRAM(TABLE(RECORD(0b, 1b, 5b) RECORD(3b, 3b, 5b)))
#elif defined(CASE_two_functions)
PROGRAM(TABLE(RECORD(0b, 1b, 5b) RECORD(3b, 7b + 8, 5b)))
SEC("tc") NAKED int next(void *ctx)
{
	asm volatile("r0 = 0\n"
		     "exit\n");
}
#elif defined(CASE_two_sections)
PROGRAM(TABLE(RECORD(0b, 1b, quiet)))

/* ---- refused by the library ---- */

#elif defined(CASE_overlap)
PROGRAM(TABLE(RECORD(3b, 4b, 5b) RECORD(0b, 4b, 5b)))
#elif defined(CASE_pad_in_range)
PROGRAM(TABLE(RECORD(3b, 6b, 5b)))
#elif defined(CASE_second_half)
PROGRAM(TABLE(RECORD(0b, 1b + 8, 5b)))
#elif defined(CASE_catches)
PROGRAM(TABLE(RECORD(0b, 1b, 4b)))
#elif defined(CASE_resume_outside)
PROGRAM(TABLE("\n"))
#endif

char _license[] SEC("license") = "GPL";
