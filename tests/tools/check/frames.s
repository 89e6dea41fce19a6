# SPDX-License-Identifier: BSD-2-Clause
# Two programs of loongarch64/user: one as it should be, one that writes the frame pointer on one path.
	.text
	.globl	good
	.type	good, @function
good:
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -16
	st.d	$ra, $sp, 8
	st.d	$fp, $sp, 0
	addi.d	$fp, $sp, 16
	move	$a5, $zero
	ld.d	$ra, $sp, 8
	ld.d	$fp, $sp, 0
	addi.d	$sp, $sp, 16
	move	$a0, $a5
	ret
	.size	good, . - good

	.globl	bad
	.type	bad, @function
bad:
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -16
	st.d	$ra, $sp, 8
	st.d	$fp, $sp, 0
	addi.d	$fp, $sp, 16
	move	$a5, $zero
	beqz	$a0, 1f
	addi.d	$fp, $fp, 8
1:
	ld.d	$ra, $sp, 8
	ld.d	$fp, $sp, 0
	addi.d	$sp, $sp, 16
	move	$a0, $a5
	ret
	.size	bad, . - bad
