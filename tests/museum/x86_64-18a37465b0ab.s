# SPDX-License-Identifier: BSD-2-Clause
# commit: x86-64 18a37465b0ab
# title: A callback pops outgoing arguments as registers
# of: Linux, "bpf,x86: Fix exception unwinding with outgoing stack arguments", 2026; the subject was to be had, the
#   text was not
# machine: x86_64
# rule: R4
# finds: no, because the code was right: bpf_throw() gave it another SP
# what: A boundary keeps room for outgoing arguments below the registers that it saves. bpf_throw() handed the callback the SP
#   of the boundary's call, and the callback began to pop there: it took an argument for r15. The fix is in what
#   bpf_throw() adds to that SP; the machine code of boundary and callback is the same before and after. The checker
#   judges the callback by the SP that the fixed bpf_throw() gives. What the checker does find is the same fault where
#   code causes it: a boundary that pushes a register around its calls (tests/tools/kernel, x86_64-private-exceptions).
# fix: A boundary says how much room its arguments take, and bpf_throw() adds it.
	.type	throws, @function
throws:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	nopl	(%rax)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%r12
	pushq	%rbx
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$16, %rsp  # two arguments
	movq	$7, (%rsp)
	movl	$5, %edi
fault:
	callq	throws + 0x800000  # bpf_throw(5)
	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%rbx
	popq	%r12
	leave
	retq
	.size	throws, . - throws

	.type	catches, @function
catches:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	nopl	(%rax)
	movq	%rsi, %rsp
	movq	%rdx, %rbp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%rbx
	popq	%r12
	movq	%rbp, %rsp
	movq	%rdi, %rax
	leave
	retq
	.size	catches, . - catches
