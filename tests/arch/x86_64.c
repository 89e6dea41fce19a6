/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct arch_convention conventions[] = {
	{"linux", "mxcsr fcw ", RULE(3) | RULE(7), 0},
	{"user", "", 0, 0},
};

static const struct exec_target exec_targets[] = {
	{"x86_64_linux", "x86_64/linux", 64, 528, false, false, RUNS_OUT_ARGS | EMITS_PER_CPU, 0},
	{"x86_64_user", "x86_64/user", 64, 32752, false, false, RUNS_ALL, 0},
	{"x86_64_linux_pads", "x86_64/linux", 64, 528, true, false, RUNS_OUT_ARGS | EMITS_PER_CPU, 0},
	{"x86_64_user_pads", "x86_64/user", 64, 32752, true, false, RUNS_ALL, 0},
};

/* ---- instructions -------------------------------------------------------------------------------------------- */

/* REX.W opcode ModRM [SIB] displacement */

static bool insn(struct assembler *as, uint8_t opcode, uint8_t reg, uint8_t base, int32_t off)
{
	bool near = assembler_fits(off, -128, 127);
	uint8_t bytes[8];
	size_t count = 0;

	if (reg > 15 || base > 15)
		return false;
	bytes[count++] = (uint8_t)(0x48 | (reg >= 8) << 2 | (base >= 8));
	bytes[count++] = opcode;
	bytes[count++] = (uint8_t)((near ? 0x40 : 0x80) | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == 4)
		bytes[count++] = 0x24;
	memcpy(bytes + count, &off, near ? 1 : 4);
	return assembler_put(as, bytes, count + (near ? 1 : 4));
}

static bool memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	return insn(as, store ? 0x89 : 0x8b, reg, base, off);
}

static bool add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	return insn(as, 0x8d /* lea */, reg, from, imm);
}

static bool call(struct assembler *as, uint8_t reg)
{
	const uint8_t bytes[] = {0x41, 0xff, (uint8_t)(0xd0 | (reg & 7))};

	return reg >= 8 ? assembler_put(as, bytes, 3) : assembler_put(as, bytes + 1, 2);
}

static bool leave(struct assembler *as)
{
	const uint8_t byte = 0xc3;

	return assembler_put(as, &byte, 1);
}

/* ---- */

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.conventions = conventions,
	.convention_count = COUNT(conventions),
	.exec_targets = exec_targets,
	.exec_target_count = COUNT(exec_targets),
	.assembler = {memory, add, call, leave},
	/* The last 1 or 4 bytes, and those before an 8-bit or 32-bit immediate; ModRM's two registers where it is the
	 * last byte or before a displacement of 1 or 4, and that of push and pop. */
	.imms = {{0, 8, 1, 0}, {0, 32, 4, 0}, {0, 8, 2, 0}, {0, 32, 5, 0}, {0, 8, 5, 0}, {0, 32, 8, 0}},
	.regs = {{0, 3, 1, 0}, {3, 3, 1, 0}, {3, 3, 2, 0}, {3, 3, 5, 0}, {0, 3, 2, 0}, {0, 3, 5, 0}},
	.nop = {0x90},
	.nop_bytes = 1,
	.count_reg = "rax",
	.record_stays = true,
	.count_is_pointer = false,
	.undecided_max = 36,
	.unseen_max = 0,
};
