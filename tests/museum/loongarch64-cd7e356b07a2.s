# SPDX-License-Identifier: BSD-2-Clause
# commit: LoongArch cd7e356b07a2
# title: The count's address is read 8 bytes off in arena programs
# of: Linux 7.3, "LoongArch: BPF: Move arena register slot below TCC context"
# machine: loongarch64
# rule: R9
# finds: yes
# what: The prologue stores s6, the arena's base, above the two words of the tail-call count, so both words move down by 8
#   bytes. The offset at which calls and tail calls read the count's address is a constant elsewhere in the source, and
#   did not move. An arena program takes the count for the address of the count, and counts at address 0, 1 or 2.
# fix: Linux 7.3 moves the slot of s6 below the two words, so that both keep their place. Another fix, which corrects the
#   constant instead, is shown here, because it keeps the frame: "LoongArch: BPF: Fix tail call count pointer offset in
#   arena programs" was proposed in June 2026.
	.type	main, @function
main:
	move	$t0, $ra
	nop
	nop
	nop
	nop
	nop
	addi.d	$a6, $zero, 0
	addi.d	$sp, $sp, -96
	st.d	$ra, $sp, 88
	st.d	$fp, $sp, 80
	st.d	$s0, $sp, 72
	st.d	$s1, $sp, 64
	st.d	$s2, $sp, 56
	st.d	$s3, $sp, 48
	st.d	$s4, $sp, 40
	st.d	$s5, $sp, 32
	st.d	$s6, $sp, 24  # the arena's base
	addi.d	$t3, $zero, 33
	bgeu	$t3, $a6, 1f
	b	2f
1:
	st.d	$a6, $sp, 16
	addi.d	$a6, $sp, 16
	b	3f
2:
	st.d	$a6, $sp, 16
3:
	st.d	$a6, $sp, 8  # the count's address
	addi.d	$fp, $sp, 96
	lu12i.w	$s6, 74565
	addi.d	$a1, $s6, 0  # the program array
	addi.d	$a2, $zero, 0  # the index
	ld.wu	$t1, $a1, 36
	bgeu	$a2, $t1, 4f
.if before
	ld.d	$a6, $sp, 16
.else
	ld.d	$a6, $sp, 8
.endif
fault:
	ld.d	$t3, $a6, 0
	addi.d	$t2, $zero, 33
	bge	$t3, $t2, 4f
	addi.d	$t3, $t3, 1
	alsl.d	$t2, $a2, $a1, 3
	ld.d	$t2, $t2, 272
	beq	$t2, $zero, 4f
	st.d	$t3, $a6, 0
	ld.d	$t3, $t2, 48
	ld.d	$ra, $sp, 88
	ld.d	$fp, $sp, 80
	ld.d	$s0, $sp, 72
	ld.d	$s1, $sp, 64
	ld.d	$s2, $sp, 56
	ld.d	$s3, $sp, 48
	ld.d	$s4, $sp, 40
	ld.d	$s5, $sp, 32
	ld.d	$s6, $sp, 24
	ld.d	$a6, $sp, 8
	ld.d	$a6, $sp, 16
	addi.d	$sp, $sp, 96
	jirl	$zero, $t3, 28
4:
	addi.d	$a5, $zero, 2
	ld.d	$ra, $sp, 88
	ld.d	$fp, $sp, 80
	ld.d	$s0, $sp, 72
	ld.d	$s1, $sp, 64
	ld.d	$s2, $sp, 56
	ld.d	$s3, $sp, 48
	ld.d	$s4, $sp, 40
	ld.d	$s5, $sp, 32
	ld.d	$s6, $sp, 24
	ld.d	$a6, $sp, 8
	ld.d	$a6, $sp, 16
	addi.d	$sp, $sp, 96
	addi.w	$a0, $a5, 0
	jirl	$zero, $ra, 0
	.size	main, . - main
