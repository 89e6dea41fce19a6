# SPDX-License-Identifier: BSD-2-Clause
# commit: x86-64 116e04ba1459
# title: Every function has a tail-call count of its own
# of: Linux 6.12, "bpf, x64: Fix tailcall hierarchy", July 2024
# machine: x86_64
# form: object
# options: --target x86_64/linux --tail-calls
# rule: R9
# finds: yes
# what: The count travels in rax, by value: a function that calls another one hands on its count, and the callee
#   counts in a copy. What the callee has counted is gone when it returns, so that the limit of 33 holds for each way
#   through the call tree by itself, and a program with two such calls multiplies it. In the code here the frame is
#   today's, and the callee gets the count in place of the address of the count.
# fix: The count lies in the frame of the main program, and rax has its address.
	.type	main, @function
main:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	xorq	%rax, %rax
	pushq	%rbp
	movq	%rsp, %rbp
	cmpq	$33, %rax
	ja	1f
	pushq	%rax
	movq	%rsp, %rax
	jmp	2f
1:
	pushq	%rax
2:
	pushq	%rax
.if before
	movq	-8(%rbp), %rax
.else
	movq	-16(%rbp), %rax
.endif
fault:
	callq	subprogram
	leave
	retq
	.size	main, . - main

	.type	subprogram, @function
subprogram:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	nopl	(%rax)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rax
	pushq	%rax
	movl	$0x12345000, %esi  # the program array
	xorl	%edx, %edx  # the index
	cmpl	%edx, 36(%rsi)
	jbe	1f
	movq	-16(%rbp), %rax
	cmpq	$33, (%rax)
	jae	1f
	movq	272(%rsi,%rdx,8), %rcx
	testq	%rcx, %rcx
	je	1f
	addq	$1, (%rax)
	popq	%rax
	popq	%rax
	movq	48(%rcx), %rcx
	addq	$12, %rcx
	jmpq	*%rcx
1:
	movl	$2, %eax
	leave
	retq
	.size	subprogram, . - subprogram
