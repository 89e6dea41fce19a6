# SPDX-License-Identifier: BSD-2-Clause
# commit: powerpc64 51b8de4b3d27
# title: A callback works in a frame as large as the boundary's
# of: Linux, "powerpc64/bpf: fix handling of BPF stack in exception callback", February 2026
# machine: riscv64
# rule: R5
# finds: yes
# what: The callback takes the boundary's stack pointer as it is, and from there on computes with the size of its own frame.
#   That goes well as long as boundary and callback have BPF stacks of one size. Here the boundary has 64 bytes and the
#   callback 16: what the epilogue takes for the saved registers lies 48 bytes below them. The same mistake on RISC-V,
#   where the boundary's SP comes in a1.
# fix: The callback computes how large the boundary's BPF stack is, and makes a frame of its own size when the two differ.
#   Here, as in the proposal for RISC-V, the callback finds its SP from the frame pointer instead.
	.type	throws, @function
throws:
	.option	push
	.option	norvc
	nop
	nop
	li	a6, 33
	.option	pop
	addi	sp, sp, -176
	sd	ra, 168(sp)
	sd	s0, 160(sp)
	sd	s1, 152(sp)
	sd	s2, 144(sp)
	sd	s3, 136(sp)
	sd	s4, 128(sp)
	sd	s5, 120(sp)
	sd	s6, 112(sp)
	sd	s7, 104(sp)
	sd	s8, 96(sp)
	sd	s9, 88(sp)
	sd	s10, 80(sp)
	sd	s11, 72(sp)
	sd	a6, 64(sp)
	addi	s0, sp, 176
	addi	s5, sp, 64
	li	a0, 5
	lui	t1, 0x12345
	jalr	t1  # bpf_throw(5)
	mv	a5, a0
	ld	ra, 168(sp)
	ld	s0, 160(sp)
	ld	s1, 152(sp)
	ld	s2, 144(sp)
	ld	s3, 136(sp)
	ld	s4, 128(sp)
	ld	s5, 120(sp)
	ld	s6, 112(sp)
	ld	s7, 104(sp)
	ld	s8, 96(sp)
	ld	s9, 88(sp)
	ld	s10, 80(sp)
	ld	s11, 72(sp)
	ld	a6, 64(sp)
	addi	sp, sp, 176
	sext.w	a0, a5
	ret
	.size	throws, . - throws

	.type	catches, @function
catches:
	.option	push
	.option	norvc
	nop
	nop
	.option	pop
	mv	s0, a2
.if before
	mv	sp, a1
.else
	addi	sp, s0, -128
.endif
	addi	s5, sp, 16
	sd	a0, -8(s5)  # r10[-8] = cookie
	mv	a5, a0
	ld	ra, 120(sp)
	ld	s0, 112(sp)
	ld	s1, 104(sp)
	ld	s2, 96(sp)
	ld	s3, 88(sp)
	ld	s4, 80(sp)
	ld	s5, 72(sp)
	ld	s6, 64(sp)
	ld	s7, 56(sp)
	ld	s8, 48(sp)
	ld	s9, 40(sp)
	ld	s10, 32(sp)
	ld	s11, 24(sp)
	ld	a6, 16(sp)
	addi	sp, sp, 128
	sext.w	a0, a5
fault:
	ret
	.size	catches, . - catches
