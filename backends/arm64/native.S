/* SPDX-License-Identifier: BSD-2-Clause */
#include "../built_in.h"
#include "offsets.h"
#include "regs.h"

/*
 * The stubs of struct jf_native, and jf_throw(). AAPCS64: arguments and result from x0 on.
 * struct jf_regs holds register n at REG_BYTES * id.
 */
#define X(n) ((JF_ARM64_FIRST_X + (n)) * REG_BYTES)
#define D(n) ((JF_ARM64_FIRST_D + (n)) * REG_BYTES)
#define REG_SP X(31)

/* Every register that a callee keeps, to or from the struct jf_regs at `base`. */
.macro x_pair insn, a, b, base
	\insn	x\a, x\b, [\base, #X(\a)]
.endm
.macro x_one insn, a, base
	\insn	x\a, [\base, #X(\a)]
.endm
.macro d_pair insn, a, b, base
	\insn	d\a, d\b, [\base, #D(\a)]
.endm
#define STORE_X(a, b) x_pair stp, a, b, \base ;
#define STORE_ONE(a)  x_one str, a, \base ;
#define STORE_D(a, b) d_pair stp, a, b, \base ;
#define LOAD_X(a, b)  x_pair ldp, a, b, \base ;
#define LOAD_ONE(a)   x_one ldr, a, \base ;
#define LOAD_D(a, b)  d_pair ldp, a, b, \base ;
.macro store_kept base
	JF_ARM64_KEPT_X(STORE_X, STORE_ONE)
	JF_ARM64_KEPT_D(STORE_D)
.endm
.macro load_kept base
	JF_ARM64_KEPT_X(LOAD_X, LOAD_ONE)
	JF_ARM64_KEPT_D(LOAD_D)
.endm

/* The CFI for registers that lie in a struct jf_regs `off` bytes from the CFA. DWARF numbers: d0 is 64. */
#define DW_D(n)          (64 + (n))
#define SAVED_ONE(a)     .cfi_offset a, \off + X(a) ;
#define SAVED_X(a, b)    SAVED_ONE(a) SAVED_ONE(b)
#define SAVED_D(a, b)    .cfi_offset DW_D(a), \off + D(a) ; .cfi_offset DW_D(b), \off + D(b) ;
#define RESTORED_ONE(a)  .cfi_restore a ;
#define RESTORED_X(a, b) .cfi_restore a ; .cfi_restore b ;
#define RESTORED_D(a, b) .cfi_restore DW_D(a) ; .cfi_restore DW_D(b) ;
.macro cfi_kept_saved off
	JF_ARM64_KEPT_X(SAVED_X, SAVED_ONE)
	JF_ARM64_KEPT_D(SAVED_D)
.endm
.macro cfi_kept_restored
	JF_ARM64_KEPT_X(RESTORED_X, RESTORED_ONE)
	JF_ARM64_KEPT_D(RESTORED_D)
.endm

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
 * uint64_t name(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in, struct jf_regs *out)
 *
 *     CFA     +---------------------+
 *             | x30, out            |
 *             | struct jf_regs: own |
 *     sp ->   +---------------------+
 *
 * x29 is one of the registers under test, so the frame is found by sp alone.
 */
#define CHECKED_LR REGS_BYTES
#define CHECKED_OUT (CHECKED_LR + 8)
#define CHECKED_BYTES (CHECKED_OUT + 8)
.macro checked name
	.balign	16
	function \name
	sub	sp, sp, #CHECKED_BYTES
	.cfi_def_cfa_offset CHECKED_BYTES
	str	x30, [sp, #CHECKED_LR]
	.cfi_offset x30, CHECKED_LR - CHECKED_BYTES
	store_kept sp
	cfi_kept_saved -CHECKED_BYTES
	str	x4, [sp, #CHECKED_OUT]

	mov	x16, x0
	mov	x0, x1
	mov	x1, x2
	load_kept x3
	blr	x16
	ldr	x16, [sp, #CHECKED_OUT]
	store_kept x16

	load_kept sp
	cfi_kept_restored
	ldr	x30, [sp, #CHECKED_LR]
	.cfi_restore x30
	add	sp, sp, #CHECKED_BYTES
	.cfi_def_cfa_offset 0
	ret
	function_ends \name
.endm

	.balign	16
	place	jf_arm64_enter_checked_start
	checked	jf_arm64_enter_checked
	place	jf_arm64_enter_checked_end
	checked	jf_arm64_call_checked

/* uint64_t jf_arm64_overwrite(void) */
.macro overwrite_x a, b
	mov	x\a, #-1
	mov	x\b, #-1
.endm
.macro overwrite_d a, b
	fmov	d\a, x0
	fmov	d\b, x0
.endm
#define OVERWRITE_X(a, b) overwrite_x a, b ;
#define OVERWRITE_D(a, b) overwrite_d a, b ;
	.balign	16
	function jf_arm64_overwrite
	JF_ARM64_FREE_X(OVERWRITE_X)
	JF_ARM64_FREE_D(OVERWRITE_D)
	mov	x0, #0
	ret
	function_ends jf_arm64_overwrite

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
 *             | struct jf_regs |   REGS
 *             | landing site   |   SITE
 *             | x29, x30       |    0  <- x29, sp
 *
 * jf_throw_recall() needs no registers but x29 and sp, and mostly is enough. The callback is entered with everything
 * as it was at the call of jf_throw(): both are C and give back x19-x28 and d8-d15 as they were, x29 and sp are
 * reloaded here.
 */
#define SITE 16
#define REGS (SITE + SITE_BYTES)
#define THROW_BYTES (REGS + REGS_BYTES)
	.globl	jf_arm64_throw
	.type	jf_arm64_throw, %function
	.balign	16
jf_arm64_throw:
	.cfi_startproc
	hint	#34
	sub	sp, sp, #THROW_BYTES
	.cfi_def_cfa_offset THROW_BYTES
	stp	x29, x30, [sp]
	.cfi_offset x29, -THROW_BYTES
	.cfi_offset x30, -THROW_BYTES + 8
	str	x0, [sp, #SITE + SITE_COOKIE]
	mov	x0, x30
	add	x1, sp, #THROW_BYTES
	mov	x2, x29
	add	x3, sp, #SITE
	mov	x29, sp
	bl	jf_throw_recall
	cbz	w0, 2f
	ldr	x0, [sp, #SITE + SITE_COOKIE]
	add	x1, sp, #REGS
	store_kept x1
	ldp	x9, x2, [sp]
	str	x9, [x1, #X(29)]
	add	x9, sp, #THROW_BYTES
	str	x9, [x1, #REG_SP]
	add	x3, sp, #SITE
	bl	jf_throw_from
2:	ldr	x16, [sp, #SITE + SITE_CALLBACK]
	ldr	x9, [sp, #SITE + SITE_COOKIE]
	ldr	x1, [sp, #SITE + SITE_SP]
	ldr	x2, [sp, #SITE + SITE_FP]
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
	.size	jf_arm64_throw, . - jf_arm64_throw

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *     CFA     +----------------+
 *             | struct jf_regs |   16
 *             | x29, x30       |    0  <- x29, sp
 */
#define CALLER_REGS 16
#define CALLER_BYTES (CALLER_REGS + REGS_BYTES)
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
	store_kept x2
	add	x9, sp, #CALLER_BYTES
	str	x9, [x2, #REG_SP]
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

	with_caller jf_arm64_walk_here, jf_walk_here_from
	with_caller jf_arm64_bpf_stack_walk, jf_bpf_stack_walk_here_from

	LIBRARY_FUNCTION(jf_throw, jf_arm64_throw)
	LIBRARY_FUNCTION(jf_walk_here, jf_arm64_walk_here)
	LIBRARY_FUNCTION(jf_bpf_stack_walk, jf_arm64_bpf_stack_walk)

	.section .note.GNU-stack, "", %progbits

#ifdef __ARM_FEATURE_BTI_DEFAULT
/* So that the linker keeps branch target checks on for the whole library (AAELF64, "Program Property"). */
	.section .note.gnu.property, "a", %note
	.balign	8
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 1, 0
#endif
