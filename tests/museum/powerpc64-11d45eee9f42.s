# SPDX-License-Identifier: BSD-2-Clause
# commit: powerpc64 11d45eee9f42
# title: A boundary saves only what it uses
# of: Linux, "powerpc64/bpf: Additional NVR handling for bpf_throw", January 2026
# machine: riscv64
# rule: R3
# finds: yes
# what: Boundary and callback keep the six registers that BPF code has a use for, and neither saves nor reloads r14 to r25.
#   The functions between throw and boundary may have saved some of these twelve and gone on to use them; the throw skips
#   their epilogues. The boundary's caller goes on with whatever was in the registers when bpf_throw() ran. The same on
#   RISC-V: s6 and s8 to s11 are the registers that BPF code never uses.
# fix: Both have slots for all of them: the boundary stores them and the callback loads them.
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
.if before
.else
	sd	s6, 112(sp)
.endif
	sd	s7, 104(sp)
.if before
.else
	sd	s8, 96(sp)
	sd	s9, 88(sp)
	sd	s10, 80(sp)
	sd	s11, 72(sp)
.endif
	sd	a6, 64(sp)
	addi	s0, sp, 176
	addi	s5, sp, 64
	li	a0, 5
	lui	t1, 0x12345
fault:
	jalr	t1  # bpf_throw(5)
	mv	a5, a0
	ld	ra, 168(sp)
	ld	s0, 160(sp)
	ld	s1, 152(sp)
	ld	s2, 144(sp)
	ld	s3, 136(sp)
	ld	s4, 128(sp)
	ld	s5, 120(sp)
.if before
.else
	ld	s6, 112(sp)
.endif
	ld	s7, 104(sp)
.if before
.else
	ld	s8, 96(sp)
	ld	s9, 88(sp)
	ld	s10, 80(sp)
	ld	s11, 72(sp)
.endif
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
	addi	sp, s0, -128
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
.if before
.else
	ld	s6, 64(sp)
.endif
	ld	s7, 56(sp)
.if before
.else
	ld	s8, 48(sp)
	ld	s9, 40(sp)
	ld	s10, 32(sp)
	ld	s11, 24(sp)
.endif
	ld	a6, 16(sp)
	addi	sp, sp, 128
	sext.w	a0, a5
	ret
	.size	catches, . - catches
