// SPDX-License-Identifier: BSD-2-Clause
// Functions with unwind rows, for tests/rows/verify.py. VERDICT_ABOUT__NAME says what is to come out. Of an untrue function
// exactly one directive is wrong; at__NAME is the first instruction at which the table lies.

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
	add	x0, x0, #1
	ret
	end	true__leaf

	function true__frame
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	str	x19, [sp, #16]
	.cfi_offset x19, -16
	mov	x19, x0
	bl	elsewhere
	add	x0, x0, x19
	ldr	x19, [sp, #16]
	.cfi_restore x19
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	true__frame

	function true__frame_pointer
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	mov	x29, sp
	.cfi_def_cfa_register x29
	str	x19, [sp, #16]
	.cfi_offset x19, -16
	sub	sp, sp, x0
	mov	x19, sp
	bl	elsewhere
	mov	sp, x29
	.cfi_def_cfa_register sp
	ldr	x19, [sp, #16]
	.cfi_restore x19
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	true__frame_pointer

	function true__signed_return
	paciasp
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	autiasp
	.cfi_negate_ra_state
	ret
	end	true__signed_return

	function true__two_ways
	cbz	x0, 1f
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
1:	ret
	end	true__two_ways

	function true__switch
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	adr	x1, true__switch
	add	x1, x1, x0
	br	x1
	.cfi_remember_state
case_0:
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
case_1:
	.cfi_restore_state
	bl	elsewhere
	b	case_0
	end	true__switch

	function true__ends_with_a_call
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	abort
	end	true__ends_with_a_call

	function true__goes_on_elsewhere_behind_a_call
	cbz	x0, 1f
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	abort
	nop
1:	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	true__goes_on_elsewhere_behind_a_call

	function true__leaves_for_another
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	b	elsewhere
	end	true__leaves_for_another

	function true__variable_changed_by_a_callee
	sub	sp, sp, #48
	.cfi_def_cfa_offset 48
	stp	x29, x30, [sp, #32]
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	add	x1, sp, #16
	str	x1, [sp]
	mov	x0, sp
	bl	elsewhere
	ldr	x1, [sp]
	str	xzr, [x1, #16]
	ldp	x29, x30, [sp, #32]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #48
	.cfi_def_cfa_offset 0
	ret
	end	true__variable_changed_by_a_callee

	function true__part_that_begins_with_a_landing_pad
	nop
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	true__part_that_begins_with_a_landing_pad

	function untrue_cfa__left_out_at_the_start
	stp	x29, x30, [sp, #-32]!
	.cfi_offset x29, -32
	.cfi_offset x30, -24
at__untrue_cfa__left_out_at_the_start:
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_cfa__left_out_at_the_start

	function untrue_cfa__left_out_at_the_end
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
at__untrue_cfa__left_out_at_the_end:
	ret
	end	untrue_cfa__left_out_at_the_end

	function untrue_cfa__another_number
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 48
	.cfi_offset x29, -32
	.cfi_offset x30, -24
at__untrue_cfa__another_number:
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_cfa__another_number

	function untrue_cfa__another_register
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	.cfi_def_cfa_register x29
at__untrue_cfa__another_register:
	mov	x29, sp
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa sp, 0
	ret
	end	untrue_cfa__another_register

	function untrue_register__another_slot
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	str	x19, [sp, #16]
	.cfi_offset x19, -8
at__untrue_register__another_slot:
	bl	elsewhere
	ldr	x19, [sp, #16]
	.cfi_restore x19
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_register__another_slot

	function untrue_register__left_out
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	str	x19, [sp, #16]
	mov	x19, x0
at__untrue_register__left_out:
	bl	elsewhere
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_register__left_out

	function untrue_register__restored_too_soon
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	str	x19, [sp, #16]
	.cfi_offset x19, -16
	mov	x19, x0
	bl	elsewhere
	.cfi_restore x19
at__untrue_register__restored_too_soon:
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_register__restored_too_soon

	function untrue_return__another_slot
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -16
at__untrue_return__another_slot:
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_return__another_slot

	function untrue_return__left_out
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
at__untrue_return__left_out:
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	end	untrue_return__left_out

	function untrue_return__not_said_to_be_signed
	paciasp
at__untrue_return__not_said_to_be_signed:
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	autiasp
	ret
	end	untrue_return__not_said_to_be_signed

	function untrue_cfa__of_a_case
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	adr	x1, untrue_cfa__of_a_case
	add	x1, x1, x0
	br	x1
case_2:
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
case_3:
	.cfi_def_cfa_offset 48
	.cfi_offset x29, -32
	.cfi_offset x30, -24
at__untrue_cfa__of_a_case:
	add	x0, x0, #1
	b	case_2
	end	untrue_cfa__of_a_case

	function undecided_row__of_a_case
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	adr	x1, undecided_row__of_a_case
	add	x1, x1, x0
	br	x1
case_4:
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
case_5:
	.cfi_def_cfa_offset 48
	.cfi_offset x29, -32
	.cfi_offset x30, -24
at__undecided_row__of_a_case:
	bl	abort
	end	undecided_row__of_a_case

	function undecided_row__an_expression
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	.cfi_escape 0x0f, 0x03, 0x8f, 0x08, 0x06
at__undecided_row__an_expression:
	bl	elsewhere
	ldp	x29, x30, [sp], #32
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa sp, 0
	ret
	end	undecided_row__an_expression

	function undecided_cfa__a_stack_of_any_size
	sub	sp, sp, x0
at__undecided_cfa__a_stack_of_any_size:
	mov	x0, x1
	ret
	end	undecided_cfa__a_stack_of_any_size

	function undecided_cfa__unless_abort_never_returns
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	.cfi_def_cfa_register x29
	cbz	x0, 1f
	sub	sp, sp, #16
	bl	abort
1:	ldr	x30, [x29, #8]
	.cfi_restore x30
	ldr	x29, [x29]
	.cfi_restore x29
	.cfi_def_cfa sp, 16
at__undecided_cfa__unless_abort_never_returns:
	add	sp, sp, #16
	.cfi_def_cfa_offset 0
	ret
	end	undecided_cfa__unless_abort_never_returns

	function undecided_code__no_instruction
	cbz	x0, at__undecided_code__no_instruction
	ret
at__undecided_code__no_instruction:
	.word	0xffffffff
	end	undecided_code__no_instruction
