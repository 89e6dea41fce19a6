/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_ARM64_DECODE_COMMON_H
#define JF_BACKEND_ARM64_DECODE_COMMON_H

#include "../decode.h"
#include "arm64.h"

/* What the three decoders share beside ../decode.h: formats, fields of words. */

/* How the fields of a word become steps. */
enum jf_arm64_format {
	F_INVALID, /* nothing but what rows before it have is an instruction here */
	F_NONE,    /* writes no register of the table: comparisons, system registers */
	F_NOP,     /* hints and barriers */
	F_LANDING,
	F_UNKNOWN, /* not told apart: the name is that of the extension, or of a group */
	F_TRAP,
	F_SYSTEM,
	F_KILL,    /* Rd, which is no sp */
	F_KILL_SP, /* Rd, which may be sp */
	F_KILL_D,
	F_KILL_X16,
	F_KILL_X17,
	F_KILL_X30,
	F_SIGN, /* x30, with sp */
	F_AUTH,
	F_PAC_SIGN, /* Rd with Rn */
	F_PAC_AUTH,
	F_STRIP, /* Rd */
	/* data processing: immediates */
	F_ADR,
	F_ADRP,
	F_ADDSUB_IMM,
	F_LOGICAL_IMM,
	F_MOVN,
	F_MOVZ,
	F_MOVK,
	F_BITFIELD, /* kind: what brings the upper bits back down */
	F_BFM,
	F_EXTR,
	/* data processing: registers */
	F_ADDSUB_SHIFTED,
	F_LOGICAL_SHIFTED,
	F_LOGICAL_INVERTED, /* Rm is */
	F_ADDSUB_EXTENDED,
	F_SHIFT_REG,
	F_CSEL, /* Rd = cond ? Rn : Rm, */
	F_CSINC,
	F_CSINV,
	F_CSNEG,
	/* floating point */
	F_FP,      /* Fd, of the type that bits 23:22 say */
	F_FP_NONE, /* comparisons */
	F_FP_TO_X,
	F_X_TO_FP,
	F_FMOV,
	F_FMOV_TO_X,
	F_FMOV_FROM_X,
	F_FIXED_TO_X,
	F_X_TO_FIXED,
	/* branches; imm26 and imm19 and imm14 */
	F_B,
	F_BL,
	F_BRANCH19,
	F_BRANCH14,
	F_BR,
	F_BLR,
	F_RETA,
	/* memory: Rt, or Ft when the V bit is set */
	F_LITERAL,
	F_SCALED,
	F_UNSCALED,
	F_PRE,
	F_POST,
	F_INDEXED,
	F_PAIR,
	F_PAIR_PRE,
	F_PAIR_POST,
	F_ORDERED,         /* at Rn alone */
	F_EXCLUSIVE_STORE, /* Rs = whether it was stored */
	F_EXCLUSIVE_PAIR,
	F_EXCLUSIVE_STORE_PAIR,
	F_ATOMIC, /* Rt = what was there, which is changed */
	F_SWAP,
	F_CAS, /* Rs = what was there */
	F_CAS_PAIR,
	F_LDRA,    /* base authenticated: the address is not told */
	F_STRUCTS, /* whole vectors, one to four */
	F_STRUCT,  /* one element of each */
	F__COUNT
};

/* Beside enum width: a load that is extended to 32 bits, with zeros above. */
enum jf_arm64_width {
	W = WIDTH_OWN,
	S8W = S8 | W,
	S16W = S16 | W,
};

static inline unsigned int jf_arm64_width_of(uint32_t word)
{
	return word >> 31 ? U64 : U32;
}

static inline unsigned int jf_arm64_field_rd(uint32_t word)
{
	return word_bits(word, 4, 0);
}

static inline unsigned int jf_arm64_field_rn(uint32_t word)
{
	return word_bits(word, 9, 5);
}

static inline unsigned int jf_arm64_field_rm(uint32_t word)
{
	return word_bits(word, 20, 16);
}

/* Register id of a general register's field where 31 is the zero register: then JF_REG_NONE. */
static inline unsigned int jf_arm64_gp(unsigned int field)
{
	return field == JF_ARM64_XZR ? JF_REG_NONE : field;
}

#endif
