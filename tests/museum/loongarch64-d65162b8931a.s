# SPDX-License-Identifier: BSD-2-Clause
# commit: LoongArch d65162b8931a
# title: The last instruction of the epilogue is missing
# of: A stable kernel's copy of 7e2586991e36, "LoongArch: BPF: Fix off-by-one error in build_prologue()", March 2025;
#   CVE-2025-37893
# machine: loongarch64
# rule: R5
# finds: yes
# what: The JIT compiles twice: the first pass finds sizes and flags, the second makes the code. The prologue had an
#   instruction more once the second pass knew that the program both calls functions and makes tail calls. Branches to
#   the epilogue then went one instruction astray, and the epilogue's last instruction, the return, did not fit into the
#   code: the processor locked up. The code here is one function with the second of the two effects.
# fix: The prologue has a no-op where the instruction is not needed, so that both passes make prologues of one size.
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
	lu12i.w	$t1, 74565
	jirl	$ra, $t1, 0  # a helper
	move	$a5, $a0
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
fault:
	addi.w	$a0, $a5, 0
.if before
.else
	jirl	$zero, $ra, 0
.endif
	.size	main, . - main
