# SPDX-License-Identifier: BSD-2-Clause
# The frames of porting-exceptions.md: a boundary and a callback of loongarch64/linux-v2 as they should be, and
# variants with one mistake each, of the kinds that ports have made. tests/docs assembles this file and holds what
# the page quotes to what `jitframe check` says of it.

# Where everything lies, from sp, in a frame with 16 bytes of BPF stack.
	.set	FRAME, 112
	.set	RA, 104
	.set	FP, 96
	.set	S0, 88
	.set	S1, 80
	.set	S2, 72
	.set	S3, 64
	.set	S4, 56
	.set	S5, 48
	.set	S6, 40
	.set	COUNT, 32
	.set	COUNT_PTR, 24
	.set	BPF_STACK, 16

	.macro	function name
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.macro	end name
	.size	\name, . - \name
	.endm

	.macro	patch_area
	move	$t0, $ra
	.rept	5
	nop
	.endr
	.endm

	.macro	count_block
	addi.d	$t3, $zero, 33
	bgeu	$t3, $a6, 1f
	b	2f
1:
	st.d	$a6, $sp, COUNT
	addi.d	$a6, $sp, COUNT
	b	3f
2:
	st.d	$a6, $sp, COUNT
3:
	st.d	$a6, $sp, COUNT_PTR
	.endm

	.macro	boundary_prologue frame=FRAME
	patch_area
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -\frame
	st.d	$ra, $sp, RA - FRAME + \frame
	st.d	$fp, $sp, FP - FRAME + \frame
	st.d	$s0, $sp, S0 - FRAME + \frame
	st.d	$s1, $sp, S1 - FRAME + \frame
	st.d	$s2, $sp, S2 - FRAME + \frame
	st.d	$s3, $sp, S3 - FRAME + \frame
	st.d	$s4, $sp, S4 - FRAME + \frame
	st.d	$s5, $sp, S5 - FRAME + \frame
	st.d	$s6, $sp, S6 - FRAME + \frame
	count_block
	addi.d	$fp, $sp, \frame
	addi.d	$s4, $sp, BPF_STACK
	.endm

	.macro	callback_prologue
	patch_area
	move	$fp, $a2
	addi.d	$sp, $fp, -FRAME
	addi.d	$s4, $sp, BPF_STACK
	.endm

	.macro	restore frame=FRAME
	ld.d	$ra, $sp, RA - FRAME + \frame
	ld.d	$fp, $sp, FP - FRAME + \frame
	ld.d	$s0, $sp, S0 - FRAME + \frame
	ld.d	$s1, $sp, S1 - FRAME + \frame
	ld.d	$s2, $sp, S2 - FRAME + \frame
	ld.d	$s3, $sp, S3 - FRAME + \frame
	ld.d	$s4, $sp, S4 - FRAME + \frame
	ld.d	$s5, $sp, S5 - FRAME + \frame
	.endm

	.macro	finish frame=FRAME
	ld.d	$a6, $sp, COUNT_PTR
	ld.d	$a6, $sp, COUNT
	addi.d	$sp, $sp, \frame
	addi.w	$a0, $a5, 0
	ret
	.endm

	.macro	epilogue frame=FRAME
	restore	\frame
	ld.d	$s6, $sp, S6 - FRAME + \frame
	finish	\frame
	.endm

	.macro	call_helper
	lu12i.w	$t1, 0x12345
	jirl	$ra, $t1, 0
	move	$a5, $a0
	.endm

	.text

	function boundary
	boundary_prologue
	call_helper
	epilogue
	end	boundary

	function callback
	callback_prologue
	call_helper
	epilogue
	end	callback

# R1: the frame record a word lower than the convention has it.
	function record_moved
	patch_area
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -FRAME
	st.d	$ra, $sp, RA - 8
	st.d	$fp, $sp, FP - 8
	addi.d	$fp, $sp, FRAME
	call_helper
	ld.d	$ra, $sp, RA - 8
	ld.d	$fp, $sp, FP - 8
	addi.d	$sp, $sp, FRAME
	addi.w	$a0, $a5, 0
	ret
	end	record_moved

# R2: on one path only.
	function fp_written
	boundary_prologue
	beqz	$a0, 4f
	addi.d	$fp, $fp, -16
4:
	call_helper
	epilogue
	end	fp_written

# R4, R11: the callback takes the boundary's SP for its own, and with it the size of the boundary's frame.
	function callback_takes_sp
	patch_area
	move	$fp, $a2
	move	$sp, $a1
	addi.d	$s4, $sp, BPF_STACK
	call_helper
	epilogue
	end	callback_takes_sp

# R4: a callback with the prologue of any other program.
	function callback_pushes
	boundary_prologue
	call_helper
	epilogue
	end	callback_pushes

# R5: what the boundary saved for the callback's sake, the callback forgets.
	function callback_forgets_s6
	callback_prologue
	call_helper
	restore
	finish
	end	callback_forgets_s6

# R6: a spill above the BPF stack.
	function writes_save_slot
	boundary_prologue
	st.d	$a0, $s4, 48
	call_helper
	epilogue
	end	writes_save_slot

# R7: a frame of a size that is no multiple of 16.
	function misaligned
	boundary_prologue 120
	call_helper
	epilogue 120
	end	misaligned

# R8: a spill below SP: the next signal or interrupt is welcome to it.
	function below_sp
	boundary_prologue
	st.d	$a0, $sp, -8
	call_helper
	epilogue
	end	below_sp

# R9: a tail call takes the count from where it lies in frames without the s6 slot.
	function count_from_elsewhere
	boundary_prologue
	call_helper
	ld.d	$a6, $sp, COUNT_PTR
	ld.d	$t2, $a6, 0
	addi.d	$t2, $t2, 1
	st.d	$t2, $a6, 0
	restore
	ld.d	$s6, $sp, S6
	ld.d	$a6, $sp, COUNT_PTR + 8
	ld.d	$a6, $sp, COUNT + 8
	addi.d	$sp, $sp, FRAME
	jirl	$zero, $t3, 28
	end	count_from_elsewhere

# R13: the callback's cookie is its third argument here, its frame pointer the first.
	function arguments_swapped
	patch_area
	move	$fp, $a0
	addi.d	$sp, $fp, -FRAME
	addi.d	$s4, $sp, BPF_STACK
	call_helper
	epilogue
	end	arguments_swapped

# R14: R0 stays where BPF code has it.
	function result_not_moved
	boundary_prologue
	call_helper
	restore
	ld.d	$s6, $sp, S6
	ld.d	$a6, $sp, COUNT_PTR
	ld.d	$a6, $sp, COUNT
	addi.d	$sp, $sp, FRAME
	ret
	end	result_not_moved

# R16: one instruction more before the tail-call entry.
	function entry_moved
	nop
	boundary_prologue
	call_helper
	epilogue
	end	entry_moved
