# SPDX-License-Identifier: BSD-2-Clause
# commit: riscv 30a59cc79754
# title: Tail calls enter one instruction too early where kCFI is on
# of: Linux, "riscv, bpf: Fix possible infinite tailcall when CONFIG_CFI_CLANG is enabled", October 2024
# machine: riscv64
# rule: R16
# finds: yes
# what: A kernel with kCFI puts a hash in front of a program: one word more. The offset at which tail calls enter stayed the
#   same, so the jump went to the instruction behind the no-ops, which sets the count to 33. Every tail call started a
#   fresh count. In the code here, which has no hash, the jump falls short by the same one instruction.
# fix: The hash is skipped like the no-ops and the count's instruction.
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
fault:
.if before
	jr	8(t3)
.else
	jr	12(t3)
.endif
1:
	li	a5, 2
	ld	s0, 8(sp)
	ld	a6, 0(sp)
	addi	sp, sp, 16
	sext.w	a0, a5
	ret
	.size	main, . - main
