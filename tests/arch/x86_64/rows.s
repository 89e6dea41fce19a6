# SPDX-License-Identifier: BSD-2-Clause
# Functions with unwind rows, for tests/rows/verify.py. VERDICT_ABOUT__NAME says what is to come out. Of an untrue function
# exactly one directive is wrong; at__NAME is the first instruction at which the table lies.

	.macro	function name
	.p2align 4
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	.endm

	.macro	end name
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.text
	function true__leaf
	leal	1(%rdi), %eax
	ret
	end	true__leaf

	function true__frame
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	subq	$32, %rsp
	.cfi_def_cfa_offset 48
	movq	%rdi, %rbx
	callq	elsewhere
	addq	%rbx, %rax
	addq	$32, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	end	true__frame

	function true__frame_pointer
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%r12
	.cfi_offset r12, -24
	subq	%rdi, %rsp
	andq	$-16, %rsp
	movq	%rsp, %r12
	callq	elsewhere
	leaq	-8(%rbp), %rsp
	popq	%r12
	.cfi_restore r12
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
	end	true__frame_pointer

	function true__two_ways
	testq	%rdi, %rdi
	je	1f
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	movq	%rdi, %rbx
	callq	elsewhere
	popq	%rbx
	.cfi_def_cfa_offset 8
	.cfi_restore rbx
1:	ret
	end	true__two_ways

	function true__switch
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	leaq	table(%rip), %rbx
	jmpq	*(%rbx,%rdi,8)
	.cfi_remember_state
	.p2align 4
case_0:	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.p2align 4
case_1:	.cfi_restore_state
	callq	elsewhere
	jmp	case_0
	end	true__switch

	function true__ends_with_a_call
	pushq	%rax
	.cfi_def_cfa_offset 16
	callq	abort
	end	true__ends_with_a_call

	function true__goes_on_elsewhere_behind_a_call
	testq	%rdi, %rdi
	je	1f
	pushq	%rax
	.cfi_def_cfa_offset 16
	callq	abort
	nopw	(%rax,%rax)
1:	.cfi_def_cfa_offset 8
	ret
	end	true__goes_on_elsewhere_behind_a_call

	function true__leaves_for_another
	subq	$8, %rsp
	.cfi_def_cfa_offset 16
	callq	elsewhere
	addq	$8, %rsp
	.cfi_def_cfa_offset 8
	jmp	elsewhere
	end	true__leaves_for_another

	function true__variable_changed_by_a_callee
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	subq	$32, %rsp
	.cfi_def_cfa_offset 48
	leaq	16(%rsp), %rax
	movq	%rax, (%rsp)
	movq	%rsp, %rdi
	callq	elsewhere
	movq	(%rsp), %rax
	movq	$0, 16(%rax)
	addq	$32, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	end	true__variable_changed_by_a_callee

	function true__part_that_begins_with_a_landing_pad
	nop
	.cfi_def_cfa_offset 32
	.cfi_offset rbx, -16
	callq	elsewhere
	addq	$16, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbx
	.cfi_restore rbx
	.cfi_def_cfa_offset 8
	ret
	end	true__part_that_begins_with_a_landing_pad

	function untrue_cfa__left_out_at_the_start
	pushq	%rbx
	.cfi_offset rbx, -16
at__untrue_cfa__left_out_at_the_start:
	movq	%rdi, %rbx
	callq	elsewhere
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	end	untrue_cfa__left_out_at_the_start

	function untrue_cfa__left_out_at_the_end
	subq	$24, %rsp
	.cfi_def_cfa_offset 32
	callq	elsewhere
	addq	$24, %rsp
at__untrue_cfa__left_out_at_the_end:
	ret
	end	untrue_cfa__left_out_at_the_end

	function untrue_cfa__another_number
	subq	$24, %rsp
	.cfi_def_cfa_offset 40
at__untrue_cfa__another_number:
	callq	elsewhere
	addq	$24, %rsp
	.cfi_def_cfa_offset 8
	ret
	end	untrue_cfa__another_number

	function untrue_cfa__another_register
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	.cfi_def_cfa_register rbp
at__untrue_cfa__another_register:
	movq	%rsp, %rbp
	callq	elsewhere
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
	end	untrue_cfa__another_register

	function untrue_register__another_slot
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	pushq	%rbx
	.cfi_def_cfa_offset 24
	.cfi_offset rbx, -32
at__untrue_register__another_slot:
	callq	elsewhere
	popq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_restore rbx
	popq	%rbp
	.cfi_def_cfa_offset 8
	.cfi_restore rbp
	ret
	end	untrue_register__another_slot

	function untrue_register__left_out
	pushq	%rbx
	.cfi_def_cfa_offset 16
	movq	%rdi, %rbx
at__untrue_register__left_out:
	callq	elsewhere
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	end	untrue_register__left_out

	function untrue_register__restored_too_soon
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	movq	%rdi, %rbx
	callq	elsewhere
	.cfi_restore rbx
at__untrue_register__restored_too_soon:
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	end	untrue_register__restored_too_soon

	function untrue_return__another_slot
	subq	$8, %rsp
	.cfi_def_cfa_offset 16
	.cfi_offset rip, -16
at__untrue_return__another_slot:
	callq	elsewhere
	addq	$8, %rsp
	.cfi_def_cfa_offset 8
	.cfi_offset rip, -8
	ret
	end	untrue_return__another_slot

	function untrue_cfa__of_a_case
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	leaq	table_2(%rip), %rbx
	jmpq	*(%rbx,%rdi,8)
	.p2align 4
case_2:	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.p2align 4
case_3:	.cfi_def_cfa_offset 24
at__untrue_cfa__of_a_case:
	incq	%rax
	jmp	case_2
	end	untrue_cfa__of_a_case

	function undecided_row__of_a_case
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	leaq	table_3(%rip), %rbx
	jmpq	*(%rbx,%rdi,8)
	.p2align 4
case_4:	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.p2align 4
case_5:	.cfi_def_cfa_offset 24
at__undecided_row__of_a_case:
	callq	abort
	end	undecided_row__of_a_case

	function undecided_row__an_expression
	subq	$8, %rsp
	.cfi_escape 0x0f, 0x03, 0x77, 0x08, 0x06
at__undecided_row__an_expression:
	callq	elsewhere
	addq	$8, %rsp
	.cfi_def_cfa rsp, 8
	ret
	end	undecided_row__an_expression

	function undecided_cfa__a_stack_of_any_size
	subq	%rdi, %rsp
at__undecided_cfa__a_stack_of_any_size:
	callq	elsewhere
	ret
	end	undecided_cfa__a_stack_of_any_size

	function undecided_cfa__unless_abort_never_returns
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	testq	%rdi, %rdi
	je	1f
	subq	$16, %rsp
	callq	abort
1:	movq	(%rbp), %rbp
	.cfi_restore rbp
	.cfi_def_cfa rsp, 16
at__undecided_cfa__unless_abort_never_returns:
	addq	$8, %rsp
	.cfi_def_cfa_offset 8
	ret
	end	undecided_cfa__unless_abort_never_returns

	function undecided_code__no_instruction
	testq	%rdi, %rdi
	je	1f
	ret
1:
at__undecided_code__no_instruction:
	.byte	0x06
	end	undecided_code__no_instruction

	.section .data.rel.ro, "aw"
table:	.quad	case_0, case_1
table_2:
	.quad	case_2, case_3
table_3:
	.quad	case_4, case_5
