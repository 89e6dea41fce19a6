# SPDX-License-Identifier: BSD-2-Clause
# commit: s390 eada40e057fc
# title: The count is written into the frames of C functions
# of: Linux, "s390/bpf: Do not write tail call counter into helper and kfunc frames", August 2025
# machine: riscv64
# rule: R8
# finds: yes
# what: A program copies its count to where a BPF function that it calls looks for the count, in the callee's frame. It did
#   so before calls of helpers and kfuncs, too, which know of no count. On s390 the callee's frame begins with an area
#   that its caller may write, so the copy was pointless and misleading, and no more. On machines where the callee's frame
#   lies below SP, as here, an interrupt may overwrite it, and it may overwrite an interrupt's frame.
# fix: The copy is made for calls of BPF functions only.
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
.if before
	ld	a6, -24(s0)
fault:
	sd	a6, -24(sp)  # the callee's word
.else
.endif
	lui	t1, 0x12345
	jalr	t1  # a helper
	mv	a5, a0
	ld	ra, 24(sp)
	ld	s0, 16(sp)
	ld	a6, 8(sp)
	addi	sp, sp, 32
	sext.w	a0, a5
	ret
	.size	main, . - main
