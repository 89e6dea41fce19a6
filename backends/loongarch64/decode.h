/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_LOONGARCH64_DECODE_H
#define JF_BACKEND_LOONGARCH64_DECODE_H

#include "../decode.h"
#include "loongarch64.h"

/* How the fields of a word become steps; decode.c has a function for each. Formats as in insn.h. */
enum la_format {
	F_NONE,    /* writes no register of the table: comparisons, FP control */
	F_NOP,     /* barriers and hints */
	F_UNKNOWN, /* not told apart: the name is that of the extension, or of a group */
	F_TRAP,
	F_SYSTEM,
	F_KILL_RD,
	F_KILL_RD_RJ,
	F_KILL_FD,
	F_FD_FJ, /* moves between the register files */
	F_FD_RJ,
	F_RD_FJ,
	F_EXTEND,
	F_ALU3, /* rd = rj OP rk */
	F_MASK, /* rd = 0 where rk is `kind` to 0, else rj */
	F_LESS, /* rd = 0 where rj is `kind` to rk, else 1 */
	F_LESS_IMM,
	F_NOR,
	F_ANDN,
	F_ORN,
	F_ALSL,
	F_SHIFT5, /* rd = rj OP constant */
	F_SHIFT6,
	F_ALUI12, /* signed */
	F_ALUU12, /* unsigned */
	F_ADDU16I,
	F_BSTRINS,
	F_BSTRPICK,
	F_LU12I,
	F_LU32I,
	F_LU52I,
	F_PCADDI,
	F_PCADDU12I,
	F_PCADDU18I,
	F_PCALAU12I,
	F_MEM12, /* rd and memory at rj + si12 */
	F_MEM14, /* at rj + si14 * 4 */
	F_MEMX,  /* at rj + rk */
	F_MEM_RJ,
	F_FMEM12, /* fd, or a vector whose low part it is */
	F_FMEMX,
	F_SC,       /* stores rd, perhaps, at rj + si14 * 4; rd = whether */
	F_SC_AT_RJ, /* at rj */
	F_AM,       /* rd = memory at rj, which is changed */
	F_AMSWAP,   /* to rk */
	F_BRANCH16,
	F_BRANCH21,
	F_B,
	F_BL,
	F_JIRL,
	F_JISCR,
	F__COUNT
};

/* By rising value; where one row's words are some of another's, it stands behind that. */
extern const struct jf_decode_row jf_loongarch64_rows[];
extern const unsigned int jf_loongarch64_row_count;

#endif
