# SPDX-License-Identifier: BSD-2-Clause
# commit: solana-rbpf 515
# title: Calls of Rust code do not align SP
# of: solana_rbpf, pull request 515, "jit: make sure RSP is 16 byte aligned when we call into rust code", September 2023
# machine: x86_64
# form: object
# options: --target x86_64/user
# rule: R7
# finds: yes
# what: The JIT's code moves SP by words as it goes, and calls Rust code with whatever SP it has. Where an odd number of words
#   has been pushed, Rust code that keeps vectors on its stack faults. The same in a frame of jitframe's: a word is put
#   aside around the call.
# fix: What calls Rust code aligns SP first.
	.type	main, @function
main:
	xorl	%eax, %eax
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	subq	$8, %rsp
	movq	%rdi, %rbx
	pushq	%rsi
.if before
.else
	subq	$8, %rsp
.endif
fault:
	callq	main + 0x800000  # Rust code
.if before
.else
	addq	$8, %rsp
.endif
	popq	%rsi
	leaq	-8(%rbp), %rsp
	popq	%rbx
	leave
	retq
	.size	main, . - main
