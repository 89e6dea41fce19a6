# SPDX-License-Identifier: BSD-2-Clause
# commit: LoongArch 0379d10f09bc
# title: A tail call that finds no program is counted
# of: Linux 7.2, "LoongArch: BPF: Fix off-by-one error in tail call"; told here after another fix of the same fault,
#   proposed in June 2026
# machine: loongarch64
# rule: R29
# finds: yes
# what: The count goes up as soon as the limit has been looked at, and only then comes the question whether the slot of the
#   program array has a program. A program that tries an empty slot first has 32 tail calls left, not 33. A test of the
#   kernel's own, tailcall_3, counted them.
# fix: The count is stored when there is a program to go to.
	.type	main, @function
main:
	move	$t0, $ra
	nop
	nop
	nop
	nop
	nop
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -80
	st.d	$ra, $sp, 72
	st.d	$fp, $sp, 64
	st.d	$s0, $sp, 56
	st.d	$s1, $sp, 48
	st.d	$s2, $sp, 40
	st.d	$s3, $sp, 32
	st.d	$s4, $sp, 24
	st.d	$s5, $sp, 16
	st.d	$a6, $sp, 8
	addi.d	$t7, $sp, 8
	sltui	$t8, $a6, 34
	maskeqz	$t7, $t7, $t8
	masknez	$a6, $a6, $t8
	or	$a6, $a6, $t7
	st.d	$a6, $sp, 0
	addi.d	$fp, $sp, 80
	lu12i.w	$a1, 74565  # the program array
	addi.d	$a2, $zero, 0  # the index
	ld.wu	$t1, $a1, 36
	bgeu	$a2, $t1, 1f
	ld.d	$a6, $sp, 0
	ld.d	$t3, $a6, 0
	addi.d	$t3, $t3, 1
.if before
fault:
	st.d	$t3, $a6, 0
.else
.endif
	addi.d	$t2, $zero, 33
	blt	$t2, $t3, 1f
	alsl.d	$t2, $a2, $a1, 3
	ld.d	$t2, $t2, 272
	beq	$t2, $zero, 1f  # an empty slot
.if before
.else
	st.d	$t3, $a6, 0
.endif
	ld.d	$t3, $t2, 48
	ld.d	$ra, $sp, 72
	ld.d	$fp, $sp, 64
	ld.d	$s0, $sp, 56
	ld.d	$s1, $sp, 48
	ld.d	$s2, $sp, 40
	ld.d	$s3, $sp, 32
	ld.d	$s4, $sp, 24
	ld.d	$s5, $sp, 16
	ld.d	$a6, $sp, 8
	addi.d	$sp, $sp, 80
	jirl	$zero, $t3, 28
1:
	addi.d	$a5, $zero, 2
	ld.d	$ra, $sp, 72
	ld.d	$fp, $sp, 64
	ld.d	$s0, $sp, 56
	ld.d	$s1, $sp, 48
	ld.d	$s2, $sp, 40
	ld.d	$s3, $sp, 32
	ld.d	$s4, $sp, 24
	ld.d	$s5, $sp, 16
	ld.d	$a6, $sp, 8
	addi.d	$sp, $sp, 80
	addi.w	$a0, $a5, 0
	jirl	$zero, $ra, 0
	.size	main, . - main
