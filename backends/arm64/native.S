/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

/*
 * The stubs of struct jf_native, and jf_throw(). AAPCS64: arguments and result from x0 on; x19-x29 and
 * d8-d15 are the caller's. struct jf_regs holds register n at 8 * id.
 */
#define X(n) ((JF_ARM64_FIRST_X + (n)) * JF_ARM64_REG_BYTES)
#define D(n) ((JF_ARM64_FIRST_D + (n)) * JF_ARM64_REG_BYTES)
#define REG_SP X(31)

/* BTI C: entered by BLR. A hint, so harmless where branch targets are not checked. */
.macro function name
	.globl	\name
	.hidden	\name
	.type	\name, %function
\name:
	.cfi_startproc
	hint	#34
.endm

.macro function_ends name
	.cfi_endproc
	.size	\name, . - \name
.endm

/* A label for the code map. */
.macro place name
	.globl	\name
	.hidden	\name
\name:
.endm

	.text

/*
 * uint64_t jf_arm64_enter(uint64_t entry, uint64_t arg1, uint64_t arg2)
 *
 *     CFA     +----------+
 *       -16   | x29, x30 | <- x29, sp
 */
	.balign	16
	place	jf_arm64_enter_start
	function jf_arm64_enter
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	mov	x16, x0
	mov	x0, x1
	mov	x1, x2
	blr	x16
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	function_ends jf_arm64_enter
	place	jf_arm64_enter_end

/*
 * uint64_t jf_arm64_enter_checked(uint64_t entry, uint64_t arg1, uint64_t arg2, in, out)
 *
 *     CFA     +----------------+
 *             | out            |  176, unused above it
 *             | d8-d15         |  112
 *             | x19-x28        |   16
 *             | x29, x30       |    0  <- sp
 *
 * x29 is one of the registers under test, so the frame is found by sp alone.
 */
#define CHECKED_BYTES 192
#define CHECKED_OUT 176
	.balign	16
	place	jf_arm64_enter_checked_start
	function jf_arm64_enter_checked
	stp	x29, x30, [sp, #-CHECKED_BYTES]!
	.cfi_def_cfa_offset CHECKED_BYTES
	.cfi_offset x29, -192
	.cfi_offset x30, -184
	stp	x19, x20, [sp, #16]
	.cfi_offset x19, -176
	.cfi_offset x20, -168
	stp	x21, x22, [sp, #32]
	.cfi_offset x21, -160
	.cfi_offset x22, -152
	stp	x23, x24, [sp, #48]
	.cfi_offset x23, -144
	.cfi_offset x24, -136
	stp	x25, x26, [sp, #64]
	.cfi_offset x25, -128
	.cfi_offset x26, -120
	stp	x27, x28, [sp, #80]
	.cfi_offset x27, -112
	.cfi_offset x28, -104
	stp	d8, d9, [sp, #112]
	.cfi_offset d8, -80
	.cfi_offset d9, -72
	stp	d10, d11, [sp, #128]
	.cfi_offset d10, -64
	.cfi_offset d11, -56
	stp	d12, d13, [sp, #144]
	.cfi_offset d12, -48
	.cfi_offset d13, -40
	stp	d14, d15, [sp, #160]
	.cfi_offset d14, -32
	.cfi_offset d15, -24
	str	x4, [sp, #CHECKED_OUT]

	mov	x16, x0
	mov	x0, x1
	mov	x1, x2
	ldp	x19, x20, [x3, #X(19)]
	ldp	x21, x22, [x3, #X(21)]
	ldp	x23, x24, [x3, #X(23)]
	ldp	x25, x26, [x3, #X(25)]
	ldp	x27, x28, [x3, #X(27)]
	ldr	x29, [x3, #X(29)]
	ldp	d8, d9, [x3, #D(8)]
	ldp	d10, d11, [x3, #D(10)]
	ldp	d12, d13, [x3, #D(12)]
	ldp	d14, d15, [x3, #D(14)]
	blr	x16
	ldr	x16, [sp, #CHECKED_OUT]
	stp	x19, x20, [x16, #X(19)]
	stp	x21, x22, [x16, #X(21)]
	stp	x23, x24, [x16, #X(23)]
	stp	x25, x26, [x16, #X(25)]
	stp	x27, x28, [x16, #X(27)]
	str	x29, [x16, #X(29)]
	stp	d8, d9, [x16, #D(8)]
	stp	d10, d11, [x16, #D(10)]
	stp	d12, d13, [x16, #D(12)]
	stp	d14, d15, [x16, #D(14)]

	ldp	d14, d15, [sp, #160]
	ldp	d12, d13, [sp, #144]
	ldp	d10, d11, [sp, #128]
	ldp	d8, d9, [sp, #112]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #CHECKED_BYTES
	.irp	reg, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
	.cfi_restore \reg
	.endr
	.irp	reg, d8, d9, d10, d11, d12, d13, d14, d15
	.cfi_restore \reg
	.endr
	.cfi_def_cfa_offset 0
	ret
	function_ends jf_arm64_enter_checked
	place	jf_arm64_enter_checked_end

/*
 * What the may_goto hook calls. x9 = address of count and start time; out: x9 = the count.
 *
 *     CFA     +----------+
 *             | x8       |   80, unused above it
 *             | x0-x7    |   16
 *             | x29, x30 |    0  <- x29, sp
 *
 * A convention of its own: keeps every BPF register but AX. R6-R10, the count pointer and the bases of
 * private stack and arena are AAPCS64's to keep; arguments after the fifth may still be in x5-x7.
 */
#define MAY_GOTO_BYTES 96
	.balign	16
	place	jf_arm64_may_goto_start
	function jf_arm64_may_goto_stub
	stp	x29, x30, [sp, #-MAY_GOTO_BYTES]!
	.cfi_def_cfa_offset MAY_GOTO_BYTES
	.cfi_offset x29, -MAY_GOTO_BYTES
	.cfi_offset x30, -MAY_GOTO_BYTES + 8
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	str	x8, [sp, #80]
	mov	x0, x9
	bl	jf_may_goto_check
	mov	x9, x0
	ldr	x8, [sp, #80]
	ldp	x6, x7, [sp, #64]
	ldp	x4, x5, [sp, #48]
	ldp	x2, x3, [sp, #32]
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp], #MAY_GOTO_BYTES
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	function_ends jf_arm64_may_goto_stub
	place	jf_arm64_may_goto_end

/*
 * enum jf_status jf_throw(uint64_t cookie)
 *
 *     CFA     +----------------+
 *             | struct jf_regs |   48
 *             | landing site   |   16  callback, cookie, sp, fp
 *             | x29, x30       |    0  <- x29, sp
 *
 * jf_throw_recall() needs no registers but x29 and sp, and mostly is enough. The callback is entered with everything
 * as it was at the call of jf_throw(): both are C and give back x19-x28 and d8-d15 as they were, x29 and sp are
 * reloaded here.
 */
#define SITE 16
#define REGS 48
#define THROW_BYTES (REGS + JF_ARM64_REGS_BYTES)
	.globl	jf_throw
	.type	jf_throw, %function
	.balign	16
jf_throw:
	.cfi_startproc
	hint	#34
	sub	sp, sp, #THROW_BYTES
	.cfi_def_cfa_offset THROW_BYTES
	stp	x29, x30, [sp]
	.cfi_offset x29, -THROW_BYTES
	.cfi_offset x30, -THROW_BYTES + 8
	str	x0, [sp, #SITE + 8]
	mov	x0, x30
	add	x1, sp, #THROW_BYTES
	mov	x2, x29
	add	x3, sp, #SITE
	mov	x29, sp
	bl	jf_throw_recall
	cbz	w0, 2f
	ldr	x0, [sp, #SITE + 8]
	add	x1, sp, #REGS
	stp	x19, x20, [x1, #X(19)]
	stp	x21, x22, [x1, #X(21)]
	stp	x23, x24, [x1, #X(23)]
	stp	x25, x26, [x1, #X(25)]
	stp	x27, x28, [x1, #X(27)]
	ldp	x9, x2, [sp]
	str	x9, [x1, #X(29)]
	add	x9, sp, #THROW_BYTES
	str	x9, [x1, #REG_SP]
	stp	d8, d9, [x1, #D(8)]
	stp	d10, d11, [x1, #D(10)]
	stp	d12, d13, [x1, #D(12)]
	stp	d14, d15, [x1, #D(14)]
	add	x3, sp, #SITE
	bl	jf_throw_from
2:	ldp	x16, x9, [sp, #SITE]
	ldp	x1, x2, [sp, #SITE + 16]
	ldp	x29, x30, [sp]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #THROW_BYTES
	.cfi_def_cfa_offset 0
	cbnz	w0, 1f
	mov	x0, x9
	mov	x3, #0
	mov	x4, #0
	br	x16
1:	ret
	.cfi_endproc
	.size	jf_throw, . - jf_throw

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *     CFA     +----------------+
 *             | struct jf_regs |   16
 *             | x29, x30       |    0  <- x29, sp
 */
#define CALLER_REGS 16
#define CALLER_BYTES (CALLER_REGS + JF_ARM64_REGS_BYTES)
.macro with_caller name, target
	.globl	\name
	.type	\name, %function
	.balign	16
\name:
	.cfi_startproc
	hint	#34
	sub	sp, sp, #CALLER_BYTES
	.cfi_def_cfa_offset CALLER_BYTES
	stp	x29, x30, [sp]
	.cfi_offset x29, -CALLER_BYTES
	.cfi_offset x30, -CALLER_BYTES + 8
	add	x2, sp, #CALLER_REGS
	stp	x19, x20, [x2, #X(19)]
	stp	x21, x22, [x2, #X(21)]
	stp	x23, x24, [x2, #X(23)]
	stp	x25, x26, [x2, #X(25)]
	stp	x27, x28, [x2, #X(27)]
	str	x29, [x2, #X(29)]
	add	x9, sp, #CALLER_BYTES
	str	x9, [x2, #REG_SP]
	stp	d8, d9, [x2, #D(8)]
	stp	d10, d11, [x2, #D(10)]
	stp	d12, d13, [x2, #D(12)]
	stp	d14, d15, [x2, #D(14)]
	mov	x29, sp
	mov	x3, x30
	bl	\target
	ldp	x29, x30, [sp]
	.cfi_restore x29
	.cfi_restore x30
	add	sp, sp, #CALLER_BYTES
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size	\name, . - \name
.endm

	with_caller jf_walk_here, jf_walk_here_from
	with_caller jf_bpf_stack_walk, jf_bpf_stack_walk_here_from

	.section .note.GNU-stack, "", %progbits

#ifdef __ARM_FEATURE_BTI_DEFAULT
/* So that the linker keeps branch target checks on for the whole library (AAELF64, "Program Property"). */
	.section .note.gnu.property, "a", %note
	.balign	8
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 1, 0
#endif
