# SPDX-License-Identifier: BSD-2-Clause
# Frames of "bpf: Run exception cleanup landing pads when bpf_throw() unwinds" (September 2026) by hand, from the patch's
# offsets, and each with one fact broken: pads.py. BPF stack 8, landing pads, no tail calls.
# target: x86_64/linux
# options: --role subprogram --stack 8 --landing-pads
# spill-off: covered -48
# spill-off: thrower -88
# throw-off: thrower -48
# fault 1: R20 covered: the spill area 8 bytes lower
# fault 2: R20 covered: the spill area 16 bytes lower
# fault 3: R20 covered: r12 and rbx the other way round
# fault 4: R27 covered: a pad without ENDBR64
# fault 5: R21 covered: the BPF stack by RSP
# fault 6: R24 covered: the pad returns for its function
# fault 7: R24 covered: the pad throws
# fault 8: R24 covered: the pad leaves by a tail call
# fault 9: R24 covered: the pad runs off the end
# fault 10: R26 covered: the range ends in the midst of the call
# fault 11: R24 covered: the pad goes back with something pushed
# fault 12: R20 thrower: r13 is stored where r14 belongs
# fault 13: R20 thrower: r15 is not stored
# fault 14: R20 thrower: rbx changes between the stores and the call
# fault 15: R20 covered: r15 is not saved, since nothing uses it
	.macro	prologue
	endbr64
	nopl	0(%rax, %rax, 1)
	nopl	(%rax)
	push	%rbp
	mov	%rsp, %rbp
	endbr64
	.byte	0x48, 0x81, 0xec, 8, 0, 0, 0  # sub rsp, 8
	.endm
	.macro	finish
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%rbx
	pop	%r12
	leave
	ret
	.endm
	.set	elsewhere, covered + 0x10000
	.set	throw, covered + 0x20000

	.type	covered, @function
covered:
	prologue
.if fault == 1
	push	%rax
.endif
.if fault == 2
	push	%rcx
	push	%rcx
.endif
.if fault == 3
	push	%rbx
	push	%r12
.else
	push	%r12
	push	%rbx
.endif
	push	%r13
	push	%r14
.if fault == 15
	push	%rax
.else
	push	%r15
.endif
	mov	$7, %ebx
	mov	%rbx, -8(%rbp)
begin:
	mov	$1, %edi
	call	elsewhere
.if fault == 10
	.set	end, . - 1
.else
	.set	end, .
.endif
	xor	%eax, %eax
	jmp	1f
pad:
.if fault != 4
	endbr64
.endif
.if fault == 5
	mov	48(%rsp), %rdi
.else
	mov	-8(%rbp), %rdi
.endif
.if fault == 7
	call	throw
.else
	call	elsewhere
.endif
.if fault == 6
	jmp	1f
.elseif fault == 8
	mov	%rax, %rcx
	jmp	*%rcx
.elseif fault == 11
	push	%rax
	ret
.elseif fault != 9
	ret
.endif
.if fault != 9
1:	finish
.else
	jmp	2f
1:	finish
2:	mov	%rax, %rdx
.endif
	.size	covered, . - covered

	.type	thrower, @function
thrower:
	prologue
	sub	$40, %rsp
	push	%r12
	push	%rbx
	push	%r13
	push	%r14
	push	%r15
	mov	$7, %ebx
	mov	%r12, -16(%rbp)
	mov	%rbx, -24(%rbp)
.if fault == 12
	mov	%r14, -32(%rbp)
	mov	%r13, -40(%rbp)
.else
	mov	%r13, -32(%rbp)
	mov	%r14, -40(%rbp)
.endif
.if fault != 13
	mov	%r15, -48(%rbp)
.endif
.if fault == 14
	mov	$8, %ebx
.endif
	call	throw
	.size	thrower, . - thrower
