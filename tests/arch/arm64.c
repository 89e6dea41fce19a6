/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct arch_convention conventions[] = {
	/* The callback goes on with the x26 that it finds: the address of the tail-call count, if the C code under the
	 * throw has not changed it. */
	{"linux", "d8 d9 d10 d11 d12 d13 d14 d15 ", RULE(3), RULE(15)},
	{"user", "", 0, 0},
};

static const struct exec_target exec_targets[] = {
	{"arm64_linux", "arm64/linux", 64, 528, false, false, RUNS_OUT_ARGS | RUNS_C_OUT_ARGS | EMITS_PER_CPU, 8},
	{"arm64_user", "arm64/user", 64, 32752, false, false, RUNS_ALL, 0},
	{"arm64_linux_signed", "arm64/linux", 64, 528, true, true, RUNS_OUT_ARGS | RUNS_C_OUT_ARGS | EMITS_PER_CPU, 8},
	{"arm64_user_signed", "arm64/user", 64, 32752, true, true, RUNS_ALL, 0},
};

/* ---- instructions -------------------------------------------------------------------------------------------- */

static bool memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	uint32_t regs = (uint32_t)base << 5 | reg;

	if (reg > 30 || base > 31)
		return false;
	if (off % 8 == 0 && assembler_fits(off, 0, 8 * 4095)) /* str, ldr */
		return assembler_put_word(as, (store ? 0xf9000000 : 0xf9400000) | (uint32_t)off / 8 << 10 | regs);
	if (assembler_fits(off, -256, 255)) /* stur, ldur */
		return assembler_put_word(as, (store ? 0xf8000000 : 0xf8400000) | ((uint32_t)off & 0x1ff) << 12 | regs);
	return false;
}

static bool add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	uint32_t regs = (uint32_t)from << 5 | reg;

	if (reg > 31 || from > 31 || !assembler_fits(imm, -4095, 4095))
		return false;
	return assembler_put_word(as, imm < 0 ? 0xd1000000 /* sub */ | (uint32_t)-imm << 10 | regs :
						0x91000000 /* add */ | (uint32_t)imm << 10 | regs);
}

static bool call(struct assembler *as, uint8_t reg)
{
	return assembler_put_word(as, 0xd63f0000 /* blr */ | (uint32_t)reg << 5);
}

static bool leave(struct assembler *as)
{
	return assembler_put_word(as, 0xd65f03c0 /* ret */);
}

/* As linkers wrote it into real libraries: the first entry of a table, others; then a vDSO's trampoline. */
static const uint32_t known_code[] = {
	0xa9bf7bf0, 0xf0000250, 0xf947fe11, 0x913fe210, 0xd61f0220, 0xd503201f, 0xd503201f, 0xd503201f, /* first */
	0x90000270, 0xf9400211, 0x91000210, 0xd61f0220,                                                 /* entry */
	0xd503245f, 0x90000270, 0xf9400611, 0x91002210, 0xd61f0220, /* with a landing pad */
	0xd503201f, 0xd2801168, 0xd4000001,                         /* trampoline */
};

/* System registers, and authentication, which traps on what nobody signed. */
static const char *const dangerous[] = {"msr", "aut", NULL};

/* ---- */

const struct arch arch_arm64 = {
	.name = "arm64",
	.conventions = conventions,
	.convention_count = COUNT(conventions),
	.exec_targets = exec_targets,
	.exec_target_count = COUNT(exec_targets),
	.assembler = {memory, add, call, leave},
	/* 12-bit, scaled 12-bit, pairs' 7-bit, unscaled 9-bit immediates, movz's; Rd or Rt, Rn, Rt2, Rm */
	.imms = {{10, 12, 0, 0}, {10, 12, 0, 3}, {15, 7, 0, 3}, {12, 9, 0, 0}, {5, 16, 0, 0}},
	.regs = {{0, 5, 0, 0}, {5, 5, 0, 0}, {10, 5, 0, 0}, {16, 5, 0, 0}},
	.nop = {0x1f, 0x20, 0x03, 0xd5},
	.nop_bytes = 4,
	.known_code = {known_code, COUNT(known_code), "0pppp---000000000-ss", 4, "----"},
	.dangerous = dangerous,
	.count_reg = "x26",
	.record_stays = true,
	.count_is_pointer = true,
	.undecided_max = 25,
	.unseen_max = 0,
};
