/* SPDX-License-Identifier: BSD-2-Clause */
#include "offsets.h"
#include "regs.h"

/* What the stubs of ../native.S are made of: RISC-V ELF psABI, LP64D. */
#define SP     sp
#define SP_ID  RV_ID_SP
#define SP_DW  RV_ID_SP
#define FP     s0
#define FP_ID  RV_ID_FP
#define FP_DW  RV_ID_FP
#define FP_OFF 0
#define RA     ra
#define RA_DW  RV_ID_RA
#define ARG0   a0
#define ARG1   a1
#define ARG1_DW 11
#define ARG2   a2
#define ARG3   a3
#define ARG4   a4
#define RESULT a0
#define T0     t0 /* jumps through t0 need no landing pad */
#define AX     t0

#define LOAD(reg, base, off)    ld reg, off(base)
#define STORE(reg, base, off)   sd reg, off(base)
#define ADDRESS(reg, base, off) addi reg, base, off
#define MOVE(to, from)          mv to, from
#define ZERO(reg)               li reg, 0
#define CONSTANT(reg, n)        li reg, n
#define CALL(function)          call function
#define CALL_REG(reg)           jalr reg
#define JUMP_REG(reg)           jr reg
#define RETURN                  ret
#define IF_OK(label)            beqz a0, label
#define IF_AT_PAD(label)        bgtz a0, label

#define INT_AT(reg, name, id) \int name, REG_BYTES * (id)(\base) ;
#define FLT_AT(reg, name, id) \flt name, REG_BYTES * (id)(\base) ;
.macro each_kept int, flt, base
	RV_KEPT_INT(INT_AT)
	RV_KEPT_FP(FLT_AT)
.endm
.macro store_kept base
	each_kept sd, fsd, \base
.endm
.macro load_kept base
	each_kept ld, fld, \base
.endm

#define CFI(reg, name, id) \each id, id, \off ;
.macro each_kept_cfi each, off
	RV_KEPT_INT(CFI)
	RV_KEPT_FP(CFI)
.endm

#define OVERWRITE_INT(reg, name, id) li name, -1 ;
#define OVERWRITE_FP(reg, name, id)  fmv.d.x name, a0 ;
.macro overwrite_free
	RV_FREE_INT(OVERWRITE_INT)
	RV_FREE_FP(OVERWRITE_FP)
.endm

#define BPF_FREE(X) X(a0, 0) X(a1, 1) X(a2, 2) X(a3, 3) X(a4, 4) X(a5, 5) X(a6, 6)

/* Zicfilp, where the compiler was asked for it. */
#ifdef __riscv_landing_pad
#define LANDING_PAD          lpad 0
#define LANDING_BACK         lpad 0
#define LANDING_PAD_PROPERTY 0xc0000000
#endif

#include "../native.S"
