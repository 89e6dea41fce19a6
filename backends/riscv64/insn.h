/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine instructions: The RISC-V Instruction Set Manual, Volume I, RV64IMAFDC, and the landing pad of Zicfilp. One
 * list per format holds what we emit of it, as X(name, word with all operands 0, the assembler's word); each format has
 * one encoder. Operands stand in the order of the assembler. Registers are given by id, which for integer registers is
 * the hardware number; distances are in bytes. What does not fit its field fails the code with JF_E_RANGE.
 *
 * An instruction is put down in its compressed form where it has one, as assemblers do. Branches, jumps by a distance
 * and what belongs to an auipc always take 4 bytes: what they hold may change after they are put down.
 */
#ifndef JF_BACKEND_RISCV64_INSN_H
#define JF_BACKEND_RISCV64_INSN_H

#include "riscv64.h"

/* rd, rs1, rs2. Division by zero gives all ones, its remainder the dividend, and nothing traps. */
#define RV_R_LIST(X)                     \
	X(RV_ADD, 0x00000033, "add")     \
	X(RV_SUB, 0x40000033, "sub")     \
	X(RV_SLL, 0x00001033, "sll")     \
	X(RV_SLTU, 0x00003033, "sltu")   \
	X(RV_XOR, 0x00004033, "xor")     \
	X(RV_SRL, 0x00005033, "srl")     \
	X(RV_SRA, 0x40005033, "sra")     \
	X(RV_OR, 0x00006033, "or")       \
	X(RV_AND, 0x00007033, "and")     \
	X(RV_MUL, 0x02000033, "mul")     \
	X(RV_DIV, 0x02004033, "div")     \
	X(RV_DIVU, 0x02005033, "divu")   \
	X(RV_REM, 0x02006033, "rem")     \
	X(RV_REMU, 0x02007033, "remu")   \
	X(RV_ADDW, 0x0000003b, "addw")   \
	X(RV_SUBW, 0x4000003b, "subw")   \
	X(RV_SLLW, 0x0000103b, "sllw")   \
	X(RV_SRLW, 0x0000503b, "srlw")   \
	X(RV_SRAW, 0x4000503b, "sraw")   \
	X(RV_MULW, 0x0200003b, "mulw")   \
	X(RV_DIVW, 0x0200403b, "divw")   \
	X(RV_DIVUW, 0x0200503b, "divuw") \
	X(RV_REMW, 0x0200603b, "remw")   \
	X(RV_REMUW, 0x0200703b, "remuw")

/* rd, rs1, imm: -2048..2047 */
#define RV_I_LIST(X)                     \
	X(RV_ADDI, 0x00000013, "addi")   \
	X(RV_SLTIU, 0x00003013, "sltiu") \
	X(RV_XORI, 0x00004013, "xori")   \
	X(RV_ORI, 0x00006013, "ori")     \
	X(RV_ANDI, 0x00007013, "andi")   \
	X(RV_ADDIW, 0x0000001b, "addiw")

/* rd, rs1, count: 0..63; of the .w forms 0..31 */
#define RV_SHIFT_LIST(X)               \
	X(RV_SLLI, 0x00001013, "slli") \
	X(RV_SRLI, 0x00005013, "srli") \
	X(RV_SRAI, 0x40005013, "srai")
#define RV_SHIFTW_LIST(X)                \
	X(RV_SLLIW, 0x0000101b, "slliw") \
	X(RV_SRLIW, 0x0000501b, "srliw") \
	X(RV_SRAIW, 0x4000501b, "sraiw")

/* rd, off(rs1): -2048..2047 */
#define RV_LOAD_LIST(X)              \
	X(RV_LB, 0x00000003, "lb")   \
	X(RV_LH, 0x00001003, "lh")   \
	X(RV_LW, 0x00002003, "lw")   \
	X(RV_LD, 0x00003003, "ld")   \
	X(RV_LBU, 0x00004003, "lbu") \
	X(RV_LHU, 0x00005003, "lhu") \
	X(RV_LWU, 0x00006003, "lwu")

/* rs2, off(rs1): -2048..2047 */
#define RV_STORE_LIST(X)           \
	X(RV_SB, 0x00000023, "sb") \
	X(RV_SH, 0x00001023, "sh") \
	X(RV_SW, 0x00002023, "sw") \
	X(RV_SD, 0x00003023, "sd")

/* rd, imm: -524288..524287. lui: rd = imm << 12, auipc: rd = pc + (imm << 12); both sign-extend. */
#define RV_U_LIST(X)                 \
	X(RV_LUI, 0x00000037, "lui") \
	X(RV_AUIPC, 0x00000017, "auipc")

/* rs1, rs2, distance: a multiple of 2, +-4 KiB */
#define RV_BRANCH_LIST(X)              \
	X(RV_BEQ, 0x00000063, "beq")   \
	X(RV_BNE, 0x00001063, "bne")   \
	X(RV_BLT, 0x00004063, "blt")   \
	X(RV_BGE, 0x00005063, "bge")   \
	X(RV_BLTU, 0x00006063, "bltu") \
	X(RV_BGEU, 0x00007063, "bgeu")

/* rd, rs2, (rs1): rd = *rs1, *rs1 = rd op rs2, as one. The .aqrl forms order all accesses around them. */
#define RV_AMO_LIST(X)                                     \
	X(RV_AMOADD_W, 0x0000202f, "amoadd.w")             \
	X(RV_AMOADD_D, 0x0000302f, "amoadd.d")             \
	X(RV_AMOXOR_W, 0x2000202f, "amoxor.w")             \
	X(RV_AMOXOR_D, 0x2000302f, "amoxor.d")             \
	X(RV_AMOOR_W, 0x4000202f, "amoor.w")               \
	X(RV_AMOOR_D, 0x4000302f, "amoor.d")               \
	X(RV_AMOAND_W, 0x6000202f, "amoand.w")             \
	X(RV_AMOAND_D, 0x6000302f, "amoand.d")             \
	X(RV_AMOADD_W_AQRL, 0x0600202f, "amoadd.w.aqrl")   \
	X(RV_AMOADD_D_AQRL, 0x0600302f, "amoadd.d.aqrl")   \
	X(RV_AMOSWAP_W_AQRL, 0x0e00202f, "amoswap.w.aqrl") \
	X(RV_AMOSWAP_D_AQRL, 0x0e00302f, "amoswap.d.aqrl") \
	X(RV_AMOXOR_W_AQRL, 0x2600202f, "amoxor.w.aqrl")   \
	X(RV_AMOXOR_D_AQRL, 0x2600302f, "amoxor.d.aqrl")   \
	X(RV_AMOOR_W_AQRL, 0x4600202f, "amoor.w.aqrl")     \
	X(RV_AMOOR_D_AQRL, 0x4600302f, "amoor.d.aqrl")     \
	X(RV_AMOAND_W_AQRL, 0x6600202f, "amoand.w.aqrl")   \
	X(RV_AMOAND_D_AQRL, 0x6600302f, "amoand.d.aqrl")   \
	X(RV_SC_W_RL, 0x1a00202f, "sc.w.rl")               \
	X(RV_SC_D_RL, 0x1a00302f, "sc.d.rl")

/* rd, (rs1) */
#define RV_LR_LIST(X)                  \
	X(RV_LR_W, 0x1000202f, "lr.w") \
	X(RV_LR_D, 0x1000302f, "lr.d")

#define RV_OPCODE(name, opcode, text) name = opcode,
enum rv_r { RV_R_LIST(RV_OPCODE) };
enum rv_i { RV_I_LIST(RV_OPCODE) };
enum rv_shift { RV_SHIFT_LIST(RV_OPCODE) };
enum rv_shiftw { RV_SHIFTW_LIST(RV_OPCODE) };
enum rv_load { RV_LOAD_LIST(RV_OPCODE) };
enum rv_store { RV_STORE_LIST(RV_OPCODE) };
enum rv_u { RV_U_LIST(RV_OPCODE) };
enum rv_branch { RV_BRANCH_LIST(RV_OPCODE) };
enum rv_amo { RV_AMO_LIST(RV_OPCODE) };
enum rv_lr { RV_LR_LIST(RV_OPCODE) };
#undef RV_OPCODE
enum { RV_FLD = 0x00003007, RV_FSD = 0x00003027, RV_JAL = 0x0000006f, RV_JALR = 0x00000067 };

/* What a fence orders, before and behind it; and the fence that orders all. */
enum { RV_FENCE_R = 2, RV_FENCE_W = 1, RV_FENCE_RW = 3 };

/* The compressed form of an instruction. returns: 0 when there is none. */
uint16_t jf_riscv64_compress(uint32_t word);
/* The instruction that a compressed one stands for. out: its name. returns: 0 when there is none. */
uint32_t jf_riscv64_expand(uint16_t compressed, const char **name);

static inline bool rv_fits(int64_t value, unsigned int bits)
{
	return value >= -(INT64_C(1) << (bits - 1)) && value < INT64_C(1) << (bits - 1);
}

static inline bool rv_fits_distance(int64_t bytes, unsigned int bits)
{
	return rv_fits(bytes, bits) && (bytes & 1) == 0;
}

/* In 4 bytes, whatever it is. */
static inline void rv_put_word(struct jf_code *code, bool valid, uint32_t word)
{
	if (valid)
		jf_code_put32(code, word);
	else
		jf_code_fail(code, JF_E_RANGE);
}

static inline void rv_put(struct jf_code *code, bool valid, uint32_t word)
{
	uint16_t compressed = jf_riscv64_compress(word);

	if (valid && compressed)
		jf_code_put16(code, compressed);
	else
		rv_put_word(code, valid, word);
}

/* ---- fields of a word ---------------------------------------------------------------------------------- */

static inline uint32_t rv_rd(unsigned int reg)
{
	return reg << 7;
}

static inline uint32_t rv_rs1(unsigned int reg)
{
	return reg << 15;
}

static inline uint32_t rv_rs2(unsigned int reg)
{
	return reg << 20;
}

static inline uint32_t rv_imm_i(int64_t imm)
{
	return ((uint32_t)imm & 0xfff) << 20;
}

static inline uint32_t rv_imm_s(int64_t imm)
{
	return ((uint32_t)imm >> 5 & 0x7f) << 25 | ((uint32_t)imm & 0x1f) << 7;
}

static inline uint32_t rv_imm_u(int64_t imm)
{
	return (uint32_t)imm << 12;
}

static inline uint32_t rv_imm_b(int64_t distance)
{
	uint32_t d = (uint32_t)distance;

	return (d >> 12 & 1) << 31 | (d >> 5 & 0x3f) << 25 | (d >> 1 & 0xf) << 8 | (d >> 11 & 1) << 7;
}

static inline uint32_t rv_imm_j(int64_t distance)
{
	uint32_t d = (uint32_t)distance;

	return (d >> 20 & 1) << 31 | (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 | (d >> 12 & 0xff) << 12;
}

/* ---- encoders ------------------------------------------------------------------------------------------ */

static inline void emit_r(struct jf_code *code, enum rv_r op, unsigned int rd, unsigned int rs1, unsigned int rs2)
{
	rv_put(code, (rd | rs1 | rs2) < 32, (uint32_t)op | rv_rs2(rs2) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_i(struct jf_code *code, enum rv_i op, unsigned int rd, unsigned int rs1, int64_t imm)
{
	rv_put(code, (rd | rs1) < 32 && rv_fits(imm, 12), (uint32_t)op | rv_imm_i(imm) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_shift(struct jf_code *code, enum rv_shift op, unsigned int rd, unsigned int rs1, int64_t count)
{
	rv_put(code, (rd | rs1) < 32 && count >= 0 && count < 64,
	       (uint32_t)op | rv_imm_i(count) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_shiftw(struct jf_code *code, enum rv_shiftw op, unsigned int rd, unsigned int rs1,
			       int64_t count)
{
	rv_put(code, (rd | rs1) < 32 && count >= 0 && count < 32,
	       (uint32_t)op | rv_imm_i(count) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_load(struct jf_code *code, enum rv_load op, unsigned int rd, unsigned int rs1, int64_t off)
{
	rv_put(code, (rd | rs1) < 32 && rv_fits(off, 12), (uint32_t)op | rv_imm_i(off) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_store(struct jf_code *code, enum rv_store op, unsigned int rs2, unsigned int rs1, int64_t off)
{
	rv_put(code, (rs2 | rs1) < 32 && rv_fits(off, 12), (uint32_t)op | rv_imm_s(off) | rv_rs2(rs2) | rv_rs1(rs1));
}

static inline void emit_fld(struct jf_code *code, unsigned int fd, unsigned int rs1, int64_t off)
{
	unsigned int hw = fd - RV_F0;

	rv_put(code, (hw | rs1) < 32 && rv_fits(off, 12), RV_FLD | rv_imm_i(off) | rv_rs1(rs1) | rv_rd(hw));
}

static inline void emit_fsd(struct jf_code *code, unsigned int fs2, unsigned int rs1, int64_t off)
{
	unsigned int hw = fs2 - RV_F0;

	rv_put(code, (hw | rs1) < 32 && rv_fits(off, 12), RV_FSD | rv_imm_s(off) | rv_rs2(hw) | rv_rs1(rs1));
}

static inline void emit_lui(struct jf_code *code, unsigned int rd, int64_t imm)
{
	rv_put(code, rd < 32 && rv_fits(imm, 20), (uint32_t)RV_LUI | rv_imm_u(imm) | rv_rd(rd));
}

/* rd = pc + distance, rounded to what the low part of the next instruction adds. */
static inline void emit_auipc(struct jf_code *code, unsigned int rd, int64_t imm)
{
	rv_put_word(code, rd < 32 && rv_fits(imm, 20), (uint32_t)RV_AUIPC | rv_imm_u(imm) | rv_rd(rd));
}

/* A branch without its distance, as jf_body_branch() takes it. */
static inline uint32_t rv_branch_word(enum rv_branch op, unsigned int rs1, unsigned int rs2)
{
	return (uint32_t)op | rv_rs2(rs2) | rv_rs1(rs1);
}

/* Jumps by `distance` from this instruction when rs1 and rs2 compare so. */
static inline void emit_branch(struct jf_code *code, enum rv_branch op, unsigned int rs1, unsigned int rs2,
			       int64_t distance)
{
	rv_put_word(code, (rs1 | rs2) < 32 && rv_fits_distance(distance, 13),
		    rv_branch_word(op, rs1, rs2) | rv_imm_b(distance));
}

/* Jumps over the `bytes` bytes behind this instruction when rs1 and rs2 compare so. */
static inline void emit_skip(struct jf_code *code, enum rv_branch op, unsigned int rs1, unsigned int rs2,
			     unsigned int bytes)
{
	bool is_short = jf_riscv64_compress(rv_branch_word(op, rs1, rs2) | rv_imm_b(2 + bytes));

	rv_put(code, (rs1 | rs2) < 32, rv_branch_word(op, rs1, rs2) | rv_imm_b((is_short ? 2 : 4) + bytes));
}

/* rd = the address behind this instruction; a multiple of 2, +-1 MiB */
static inline void emit_jal(struct jf_code *code, unsigned int rd, int64_t distance)
{
	rv_put_word(code, rd < 32 && rv_fits_distance(distance, 21), RV_JAL | rv_imm_j(distance) | rv_rd(rd));
}

/* rd = the address behind this instruction, pc = rs1 + off */
static inline void emit_jalr(struct jf_code *code, unsigned int rd, unsigned int rs1, int64_t off)
{
	rv_put(code, (rd | rs1) < 32 && rv_fits(off, 12), RV_JALR | rv_imm_i(off) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_amo(struct jf_code *code, enum rv_amo op, unsigned int rd, unsigned int rs2, unsigned int rs1)
{
	rv_put_word(code, (rd | rs1 | rs2) < 32, (uint32_t)op | rv_rs2(rs2) | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_lr(struct jf_code *code, enum rv_lr op, unsigned int rd, unsigned int rs1)
{
	rv_put_word(code, (rd | rs1) < 32, (uint32_t)op | rv_rs1(rs1) | rv_rd(rd));
}

static inline void emit_fence(struct jf_code *code, unsigned int before, unsigned int behind)
{
	rv_put_word(code, (before | behind) < 16, 0x0000000f | before << 24 | behind << 20);
}

/* A landing pad for any label. To processors without Zicfilp it is a hint. */
static inline void emit_lpad(struct jf_code *code)
{
	emit_auipc(code, RV_ZERO, 0);
}

/* A breakpoint exception. */
static inline void emit_ebreak(struct jf_code *code)
{
	rv_put(code, true, 0x00100073);
}

static inline void emit_move(struct jf_code *code, unsigned int rd, unsigned int rs1)
{
	emit_i(code, RV_ADDI, rd, rs1, 0);
}

/* Shifts up by `count` bits and down again, by `down`: what is left is extended. */
static inline void emit_shifts(struct jf_code *code, enum rv_shift down, unsigned int rd, unsigned int rs1,
			       unsigned int count)
{
	emit_shift(code, RV_SLLI, rd, rs1, count);
	emit_shift(code, down, rd, rd, count);
}

/* rd = low 32 bits of rs1, zero-extended */
static inline void emit_zext32(struct jf_code *code, unsigned int rd, unsigned int rs1)
{
	emit_shifts(code, RV_SRLI, rd, rs1, 32);
}

/* rd = low 32 bits of rs1, sign-extended */
static inline void emit_sext32(struct jf_code *code, unsigned int rd, unsigned int rs1)
{
	emit_i(code, RV_ADDIW, rd, rs1, 0);
}

/* rd = value, in one to eight instructions; how many depends on the value alone. */
void jf_riscv64_li(struct jf_code *code, unsigned int rd, uint64_t value);

/* rd = rs1 + imm. temp, which is not rs1, is written when imm takes more than two instructions. */
void jf_riscv64_add_imm(struct jf_code *code, unsigned int rd, unsigned int rs1, int64_t imm, unsigned int temp);

#endif
