# SPDX-License-Identifier: BSD-2-Clause
# commit: s390 e4094d56c559
# title: A tail call that finds no program is counted, in memory
# of: Linux, "s390/bpf: Do not increment tailcall count when prog is NULL", February 2026
# machine: riscv64
# rule: R29
# finds: yes
# what: One instruction adds 1 to the count in the frame, and the number from before decides whether the limit is reached.
#   By the time that the slot of the program array turns out to be empty, the tail call has been counted. The same on
#   RISC-V, where the count lies in the frame, too, and goes down from 33.
# fix: The count is read first, and one more is stored when there is a program to go to.
	.type	main, @function
main:
	.option	push
	.option	norvc
	nop
	nop
	li	a6, 33
	.option	pop
	addi	sp, sp, -16
	sd	s0, 8(sp)
	sd	a6, 0(sp)
	addi	s0, sp, 16
	lui	a1, 0x12345  # the program array
	li	a2, 0  # the index
	lwu	t1, 36(a1)
	bgeu	a2, t1, 1f
	ld	a6, -16(s0)
	addi	a6, a6, -1
.if before
fault:
	sd	a6, -16(s0)
.else
.endif
	bltz	a6, 1f
	slli	t2, a2, 3
	add	t2, t2, a1
	ld	t2, 272(t2)
	beqz	t2, 1f  # an empty slot
.if before
.else
	sd	a6, -16(s0)
.endif
	ld	t3, 48(t2)
	ld	s0, 8(sp)
	ld	a6, 0(sp)
	addi	sp, sp, 16
	jr	12(t3)
1:
	li	a5, 2
	ld	s0, 8(sp)
	ld	a6, 0(sp)
	addi	sp, sp, 16
	sext.w	a0, a5
	ret
	.size	main, . - main
