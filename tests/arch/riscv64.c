/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct arch_convention conventions[] = {
	{"linux", "fs0 fs1 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ", RULE(3), 0},
	{"user", "", 0, 0},
};

static const struct exec_target exec_targets[] = {
	{"riscv64_linux", "riscv64/linux", 32, 528, false, false, 0, 12},
	{"riscv64_user", "riscv64/user", 64, 32752, false, false, RUNS_ALL, 0},
	{"riscv64_user_lp", "riscv64/user", 64, 32752, true, false, RUNS_ALL, 0},
};

/* ---- instructions -------------------------------------------------------------------------------------------- */

/* opcode | imm << 20 | rs1 << 15 | rd << 7; of a store the immediate's low five bits stand in the place of rd */

static bool insn(struct assembler *as, uint32_t opcode, uint8_t rd, uint8_t rs1, int32_t imm)
{
	if (rd > 31 || rs1 > 31 || !assembler_fits(imm, -2048, 2047))
		return false;
	return assembler_put_word(as, opcode | (uint32_t)imm << 20 | (uint32_t)rs1 << 15 | (uint32_t)rd << 7);
}

static bool memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	if (!store)
		return insn(as, 0x00003003 /* ld */, reg, base, off);
	if (reg > 31 || !assembler_fits(off, -2048, 2047))
		return false;
	return insn(as, 0x00003023 /* sd */ | (uint32_t)reg << 20, off & 31, base, off & ~31);
}

static bool add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	return insn(as, 0x00000013 /* addi */, reg, from, imm);
}

static bool call(struct assembler *as, uint8_t reg)
{
	return insn(as, 0x00000067 /* jalr */, 1, reg, 0);
}

static bool leave(struct assembler *as)
{
	return insn(as, 0x00000067 /* jalr */, 0, 1, 0);
}

/* As the GNU linker writes them: the first entry of a table, others; then a vDSO's trampoline. */
static const uint32_t known_code[] = {
	0x00002397, 0x41c30333, 0x0003be03, 0xfd430313, 0x00038293, 0x00135313, 0x0082b283, 0x000e0067, /* first */
	0x00002e17, 0x000e3e03, 0x000e0367, 0x00000013,                                                 /* entry */
	0x00000013, 0x08b00893, 0x00000073,                                                             /* trampoline */
};

/* Change how all that follows rounds and traps, and more. */
static const char *const dangerous[] = {"csr", NULL};

/* Of one source: fences, Zbb; square roots, conversions, moves and classes of floating point. */
static const uint32_t rare[] = {
	0x0100000f, 0x8330000f, 0x0000100f, 0x60001013, 0x60101013, 0x60201013, 0x60401013, 0x60501013,
	0x28705013, 0x6b805013, 0x6000101b, 0x6010101b, 0x6020101b, 0x0800403b, 0x58007053, 0xc0007053,
	0xd0007053, 0xc0107053, 0xd0107053, 0xc0207053, 0xd0207053, 0xc0307053, 0xd0307053, 0xe0000053,
	0xe0001053, 0xf0000053, 0x5a007053, 0xc2007053, 0xd2007053, 0xc2107053, 0xd2107053, 0xc2207053,
	0xd2207053, 0xc2307053, 0xd2307053, 0xe2000053, 0xe2001053, 0xf2000053, 0x40107053, 0x42000053,
};

/* ---- */

const struct arch arch_riscv64 = {
	.name = "riscv64",
	.conventions = conventions,
	.convention_count = COUNT(conventions),
	.exec_targets = exec_targets,
	.exec_target_count = COUNT(exec_targets),
	.assembler = {memory, add, call, leave},
	/* 12-bit immediates at bit 20, a store's in two parts, 20-bit ones at 12; rd, rs1, rs2; compressed */
	.imms = {{20, 12, 0, 0}, {7, 5, 0, 0}, {25, 7, 0, 5}, {12, 20, 0, 0}},
	.regs = {{7, 5, 0, 0}, {15, 5, 0, 0}, {20, 5, 0, 0}},
	.nop = {0x01, 0x00}, /* c.nop */
	.nop_bytes = 2,
	.libraries_lack_rows = true,
	.known_code = {known_code, COUNT(known_code), "00000000000--ss", 10, "00000000--"},
	.dangerous = dangerous,
	.rare = rare,
	.rare_count = COUNT(rare),
	.count_reg = "a6",
	.record_stays = false,
	.count_is_pointer = false,
	.count_by_value = true,
	.count_start = JF_TAIL_CALLS_MAX,
	.captures_are_older = true, /* 7.2: the count of tail calls has no slot yet */
	.undecided_max = 83,
	.unseen_max = 0,
};
