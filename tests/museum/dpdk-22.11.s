# SPDX-License-Identifier: BSD-2-Clause
# commit: DPDK 22.11
# title: A saved register moves SP off alignment
# of: DPDK's lib/bpf/bpf_jit_x86.c; the release notes of 24.11.5 and 25.11.1 have "bpf: fix x86 call stack alignment
#   for external calls"
# machine: x86_64
# form: object
# options: --target x86_64/user
# rule: R7
# finds: yes
# what: The prologue makes room for the registers that it saves and for the BPF stack, and does not round up the sum.
#   With the frame pointer, one register more and a BPF stack whose size is a multiple of 16, SP is off by 8 at every
#   call of a helper. The same in a frame of jitframe's.
# fix: SP is aligned. How DPDK does it was not to be seen; here the frame is rounded up.
	.type	main, @function
main:
	xorl	%eax, %eax
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
.if before
	subq	$16, %rsp  # the BPF stack
.else
	subq	$24, %rsp  # the BPF stack, and 8 bytes
.endif
	movq	%rdi, %rbx
fault:
	callq	main + 0x800000  # a helper
	leaq	-8(%rbp), %rsp
	popq	%rbx
	leave
	retq
	.size	main, . - main
