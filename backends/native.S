/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stubs between C and generated code, for every architecture: backends/ARCH/native.S says how this machine does each
 * step, and ends with an #include of this file. C sees the stubs through native.h.
 *
 * What ARCH/native.S defines; registers are written as in its instructions, offsets are bytes:
 *
 *     SP, FP, FP_OFF         FP's value in a C function's frame: CFA + FP_OFF
 *     SP_ID, FP_ID           register ids
 *     SP_DW, FP_DW, ARG1_DW  DWARF numbers
 *     RA, RA_DW              the link register; not defined where a call pushes the return address
 *     ARG0 .. ARG4, RESULT   of C
 *     T0                     neither an argument nor kept; indirect calls and jumps may go through T0
 *     AX                     BPF AX; it may be T0
 *
 *     LOAD(reg, base, off)  STORE(reg, base, off)  ADDRESS(reg, base, off)  MOVE(to, from)
 *     ZERO(reg)  CONSTANT(reg, n)
 *     CALL(function)  CALL_REG(reg)  JUMP_REG(reg)  RETURN
 *     IF_OK(label)           goes there when RESULT, an enum jf_status, is JF_OK
 *     IF_AT_PAD(label)       the same of JF_AT_PAD: when RESULT is positive
 *     LANDING_BACK           where a clean-up pad comes back that was called; not defined where it returns
 *
 *     LANDING_PAD            where indirect calls may land, and LANDING_PAD_PROPERTY, the type of the note that says so,
 *                            when the compiler was asked for landing pads; optional
 *     ALIGN_SP               rounds SP down to what C asks for, UNALIGN_SP(bytes) takes that back in a frame of so many
 *                            bytes; only where BPF code may call with another SP
 *     LANDING_STATE          what a callback finds beside its arguments; may not change T0; optional
 *
 *     store_kept base, load_kept base
 *                            every register that a callee keeps, to or from the struct jf_regs at `base`; no other changes
 *     each_kept_cfi macro, off
 *                            `each` DWARF number, register id, off: for every one of them that CFI knows
 *     overwrite_free         overwrites every register of the table that a callee may
 *     BPF_FREE(X)            X(reg, n) for BPF registers but AX that C may overwrite, the tail-call count among them;
 *                            n from 0 to 9
 *
 * A frame:
 *
 *     CFA ->  +------------------------+
 *             | return address         |
 *             | FP of the caller       |
 *             | what the stub keeps    |
 *     SP ->   +------------------------+
 */
#include "offsets.h"

#ifndef LANDING_PAD
#define LANDING_PAD
#endif
#ifndef LANDING_BACK
#define LANDING_BACK
#endif
#ifndef LANDING_STATE
#define LANDING_STATE
#endif
#ifndef ALIGN_SP
#define ALIGN_SP
#define UNALIGN_SP(bytes)
#endif

#define RECORD_BYTES 16
#define RA_AT(bytes) ((bytes) - 8)
#define FP_AT(bytes) ((bytes) - 16)
#define REG_AT(id)   (REG_BYTES * (id))

/* A function that no other file calls by name but those of this backend. */
.macro function name
	.globl	\name
	.hidden	\name
	.type	\name, STT_FUNC
\name:
	.cfi_startproc
	LANDING_PAD
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

/* ---- frames ------------------------------------------------------------------------------------------------ */

#ifdef RA
#define PUSHED_BYTES 0
.macro keep_ra bytes
	STORE(RA, SP, RA_AT(\bytes))
	.cfi_offset RA_DW, -8
.endm
.macro take_ra bytes
	LOAD(RA, SP, RA_AT(\bytes))
	.cfi_restore RA_DW
.endm
#else
#define PUSHED_BYTES 8 /* by the call: they are of the frame */
.macro keep_ra bytes
.endm
.macro take_ra bytes
.endm
#endif

/* A frame of so many bytes, the record included. FP stays the caller's. */
.macro frame_in bytes
	ADDRESS(SP, SP, -((\bytes) - PUSHED_BYTES))
	.cfi_def_cfa_offset \bytes
	keep_ra	\bytes
.endm

.macro frame_out bytes
	take_ra	\bytes
	ADDRESS(SP, SP, (\bytes) - PUSHED_BYTES)
	.cfi_def_cfa_offset PUSHED_BYTES
.endm

/* The same with an FP, for walks that go by frame pointers. */
.macro record_in bytes
	frame_in \bytes
	STORE(FP, SP, FP_AT(\bytes))
	.cfi_offset FP_DW, -16
	ADDRESS(FP, SP, (\bytes) + (FP_OFF))
.endm

.macro record_out bytes
	LOAD(FP, SP, FP_AT(\bytes))
	.cfi_restore FP_DW
	frame_out \bytes
.endm

/* The caller's registers, to the struct jf_regs at SP, in a frame with an FP. */
.macro collect bytes
	store_kept SP
	LOAD(T0, SP, FP_AT(\bytes))
	STORE(T0, SP, REG_AT(FP_ID))
	ADDRESS(T0, SP, \bytes)
	STORE(T0, SP, REG_AT(SP_ID))
.endm

/* The CFI for registers whose values are nowhere. */
.macro is_lost dw, id, off
	.cfi_undefined \dw
.endm

/* The CFI for registers that lie in a struct jf_regs `off` bytes from the CFA. */
.macro is_saved dw, id, off
	.cfi_offset \dw, \off + REG_AT(\id)
.endm
.macro is_restored dw, id, off
	.cfi_restore \dw
.endm

	.text

/* ---- throwing and walking ---------------------------------------------------------------------------------- */

/*
 * enum jf_status jf_native_throw(uint64_t cookie)
 *
 *     | struct jf_landing_site |  SITE
 *     | struct jf_regs         |
 *
 * jf_throw_recall() needs no registers but SP and FP, and mostly is enough. The callback finds every register that a
 * callee keeps as it was at the throw: both functions are C and have kept them, FP is loaded here.
 *
 * A clean-up pad goes on in its own frame: struct jf_regs has its registers by then. SP comes last, for up to there the
 * frame is this one. Behind SP the frame is the pad's, which a walk leaves by its frame record; what the caller had in
 * the other registers is lost to walks until the pad's first instruction.
 */
#define SITE        REGS_BYTES
#define THROW_BYTES (SITE + SITE_BYTES + RECORD_BYTES)
#define CLEAR(reg, n) ZERO(reg) ;
	.balign	16
	function jf_native_throw
	record_in THROW_BYTES
	STORE(ARG0, SP, SITE + SITE_COOKIE)
	LOAD(ARG0, SP, RA_AT(THROW_BYTES))
	ADDRESS(ARG1, SP, THROW_BYTES)
	LOAD(ARG2, SP, FP_AT(THROW_BYTES))
	ADDRESS(ARG3, SP, SITE)
	CALL(jf_throw_recall)		/* (pc, sp, fp, site) */
	IF_OK(1f)
	collect	THROW_BYTES
	LOAD(ARG0, SP, SITE + SITE_COOKIE)
	MOVE(ARG1, SP)
	LOAD(ARG2, SP, RA_AT(THROW_BYTES))
	ADDRESS(ARG3, SP, SITE)
	CALL(jf_throw_from)		/* (cookie, regs, pc, site) */
	IF_OK(1f)
	IF_AT_PAD(2f)
	.cfi_remember_state
	record_out THROW_BYTES
	RETURN
	.cfi_restore_state
1:	.cfi_remember_state
	LOAD(T0, SP, SITE + SITE_CALLBACK)
	LOAD(ARG0, SP, SITE + SITE_COOKIE)
	LOAD(ARG1, SP, SITE + SITE_SP)
	LOAD(ARG2, SP, SITE + SITE_FP)
	ZERO(ARG3)
	ZERO(ARG4)
	LANDING_STATE
	record_out THROW_BYTES
	JUMP_REG(T0)
	.cfi_restore_state
2:	each_kept_cfi is_lost, 0
	.cfi_offset FP_DW, -RECORD_BYTES
	LOAD(T0, SP, SITE + SITE_CALLBACK)
	load_kept SP
	BPF_FREE(CLEAR)
	LOAD(ARG0, SP, REG_AT(SP_ID))
	MOVE(SP, ARG0)
	.cfi_def_cfa FP_DW, -(FP_OFF)
	ZERO(ARG0)
	JUMP_REG(T0)
	function_ends jf_native_throw

/* enum jf_status jf_native_throw_resume(void): the same frame, and the same two ways to go on. */
	.balign	16
	function jf_native_throw_resume
	record_in THROW_BYTES
	collect	THROW_BYTES
	MOVE(ARG0, SP)
	LOAD(ARG1, SP, RA_AT(THROW_BYTES))
	ADDRESS(ARG2, SP, SITE)
	CALL(jf_throw_resume_from)	/* (regs, pc, site) */
	IF_OK(1b)
	IF_AT_PAD(2b)
	record_out THROW_BYTES
	RETURN
	function_ends jf_native_throw_resume

/*
 * void jf_native_call_pad(const struct jf_regs *regs, uint64_t pad, uint64_t cookie, uint64_t cfa)
 *
 *     | struct jf_pad_call     |
 *
 * The pad's frame is found by its FP, and walks from the pad go there; this frame lies where the pad's SP is. Where a call
 * pushes the return address, that is the way back; else *regs has brought it.
 */
#define PAD_BYTES (PAD_CALL_BYTES + RECORD_BYTES)
	.balign	16
	function jf_native_call_pad
	frame_in PAD_BYTES
	store_kept SP
	each_kept_cfi is_saved, -PAD_BYTES
	STORE(ARG2, SP, PAD_CALL_COOKIE)
	STORE(ARG3, SP, PAD_CALL_CFA)
	MOVE(T0, ARG1)
	load_kept ARG0
	BPF_FREE(CLEAR)
#ifdef RA
	JUMP_REG(T0)
#else
	CALL_REG(T0)
#endif
	place	jf_native_pad_back
	LANDING_BACK
	load_kept SP
	each_kept_cfi is_restored, 0
	frame_out PAD_BYTES
	RETURN
	function_ends jf_native_call_pad

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *     | struct jf_regs         |
 */
#define CALLER_BYTES (REGS_BYTES + RECORD_BYTES)
.macro with_caller name, target
	.balign	16
	function \name
	record_in CALLER_BYTES
	collect	CALLER_BYTES
	MOVE(ARG2, SP)
	LOAD(ARG3, SP, RA_AT(CALLER_BYTES))
	CALL(\target)
	record_out CALLER_BYTES
	RETURN
	function_ends \name
.endm

	with_caller jf_native_walk_here, jf_walk_here_from
	with_caller jf_native_bpf_stack_walk, jf_bpf_stack_walk_here_from

#ifdef JF_BUILT_IN
/* The stub is the library's function. A backend outside of the library states its stubs as hooks alone. */
.macro library_function name, stub
	.globl	\name
	.type	\name, STT_FUNC
	.set	\name, \stub
.endm
	library_function jf_throw, jf_native_throw
	library_function jf_throw_resume, jf_native_throw_resume
	library_function jf_walk_here, jf_native_walk_here
	library_function jf_bpf_stack_walk, jf_native_bpf_stack_walk
#endif

/* ---- entering ---------------------------------------------------------------------------------------------- */

/* uint64_t jf_native_enter(uint64_t entry, uint64_t arg1, uint64_t arg2) */
	.balign	16
	place	jf_native_enter_start
	function jf_native_enter
	record_in RECORD_BYTES
	MOVE(T0, ARG0)
	MOVE(ARG0, ARG1)
	MOVE(ARG1, ARG2)
	CALL_REG(T0)
	record_out RECORD_BYTES
	RETURN
	function_ends jf_native_enter
	place	jf_native_enter_end

/*
 * uint64_t name(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in, struct jf_regs *out)
 *
 *     | out                    |  OUT
 *     | struct jf_regs: own    |
 *
 * FP is one of the registers under test, so SP alone leads back to this frame; the caller's registers stay described as
 * saved while the given values are in them.
 */
#define OUT           REGS_BYTES
#define CHECKED_BYTES (OUT + 16 + RECORD_BYTES)
.macro checked name
	.balign	16
	function \name
	frame_in CHECKED_BYTES
	store_kept SP
	each_kept_cfi is_saved, -CHECKED_BYTES
	STORE(ARG4, SP, OUT)
	MOVE(T0, ARG0)
	MOVE(ARG0, ARG1)
	MOVE(ARG1, ARG2)
	load_kept ARG3
	CALL_REG(T0)
	LOAD(T0, SP, OUT)
	store_kept T0
	load_kept SP
	each_kept_cfi is_restored, 0
	frame_out CHECKED_BYTES
	RETURN
	function_ends \name
.endm

	.balign	16
	place	jf_native_enter_checked_start
	checked	jf_native_enter_checked
	place	jf_native_enter_checked_end
	checked	jf_native_call_checked

/*
 * enum jf_status jf_native_try(uint64_t (*fn)(void *arg), void *arg, uint64_t *result)
 *
 *     | result                 |  OUT
 *     | struct jf_regs: caller |
 *
 * fn keeps the registers when it returns. A throw lands with (cookie, CFA, FP), and nothing else is what it was.
 */
	.balign	16
	place	jf_native_try_start
	function jf_native_try
	frame_in CHECKED_BYTES
	store_kept SP
	each_kept_cfi is_saved, -CHECKED_BYTES
	STORE(ARG2, SP, OUT)
	MOVE(T0, ARG0)
	MOVE(ARG0, ARG1)
	CALL_REG(T0)
	LOAD(T0, SP, OUT)
	STORE(RESULT, T0, 0)
	ZERO(RESULT)
	.cfi_remember_state
	each_kept_cfi is_restored, 0
	frame_out CHECKED_BYTES
	RETURN
	.cfi_restore_state
	.cfi_def_cfa ARG1_DW, 0
	place	jf_native_try_landing
	LANDING_PAD
	ADDRESS(SP, ARG1, -CHECKED_BYTES)
	.cfi_def_cfa SP_DW, CHECKED_BYTES
	LOAD(T0, SP, OUT)
	STORE(ARG0, T0, 0)
	load_kept SP
	each_kept_cfi is_restored, 0
	CONSTANT(RESULT, CAUGHT)
	frame_out CHECKED_BYTES
	RETURN
	function_ends jf_native_try
	place	jf_native_try_end

/* uint64_t jf_native_overwrite(void) */
	.balign	16
	function jf_native_overwrite
	overwrite_free
	ZERO(RESULT)
	RETURN
	function_ends jf_native_overwrite

/* ---- may_goto ---------------------------------------------------------------------------------------------- */

/*
 * What the may_goto hook calls, of a convention of its own. in: AX = address of count and start time. out: AX = the
 * count. C keeps R6 to R9 and the frame pointer; the others are kept here, by FP, as SP may not be where it was.
 *
 *     | BPF_FREE registers     |
 */
#define MAY_GOTO_BYTES (10 * 8 + RECORD_BYTES)
#define BPF_AT(n)      (-RECORD_BYTES - 8 * ((n) + 1) - (FP_OFF))
#define PUT(reg, n)    STORE(reg, FP, BPF_AT(n)) ;
#define GET(reg, n)    LOAD(reg, FP, BPF_AT(n)) ;
	.balign	16
	place	jf_native_may_goto_start
	function jf_native_may_goto
	record_in MAY_GOTO_BYTES
	BPF_FREE(PUT)
	ALIGN_SP
	MOVE(ARG0, AX)
	CALL(jf_may_goto_check)
	MOVE(AX, RESULT)
	UNALIGN_SP(MAY_GOTO_BYTES)
	BPF_FREE(GET)
	record_out MAY_GOTO_BYTES
	RETURN
	function_ends jf_native_may_goto
	place	jf_native_may_goto_end

/* ---- notes ------------------------------------------------------------------------------------------------- */

	.section .note.GNU-stack, "", %progbits

#ifdef LANDING_PAD_PROPERTY
/*
 * Every function above begins with a landing pad: so the linker keeps checks of branch targets on for the whole library.
 * No property says that code takes a shadow stack: a throw leaves frames whose return addresses stay there.
 */
	.section .note.gnu.property, "a", %note
	.balign	8
	.4byte	4, 16, 5
	.asciz	"GNU"
	.4byte	LANDING_PAD_PROPERTY, 4, 1, 0
#endif
