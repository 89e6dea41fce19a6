# SPDX-License-Identifier: BSD-2-Clause
# commit: arm64 b114fcee766d
# title: A boundary never sets R10
# of: Linux, "bpf, arm64: Fix fp initialization for exception boundary", July 2025; CVE-2025-38586
# machine: arm64
# rule: R6
# finds: yes
# what: The JIT sets x25, which is R10, only in programs whose instructions it has seen using R10. It skips this look in a
#   boundary, because a boundary saves every register anyway. So a boundary that uses its BPF stack stores by whatever its
#   caller had in x25: a page fault, or a store into somebody else's memory. The checker takes for granted that stores by
#   way of R10 stay in the BPF stack, and therefore asks at every call whether R10 is this frame's.
# fix: A boundary counts as a program that uses R10.
	.type	throws, %function
throws:
	mov	x9, x30
	nop
	paciasp
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	stp	xzr, x26, [sp, #-16]!
	mov	x26, sp
	stp	x19, x20, [sp, #-16]!
	stp	x21, x22, [sp, #-16]!
	stp	x23, x24, [sp, #-16]!
	stp	x25, x26, [sp, #-16]!
	stp	x27, x28, [sp, #-16]!
.if before
.else
	mov	x25, sp
.endif
	sub	sp, sp, #16
	mov	x10, #7
	str	x10, [x25, #-8]  # r10[-8] = 7
	mov	x0, #5
fault:
	bl	throws + 0x800000  # bpf_throw(5)
	mov	x8, x0
	add	sp, sp, #16
	ldp	x27, x28, [sp], #16
	ldp	x25, x26, [sp], #16
	ldp	x23, x24, [sp], #16
	ldp	x21, x22, [sp], #16
	ldp	x19, x20, [sp], #16
	ldp	xzr, x26, [sp], #16
	ldp	x29, x30, [sp], #16
	mov	x0, x8
	autiasp
	ret
	.size	throws, . - throws

	.type	catches, %function
catches:
	mov	x9, x30
	nop
	mov	x29, x2
	sub	sp, x29, #96
	mov	x25, sp
	mov	x8, x0
	ldp	x27, x28, [sp], #16
	ldp	x25, x26, [sp], #16
	ldp	x23, x24, [sp], #16
	ldp	x21, x22, [sp], #16
	ldp	x19, x20, [sp], #16
	ldp	xzr, x26, [sp], #16
	ldp	x29, x30, [sp], #16
	mov	x0, x8
	autiasp
	ret
	.size	catches, . - catches
