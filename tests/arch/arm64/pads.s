# SPDX-License-Identifier: BSD-2-Clause
# Frames of "bpf: Run exception cleanup landing pads when bpf_throw() unwinds" (September 2026) by hand, from the patch's
# offsets, and each with one fact broken: pads.py. BPF stack 8, landing pads, no tail calls.
# target: arm64/linux
# options: --role subprogram --stack 8 --landing-pads
# spill-off: covered -96
# spill-off: thrower -96
# throw-off: thrower -176
# fault 1: R20 covered: the spill area 16 bytes lower
# fault 3: R20 covered: x19 and x20 the other way round
# fault 4: R27 covered: a pad without BTI
# fault 5: R21 covered: the BPF stack by SP
# fault 6: R24 covered: the pad returns for its function
# fault 7: R24 covered: the pad throws
# fault 8: R24 covered: the pad leaves by a tail call
# fault 9: R24 covered: the pad runs off the end
# fault 10: R26 covered: the range ends in the midst of the call
# fault 11: R21 covered: the pad goes back with something pushed
# fault 12: R20 thrower: x21 is stored where x22 belongs
# fault 13: R20 thrower: x28 is not stored
# fault 14: R20 thrower: x19 changes between the stores and the call
# fault 15: R20 covered: x27 is not saved, since nothing uses it
# fault 16: R24 covered: the pad goes back by a register that its calls lose
	.macro	prologue
	hint	38  // bti jc
	mov	x9, x30
	nop
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	stp	x26, x26, [sp, #-16]!
.if fault == 1
	sub	sp, sp, #16
.endif
.if fault == 3
	stp	x20, x19, [sp, #-16]!
.else
	stp	x19, x20, [sp, #-16]!
.endif
	stp	x21, x22, [sp, #-16]!
	stp	x23, x24, [sp, #-16]!
	stp	x25, x26, [sp, #-16]!
.if fault == 15
	stp	xzr, x28, [sp, #-16]!
.else
	stp	x27, x28, [sp, #-16]!
.endif
	.endm
	.set	elsewhere, covered + 0x10000
	.set	throw, covered + 0x20000

	.type	covered, @function
covered:
	prologue
	mov	x25, sp
	sub	sp, sp, #16
	mov	x19, #7
	stur	x19, [x25, #-8]
begin:
	mov	x0, #1
	bl	elsewhere
.if fault == 10
	.set	end, . - 2
.else
	.set	end, .
.endif
	mov	x8, #0
	b	1f
pad:
.if fault != 4
	hint	36  // bti j
.endif
.if fault == 5
	ldr	x0, [sp, #8]
.else
	ldur	x0, [x25, #-8]
.endif
.if fault == 16
	mov	x16, x23
.endif
.if fault == 7
	bl	throw
.else
	bl	elsewhere
.endif
.if fault == 6
	b	1f
.elseif fault == 8
	br	x0
.elseif fault == 11
	sub	sp, sp, #16
	br	x23
.elseif fault == 16
	br	x16
.elseif fault == 9
	b	2f
.else
	br	x23
.endif
1:	add	sp, sp, #16
	ldp	x27, x28, [sp], #16
	ldp	x25, x26, [sp], #16
	ldp	x23, x24, [sp], #16
	ldp	x21, x22, [sp], #16
	ldp	x19, x20, [sp], #16
	ldp	xzr, x26, [sp], #16
	ldp	x29, x30, [sp], #16
	mov	x0, x8
	ret
2:	mov	x1, x0
	.size	covered, . - covered

	.type	thrower, @function
thrower:
	prologue
	sub	sp, sp, #80
	mov	x25, sp
	sub	sp, sp, #16
	mov	x19, #7
	stp	x19, x20, [x29, #-112]
.if fault == 12
	stp	x22, x21, [x29, #-128]
.else
	stp	x21, x22, [x29, #-128]
.endif
	stp	x25, x26, [x29, #-160]
.if fault == 13
	str	x27, [x29, #-176]
.else
	stp	x27, x28, [x29, #-176]
.endif
.if fault == 14
	mov	x19, #8
.endif
	bl	throw
	.size	thrower, . - thrower
