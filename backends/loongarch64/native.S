/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

/*
 * Stubs between C (LoongArch psABI, LP64D) and generated code. regs is a struct jf_regs: the value of
 * register id n is 8*n bytes into it; fp and s0..s8 are ids 22..31, fs0..fs7 ids 56..63.
 */

	.text

/* Each callee-saved register but sp: `int` or `flt` at 8*id from `base`. */
	.macro	each_saved int, flt, base, off=0
	\int	$fp, \base, \off + 8 * LA_ID_FP
	\int	$s0, \base, \off + 8 * (LA_ID_FP + 1)
	\int	$s1, \base, \off + 8 * (LA_ID_FP + 2)
	\int	$s2, \base, \off + 8 * (LA_ID_FP + 3)
	\int	$s3, \base, \off + 8 * (LA_ID_FP + 4)
	\int	$s4, \base, \off + 8 * (LA_ID_FP + 5)
	\int	$s5, \base, \off + 8 * (LA_ID_FP + 6)
	\int	$s6, \base, \off + 8 * (LA_ID_FP + 7)
	\int	$s7, \base, \off + 8 * (LA_ID_FP + 8)
	\int	$s8, \base, \off + 8 * (LA_ID_FP + 9)
	\flt	$fs0, \base, \off + 8 * LA_ID_FS0
	\flt	$fs1, \base, \off + 8 * (LA_ID_FS0 + 1)
	\flt	$fs2, \base, \off + 8 * (LA_ID_FS0 + 2)
	\flt	$fs3, \base, \off + 8 * (LA_ID_FS0 + 3)
	\flt	$fs4, \base, \off + 8 * (LA_ID_FS0 + 4)
	\flt	$fs5, \base, \off + 8 * (LA_ID_FS0 + 5)
	\flt	$fs6, \base, \off + 8 * (LA_ID_FS0 + 6)
	\flt	$fs7, \base, \off + 8 * (LA_ID_FS0 + 7)
	.endm

/* R1..R5, R0 and the tail-call count: `int` at sp. */
	.macro	each_bpf int
	\int	$a0, $sp, 0
	\int	$a1, $sp, 8
	\int	$a2, $sp, 16
	\int	$a3, $sp, 24
	\int	$a4, $sp, 32
	\int	$a5, $sp, 40
	\int	$a6, $sp, 48
	.endm

/* The CFI for registers that lie as in a struct jf_regs, `off` bytes from the CFA. */
	.macro	cfi_saved off
	.cfi_offset 22, \off + 8 * LA_ID_FP
	.cfi_offset 23, \off + 8 * (LA_ID_FP + 1)
	.cfi_offset 24, \off + 8 * (LA_ID_FP + 2)
	.cfi_offset 25, \off + 8 * (LA_ID_FP + 3)
	.cfi_offset 26, \off + 8 * (LA_ID_FP + 4)
	.cfi_offset 27, \off + 8 * (LA_ID_FP + 5)
	.cfi_offset 28, \off + 8 * (LA_ID_FP + 6)
	.cfi_offset 29, \off + 8 * (LA_ID_FP + 7)
	.cfi_offset 30, \off + 8 * (LA_ID_FP + 8)
	.cfi_offset 31, \off + 8 * (LA_ID_FP + 9)
	.cfi_offset 56, \off + 8 * LA_ID_FS0
	.cfi_offset 57, \off + 8 * (LA_ID_FS0 + 1)
	.cfi_offset 58, \off + 8 * (LA_ID_FS0 + 2)
	.cfi_offset 59, \off + 8 * (LA_ID_FS0 + 3)
	.cfi_offset 60, \off + 8 * (LA_ID_FS0 + 4)
	.cfi_offset 61, \off + 8 * (LA_ID_FS0 + 5)
	.cfi_offset 62, \off + 8 * (LA_ID_FS0 + 6)
	.cfi_offset 63, \off + 8 * (LA_ID_FS0 + 7)
	.endm

	.macro	cfi_restored
	.cfi_def_cfa_offset 0
	.cfi_restore 1
	.cfi_restore 22
	.cfi_restore 23
	.cfi_restore 24
	.cfi_restore 25
	.cfi_restore 26
	.cfi_restore 27
	.cfi_restore 28
	.cfi_restore 29
	.cfi_restore 30
	.cfi_restore 31
	.cfi_restore 56
	.cfi_restore 57
	.cfi_restore 58
	.cfi_restore 59
	.cfi_restore 60
	.cfi_restore 61
	.cfi_restore 62
	.cfi_restore 63
	.endm

/*
 * enum jf_status jf_throw(uint64_t cookie)
 *
 *     CFA ->  +-----------------------+
 *             | return address        |
 *             | (8 bytes)             |
 *             | struct jf_landing_site|
 *             | struct jf_regs        |
 *     sp ->   +-----------------------+
 *
 * jf_throw_recall() needs no registers but sp and fp, and mostly is enough. For jf_throw_from() all are stored to
 * read; nothing is read back, as both are C and have kept them: the callback finds every one as it was at the throw.
 */
#define SITE LA_REGS_BYTES
#define RA (SITE + LA_SITE_BYTES + 8)
#define FRAME (RA + 8)

	.globl	jf_throw
	.type	jf_throw, @function
	.balign	16
jf_throw:
	.cfi_startproc
	addi.d	$sp, $sp, -FRAME
	.cfi_def_cfa_offset FRAME
	st.d	$ra, $sp, RA
	.cfi_offset 1, RA - FRAME
	st.d	$a0, $sp, SITE + LA_SITE_COOKIE
	move	$a0, $ra
	addi.d	$a1, $sp, FRAME
	move	$a2, $fp
	addi.d	$a3, $sp, SITE
	bl	%plt(jf_throw_recall)
	beqz	$a0, 2f
	ld.d	$a0, $sp, SITE + LA_SITE_COOKIE
	each_saved st.d, fst.d, $sp
	addi.d	$t0, $sp, FRAME
	st.d	$t0, $sp, 8 * 3		/* sp as the caller has it */
	move	$a1, $sp
	ld.d	$a2, $sp, RA
	addi.d	$a3, $sp, SITE
	bl	%plt(jf_throw_from)
2:	ld.d	$ra, $sp, RA
	bnez	$a0, 1f
	ld.d	$t0, $sp, SITE + LA_SITE_CALLBACK
	ld.d	$a0, $sp, SITE + LA_SITE_COOKIE
	ld.d	$a1, $sp, SITE + LA_SITE_SP
	ld.d	$a2, $sp, SITE + LA_SITE_FP
	move	$a3, $zero
	move	$a4, $zero
	.cfi_remember_state
	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore 1
	jr	$t0
	.cfi_restore_state
1:	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore 1
	ret
	.cfi_endproc
	.size	jf_throw, . - jf_throw

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *     CFA ->  +-----------------------+
 *             | return address        |
 *             | (8 bytes)             |
 *             | struct jf_regs        |
 *     sp ->   +-----------------------+
 */
#undef RA
#undef FRAME
#define RA (LA_REGS_BYTES + 8)
#define FRAME (RA + 8)

	.macro	with_caller name, target
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
	addi.d	$sp, $sp, -FRAME
	.cfi_def_cfa_offset FRAME
	st.d	$ra, $sp, RA
	.cfi_offset 1, RA - FRAME
	each_saved st.d, fst.d, $sp
	addi.d	$t0, $sp, FRAME
	st.d	$t0, $sp, 8 * 3		/* sp as the caller has it */
	move	$a2, $sp
	move	$a3, $ra
	bl	%plt(\target)
	ld.d	$ra, $sp, RA
	.cfi_restore 1
	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size	\name, . - \name
	.endm

	with_caller jf_walk_here, jf_walk_here_from
	with_caller jf_bpf_stack_walk, jf_bpf_stack_walk_here_from

/* uint64_t jf_loongarch64_enter(uint64_t entry, uint64_t arg1, uint64_t arg2) */
	.globl	jf_loongarch64_enter
	.hidden	jf_loongarch64_enter
	.globl	jf_loongarch64_enter_start
	.hidden	jf_loongarch64_enter_start
	.globl	jf_loongarch64_enter_end
	.hidden	jf_loongarch64_enter_end
	.type	jf_loongarch64_enter, @function
	.balign	16
jf_loongarch64_enter:
jf_loongarch64_enter_start:
	.cfi_startproc
	addi.d	$sp, $sp, -16
	.cfi_def_cfa_offset 16
	st.d	$ra, $sp, 8
	.cfi_offset 1, -8
	move	$t0, $a0
	move	$a0, $a1
	move	$a1, $a2
	jirl	$ra, $t0, 0
	ld.d	$ra, $sp, 8
	.cfi_restore 1
	addi.d	$sp, $sp, 16
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
jf_loongarch64_enter_end:
	.size	jf_loongarch64_enter, . - jf_loongarch64_enter

/*
 * uint64_t jf_loongarch64_enter_checked(uint64_t entry, uint64_t arg1, uint64_t arg2,
 *                                       const struct jf_regs *in, struct jf_regs *out)
 *
 * Own registers lie in a struct jf_regs at sp; `out` and the return address above it. A caller's
 * registers stay described as saved while the given values are in them.
 */
#undef RA
#undef FRAME
#define OUT LA_REGS_BYTES
#define RA (OUT + 8)
#define FRAME (RA + 8)

	.globl	jf_loongarch64_enter_checked
	.hidden	jf_loongarch64_enter_checked
	.globl	jf_loongarch64_enter_checked_start
	.hidden	jf_loongarch64_enter_checked_start
	.globl	jf_loongarch64_enter_checked_end
	.hidden	jf_loongarch64_enter_checked_end
	.type	jf_loongarch64_enter_checked, @function
	.balign	16
jf_loongarch64_enter_checked:
jf_loongarch64_enter_checked_start:
	.cfi_startproc
	addi.d	$sp, $sp, -FRAME
	.cfi_def_cfa_offset FRAME
	st.d	$ra, $sp, RA
	.cfi_offset 1, RA - FRAME
	each_saved st.d, fst.d, $sp
	cfi_saved -FRAME
	st.d	$a4, $sp, OUT
	move	$t0, $a0
	move	$a0, $a1
	move	$a1, $a2
	each_saved ld.d, fld.d, $a3
	jirl	$ra, $t0, 0
	ld.d	$t0, $sp, OUT
	each_saved st.d, fst.d, $t0
	each_saved ld.d, fld.d, $sp
	ld.d	$ra, $sp, RA
	addi.d	$sp, $sp, FRAME
	cfi_restored
	ret
	.cfi_endproc
jf_loongarch64_enter_checked_end:
	.size	jf_loongarch64_enter_checked, . - jf_loongarch64_enter_checked

/*
 * What the may_goto hook calls, with t0 = uint64_t slots[2] in and the new count out. C keeps R6-R9 and
 * the frame pointer; R0-R5 and the tail-call count are in registers that it does not.
 */
	.globl	jf_loongarch64_may_goto_start
	.hidden	jf_loongarch64_may_goto_start
	.globl	jf_loongarch64_may_goto_end
	.hidden	jf_loongarch64_may_goto_end
	.type	jf_loongarch64_may_goto_start, @function
	.balign	16
jf_loongarch64_may_goto_start:
	.cfi_startproc
	addi.d	$sp, $sp, -64
	.cfi_def_cfa_offset 64
	st.d	$ra, $sp, 56
	.cfi_offset 1, -8
	each_bpf st.d
	move	$a0, $t0
	bl	%plt(jf_may_goto_check)
	move	$t0, $a0
	each_bpf ld.d
	ld.d	$ra, $sp, 56
	.cfi_restore 1
	addi.d	$sp, $sp, 64
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
jf_loongarch64_may_goto_end:
	.size	jf_loongarch64_may_goto_start, . - jf_loongarch64_may_goto_start

	.section .note.GNU-stack, "", @progbits
