/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_RISCV64_DECODE_H
#define JF_BACKEND_RISCV64_DECODE_H

#include "../decode.h"
#include "riscv64.h"

/* How the fields of a word become steps; decode.c has a function for each. Formats as in insn.h. */
enum rv_format {
	F_NOP,     /* fences and hints */
	F_NONE,    /* writes no register of the table */
	F_UNKNOWN, /* not told apart: the name is that of the extension, or of a group */
	F_TRAP,
	F_SYSTEM,
	F_LPAD,
	F_KILL_RD,
	F_KILL_FD,
	F_KILL_FD_RM, /* with a rounding mode */
	F_KILL_RD_RM,
	F_FD_RS1, /* moves between the register files */
	F_RD_FS1,
	F_SGNJ, /* a move when both sources are the same */
	F_EXTEND,
	F_SHADD, /* rd = (rs1 << kind) + rs2 */
	F_ALU,   /* rd = rs1 OP rs2 */
	F_ALUI,  /* rd = rs1 OP imm */
	F_SHIFT, /* rd = rs1 OP constant */
	F_MASK,  /* rd = 0 where rs2 is `kind` to 0, else rs1 */
	F_LESS,  /* rd = 0 where rs1 is `kind` to rs2, else 1 */
	F_LESS_IMM,
	F_LUI,
	F_AUIPC,
	F_LOAD, /* rd = memory at rs1 + imm */
	F_STORE,
	F_FLOAD,
	F_FSTORE,
	F_LR, /* at rs1 */
	F_SC,
	F_AMO,
	F_SWAP, /* memory becomes rs2 */
	F_BRANCH,
	F_JAL,
	F_JALR,
	F__COUNT
};

/* By rising major opcode, the low 7 bits; where one row's words are some of another's, it stands before that. */
extern const struct jf_decode_row jf_riscv64_rows[];
extern const unsigned int jf_riscv64_row_count;

#endif
