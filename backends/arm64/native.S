/* SPDX-License-Identifier: BSD-2-Clause */
#include "offsets.h"
#include "regs.h"

/* What the stubs of ../native.S are made of: AAPCS64. Calls and jumps through x16 may land at BTI C. */
#define SP     sp
#define SP_ID  (JF_ARM64_FIRST_X + 31)
#define SP_DW  31
#define FP     x29
#define FP_ID  (JF_ARM64_FIRST_X + 29)
#define FP_DW  29
#define FP_OFF -16
#define RA     x30
#define RA_DW  30
#define ARG0   x0
#define ARG1   x1
#define ARG1_DW 1
#define ARG2   x2
#define ARG3   x3
#define ARG4   x4
#define RESULT x0
#define T0     x16
#define AX     x9

#define LOAD(reg, base, off)    ldr reg, [base, off]
#define STORE(reg, base, off)   str reg, [base, off]
#define ADDRESS(reg, base, off) add reg, base, off
#define MOVE(to, from)          mov to, from
#define ZERO(reg)               mov reg, xzr
#define CONSTANT(reg, n)        mov reg, n
#define CALL(function)          bl function
#define CALL_REG(reg)           blr reg
#define JUMP_REG(reg)           br reg
#define RETURN                  ret
#define IF_OK(label)            cbz w0, label
#define IF_AT_PAD(label)        cmp w0, 0 ; b.gt label

/* BTI C, as the hint that it is to processors and assemblers without. GNU_PROPERTY_AARCH64_FEATURE_1_AND: AAELF64. */
#define LANDING_PAD hint 34
#ifdef __ARM_FEATURE_BTI_DEFAULT
#define LANDING_PAD_PROPERTY 0xc0000000
#endif

/* BTI J: pads come back by BR through a register that calls keep. */
#define LANDING_BACK hint 36

#define X_AT(n) (REG_BYTES * (JF_ARM64_FIRST_X + (n)))
#define D_AT(n) (REG_BYTES * (JF_ARM64_FIRST_D + (n)))
.macro x_pair insn, a, b, base
	\insn	x\a, x\b, [\base, X_AT(\a)]
.endm
.macro x_one insn, a, base
	\insn	x\a, [\base, X_AT(\a)]
.endm
.macro d_pair insn, a, b, base
	\insn	d\a, d\b, [\base, D_AT(\a)]
.endm
#define PAIR_X(a, b) x_pair \pair, a, b, \base ;
#define ONE_X(a)     x_one \one, a, \base ;
#define PAIR_D(a, b) d_pair \pair, a, b, \base ;
.macro each_kept pair, one, base
	JF_ARM64_KEPT_X(PAIR_X, ONE_X)
	JF_ARM64_KEPT_D(PAIR_D)
.endm
.macro store_kept base
	each_kept stp, str, \base
.endm
.macro load_kept base
	each_kept ldp, ldr, \base
.endm

/* DWARF numbers: d0 is 64. */
#define CFI_ONE(a)  \each a, JF_ARM64_FIRST_X + a, \off ;
#define CFI_X(a, b) CFI_ONE(a) CFI_ONE(b)
#define CFI_D(a, b) \each 64 + a, JF_ARM64_FIRST_D + a, \off ; \each 64 + b, JF_ARM64_FIRST_D + b, \off ;
.macro each_kept_cfi each, off
	JF_ARM64_KEPT_X(CFI_X, CFI_ONE)
	JF_ARM64_KEPT_D(CFI_D)
.endm

.macro overwrite_x a, b
	mov	x\a, -1
	mov	x\b, -1
.endm
.macro overwrite_d a, b
	fmov	d\a, x0
	fmov	d\b, x0
.endm
#define OVERWRITE_X(a, b) overwrite_x a, b ;
#define OVERWRITE_D(a, b) overwrite_d a, b ;
.macro overwrite_free
	JF_ARM64_FREE_X(OVERWRITE_X)
	JF_ARM64_FREE_D(OVERWRITE_D)
.endm

/* R1 to R5, arguments after the fifth, and R0. The count's pointer and the base registers are kept by C. */
#define BPF_FREE(X) X(x0, 0) X(x1, 1) X(x2, 2) X(x3, 3) X(x4, 4) X(x5, 5) X(x6, 6) X(x7, 7) X(x8, 8)

#include "../native.S"
