# SPDX-License-Identifier: BSD-2-Clause
# commit: arm64 ef1fb82f1218
# title: A callback never sets R10
# of: Linux, "bpf, arm64: set up the frame pointer for the exception callback", September 2026; the subject was to be
#   had, the text was not
# machine: arm64
# rule: R11
# finds: yes
# what: The same as in the boundary, a year later: the JIT does not look for uses of R10 in a callback, either. The callback
#   works with the R10 of whatever function threw, which is an address in a frame that is gone. The callback's own calls
#   may by then have overwritten what is there.
# fix: A callback counts as a program that uses R10.
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
	mov	x25, sp
	mov	x0, #5
	bl	throws + 0x800000  # bpf_throw(5)
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
	.size	throws, . - throws

	.type	catches, %function
catches:
	mov	x9, x30
	nop
	mov	x29, x2
	sub	sp, x29, #96
.if before
.else
	mov	x25, sp
.endif
	sub	sp, sp, #32
	str	x0, [x25, #-8]  # r10[-8] = cookie
	add	x0, x25, #-8
fault:
	bl	throws + 0x810000  # a helper that reads r10[-8]
	mov	x8, x0
	add	sp, sp, #32
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
