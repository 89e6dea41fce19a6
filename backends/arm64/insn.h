/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ARM64_INSN_H
#define JF_ARM64_INSN_H

/*
 * Instruction formats (Arm ARM, "A64 instruction set encoding"); s = 1 for 64 bits:
 *
 *     s opcode   Rm  ......  Rn  Rd     three registers: data processing, shifts, division
 *     s 0011011  Rm  o  Ra   Rn  Rd     multiply and add
 *     s op 100010 h  imm12   Rn  Rd     add, subtract; h: imm12 << 12
 *     s op 100100 N immr imms Rn Rd     logical
 *     s op 100110 N immr imms Rn Rd     bitfield moves: shifts, extensions
 *     s op 100101 hw imm16       Rd     move wide
 *     sz 111001  op  imm12   Rn  Rt     load, store: + imm12 * size
 *     sz 111000  op 0 imm9 0 Rn  Rt     + signed imm9
 *     sz 111000  op 1 Rm 011010 Rn Rt   + Rm
 *     op 101v0 mode imm7 Rt2 Rn  Rt     pairs of 8 bytes
 *     op 00101 imm26                    b, bl
 *     01010100 imm19          0 cond    b.cond
 *     s 011010 op imm19          Rt     cbz, cbnz
 *     b5 011011 op b40 imm14     Rt     tbz, tbnz
 *
 * Register operands are hardware numbers 0..31; whether 31 is sp or the zero register is the
 * instruction's business. Operands are checked: what does not fit fails the code with JF_E_RANGE.
 */
#include "arm64.h"

/* A list per form: the name of each instruction, its opcode or number, and its mnemonic. Tests read the lists. */
#define JF_ARM64_VALUE(name, opcode, ...) name = opcode,

static inline void jf_arm64_put(struct jf_code *code, bool fits, uint32_t word)
{
	if (fits)
		jf_code_put32(code, word);
	else
		jf_code_fail(code, JF_E_RANGE);
}

static inline uint32_t jf_arm64_sf(bool is64)
{
	return (uint32_t)is64 << 31;
}

/* ---- data processing on registers ----------------------------------------------------------- */

/* Rd = Rn op Rm. Arm ARM, "Data Processing -- Register". */
#define JF_ARM64_RRR_LIST(X)                                                         \
	X(JF_ARM64_AND, 0x0a000000, "and")                                           \
	X(JF_ARM64_BIC, 0x0a200000, "bic") /* Rn & ~Rm */                            \
	X(JF_ARM64_ORR, 0x2a000000, "orr")                                           \
	X(JF_ARM64_ORN, 0x2a200000, "orn") /* Rn | ~Rm */                            \
	X(JF_ARM64_EOR, 0x4a000000, "eor")                                           \
	X(JF_ARM64_EON, 0x4a200000, "eon") /* Rn ^ ~Rm */                            \
	X(JF_ARM64_ANDS, 0x6a000000, "ands")                                         \
	X(JF_ARM64_ADD, 0x0b000000, "add")                                           \
	X(JF_ARM64_ADDS, 0x2b000000, "adds")                                         \
	X(JF_ARM64_SUB, 0x4b000000, "sub")                                           \
	X(JF_ARM64_SUBS, 0x6b000000, "subs")                                         \
	X(JF_ARM64_UDIV, 0x1ac00800, "udiv") /* x / 0 = 0 */                         \
	X(JF_ARM64_SDIV, 0x1ac00c00, "sdiv") /* x / 0 = 0, MIN / -1 = MIN */         \
	X(JF_ARM64_LSLV, 0x1ac02000, "lslv") /* counts are taken modulo the width */ \
	X(JF_ARM64_LSRV, 0x1ac02400, "lsrv")                                         \
	X(JF_ARM64_ASRV, 0x1ac02800, "asrv")
enum jf_arm64_rrr { JF_ARM64_RRR_LIST(JF_ARM64_VALUE) };

static inline void jf_arm64_rrr(struct jf_code *code, enum jf_arm64_rrr op, bool is64, unsigned int rd, unsigned int rn,
				unsigned int rm)
{
	jf_arm64_put(code, (rd | rn | rm) < 32, jf_arm64_sf(is64) | (uint32_t)op | rm << 16 | rn << 5 | rd);
}

/* Rd = Rn + (Wm << shift), Wm zero-extended; Rd and Rn 31 are sp. Arm ARM, "Add/subtract (extended
 * register)". */
void jf_arm64_add_uxtw(struct jf_code *code, unsigned int rd, unsigned int rn, unsigned int rm, unsigned int shift);

/* Rd = Rm; 31 is the zero register. */
static inline void jf_arm64_mov(struct jf_code *code, bool is64, unsigned int rd, unsigned int rm)
{
	jf_arm64_rrr(code, JF_ARM64_ORR, is64, rd, JF_ARM64_XZR, rm);
}

/* Rd = Ra +- Rn * Rm. */
#define JF_ARM64_RRRR_LIST(X)                \
	X(JF_ARM64_MADD, 0x1b000000, "madd") \
	X(JF_ARM64_MSUB, 0x1b008000, "msub")
enum jf_arm64_rrrr { JF_ARM64_RRRR_LIST(JF_ARM64_VALUE) };

static inline void jf_arm64_rrrr(struct jf_code *code, enum jf_arm64_rrrr op, bool is64, unsigned int rd,
				 unsigned int rn, unsigned int rm, unsigned int ra)
{
	jf_arm64_put(code, (rd | rn | rm | ra) < 32,
		     jf_arm64_sf(is64) | (uint32_t)op | rm << 16 | ra << 10 | rn << 5 | rd);
}

/* Rd = bytes of Rn, all reversed, or reversed within each 16 bits. */
#define JF_ARM64_REV_LIST(X)                   \
	X(JF_ARM64_REV16, 0x5ac00400, "rev16") \
	X(JF_ARM64_REV, 0x5ac00800, "rev")
enum jf_arm64_rev { JF_ARM64_REV_LIST(JF_ARM64_VALUE) };

void jf_arm64_rev(struct jf_code *code, enum jf_arm64_rev op, bool is64, unsigned int rd, unsigned int rn);

/* ---- data processing with immediates -------------------------------------------------------- */

/* Rd = Rn op imm; imm = 0..4095, or a multiple of 4096 up to 4095 << 12. Rn 31 is sp, and so is Rd
 * where the flags are not set. Arm ARM, "Add/subtract (immediate)". */
#define JF_ARM64_ADDSUB_LIST(X)               \
	X(JF_ARM64_ADDI, 0x11000000, "add")   \
	X(JF_ARM64_ADDSI, 0x31000000, "adds") \
	X(JF_ARM64_SUBI, 0x51000000, "sub")   \
	X(JF_ARM64_SUBSI, 0x71000000, "subs")
enum jf_arm64_addsub { JF_ARM64_ADDSUB_LIST(JF_ARM64_VALUE) };

static inline bool jf_arm64_fits_addsub(uint64_t imm)
{
	return imm < 4096 || (imm < UINT64_C(1) << 24 && !(imm & 4095));
}

static inline void jf_arm64_addsub(struct jf_code *code, enum jf_arm64_addsub op, bool is64, unsigned int rd,
				   unsigned int rn, uint64_t imm)
{
	uint32_t field = imm < 4096 ? (uint32_t)imm << 10 : 1u << 22 | (uint32_t)(imm >> 12) << 10;

	jf_arm64_put(code, (rd | rn) < 32 && jf_arm64_fits_addsub(imm),
		     jf_arm64_sf(is64) | (uint32_t)op | field | rn << 5 | rd);
}

/* Rd = Rn op imm, for the immediates that jf_arm64_fits_logical() takes. Rd 31 is sp, but for ANDS.
 * Arm ARM, "Logical (immediate)". */
#define JF_ARM64_LOGICAL_LIST(X)            \
	X(JF_ARM64_ANDI, 0x12000000, "and") \
	X(JF_ARM64_ORRI, 0x32000000, "orr") \
	X(JF_ARM64_EORI, 0x52000000, "eor") \
	X(JF_ARM64_ANDSI, 0x72000000, "ands")
enum jf_arm64_logical { JF_ARM64_LOGICAL_LIST(JF_ARM64_VALUE) };

/* Whether imm (its low 32 bits if not is64) is a bitmask immediate. out: *fields, N:immr:imms in place. */
bool jf_arm64_fits_logical(bool is64, uint64_t imm, uint32_t *fields);
static inline void jf_arm64_logical_put(struct jf_code *code, enum jf_arm64_logical op, bool is64, unsigned int rd,
					unsigned int rn, uint32_t fields)
{
	jf_arm64_put(code, (rd | rn) < 32, jf_arm64_sf(is64) | (uint32_t)op | fields | rn << 5 | rd);
}

void jf_arm64_logical(struct jf_code *code, enum jf_arm64_logical op, bool is64, unsigned int rd, unsigned int rn,
		      uint64_t imm);

/* Rd = imm << shift (Z), its complement (N), or Rd with those 16 bits replaced (K). */
#define JF_ARM64_WIDE_LIST(X)                \
	X(JF_ARM64_MOVN, 0x12800000, "movn") \
	X(JF_ARM64_MOVZ, 0x52800000, "movz") \
	X(JF_ARM64_MOVK, 0x72800000, "movk")
enum jf_arm64_wide { JF_ARM64_WIDE_LIST(JF_ARM64_VALUE) };

static inline void jf_arm64_wide(struct jf_code *code, enum jf_arm64_wide op, bool is64, unsigned int rd, uint32_t imm,
				 unsigned int shift)
{
	jf_arm64_put(code, rd < 32 && imm < 65536 && !(shift & 15) && shift < (is64 ? 64u : 32u),
		     jf_arm64_sf(is64) | (uint32_t)op | shift << 17 | imm << 5 | rd);
}

/* Bits of Rn rotated right by immr, up to bit imms, rest zero or sign. Arm ARM, "Bitfield". */
#define JF_ARM64_BITFIELD_LIST(X)            \
	X(JF_ARM64_SBFM, 0x13000000, "sbfm") \
	X(JF_ARM64_UBFM, 0x53000000, "ubfm")
enum jf_arm64_bitfield { JF_ARM64_BITFIELD_LIST(JF_ARM64_VALUE) };

static inline void jf_arm64_bitfield(struct jf_code *code, enum jf_arm64_bitfield op, bool is64, unsigned int rd,
				     unsigned int rn, unsigned int immr, unsigned int imms)
{
	jf_arm64_put(code, (rd | rn) < 32 && (immr | imms) < (is64 ? 64u : 32u),
		     jf_arm64_sf(is64) | (uint32_t)op | (uint32_t)is64 << 22 | immr << 16 | imms << 10 | rn << 5 | rd);
}

/* Shifts by a constant count below the width. */
static inline void jf_arm64_lsl(struct jf_code *code, bool is64, unsigned int rd, unsigned int rn, unsigned int count)
{
	unsigned int top = is64 ? 63 : 31;

	if (count > top)
		jf_code_fail(code, JF_E_RANGE);
	else
		jf_arm64_bitfield(code, JF_ARM64_UBFM, is64, rd, rn, (0u - count) & top, top - count);
}

static inline void jf_arm64_lsr(struct jf_code *code, bool is64, unsigned int rd, unsigned int rn, unsigned int count)
{
	jf_arm64_bitfield(code, JF_ARM64_UBFM, is64, rd, rn, count, is64 ? 63 : 31);
}

static inline void jf_arm64_asr(struct jf_code *code, bool is64, unsigned int rd, unsigned int rn, unsigned int count)
{
	jf_arm64_bitfield(code, JF_ARM64_SBFM, is64, rd, rn, count, is64 ? 63 : 31);
}

/* Rd = the constant, in as few MOVZ, MOVN and MOVK as there are, highest bits first: as Linux does. */
void jf_arm64_mov_wide(struct jf_code *code, unsigned int rd, uint64_t value);
/* The same, or one ORR where that is shorter. */
void jf_arm64_mov_large(struct jf_code *code, unsigned int rd, uint64_t value);
static inline void jf_arm64_mov_const(struct jf_code *code, unsigned int rd, uint64_t value)
{
	if (value < 65536)
		jf_arm64_wide(code, JF_ARM64_MOVZ, false, rd, (uint32_t)value, 0);
	else
		jf_arm64_mov_large(code, rd, value);
}
/* How many instructions jf_arm64_mov_const() takes. */
unsigned int jf_arm64_const_insns(uint64_t value);
/* Rd = Rn + value in one or two instructions, for |value| < 2^24. 31 is sp. Nothing for sp += 0. */
void jf_arm64_add_const(struct jf_code *code, unsigned int rd, unsigned int rn, int64_t value);

/* ---- loads and stores: Arm ARM, "Loads and Stores" ------------------------------------------ */

/*
 * Rt and memory of 1 << shift bytes at Rn + off, or Rn + Rm. LDR zero-extends, LDRS (not for 8 bytes)
 * sign-extends to 64 bits. The enum has the scaled form.
 */
enum jf_arm64_ldst {
	JF_ARM64_STR = 0x39000000,
	JF_ARM64_LDR = 0x39400000,
	JF_ARM64_LDRS = 0x39800000,
};
/* op, shift, name, name of the unscaled form */
#define JF_ARM64_LDST_LIST(X)                  \
	X(JF_ARM64_STR, 0, "strb", "sturb")    \
	X(JF_ARM64_STR, 1, "strh", "sturh")    \
	X(JF_ARM64_STR, 2, "str", "stur")      \
	X(JF_ARM64_STR, 3, "str", "stur")      \
	X(JF_ARM64_LDR, 0, "ldrb", "ldurb")    \
	X(JF_ARM64_LDR, 1, "ldrh", "ldurh")    \
	X(JF_ARM64_LDR, 2, "ldr", "ldur")      \
	X(JF_ARM64_LDR, 3, "ldr", "ldur")      \
	X(JF_ARM64_LDRS, 0, "ldrsb", "ldursb") \
	X(JF_ARM64_LDRS, 1, "ldrsh", "ldursh") \
	X(JF_ARM64_LDRS, 2, "ldrsw", "ldursw")

#define JF_ARM64_LDST_UNSCALED 0x38000000u
#define JF_ARM64_LDST_REG      0x38206800u
#define JF_ARM64_LDST_OP       0x00c00000u

static inline bool jf_arm64_has_ldst(enum jf_arm64_ldst op, unsigned int shift)
{
	return shift < 3 || (shift == 3 && op != JF_ARM64_LDRS);
}

static inline bool jf_arm64_fits_scaled(unsigned int shift, int64_t off)
{
	return !((uint64_t)off & ~(UINT64_C(4095) << shift));
}

static inline bool jf_arm64_fits_unscaled(int64_t off)
{
	return off >= -256 && off < 256;
}

static inline void jf_arm64_ldst_scaled(struct jf_code *code, enum jf_arm64_ldst op, unsigned int shift,
					unsigned int rt, unsigned int rn, int64_t off)
{
	jf_arm64_put(code, (rt | rn) < 32 && jf_arm64_has_ldst(op, shift) && jf_arm64_fits_scaled(shift, off),
		     shift << 30 | (uint32_t)op | ((uint32_t)off >> shift) << 10 | rn << 5 | rt);
}

static inline void jf_arm64_ldst_unscaled(struct jf_code *code, enum jf_arm64_ldst op, unsigned int shift,
					  unsigned int rt, unsigned int rn, int64_t off)
{
	jf_arm64_put(code, (rt | rn) < 32 && jf_arm64_has_ldst(op, shift) && jf_arm64_fits_unscaled(off),
		     shift << 30 | JF_ARM64_LDST_UNSCALED | ((uint32_t)op & JF_ARM64_LDST_OP) |
			     ((uint32_t)off & 0x1ff) << 12 | rn << 5 | rt);
}

static inline void jf_arm64_ldst_reg(struct jf_code *code, enum jf_arm64_ldst op, unsigned int shift, unsigned int rt,
				     unsigned int rn, unsigned int rm)
{
	jf_arm64_put(code, (rt | rn | rm) < 32 && jf_arm64_has_ldst(op, shift),
		     shift << 30 | JF_ARM64_LDST_REG | ((uint32_t)op & JF_ARM64_LDST_OP) | rm << 16 | rn << 5 | rt);
}

/* Two registers of 8 bytes, x or d: [Rn + off]; PRE: [Rn += off]; POST: [Rn], then Rn += off. */
#define JF_ARM64_PAIR_LIST(X)                                 \
	X(JF_ARM64_STP, 0x29000000, "stp", "[%p2, #%i]")      \
	X(JF_ARM64_STP_PRE, 0x29800000, "stp", "[%p2, #%i]!") \
	X(JF_ARM64_LDP, 0x29400000, "ldp", "[%p2, #%i]")      \
	X(JF_ARM64_LDP_POST, 0x28c00000, "ldp", "[%p2], #%i")
enum jf_arm64_pair { JF_ARM64_PAIR_LIST(JF_ARM64_VALUE) };

void jf_arm64_pair(struct jf_code *code, enum jf_arm64_pair op, bool fp, unsigned int rt, unsigned int rt2,
		   unsigned int rn, int64_t off);

/* Exclusive and ordered accesses of 1 << shift bytes. A is acquire, L is release. */
#define JF_ARM64_ORDERED_LIST(X)               \
	X(JF_ARM64_LDXR, 0x085f7c00, "ldxr")   \
	X(JF_ARM64_LDAXR, 0x085ffc00, "ldaxr") \
	X(JF_ARM64_LDAR, 0x08dffc00, "ldar")   \
	X(JF_ARM64_STLR, 0x089ffc00, "stlr")
enum jf_arm64_ordered { JF_ARM64_ORDERED_LIST(JF_ARM64_VALUE) };
#define JF_ARM64_EXCLUSIVE_STORE_LIST(X)     \
	X(JF_ARM64_STXR, 0x08007c00, "stxr") \
	X(JF_ARM64_STLXR, 0x0800fc00, "stlxr")
enum jf_arm64_exclusive_store { JF_ARM64_EXCLUSIVE_STORE_LIST(JF_ARM64_VALUE) };

void jf_arm64_ordered(struct jf_code *code, enum jf_arm64_ordered op, unsigned int shift, unsigned int rt,
		      unsigned int rn);

/* LSE: Rt = the old value (XZR: not wanted), the new one made of it and Rs. CAS: Rs is compared and gets the
 * old value, Rt the new one. */
#define JF_ARM64_ATOMIC_LIST(X)                              \
	X(JF_ARM64_LDADD, 0x38200000, "ldadd")               \
	X(JF_ARM64_LDCLR, 0x38201000, "ldclr") /* and not */ \
	X(JF_ARM64_LDEOR, 0x38202000, "ldeor")               \
	X(JF_ARM64_LDSET, 0x38203000, "ldset")               \
	X(JF_ARM64_LDADDAL, 0x38e00000, "ldaddal")           \
	X(JF_ARM64_LDCLRAL, 0x38e01000, "ldclral")           \
	X(JF_ARM64_LDEORAL, 0x38e02000, "ldeoral")           \
	X(JF_ARM64_LDSETAL, 0x38e03000, "ldsetal")           \
	X(JF_ARM64_SWPAL, 0x38e08000, "swpal")               \
	X(JF_ARM64_CASAL, 0x08e0fc00, "casal")
enum jf_arm64_atomic { JF_ARM64_ATOMIC_LIST(JF_ARM64_VALUE) };

void jf_arm64_atomic_insn(struct jf_code *code, enum jf_arm64_atomic op, unsigned int shift, unsigned int rs,
			  unsigned int rt, unsigned int rn);

/* Ws = 0 when Rt was stored, 1 when the exclusive monitor was lost. Rs differs from Rt and Rn. */
void jf_arm64_store_exclusive(struct jf_code *code, enum jf_arm64_exclusive_store op, unsigned int shift,
			      unsigned int rs, unsigned int rt, unsigned int rn);

/* ---- branches: Arm ARM, "Branches"; off is in bytes from the branch itself ------------------- */

static inline bool jf_arm64_fits_branch(int64_t off, unsigned int bits)
{
	int64_t end = INT64_C(1) << (bits + 1); /* the field is signed and counts words */

	return off >= -end && off < end && !(off & 3);
}

static inline uint32_t jf_arm64_branch_field(int64_t off, unsigned int bits)
{
	return (uint32_t)(off >> 2) & ((1u << bits) - 1);
}

#define JF_ARM64_JUMP_BITS 26 /* +-128 MiB */
#define JF_ARM64_B         0x14000000u
#define JF_ARM64_B_MASK    0xfc000000u
static inline void jf_arm64_b(struct jf_code *code, bool link, int64_t off)
{
	jf_arm64_put(code, jf_arm64_fits_branch(off, JF_ARM64_JUMP_BITS),
		     (uint32_t)link << 31 | JF_ARM64_B | jf_arm64_branch_field(off, JF_ARM64_JUMP_BITS));
}

/* Arm ARM, "Condition code"; xor 1 is the opposite. */
#define JF_ARM64_COND_LIST(X)                     \
	X(JF_ARM64_EQ, 0, "eq")                   \
	X(JF_ARM64_NE, 1, "ne")                   \
	X(JF_ARM64_HS, 2, "hs") /* unsigned >= */ \
	X(JF_ARM64_LO, 3, "lo")                   \
	X(JF_ARM64_MI, 4, "mi")                   \
	X(JF_ARM64_PL, 5, "pl")                   \
	X(JF_ARM64_VS, 6, "vs")                   \
	X(JF_ARM64_VC, 7, "vc")                   \
	X(JF_ARM64_HI, 8, "hi")                   \
	X(JF_ARM64_LS, 9, "ls")                   \
	X(JF_ARM64_GE, 10, "ge") /* signed */     \
	X(JF_ARM64_LT, 11, "lt")                  \
	X(JF_ARM64_GT, 12, "gt")                  \
	X(JF_ARM64_LE, 13, "le")
enum jf_arm64_cond { JF_ARM64_COND_LIST(JF_ARM64_VALUE) };
#define JF_ARM64_COND_BITS 19 /* +-1 MiB, CBZ and CBNZ too */
#define JF_ARM64_TEST_BITS 14 /* +-32 KiB */

/* A conditional branch without its distance: b.cond, cbz, tbz. Each has one bit that turns it round. */
#define JF_ARM64_B_COND          0x54000000u
#define JF_ARM64_B_COND_MASK     0xff000010u
#define JF_ARM64_CBZ             0x34000000u
#define JF_ARM64_CBZ_MASK        0x7e000000u
#define JF_ARM64_TBZ             0x36000000u
#define JF_ARM64_B_COND_OPPOSITE 1u
#define JF_ARM64_ON_NONZERO      (1u << 24)

static inline uint32_t jf_arm64_cbz_word(bool is64, unsigned int rt)
{
	return jf_arm64_sf(is64) | JF_ARM64_CBZ | rt;
}

static inline uint32_t jf_arm64_tbz_word(unsigned int rt, unsigned int bit)
{
	return (bit >> 5) << 31 | JF_ARM64_TBZ | (bit & 31) << 19 | rt;
}

static inline void jf_arm64_branch(struct jf_code *code, uint32_t word, unsigned int bits, int64_t off)
{
	jf_arm64_put(code, jf_arm64_fits_branch(off, bits), word | jf_arm64_branch_field(off, bits) << 5);
}

static inline void jf_arm64_b_cond(struct jf_code *code, enum jf_arm64_cond cond, int64_t off)
{
	if ((unsigned int)cond < 16)
		jf_arm64_branch(code, JF_ARM64_B_COND | (uint32_t)cond, JF_ARM64_COND_BITS, off);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* Branches when Rt is zero, or non-zero. */
static inline void jf_arm64_cbz(struct jf_code *code, bool nonzero, bool is64, unsigned int rt, int64_t off)
{
	uint32_t word = jf_arm64_cbz_word(is64, rt) | (nonzero ? JF_ARM64_ON_NONZERO : 0);

	if (rt < 32)
		jf_arm64_branch(code, word, JF_ARM64_COND_BITS, off);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* Branches when bit `bit` of Rt is zero, or one. */
static inline void jf_arm64_tbz(struct jf_code *code, bool nonzero, unsigned int rt, unsigned int bit, int64_t off)
{
	uint32_t word = jf_arm64_tbz_word(rt, bit) | (nonzero ? JF_ARM64_ON_NONZERO : 0);

	if (rt < 32 && bit < 64)
		jf_arm64_branch(code, word, JF_ARM64_TEST_BITS, off);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* Xd = cond ? Xn : Xm. Arm ARM, "CSEL". */
void jf_arm64_csel(struct jf_code *code, enum jf_arm64_cond cond, unsigned int rd, unsigned int rn, unsigned int rm);

#define JF_ARM64_BRANCH_REG_LIST(X)        \
	X(JF_ARM64_BR, 0x001f0000, "br")   \
	X(JF_ARM64_BLR, 0x003f0000, "blr") \
	X(JF_ARM64_RET, 0x005f0000, "ret")
enum jf_arm64_branch_reg { JF_ARM64_BRANCH_REG_LIST(JF_ARM64_VALUE) };

void jf_arm64_branch_reg(struct jf_code *code, enum jf_arm64_branch_reg op, unsigned int rn);

/* ---- system ---------------------------------------------------------------------------------- */

/* Hints do nothing on processors that do not know them. */
#define JF_ARM64_HINT_LIST(X)                                     \
	X(JF_ARM64_NOP, 0, "nop")                                 \
	X(JF_ARM64_PACIASP, 25, "paciasp") /* sign x30 with sp */ \
	X(JF_ARM64_AUTIASP, 29, "autiasp")                        \
	X(JF_ARM64_BTI_C, 34, "bti c")                            \
	X(JF_ARM64_BTI_J, 36, "bti j")                            \
	X(JF_ARM64_BTI_JC, 38, "bti jc")
enum jf_arm64_hint { JF_ARM64_HINT_LIST(JF_ARM64_VALUE) };

void jf_arm64_hint(struct jf_code *code, enum jf_arm64_hint hint);
void jf_arm64_dmb_ish(struct jf_code *code);
/* A breakpoint exception, with a 16-bit number for whoever handles it. */
void jf_arm64_brk(struct jf_code *code, unsigned int number);

/* o0:op1:CRn:CRm:op2 */
#define JF_ARM64_SYSREG_LIST(X)                    \
	X(JF_ARM64_TPIDR_EL0, 0x5e82, "TPIDR_EL0") \
	X(JF_ARM64_TPIDR_EL1, 0x4684, "TPIDR_EL1")
enum jf_arm64_sysreg { JF_ARM64_SYSREG_LIST(JF_ARM64_VALUE) };

void jf_arm64_mrs(struct jf_code *code, unsigned int rt, enum jf_arm64_sysreg reg);

/* What private stacks and per-CPU addresses count from. */
static inline enum jf_arm64_sysreg jf_arm64_base_register(const struct jf_convention *conv)
{
	return conv->backend_flags & JF_ARM64_KERNEL ? JF_ARM64_TPIDR_EL1 : JF_ARM64_TPIDR_EL0;
}

/* Rd = (address of the instruction & ~4095) + pages * 4096. */
static inline bool jf_arm64_fits_adrp(int64_t pages)
{
	return pages >= -(INT64_C(1) << 20) && pages < INT64_C(1) << 20;
}

void jf_arm64_adrp(struct jf_code *code, unsigned int rd, int64_t pages);

#endif
