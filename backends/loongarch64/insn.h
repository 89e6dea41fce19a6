/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *             31                                                       0
 *     2R      |           opcode 22             |   rj 5   |    rd 5    |
 *     3R      |      opcode 17      |   rk 5    |   rj 5   |    rd 5    |
 *     2RI5/6  |    opcode 17/16     |  imm 5/6  |   rj 5   |    rd 5    |
 *     2RI12   | opcode 10 |       imm 12        |   rj 5   |    rd 5    |
 *     2RI14   | opcode 8 |        imm 14        |   rj 5   |    rd 5    |
 *     2RI16   | opcode 6 |        imm 16        |   rj 5   |    rd 5    |
 *     field   |  opcode 10  |  msb 6  |  lsb 6  |   rj 5   |    rd 5    |
 *     1RI20   | opcode 7 |          imm 20                 |    rd 5    |
 *     1RI21   | opcode 6 |      imm[15:0]       |   rj 5   | imm[20:16] |
 *     I26     | opcode 6 |      imm[15:0]       |      imm[25:16]       |
 *
 * LoongArch Reference Manual, Volume 1: formats in section 1.2, integer instructions in section 2.2, fld
 * and fst in 3.2, opcodes in appendix B.
 *
 * One list per format holds what there is of it; each format has one encoder. Operands stand in the
 * order of the assembler. Registers are given by id, which for integer registers is the hardware
 * number; distances are in bytes. What does not fit its field fails the code with JF_E_RANGE.
 */
#ifndef JF_BACKEND_LOONGARCH64_INSN_H
#define JF_BACKEND_LOONGARCH64_INSN_H

#include "loongarch64.h"

/* rd, rj */
#define LA_2R_LIST(X)                        \
	X(LA_EXT_W_B, 0x00005c00, "ext.w.b") \
	X(LA_EXT_W_H, 0x00005800, "ext.w.h") \
	X(LA_REVB_4H, 0x00003400, "revb.4h") \
	X(LA_REVB_2W, 0x00003800, "revb.2w") \
	X(LA_REVB_D, 0x00003c00, "revb.d")

/*
 * rd, rj, rk. The quotient or remainder of a division by zero may be anything, and nothing traps;
 * maskeqz: rd = rk == 0 ? 0 : rj; masknez: rd = rk != 0 ? 0 : rj.
 */
#define LA_3R_LIST(X)                        \
	X(LA_ADD_W, 0x00100000, "add.w")     \
	X(LA_ADD_D, 0x00108000, "add.d")     \
	X(LA_SUB_W, 0x00110000, "sub.w")     \
	X(LA_SUB_D, 0x00118000, "sub.d")     \
	X(LA_MASKEQZ, 0x00130000, "maskeqz") \
	X(LA_MASKNEZ, 0x00138000, "masknez") \
	X(LA_NOR, 0x00140000, "nor")         \
	X(LA_AND, 0x00148000, "and")         \
	X(LA_OR, 0x00150000, "or")           \
	X(LA_XOR, 0x00158000, "xor")         \
	X(LA_SLL_W, 0x00170000, "sll.w")     \
	X(LA_SRL_W, 0x00178000, "srl.w")     \
	X(LA_SRA_W, 0x00180000, "sra.w")     \
	X(LA_SLL_D, 0x00188000, "sll.d")     \
	X(LA_SRL_D, 0x00190000, "srl.d")     \
	X(LA_SRA_D, 0x00198000, "sra.d")     \
	X(LA_MUL_W, 0x001c0000, "mul.w")     \
	X(LA_MUL_D, 0x001d8000, "mul.d")     \
	X(LA_DIV_D, 0x00220000, "div.d")     \
	X(LA_MOD_D, 0x00228000, "mod.d")     \
	X(LA_DIV_DU, 0x00230000, "div.du")   \
	X(LA_MOD_DU, 0x00238000, "mod.du")   \
	X(LA_LDX_B, 0x38000000, "ldx.b")     \
	X(LA_LDX_H, 0x38040000, "ldx.h")     \
	X(LA_LDX_W, 0x38080000, "ldx.w")     \
	X(LA_LDX_D, 0x380c0000, "ldx.d")     \
	X(LA_LDX_BU, 0x38200000, "ldx.bu")   \
	X(LA_LDX_HU, 0x38240000, "ldx.hu")   \
	X(LA_LDX_WU, 0x38280000, "ldx.wu")   \
	X(LA_STX_B, 0x38100000, "stx.b")     \
	X(LA_STX_H, 0x38140000, "stx.h")     \
	X(LA_STX_W, 0x38180000, "stx.w")     \
	X(LA_STX_D, 0x381c0000, "stx.d")

/* rd, rj, count: 0..31 */
#define LA_2RI5_LIST(X)                    \
	X(LA_SLLI_W, 0x00408000, "slli.w") \
	X(LA_SRAI_W, 0x00488000, "srai.w")

/* rd, rj, count: 0..63 */
#define LA_2RI6_LIST(X)                    \
	X(LA_SLLI_D, 0x00410000, "slli.d") \
	X(LA_SRLI_D, 0x00450000, "srli.d") \
	X(LA_SRAI_D, 0x00490000, "srai.d")

/* rd, rj, imm: -2048..2047 */
#define LA_2RI12_LIST(X)                     \
	X(LA_SLTUI, 0x02400000, "sltui")     \
	X(LA_ADDI_W, 0x02800000, "addi.w")   \
	X(LA_ADDI_D, 0x02c00000, "addi.d")   \
	X(LA_LU52I_D, 0x03000000, "lu52i.d") \
	X(LA_LD_B, 0x28000000, "ld.b")       \
	X(LA_LD_H, 0x28400000, "ld.h")       \
	X(LA_LD_W, 0x28800000, "ld.w")       \
	X(LA_LD_D, 0x28c00000, "ld.d")       \
	X(LA_LD_BU, 0x2a000000, "ld.bu")     \
	X(LA_LD_HU, 0x2a400000, "ld.hu")     \
	X(LA_LD_WU, 0x2a800000, "ld.wu")     \
	X(LA_ST_B, 0x29000000, "st.b")       \
	X(LA_ST_H, 0x29400000, "st.h")       \
	X(LA_ST_W, 0x29800000, "st.w")       \
	X(LA_ST_D, 0x29c00000, "st.d")

/* rd, rj, imm: 0..4095 */
#define LA_2RU12_LIST(X)               \
	X(LA_ANDI, 0x03400000, "andi") \
	X(LA_ORI, 0x03800000, "ori")   \
	X(LA_XORI, 0x03c00000, "xori")

/* fd, rj, off: -2048..2047 */
#define LA_F12_LIST(X)                   \
	X(LA_FLD_D, 0x2b800000, "fld.d") \
	X(LA_FST_D, 0x2bc00000, "fst.d")

/* rd, rj, off: a multiple of 4, -32768..32764 */
#define LA_2RI14_LIST(X)                     \
	X(LA_LL_W, 0x20000000, "ll.w")       \
	X(LA_SC_W, 0x21000000, "sc.w")       \
	X(LA_LL_D, 0x22000000, "ll.d")       \
	X(LA_SC_D, 0x23000000, "sc.d")       \
	X(LA_LDPTR_W, 0x24000000, "ldptr.w") \
	X(LA_STPTR_W, 0x25000000, "stptr.w") \
	X(LA_LDPTR_D, 0x26000000, "ldptr.d") \
	X(LA_STPTR_D, 0x27000000, "stptr.d")

/* rd, rj, imm: -32768..32767, counted in units of 65536 */
#define LA_2RI16_LIST(X) X(LA_ADDU16I_D, 0x10000000, "addu16i.d")

/* rd, rj, msb, lsb: 63 >= msb >= lsb; the field of rd, or of rj */
#define LA_FIELD_LIST(X)                         \
	X(LA_BSTRINS_D, 0x00800000, "bstrins.d") \
	X(LA_BSTRPICK_D, 0x00c00000, "bstrpick.d")

/*
 * rd, imm: -524288..524287. lu12i.w: rd = imm << 12; lu32i.d: rd[63:32] = imm; both sign-extend.
 * pcaddu12i: rd = pc + (imm << 12), pcaddu18i: rd = pc + (imm << 18).
 */
#define LA_1RI20_LIST(X)                         \
	X(LA_LU12I_W, 0x14000000, "lu12i.w")     \
	X(LA_LU32I_D, 0x16000000, "lu32i.d")     \
	X(LA_PCADDU12I, 0x1c000000, "pcaddu12i") \
	X(LA_PCADDU18I, 0x1e000000, "pcaddu18i")

/* rj, rd, distance: a multiple of 4, +-128 KiB */
#define LA_BRANCH16_LIST(X)            \
	X(LA_BEQ, 0x58000000, "beq")   \
	X(LA_BNE, 0x5c000000, "bne")   \
	X(LA_BLT, 0x60000000, "blt")   \
	X(LA_BGE, 0x64000000, "bge")   \
	X(LA_BLTU, 0x68000000, "bltu") \
	X(LA_BGEU, 0x6c000000, "bgeu")

/* rj, distance: a multiple of 4, +-4 MiB */
#define LA_BRANCH21_LIST(X)            \
	X(LA_BEQZ, 0x40000000, "beqz") \
	X(LA_BNEZ, 0x44000000, "bnez")

/* distance: a multiple of 4, +-128 MiB */
#define LA_BRANCH26_LIST(X)      \
	X(LA_B, 0x50000000, "b") \
	X(LA_BL, 0x54000000, "bl")

/* rd, rk, rj: rd = *rj, *rj = rd op rk, as one; the _db forms are barriers too */
#define LA_AM_LIST(X)                                \
	X(LA_AMADD_W, 0x38610000, "amadd.w")         \
	X(LA_AMADD_D, 0x38618000, "amadd.d")         \
	X(LA_AMAND_W, 0x38620000, "amand.w")         \
	X(LA_AMAND_D, 0x38628000, "amand.d")         \
	X(LA_AMOR_W, 0x38630000, "amor.w")           \
	X(LA_AMOR_D, 0x38638000, "amor.d")           \
	X(LA_AMXOR_W, 0x38640000, "amxor.w")         \
	X(LA_AMXOR_D, 0x38648000, "amxor.d")         \
	X(LA_AMSWAP_DB_W, 0x38690000, "amswap_db.w") \
	X(LA_AMSWAP_DB_D, 0x38698000, "amswap_db.d") \
	X(LA_AMADD_DB_W, 0x386a0000, "amadd_db.w")   \
	X(LA_AMADD_DB_D, 0x386a8000, "amadd_db.d")   \
	X(LA_AMAND_DB_W, 0x386b0000, "amand_db.w")   \
	X(LA_AMAND_DB_D, 0x386b8000, "amand_db.d")   \
	X(LA_AMOR_DB_W, 0x386c0000, "amor_db.w")     \
	X(LA_AMOR_DB_D, 0x386c8000, "amor_db.d")     \
	X(LA_AMXOR_DB_W, 0x386d0000, "amxor_db.w")   \
	X(LA_AMXOR_DB_D, 0x386d8000, "amxor_db.d")

#define LA_OPCODE(name, opcode, text) name = opcode,
enum la_2r { LA_2R_LIST(LA_OPCODE) };
enum la_3r { LA_3R_LIST(LA_OPCODE) };
enum la_2ri5 { LA_2RI5_LIST(LA_OPCODE) };
enum la_2ri6 { LA_2RI6_LIST(LA_OPCODE) };
enum la_2ri12 { LA_2RI12_LIST(LA_OPCODE) };
enum la_2ru12 { LA_2RU12_LIST(LA_OPCODE) };
enum la_f12 { LA_F12_LIST(LA_OPCODE) };
enum la_2ri14 { LA_2RI14_LIST(LA_OPCODE) };
enum la_2ri16 { LA_2RI16_LIST(LA_OPCODE) };
enum la_field { LA_FIELD_LIST(LA_OPCODE) };
enum la_1ri20 { LA_1RI20_LIST(LA_OPCODE) };
enum la_branch16 { LA_BRANCH16_LIST(LA_OPCODE) };
enum la_branch21 { LA_BRANCH21_LIST(LA_OPCODE) };
enum la_branch26 { LA_BRANCH26_LIST(LA_OPCODE) };
enum la_am { LA_AM_LIST(LA_OPCODE) };
#undef LA_OPCODE

static inline bool la_fits(int64_t value, unsigned int bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

static inline bool la_fits_distance(int64_t bytes, unsigned int bits)
{
	return la_fits(bytes, bits + 2) && (bytes & 3) == 0;
}

static inline void la_put(struct jf_code *code, bool valid, uint32_t word)
{
	if (valid)
		jf_code_put32(code, word);
	else
		jf_code_fail(code, JF_E_RANGE);
}

static inline void emit_2r(struct jf_code *code, enum la_2r op, unsigned int rd, unsigned int rj)
{
	la_put(code, (rd | rj) < 32, (uint32_t)op | rj << 5 | rd);
}

static inline void emit_3r(struct jf_code *code, enum la_3r op, unsigned int rd, unsigned int rj, unsigned int rk)
{
	la_put(code, (rd | rj | rk) < 32, (uint32_t)op | rk << 10 | rj << 5 | rd);
}

static inline void emit_2ri5(struct jf_code *code, enum la_2ri5 op, unsigned int rd, unsigned int rj, int64_t count)
{
	la_put(code, (rd | rj) < 32 && count >= 0 && count < 32, (uint32_t)op | (uint32_t)count << 10 | rj << 5 | rd);
}

static inline void emit_2ri6(struct jf_code *code, enum la_2ri6 op, unsigned int rd, unsigned int rj, int64_t count)
{
	la_put(code, (rd | rj) < 32 && count >= 0 && count < 64, (uint32_t)op | (uint32_t)count << 10 | rj << 5 | rd);
}

static inline void emit_2ri12(struct jf_code *code, enum la_2ri12 op, unsigned int rd, unsigned int rj, int64_t imm)
{
	la_put(code, (rd | rj) < 32 && la_fits(imm, 12), (uint32_t)op | ((uint32_t)imm & 0xfff) << 10 | rj << 5 | rd);
}

static inline void emit_2ru12(struct jf_code *code, enum la_2ru12 op, unsigned int rd, unsigned int rj, int64_t imm)
{
	la_put(code, (rd | rj) < 32 && imm >= 0 && imm < 4096, (uint32_t)op | (uint32_t)imm << 10 | rj << 5 | rd);
}

static inline void emit_f12(struct jf_code *code, enum la_f12 op, unsigned int fd, unsigned int rj, int64_t off)
{
	unsigned int hw = fd - LA_F0;

	la_put(code, (hw | rj) < 32 && la_fits(off, 12), (uint32_t)op | ((uint32_t)off & 0xfff) << 10 | rj << 5 | hw);
}

static inline void emit_2ri14(struct jf_code *code, enum la_2ri14 op, unsigned int rd, unsigned int rj, int64_t off)
{
	la_put(code, (rd | rj) < 32 && la_fits_distance(off, 14),
	       (uint32_t)op | ((uint32_t)off >> 2 & 0x3fff) << 10 | rj << 5 | rd);
}

static inline void emit_2ri16(struct jf_code *code, enum la_2ri16 op, unsigned int rd, unsigned int rj, int64_t imm)
{
	la_put(code, (rd | rj) < 32 && la_fits(imm, 16), (uint32_t)op | ((uint32_t)imm & 0xffff) << 10 | rj << 5 | rd);
}

static inline void emit_field(struct jf_code *code, enum la_field op, unsigned int rd, unsigned int rj,
			      unsigned int msb, unsigned int lsb)
{
	la_put(code, (rd | rj) < 32 && msb < 64 && lsb <= msb, (uint32_t)op | msb << 16 | lsb << 10 | rj << 5 | rd);
}

static inline void emit_1ri20(struct jf_code *code, enum la_1ri20 op, unsigned int rd, int64_t imm)
{
	la_put(code, rd < 32 && la_fits(imm, 20), (uint32_t)op | ((uint32_t)imm & 0xfffff) << 5 | rd);
}

/* Jumps by `distance` from this instruction when rj and rd compare so. */
static inline void emit_branch16(struct jf_code *code, enum la_branch16 op, unsigned int rj, unsigned int rd,
				 int64_t distance)
{
	la_put(code, (rd | rj) < 32 && la_fits_distance(distance, 16),
	       (uint32_t)op | ((uint32_t)distance >> 2 & 0xffff) << 10 | rj << 5 | rd);
}

static inline void emit_branch21(struct jf_code *code, enum la_branch21 op, unsigned int rj, int64_t distance)
{
	uint32_t words = (uint32_t)distance >> 2;

	la_put(code, rj < 32 && la_fits_distance(distance, 21),
	       (uint32_t)op | (words & 0xffff) << 10 | rj << 5 | (words >> 16 & 0x1f));
}

static inline void emit_branch26(struct jf_code *code, enum la_branch26 op, int64_t distance)
{
	uint32_t words = (uint32_t)distance >> 2;

	la_put(code, la_fits_distance(distance, 26), (uint32_t)op | (words & 0xffff) << 10 | (words >> 16 & 0x3ff));
}

/* rd = pc + 4, pc = rj + off; off as the distance of a branch16 */
static inline void emit_jirl(struct jf_code *code, unsigned int rd, unsigned int rj, int64_t off)
{
	la_put(code, (rd | rj) < 32 && la_fits_distance(off, 16),
	       0x4c000000 | ((uint32_t)off >> 2 & 0xffff) << 10 | rj << 5 | rd);
}

/* rd = (rj << shift) + rk, shift 1..4 */
static inline void emit_alsl_d(struct jf_code *code, unsigned int rd, unsigned int rj, unsigned int rk,
			       unsigned int shift)
{
	la_put(code, (rd | rj | rk) < 32 && shift - 1 < 4, 0x002c0000 | (shift - 1) << 15 | rk << 10 | rj << 5 | rd);
}

/* With rd = rj the instruction traps, with rd = rk its result may be anything: neither is put down. */
static inline void emit_am(struct jf_code *code, enum la_am op, unsigned int rd, unsigned int rk, unsigned int rj)
{
	la_put(code, (rd | rj | rk) < 32 && (rd == LA_ZERO || (rd != rj && rd != rk)),
	       (uint32_t)op | rk << 10 | rj << 5 | rd);
}

static inline void emit_dbar(struct jf_code *code, unsigned int hint)
{
	la_put(code, hint < 1u << 15, 0x38720000 | hint);
}

/* A breakpoint exception, with a 15-bit number for whoever handles it. */
static inline void emit_break(struct jf_code *code, unsigned int number)
{
	la_put(code, number < 1u << 15, 0x002a0000 | number);
}

static inline void emit_move(struct jf_code *code, unsigned int rd, unsigned int rj)
{
	emit_3r(code, LA_OR, rd, rj, LA_ZERO);
}

static inline void emit_nop(struct jf_code *code)
{
	emit_2ru12(code, LA_ANDI, LA_ZERO, LA_ZERO, 0);
}

/* rd = low 32 bits of rj, zero-extended */
static inline void emit_zext32(struct jf_code *code, unsigned int rd, unsigned int rj)
{
	emit_field(code, LA_BSTRPICK_D, rd, rj, 31, 0);
}

/* rd = low 32 bits of rj, sign-extended */
static inline void emit_sext32(struct jf_code *code, unsigned int rd, unsigned int rj)
{
	emit_2ri12(code, LA_ADDI_W, rd, rj, 0);
}

/* rd = value, in one to four instructions; how many depends on the value alone. */
void jf_loongarch64_li(struct jf_code *code, unsigned int rd, uint64_t value);

/* rd = rj + imm. temp, which is not rj, is written when imm takes more than two instructions. */
void jf_loongarch64_add_imm(struct jf_code *code, unsigned int rd, unsigned int rj, int64_t imm, unsigned int temp);

#endif
