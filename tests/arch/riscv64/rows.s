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

	# LLVM leaves what stands behind a branch that it may make longer to the linker.
	.macro	beqz_by distance
	.insn	b 0x63, 0, a0, zero, \distance
	.endm

	.option	norelax
	.text
	function true__leaf
	addi	a0, a0, 1
	jr	ra
	end	true__leaf

	function true__frame
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s1, 16(sp)
	.cfi_offset 9, -16
	mv	s1, a0
	jal	elsewhere
	add	a0, a0, s1
	ld	s1, 16(sp)
	.cfi_restore 9
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	true__frame

	function true__frame_pointer
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s0, 16(sp)
	.cfi_offset 8, -16
	addi	s0, sp, 32
	.cfi_def_cfa 8, 0
	sub	sp, sp, a0
	jal	elsewhere
	addi	sp, s0, -32
	.cfi_def_cfa 2, 32
	ld	s0, 16(sp)
	.cfi_restore 8
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	true__frame_pointer

	function true__two_ways
	beqz_by	16
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
1:	jr	ra
	end	true__two_ways

	function true__switch
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	auipc	t1, 0
	add	t1, t1, a0
	jr	t1
	.cfi_remember_state
case_0:
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
case_1:
	.cfi_restore_state
	jal	elsewhere
	.2byte	0xbfdd	# j case_0
	end	true__switch

	function true__ends_with_a_call
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	abort
	end	true__ends_with_a_call

	function true__goes_on_elsewhere_behind_a_call
	beqz_by	14
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	abort
	nop
1:	.cfi_restore 1
	.cfi_def_cfa_offset 0
	jr	ra
	end	true__goes_on_elsewhere_behind_a_call

	function true__leaves_for_another
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	.insn	j 0x6f, zero, elsewhere
	end	true__leaves_for_another

	function true__variable_changed_by_a_callee
	addi	sp, sp, -48
	.cfi_def_cfa_offset 48
	sd	ra, 40(sp)
	.cfi_offset 1, -8
	addi	a1, sp, 16
	sd	a1, 0(sp)
	mv	a0, sp
	jal	elsewhere
	ld	a1, 0(sp)
	sd	zero, 24(a1)
	ld	ra, 40(sp)
	.cfi_restore 1
	addi	sp, sp, 48
	.cfi_def_cfa_offset 0
	jr	ra
	end	true__variable_changed_by_a_callee

	function true__part_that_begins_with_a_landing_pad
	nop
	.cfi_def_cfa_offset 32
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	true__part_that_begins_with_a_landing_pad

	function untrue_cfa__left_out_at_the_start
	addi	sp, sp, -32
at__untrue_cfa__left_out_at_the_start:
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_cfa__left_out_at_the_start

	function untrue_cfa__left_out_at_the_end
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
at__untrue_cfa__left_out_at_the_end:
	jr	ra
	end	untrue_cfa__left_out_at_the_end

	function untrue_cfa__another_number
	addi	sp, sp, -32
	.cfi_def_cfa_offset 48
at__untrue_cfa__another_number:
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_cfa__another_number

	function untrue_cfa__another_register
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s0, 16(sp)
	.cfi_offset 8, -16
	.cfi_def_cfa 8, 0
at__untrue_cfa__another_register:
	addi	s0, sp, 32
	jal	elsewhere
	ld	s0, 16(sp)
	.cfi_restore 8
	.cfi_def_cfa 2, 32
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_cfa__another_register

	function untrue_register__another_slot
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s1, 16(sp)
	.cfi_offset 9, -24
at__untrue_register__another_slot:
	jal	elsewhere
	ld	s1, 16(sp)
	.cfi_restore 9
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_register__another_slot

	function untrue_register__left_out
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s1, 16(sp)
	mv	s1, a0
at__untrue_register__left_out:
	jal	elsewhere
	ld	s1, 16(sp)
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_register__left_out

	function untrue_register__restored_too_soon
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	sd	s1, 16(sp)
	.cfi_offset 9, -16
	mv	s1, a0
	jal	elsewhere
	.cfi_restore 9
at__untrue_register__restored_too_soon:
	ld	s1, 16(sp)
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_register__restored_too_soon

	function untrue_return__another_slot
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -16
at__untrue_return__another_slot:
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_return__another_slot

	function untrue_return__left_out
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
at__untrue_return__left_out:
	jal	elsewhere
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	untrue_return__left_out

	function untrue_cfa__of_a_case
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	auipc	t1, 0
	add	t1, t1, a0
	jr	t1
case_2:
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
case_3:
	.cfi_def_cfa_offset 48
	.cfi_offset 1, -8
at__untrue_cfa__of_a_case:
	addi	a0, a0, 1
	.2byte	0xbfe5	# j case_2
	end	untrue_cfa__of_a_case

	function undecided_row__of_a_case
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	auipc	t1, 0
	add	t1, t1, a0
	jr	t1
case_4:
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
case_5:
	.cfi_def_cfa_offset 48
	.cfi_offset 1, -8
at__undecided_row__of_a_case:
	jal	abort
	end	undecided_row__of_a_case

	function undecided_row__an_expression
	addi	sp, sp, -32
	.cfi_def_cfa_offset 32
	sd	ra, 24(sp)
	.cfi_offset 1, -8
	.cfi_escape 0x0f, 0x03, 0x72, 0x08, 0x06
at__undecided_row__an_expression:
	jal	elsewhere
	.cfi_def_cfa 2, 32
	ld	ra, 24(sp)
	.cfi_restore 1
	addi	sp, sp, 32
	.cfi_def_cfa_offset 0
	jr	ra
	end	undecided_row__an_expression

	function undecided_cfa__a_stack_of_any_size
	sub	sp, sp, a0
at__undecided_cfa__a_stack_of_any_size:
	mv	a0, a1
	jr	ra
	end	undecided_cfa__a_stack_of_any_size

	function undecided_cfa__unless_abort_never_returns
	addi	sp, sp, -16
	.cfi_def_cfa_offset 16
	sd	ra, 8(sp)
	.cfi_offset 1, -8
	sd	s0, 0(sp)
	.cfi_offset 8, -16
	addi	s0, sp, 16
	.cfi_def_cfa 8, 0
	beqz_by	10
	addi	sp, sp, -16
	jal	abort
	ld	ra, -8(s0)
	.cfi_restore 1
	ld	s0, -16(s0)
	.cfi_restore 8
	.cfi_def_cfa 2, 16
at__undecided_cfa__unless_abort_never_returns:
	addi	sp, sp, 16
	.cfi_def_cfa_offset 0
	jr	ra
	end	undecided_cfa__unless_abort_never_returns

	function undecided_code__no_instruction
	beqz_by	6
	jr	ra
at__undecided_code__no_instruction:
	.word	0xffffffff
	end	undecided_code__no_instruction
