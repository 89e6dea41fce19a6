/* SPDX-License-Identifier: BSD-2-Clause */
#include "../built_in.h"
#include "offsets.h"
#include "regs.h"

/*
 * Stubs between C (LoongArch psABI, LP64D) and generated code. regs is a struct jf_regs: the value of
 * register id n is REG_BYTES * n bytes into it.
 */

	.text

/* Each register that a callee keeps: `int` or `flt` at its place in the struct jf_regs at `base`. */
#define INT_AT(reg, name, id) \int $name, \base, REG_BYTES * id ;
#define FLT_AT(reg, name, id) \flt $name, \base, REG_BYTES * id ;
	.macro	each_saved int, flt, base
	LA_KEPT_INT(INT_AT)
	LA_KEPT_FP(FLT_AT)
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
#define SAVED(reg, name, id)    .cfi_offset id, \off + REG_BYTES * id ;
#define RESTORED(reg, name, id) .cfi_restore id ;
	.macro	cfi_saved off
	LA_KEPT_INT(SAVED)
	LA_KEPT_FP(SAVED)
	.endm

	.macro	cfi_restored
	.cfi_def_cfa_offset 0
	.cfi_restore LA_ID_RA
	LA_KEPT_INT(RESTORED)
	LA_KEPT_FP(RESTORED)
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
#define SITE REGS_BYTES
#define RA (SITE + SITE_BYTES + 8)
#define FRAME (RA + 8)

	.globl	jf_loongarch64_throw
	.type	jf_loongarch64_throw, @function
	.balign	16
jf_loongarch64_throw:
	.cfi_startproc
	addi.d	$sp, $sp, -FRAME
	.cfi_def_cfa_offset FRAME
	st.d	$ra, $sp, RA
	.cfi_offset LA_ID_RA, RA - FRAME
	st.d	$a0, $sp, SITE + SITE_COOKIE
	move	$a0, $ra
	addi.d	$a1, $sp, FRAME
	move	$a2, $fp
	addi.d	$a3, $sp, SITE
	bl	%plt(jf_throw_recall)
	beqz	$a0, 2f
	ld.d	$a0, $sp, SITE + SITE_COOKIE
	each_saved st.d, fst.d, $sp
	addi.d	$t0, $sp, FRAME
	st.d	$t0, $sp, REG_BYTES * LA_ID_SP		/* sp as the caller has it */
	move	$a1, $sp
	ld.d	$a2, $sp, RA
	addi.d	$a3, $sp, SITE
	bl	%plt(jf_throw_from)
2:	ld.d	$ra, $sp, RA
	bnez	$a0, 1f
	ld.d	$t0, $sp, SITE + SITE_CALLBACK
	ld.d	$a0, $sp, SITE + SITE_COOKIE
	ld.d	$a1, $sp, SITE + SITE_SP
	ld.d	$a2, $sp, SITE + SITE_FP
	move	$a3, $zero
	move	$a4, $zero
	.cfi_remember_state
	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore LA_ID_RA
	jr	$t0
	.cfi_restore_state
1:	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	.cfi_restore LA_ID_RA
	ret
	.cfi_endproc
	.size	jf_loongarch64_throw, . - jf_loongarch64_throw

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
#define RA (REGS_BYTES + 8)
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
	.cfi_offset LA_ID_RA, RA - FRAME
	each_saved st.d, fst.d, $sp
	addi.d	$t0, $sp, FRAME
	st.d	$t0, $sp, REG_BYTES * LA_ID_SP		/* sp as the caller has it */
	move	$a2, $sp
	move	$a3, $ra
	bl	%plt(\target)
	ld.d	$ra, $sp, RA
	.cfi_restore LA_ID_RA
	addi.d	$sp, $sp, FRAME
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size	\name, . - \name
	.endm

	with_caller jf_loongarch64_walk_here, jf_walk_here_from
	with_caller jf_loongarch64_bpf_stack_walk, jf_bpf_stack_walk_here_from

	LIBRARY_FUNCTION(jf_throw, jf_loongarch64_throw)
	LIBRARY_FUNCTION(jf_walk_here, jf_loongarch64_walk_here)
	LIBRARY_FUNCTION(jf_bpf_stack_walk, jf_loongarch64_bpf_stack_walk)

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
	.cfi_offset LA_ID_RA, -8
	move	$t0, $a0
	move	$a0, $a1
	move	$a1, $a2
	jirl	$ra, $t0, 0
	ld.d	$ra, $sp, 8
	.cfi_restore LA_ID_RA
	addi.d	$sp, $sp, 16
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
jf_loongarch64_enter_end:
	.size	jf_loongarch64_enter, . - jf_loongarch64_enter

/*
 * uint64_t name(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in, struct jf_regs *out)
 *
 * Own registers lie in a struct jf_regs at sp; `out` and the return address above it. A caller's
 * registers stay described as saved while the given values are in them.
 */
#undef RA
#undef FRAME
#define OUT REGS_BYTES
#define RA (OUT + 8)
#define FRAME (RA + 8)

	.macro	checked name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
	addi.d	$sp, $sp, -FRAME
	.cfi_def_cfa_offset FRAME
	st.d	$ra, $sp, RA
	.cfi_offset LA_ID_RA, RA - FRAME
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
	.size	\name, . - \name
	.endm

	.globl	jf_loongarch64_enter_checked_start
	.hidden	jf_loongarch64_enter_checked_start
	.globl	jf_loongarch64_enter_checked_end
	.hidden	jf_loongarch64_enter_checked_end
	.balign	16
jf_loongarch64_enter_checked_start:
	checked	jf_loongarch64_enter_checked
jf_loongarch64_enter_checked_end:
	checked	jf_loongarch64_call_checked

/* uint64_t jf_loongarch64_overwrite(void) */
	.globl	jf_loongarch64_overwrite
	.hidden	jf_loongarch64_overwrite
	.type	jf_loongarch64_overwrite, @function
	.balign	16
jf_loongarch64_overwrite:
	.cfi_startproc
#define OVERWRITE_INT(reg, name, id) li.d $name, -1 ;
#define OVERWRITE_FP(reg, name, id)  movgr2fr.d $name, $a0 ;
	LA_FREE_INT(OVERWRITE_INT)
	LA_FREE_FP(OVERWRITE_FP)
	move	$a0, $zero
	ret
	.cfi_endproc
	.size	jf_loongarch64_overwrite, . - jf_loongarch64_overwrite

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
	.cfi_offset LA_ID_RA, -8
	each_bpf st.d
	move	$a0, $t0
	bl	%plt(jf_may_goto_check)
	move	$t0, $a0
	each_bpf ld.d
	ld.d	$ra, $sp, 56
	.cfi_restore LA_ID_RA
	addi.d	$sp, $sp, 64
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
jf_loongarch64_may_goto_end:
	.size	jf_loongarch64_may_goto_start, . - jf_loongarch64_may_goto_start

	.section .note.GNU-stack, "", @progbits
