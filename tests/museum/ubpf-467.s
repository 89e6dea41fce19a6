# SPDX-License-Identifier: BSD-2-Clause
# commit: uBPF #467
# title: A jump to a function's start aligns SP once more
# of: uBPF, pull request 467, "Handle call local seperately from regular jump instructions", May 2024
# machine: x86_64
# form: object
# options: --target x86_64/user
# rule: R7
# finds: yes
# what: A local function begins with `sub rsp, 8`, which aligns SP behind the return address. A BPF instruction that jumps
#   back to the first instruction of its function went there, too, because the JIT had one address for both: each turn of
#   the loop moved SP down by 8. Every other turn called helpers with SP off by 8, and the return took another word for
#   the return address. The same in a frame of jitframe's.
# fix: Jumps go behind the `sub`, calls to it.
	.type	function, @function
function:
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
.if before
1:
	subq	$8, %rsp
.else
	subq	$8, %rsp
1:
.endif
	movq	%rdi, %rbx
fault:
	callq	function + 0x800000  # a helper
	movq	%rbx, %rdi
	testq	%rax, %rax
	jne	1b
	leaq	-8(%rbp), %rsp
	popq	%rbx
	leave
	retq
	.size	function, . - function
