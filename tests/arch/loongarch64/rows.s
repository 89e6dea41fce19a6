# SPDX-License-Identifier: BSD-2-Clause
# Functions with unwind rows, for tests/rows/verify.py. VERDICT_ABOUT__NAME says what is to come out. Of an untrue function
# exactly one directive is wrong; at__NAME is the first instruction at which the table lies.

	.macro	function name
	.p2align 2
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
	addi.d	$a0, $a0, 1
	jr	$ra
	end	true__leaf

	function true__frame
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$s0, $sp, 16
	.cfi_offset 23, -16
	move	$s0, $a0
	bl	elsewhere
	add.d	$a0, $a0, $s0
	ld.d	$s0, $sp, 16
	.cfi_restore 23
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	true__frame

	function true__frame_pointer
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$fp, $sp, 16
	.cfi_offset 22, -16
	addi.d	$fp, $sp, 32
	.cfi_def_cfa 22, 0
	sub.d	$sp, $sp, $a0
	bl	elsewhere
	addi.d	$sp, $fp, -32
	.cfi_def_cfa 3, 32
	ld.d	$fp, $sp, 16
	.cfi_restore 22
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	true__frame_pointer

	function true__two_ways
	beqz	$a0, 1f
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
1:	jr	$ra
	end	true__two_ways

	function true__switch
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	pcaddi	$t0, 0
	add.d	$t0, $t0, $a0
	jr	$t0
	.cfi_remember_state
case_0:
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
case_1:
	.cfi_restore_state
	bl	elsewhere
	b	case_0
	end	true__switch

	function true__ends_with_a_call
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	abort
	end	true__ends_with_a_call

	function true__goes_on_elsewhere_behind_a_call
	beqz	$a0, 1f
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	abort
	nop
1:	.cfi_restore 1
	.cfi_def_cfa_offset 0
	jr	$ra
	end	true__goes_on_elsewhere_behind_a_call

	function true__leaves_for_another
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	b	elsewhere
	end	true__leaves_for_another

	function true__variable_changed_by_a_callee
	addi.d	$sp, $sp, -48
	.cfi_def_cfa_offset 48
	st.d	$ra, $sp, 40
	.cfi_offset 1, -8
	addi.d	$a1, $sp, 16
	st.d	$a1, $sp, 0
	move	$a0, $sp
	bl	elsewhere
	ld.d	$a1, $sp, 0
	st.d	$zero, $a1, 24
	ld.d	$ra, $sp, 40
	.cfi_restore 1
	addi.d	$sp, $sp, 48
	.cfi_def_cfa_offset 0
	jr	$ra
	end	true__variable_changed_by_a_callee

	function true__part_that_begins_with_a_landing_pad
	nop
	.cfi_def_cfa_offset 32
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	true__part_that_begins_with_a_landing_pad

	function untrue_cfa__left_out_at_the_start
	addi.d	$sp, $sp, -32
at__untrue_cfa__left_out_at_the_start:
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_cfa__left_out_at_the_start

	function untrue_cfa__left_out_at_the_end
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
at__untrue_cfa__left_out_at_the_end:
	jr	$ra
	end	untrue_cfa__left_out_at_the_end

	function untrue_cfa__another_number
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 48
at__untrue_cfa__another_number:
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_cfa__another_number

	function untrue_cfa__another_register
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$fp, $sp, 16
	.cfi_offset 22, -16
	.cfi_def_cfa 22, 0
at__untrue_cfa__another_register:
	addi.d	$fp, $sp, 32
	bl	elsewhere
	ld.d	$fp, $sp, 16
	.cfi_restore 22
	.cfi_def_cfa 3, 32
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_cfa__another_register

	function untrue_register__another_slot
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$s0, $sp, 16
	.cfi_offset 23, -24
at__untrue_register__another_slot:
	bl	elsewhere
	ld.d	$s0, $sp, 16
	.cfi_restore 23
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_register__another_slot

	function untrue_register__left_out
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$s0, $sp, 16
	move	$s0, $a0
at__untrue_register__left_out:
	bl	elsewhere
	ld.d	$s0, $sp, 16
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_register__left_out

	function untrue_register__restored_too_soon
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	st.d	$s0, $sp, 16
	.cfi_offset 23, -16
	move	$s0, $a0
	bl	elsewhere
	.cfi_restore 23
at__untrue_register__restored_too_soon:
	ld.d	$s0, $sp, 16
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_register__restored_too_soon

	function untrue_return__another_slot
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -16
at__untrue_return__another_slot:
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_return__another_slot

	function untrue_return__left_out
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
at__untrue_return__left_out:
	bl	elsewhere
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	untrue_return__left_out

	function untrue_cfa__of_a_case
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	pcaddi	$t0, 0
	add.d	$t0, $t0, $a0
	jr	$t0
case_2:
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
case_3:
	.cfi_def_cfa_offset 48
	.cfi_offset 1, -8
at__untrue_cfa__of_a_case:
	addi.d	$a0, $a0, 1
	b	case_2
	end	untrue_cfa__of_a_case

	function undecided_row__of_a_case
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	pcaddi	$t0, 0
	add.d	$t0, $t0, $a0
	jr	$t0
case_4:
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
case_5:
	.cfi_def_cfa_offset 48
	.cfi_offset 1, -8
at__undecided_row__of_a_case:
	bl	abort
	end	undecided_row__of_a_case

	function undecided_row__an_expression
	addi.d	$sp, $sp, -32
	.cfi_def_cfa_offset 32
	st.d	$ra, $sp, 24
	.cfi_offset 1, -8
	.cfi_escape 0x0f, 0x03, 0x73, 0x08, 0x06
at__undecided_row__an_expression:
	bl	elsewhere
	.cfi_def_cfa 3, 32
	ld.d	$ra, $sp, 24
	.cfi_restore 1
	addi.d	$sp, $sp, 32
	.cfi_def_cfa_offset 0
	jr	$ra
	end	undecided_row__an_expression

	function undecided_cfa__a_stack_of_any_size
	sub.d	$sp, $sp, $a0
at__undecided_cfa__a_stack_of_any_size:
	move	$a0, $a1
	jr	$ra
	end	undecided_cfa__a_stack_of_any_size

	function undecided_cfa__unless_abort_never_returns
	addi.d	$sp, $sp, -16
	.cfi_def_cfa_offset 16
	st.d	$ra, $sp, 8
	.cfi_offset 1, -8
	st.d	$fp, $sp, 0
	.cfi_offset 22, -16
	addi.d	$fp, $sp, 16
	.cfi_def_cfa 22, 0
	beqz	$a0, 1f
	addi.d	$sp, $sp, -16
	bl	abort
1:	ld.d	$ra, $fp, -8
	.cfi_restore 1
	ld.d	$fp, $fp, -16
	.cfi_restore 22
	.cfi_def_cfa 3, 16
at__undecided_cfa__unless_abort_never_returns:
	addi.d	$sp, $sp, 16
	.cfi_def_cfa_offset 0
	jr	$ra
	end	undecided_cfa__unless_abort_never_returns

	function undecided_code__no_instruction
	beqz	$a0, at__undecided_code__no_instruction
	jr	$ra
at__undecided_code__no_instruction:
	.word	0xffffffff
	end	undecided_code__no_instruction
