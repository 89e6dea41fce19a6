# SPDX-License-Identifier: BSD-2-Clause
# commit: x86-64 ff672c67ee76
# title: The count is read by a stack size that is not rounded up
# of: Linux 5.19, "bpf, x86: Fix tail call count offset calculation on bpf2bpf call"
# machine: x86_64
# form: object
# options: --target x86_64/linux --tail-calls
# rule: R9
# finds: yes
# what: The prologue rounds the size of the BPF stack up to a multiple of 8, and pushes the count below. The place from which
#   a call of a BPF function takes the count was computed from the size that the program has. With 12 bytes of BPF stack
#   the place was 4 bytes off. In the code here the frame is today's, in which two words lie below the BPF stack, and the
#   second one has the count's address.
# fix: The size is rounded up there, too.
	.type	main, @function
main:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	xorq	%rax, %rax
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$16, %rsp  # 12 bytes, rounded up
	cmpq	$33, %rax
	ja	1f
	pushq	%rax
	movq	%rsp, %rax
	jmp	2f
1:
	pushq	%rax
2:
	pushq	%rax
	movl	$7, -12(%rbp)
.if before
	movq	-28(%rbp), %rax
.else
	movq	-32(%rbp), %rax
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
	movl	$2, %eax
	leave
	retq
	.size	subprogram, . - subprogram
