/* SPDX-License-Identifier: BSD-2-Clause */
#include "offsets.h"
#include "regs.h"

/* What the stubs of ../native.S are made of: LoongArch psABI, LP64D. */
#define SP     $sp
#define SP_ID  LA_ID_SP
#define SP_DW  LA_ID_SP
#define FP     $fp
#define FP_ID  LA_ID_FP
#define FP_DW  LA_ID_FP
#define FP_OFF 0
#define RA     $ra
#define RA_DW  LA_ID_RA
#define ARG0   $a0
#define ARG1   $a1
#define ARG1_DW 5
#define ARG2   $a2
#define ARG3   $a3
#define ARG4   $a4
#define RESULT $a0
#define T0     $t0
#define AX     $t0

#define LOAD(reg, base, off)    ld.d reg, base, off
#define STORE(reg, base, off)   st.d reg, base, off
#define ADDRESS(reg, base, off) addi.d reg, base, off
#define MOVE(to, from)          move to, from
#define ZERO(reg)               move reg, $zero
#define CONSTANT(reg, n)        li.d reg, n
#define CALL(function)          bl %plt(function)
#define CALL_REG(reg)           jirl $ra, reg, 0
#define JUMP_REG(reg)           jr reg
#define RETURN                  ret
#define IF_OK(label)            beqz $a0, label
#define IF_AT_PAD(label)        blt $zero, $a0, label

#define INT_AT(reg, name, id) \int $name, \base, REG_BYTES * (id) ;
#define FLT_AT(reg, name, id) \flt $name, \base, REG_BYTES * (id) ;
.macro each_kept int, flt, base
	LA_KEPT_INT(INT_AT)
	LA_KEPT_FP(FLT_AT)
.endm
.macro store_kept base
	each_kept st.d, fst.d, \base
.endm
.macro load_kept base
	each_kept ld.d, fld.d, \base
.endm

#define CFI(reg, name, id) \each id, id, \off ;
.macro each_kept_cfi each, off
	LA_KEPT_INT(CFI)
	LA_KEPT_FP(CFI)
.endm

#define OVERWRITE_INT(reg, name, id) li.d $name, -1 ;
#define OVERWRITE_FP(reg, name, id)  movgr2fr.d $name, $a0 ;
.macro overwrite_free
	LA_FREE_INT(OVERWRITE_INT)
	LA_FREE_FP(OVERWRITE_FP)
.endm

/* R1 to R5, R0, and the tail-call count. */
#define BPF_FREE(X) X($a0, 0) X($a1, 1) X($a2, 2) X($a3, 3) X($a4, 4) X($a5, 5) X($a6, 6)

#include "../native.S"
