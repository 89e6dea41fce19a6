/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct arch_convention conventions[] = {
	{"linux", "s7 s8 fs0 fs1 fs2 fs3 fs4 fs5 fs6 fs7 ", RULE(3), 0},
	{"linux-v2", "s7 s8 fs0 fs1 fs2 fs3 fs4 fs5 fs6 fs7 ", RULE(3), 0},
	{"user", "", 0, 0},
};

static const struct exec_target exec_targets[] = {
	{"loongarch64_linux", "loongarch64/linux", 32, 528, false, false, EMITS_PER_CPU, 10},
	{"loongarch64_linux_v2", "loongarch64/linux-v2", 32, 528, false, false, EMITS_PER_CPU, 10},
	{"loongarch64_user", "loongarch64/user", 64, 32752, false, false, RUNS_ALL, 0},
};

/* ---- instructions -------------------------------------------------------------------------------------------- */

/* opcode | si12 << 10 | rj << 5 | rd */

static bool insn(struct assembler *as, uint32_t opcode, uint8_t rd, uint8_t rj, int32_t imm)
{
	if (rd > 31 || rj > 31 || !assembler_fits(imm, -2048, 2047))
		return false;
	return assembler_put_word(as, opcode | ((uint32_t)imm & 0xfff) << 10 | (uint32_t)rj << 5 | rd);
}

static bool memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	return insn(as, store ? 0x29c00000 /* st.d */ : 0x28c00000 /* ld.d */, reg, base, off);
}

static bool add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	return insn(as, 0x02c00000 /* addi.d */, reg, from, imm);
}

static bool call(struct assembler *as, uint8_t reg)
{
	return assembler_put_word(as, 0x4c000001 /* jirl ra */ | (uint32_t)reg << 5);
}

static bool leave(struct assembler *as)
{
	return assembler_put_word(as, 0x4c000020 /* jirl zero, ra, 0 */);
}

/* As linkers wrote it into real libraries: the first entry of a table, others; then a vDSO's trampoline. */
static const uint32_t known_code[] = {
	0x1c00046e, 0x0011bdad, 0x28e1e1cf, 0x02ff51ad, 0x02e1e1cc, 0x004505ad, 0x28c0218c, 0x4c0001e0, /* first */
	0x1c00046f, 0x28e1a1ef, 0x4c0001ed, 0x03400000,                                                 /* entry */
	0x03400000, 0x03822c0b, 0x002b0000,                                                             /* trampoline */
};

/* Changes how all that follows rounds and traps. */
static const char *const dangerous[] = {"movgr2fcsr", NULL};

/* ---- */

const struct arch arch_loongarch64 = {
	.name = "loongarch64",
	.conventions = conventions,
	.convention_count = COUNT(conventions),
	.exec_targets = exec_targets,
	.exec_target_count = COUNT(exec_targets),
	.assembler = {memory, add, call, leave},
	/* 12-, 14- and 16-bit immediates at bit 10, 20-bit ones at 5; rd, rj, rk */
	.imms = {{10, 12, 0, 0}, {10, 14, 0, 2}, {10, 16, 0, 2}, {5, 20, 0, 0}},
	.regs = {{0, 5, 0, 0}, {5, 5, 0, 0}, {10, 5, 0, 0}},
	.nop = {0x00, 0x00, 0x40, 0x03}, /* andi zero, zero, 0 */
	.nop_bytes = 4,
	.known_code = {known_code, COUNT(known_code), "00000000000--ss", 10, "00000000--"},
	.dangerous = dangerous,
	.clang_rows_untrue = true,
	.count_reg = "a6",
	.record_stays = false,
	.count_is_pointer = false,
	.undecided_max = 39,
	.unseen_max = 0,
};
