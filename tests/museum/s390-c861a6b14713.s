# SPDX-License-Identifier: BSD-2-Clause
# commit: s390 c861a6b14713
# title: What a callee has counted is forgotten
# of: Linux, "s390/bpf: Write back tail call counter for BPF_PSEUDO_CALL", August 2025
# machine: riscv64
# form: object
# options: --target riscv64/linux --tail-calls
# rule: R9
# finds: yes
# what: A program copies its count into the frame of the function that it calls. The callee counts its tail calls in the
#   copy, and the copy is dropped when the callee returns. A program that calls twice, with callees that make tail calls
#   to the same program, runs an astronomically large number of times. The same on RISC-V, where the count goes to the
#   callee and comes back in a6.
# fix: The program stores the count that the callee hands back.
	.type	main, @function
main:
	.option	push
	.option	norvc
	nop
	nop
	li	a6, 33
	.option	pop
	addi	sp, sp, -32
	sd	ra, 24(sp)
	sd	s0, 16(sp)
	sd	a6, 8(sp)
	addi	s0, sp, 32
	ld	a6, -24(s0)
	jal	subprogram
.if before
.else
	sd	a6, -24(s0)
.endif
fault:
	ld	a6, -24(s0)
	jal	subprogram
.if before
.else
	sd	a6, -24(s0)
.endif
	ld	ra, 24(sp)
	ld	s0, 16(sp)
	ld	a6, 8(sp)
	addi	sp, sp, 32
	sext.w	a0, a5
	ret
	.size	main, . - main

	.type	subprogram, @function
subprogram:
	.option	push
	.option	norvc
	nop
	nop
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
	bltz	a6, 1f
	slli	t2, a2, 3
	add	t2, t2, a1
	ld	t2, 272(t2)
	beqz	t2, 1f
	sd	a6, -16(s0)
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
	.size	subprogram, . - subprogram
