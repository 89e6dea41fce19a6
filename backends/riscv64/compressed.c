/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * Each 16-bit instruction stands for one of 32 bits: every bit that is not fixed goes to one or more places of the
 * longer word. Source: The RISC-V Instruction Set Manual, Volume I, extension C. The table serves both ways.
 */
struct move {
	uint8_t from, to; /* bits [from, from + bits) of the short word are bits [to, to + bits) of the long one */
	uint8_t bits;
	bool is_sign; /* bit `from` of the short word is all of the bits in the long one */
};

#define MOVES_MAX 12

struct compressed {
	const char *name;
	uint16_t mask, value; /* what is fixed in the short word */
	uint32_t word_mask, word;
	/* A field of the short word. All zeros: this is another instruction, or none; a hint, which nobody chooses. */
	uint16_t not_zero, hint;
	struct move moves[MOVES_MAX];
};

/* Fields: (M for moves, S for signs). Registers 8 to 15 have three bits; the fourth is part of the fixed long word. */
#define NOTHING(M, S)
#define RD(M, S)           M(7, 7, 5)
#define RS1(M, S)          M(7, 15, 5)
#define RD_RS1(M, S)       M(7, 7, 5) M(7, 15, 5)
#define RS2(M, S)          M(2, 20, 5)
#define RD_FROM_RS2(M, S)  RD(M, S) RS2(M, S)
#define UPDATE(M, S)       RD_RS1(M, S) RS2(M, S)
#define SHORT_RD(M, S)     M(2, 7, 3)
#define SHORT_RS1(M, S)    M(7, 15, 3)
#define SHORT_BOTH(M, S)   M(7, 7, 3) M(7, 15, 3)
#define SHORT_LOAD(M, S)   M(2, 7, 3) M(7, 15, 3)
#define SHORT_STORE(M, S)  M(2, 20, 3) M(7, 15, 3)
#define SHORT_UPDATE(M, S) SHORT_BOTH(M, S) M(2, 20, 3)
#define RD8                (8u << 7)
#define RS1_8              (8u << 15)
#define RS2_8              (8u << 20)
#define FROM_SP            (2u << 15)

/* Constants of six bits and a sign, shift counts, and the scattered ones, each of which has one instruction or two. */
#define SIX(M, S)        M(2, 20, 5) S(12, 25, 7)
#define SHAMT(M, S)      M(2, 20, 5) M(12, 25, 1)
#define UPPER(M, S)      M(2, 12, 5) S(12, 17, 15)
#define SP_BY_16(M, S)   M(6, 24, 1) M(5, 26, 1) M(3, 27, 2) M(2, 25, 1) S(12, 29, 3)
#define SP_BY_4(M, S)    M(11, 24, 2) M(7, 26, 4) M(6, 22, 1) M(5, 23, 1)
#define LOAD_4(M, S)     M(10, 23, 3) M(6, 22, 1) M(5, 26, 1)
#define LOAD_8(M, S)     M(10, 23, 3) M(5, 26, 2)
#define STORE_4(M, S)    M(10, 10, 2) M(12, 25, 1) M(6, 9, 1) M(5, 26, 1)
#define STORE_8(M, S)    M(10, 10, 2) M(12, 25, 1) M(5, 26, 2)
#define LOAD_SP_4(M, S)  M(12, 25, 1) M(4, 22, 3) M(2, 26, 2)
#define LOAD_SP_8(M, S)  M(12, 25, 1) M(5, 23, 2) M(2, 26, 3)
#define STORE_SP_4(M, S) M(9, 9, 3) M(12, 25, 1) M(7, 26, 2)
#define STORE_SP_8(M, S) M(10, 10, 2) M(12, 25, 1) M(7, 26, 3)
#define JUMP(M, S)   \
	M(11, 24, 1) \
	M(9, 28, 2) M(8, 30, 1) M(7, 26, 1) M(6, 27, 1) M(3, 21, 3) M(2, 25, 1) M(12, 20, 1) S(12, 12, 8) M(12, 31, 1)
#define BRANCH(M, S) M(10, 10, 2) M(3, 8, 2) M(2, 25, 1) M(5, 26, 2) S(12, 28, 4) M(12, 7, 1)

/* Fields of the short word that must not be all zeros; of any row, of none. */
#define Z_NONE 0xffff
#define NEVER  0x0000
#define Z_RD   0x0f80
#define Z_RS2  0x007c
#define Z_SIX  0x107c
#define Z_SP_4 0x1fe0

#define MOVE(from, to, bits)      {from, to, bits, false},
#define SIGN(from, to, bits)      {from, to, bits, true},
#define MOVE_FROM(from, to, bits) | ((1u << (bits)) - 1) << (from)
#define SIGN_FROM(from, to, bits) | 1u << (from)
#define TO(from, to, bits)        | ((1u << (bits)) - 1) << (to)
/* clang-format off */
#define ROW(name, value, word, regs, imm, not_zero, hint)                                                              \
	{name, (uint16_t)~(0u regs(MOVE_FROM, SIGN_FROM) imm(MOVE_FROM, SIGN_FROM)), value,                            \
	 ~(0u regs(TO, TO) imm(TO, TO)), word, not_zero, hint, {regs(MOVE, SIGN) imm(MOVE, SIGN) {0, 0, 0, false}}},

/* By the opcode of the long word. Where two rows have the same words, the one that is meant stands first. */
static const struct compressed loads[] = {
	ROW("c.lw", 0x4000, 0x00002003 | RD8 | RS1_8, SHORT_LOAD, LOAD_4, Z_NONE, Z_NONE)
	ROW("c.ld", 0x6000, 0x00003003 | RD8 | RS1_8, SHORT_LOAD, LOAD_8, Z_NONE, Z_NONE)
	ROW("c.lwsp", 0x4002, 0x00002003 | FROM_SP, RD, LOAD_SP_4, Z_RD, Z_NONE)
	ROW("c.ldsp", 0x6002, 0x00003003 | FROM_SP, RD, LOAD_SP_8, Z_RD, Z_NONE)
};
static const struct compressed fp_loads[] = {
	ROW("c.fld", 0x2000, 0x00003007 | RD8 | RS1_8, SHORT_LOAD, LOAD_8, Z_NONE, Z_NONE)
	ROW("c.fldsp", 0x2002, 0x00003007 | FROM_SP, RD, LOAD_SP_8, Z_NONE, Z_NONE)
};
static const struct compressed with_constant[] = {
	ROW("c.addi4spn", 0x0000, 0x00000013 | RD8 | FROM_SP, SHORT_RD, SP_BY_4, Z_SP_4, Z_NONE)
	ROW("c.nop", 0x0001, 0x00000013, NOTHING, NOTHING, Z_NONE, Z_NONE)
	ROW("c.nop", 0x0001, 0x00000013, NOTHING, SIX, Z_NONE, NEVER)
	ROW("c.addi", 0x0001, 0x00000013, RD_RS1, SIX, Z_RD, Z_SIX)
	ROW("c.li", 0x4001, 0x00000013, RD, SIX, Z_NONE, Z_RD)
	ROW("c.addi16sp", 0x6101, 0x00000113 | FROM_SP, NOTHING, SP_BY_16, Z_SIX, Z_NONE)
	ROW("c.srli", 0x8001, 0x00005013 | RD8 | RS1_8, SHORT_BOTH, SHAMT, Z_NONE, Z_SIX)
	ROW("c.srai", 0x8401, 0x40005013 | RD8 | RS1_8, SHORT_BOTH, SHAMT, Z_NONE, Z_SIX)
	ROW("c.andi", 0x8801, 0x00007013 | RD8 | RS1_8, SHORT_BOTH, SIX, Z_NONE, Z_NONE)
	ROW("c.slli", 0x0002, 0x00001013, NOTHING, SHAMT, Z_NONE, NEVER)
	ROW("c.slli", 0x0002, 0x00001013, RD_RS1, SHAMT, Z_RD, Z_SIX)
};
static const struct compressed word_with_constant[] = {
	ROW("c.addiw", 0x2001, 0x0000001b, RD_RS1, SIX, Z_RD, Z_NONE)
};
static const struct compressed stores[] = {
	ROW("c.sw", 0xc000, 0x00002023 | RS2_8 | RS1_8, SHORT_STORE, STORE_4, Z_NONE, Z_NONE)
	ROW("c.sd", 0xe000, 0x00003023 | RS2_8 | RS1_8, SHORT_STORE, STORE_8, Z_NONE, Z_NONE)
	ROW("c.swsp", 0xc002, 0x00002023 | FROM_SP, RS2, STORE_SP_4, Z_NONE, Z_NONE)
	ROW("c.sdsp", 0xe002, 0x00003023 | FROM_SP, RS2, STORE_SP_8, Z_NONE, Z_NONE)
};
static const struct compressed fp_stores[] = {
	ROW("c.fsd", 0xa000, 0x00003027 | RS2_8 | RS1_8, SHORT_STORE, STORE_8, Z_NONE, Z_NONE)
	ROW("c.fsdsp", 0xa002, 0x00003027 | FROM_SP, RS2, STORE_SP_8, Z_NONE, Z_NONE)
};
static const struct compressed of_registers[] = {
	ROW("c.sub", 0x8c01, 0x40000033 | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
	ROW("c.xor", 0x8c21, 0x00004033 | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
	ROW("c.or", 0x8c41, 0x00006033 | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
	ROW("c.and", 0x8c61, 0x00007033 | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
	ROW("c.mv", 0x8002, 0x00000033, RD_FROM_RS2, NOTHING, Z_RS2, Z_RD)
	ROW("c.add", 0x9002, 0x00000033, UPDATE, NOTHING, Z_RS2, Z_RD)
};
static const struct compressed upper[] = {
	ROW("c.lui", 0x6001, 0x00000037, RD, UPPER, Z_SIX, Z_RD)
};
static const struct compressed word_of_registers[] = {
	ROW("c.subw", 0x9c01, 0x4000003b | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
	ROW("c.addw", 0x9c21, 0x0000003b | RD8 | RS1_8 | RS2_8, SHORT_UPDATE, NOTHING, Z_NONE, Z_NONE)
};
static const struct compressed branches[] = {
	ROW("c.beqz", 0xc001, 0x00000063 | RS1_8, SHORT_RS1, BRANCH, Z_NONE, Z_NONE)
	ROW("c.bnez", 0xe001, 0x00001063 | RS1_8, SHORT_RS1, BRANCH, Z_NONE, Z_NONE)
};
static const struct compressed jumps_to_register[] = {
	ROW("c.jr", 0x8002, 0x00000067, RS1, NOTHING, Z_RD, Z_NONE)
	ROW("c.jalr", 0x9002, 0x000000e7, RS1, NOTHING, Z_RD, Z_NONE)
};
static const struct compressed jumps[] = {
	ROW("c.j", 0xa001, 0x0000006f, NOTHING, JUMP, Z_NONE, Z_NONE)
};
static const struct compressed system_rows[] = {
	ROW("c.ebreak", 0x9002, 0x00100073, NOTHING, NOTHING, Z_NONE, Z_NONE)
};
/* clang-format on */

#define ROWS(opcode, rows) [(opcode) >> 2] = {rows, sizeof(rows) / sizeof((rows)[0])}

static const struct {
	const struct compressed *rows;
	size_t count;
} table[32] = {
	ROWS(0x03, loads),
	ROWS(0x07, fp_loads),
	ROWS(0x13, with_constant),
	ROWS(0x1b, word_with_constant),
	ROWS(0x23, stores),
	ROWS(0x27, fp_stores),
	ROWS(0x33, of_registers),
	ROWS(0x37, upper),
	ROWS(0x3b, word_of_registers),
	ROWS(0x63, branches),
	ROWS(0x67, jumps_to_register),
	ROWS(0x6f, jumps),
	ROWS(0x73, system_rows),
};

static uint32_t expand(const struct compressed *row, uint16_t compressed)
{
	uint32_t word = row->word;

	for (const struct move *m = row->moves; m->bits; m++) {
		uint32_t ones = (1u << m->bits) - 1, field = (uint32_t)compressed >> m->from;

		word |= (m->is_sign ? (field & 1) * ones : field & ones) << m->to;
	}
	return word;
}

uint32_t jf_riscv64_expand(uint16_t compressed, const char **name)
{
	for (size_t opcode = 0; opcode < sizeof(table) / sizeof(table[0]); opcode++) {
		for (size_t i = 0; i < table[opcode].count; i++) {
			const struct compressed *row = &table[opcode].rows[i];

			if ((compressed & row->mask) == row->value && compressed & row->not_zero) {
				*name = row->name;
				return expand(row, compressed);
			}
		}
	}
	return 0;
}

/* Fields that two places of the long word share have to agree: expanding again tells. */
static uint16_t compress(uint32_t word)
{
	const struct compressed *rows = table[word >> 2 & 31].rows;
	size_t count = table[word >> 2 & 31].count;

	for (size_t i = 0; i < count; i++) {
		const struct compressed *row = &rows[i];
		uint16_t compressed = row->value;

		if ((word & row->word_mask) != row->word)
			continue;
		for (const struct move *m = row->moves; m->bits; m++)
			compressed |= (uint16_t)((word >> m->to & ((1u << (m->is_sign ? 1 : m->bits)) - 1)) << m->from);
		if (compressed & row->not_zero && compressed & row->hint && expand(row, compressed) == word)
			return compressed;
	}
	return 0;
}

/* The same with its sources the other way round; an instruction of its own for those whose order does not matter. */
static uint32_t swapped(uint32_t word)
{
	uint32_t sources = word & (31u << 20 | 31u << 15), op = word & ~(sources | 31u << 7);

	if (op != RV_ADD && op != RV_ADDW && op != RV_AND && op != RV_OR && op != RV_XOR)
		return word;
	return (word & ~sources) | (sources >> 5 & 31u << 15) | (sources << 5 & 31u << 20);
}

uint16_t jf_riscv64_compress(uint32_t word)
{
	uint32_t rd = word & 31u << 7, rs1 = word & 31u << 15;
	uint16_t compressed;

	/* There, a move is an addition to the zero register, and a constant has one form; lui of sp is another. */
	if ((word & ~(rd | rs1)) == RV_ADDI && rd && rs1)
		word = RV_ADD | rd | rs1;
	if ((word & 0xff07f) == RV_ADDIW && rd)
		word ^= (uint32_t)RV_ADDIW ^ RV_ADDI;
	if ((word & 0xfff) == (RV_LUI | rv_rd(RV_SP)))
		return 0;
	compressed = compress(word);
	return compressed || swapped(word) == word ? compressed : compress(swapped(word));
}
