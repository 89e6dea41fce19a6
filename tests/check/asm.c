/* SPDX-License-Identifier: BSD-2-Clause */
#include "edit.h"

#include <string.h>

/* Written out here and not taken from the backends: what mutations put in is not to lean on what they test. */

struct ops {
	const char *backend;
	bool (*memory)(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off);
	bool (*add)(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm);
	bool (*call)(struct assembler *as, uint8_t reg);
	bool (*leave)(struct assembler *as);
};

static bool put(struct assembler *as, const uint8_t *bytes, size_t count)
{
	if ((size_t)(as->end - as->at) < count)
		return false;
	memcpy(as->at, bytes, count);
	as->at += count;
	return true;
}

static bool put_word(struct assembler *as, uint32_t word)
{
	const uint8_t bytes[] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	return put(as, bytes, sizeof(bytes));
}

static bool fits(int32_t value, int32_t low, int32_t high)
{
	return value >= low && value <= high;
}

/* ---- loongarch64: opcode | si12 << 10 | rj << 5 | rd -------------------------------------------------------- */

static bool la_insn(struct assembler *as, uint32_t opcode, uint8_t rd, uint8_t rj, int32_t imm)
{
	if (rd > 31 || rj > 31 || !fits(imm, -2048, 2047))
		return false;
	return put_word(as, opcode | ((uint32_t)imm & 0xfff) << 10 | (uint32_t)rj << 5 | rd);
}

static bool la_memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	return la_insn(as, store ? 0x29c00000 /* st.d */ : 0x28c00000 /* ld.d */, reg, base, off);
}

static bool la_add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	return la_insn(as, 0x02c00000 /* addi.d */, reg, from, imm);
}

static bool la_call(struct assembler *as, uint8_t reg)
{
	return put_word(as, 0x4c000001 /* jirl ra */ | (uint32_t)reg << 5);
}

static bool la_return(struct assembler *as)
{
	return put_word(as, 0x4c000020 /* jirl zero, ra, 0 */);
}

/* ---- arm64 ---------------------------------------------------------------------------------------------------- */

static bool arm_memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	uint32_t regs = (uint32_t)base << 5 | reg;

	if (reg > 30 || base > 31)
		return false;
	if (off % 8 == 0 && fits(off, 0, 8 * 4095)) /* str, ldr */
		return put_word(as, (store ? 0xf9000000 : 0xf9400000) | (uint32_t)off / 8 << 10 | regs);
	if (fits(off, -256, 255)) /* stur, ldur */
		return put_word(as, (store ? 0xf8000000 : 0xf8400000) | ((uint32_t)off & 0x1ff) << 12 | regs);
	return false;
}

static bool arm_add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	uint32_t regs = (uint32_t)from << 5 | reg;

	if (reg > 31 || from > 31 || !fits(imm, -4095, 4095))
		return false;
	return put_word(as, imm < 0 ? 0xd1000000 /* sub */ | (uint32_t)-imm << 10 | regs :
				      0x91000000 /* add */ | (uint32_t)imm << 10 | regs);
}

static bool arm_call(struct assembler *as, uint8_t reg)
{
	return put_word(as, 0xd63f0000 /* blr */ | (uint32_t)reg << 5);
}

static bool arm_return(struct assembler *as)
{
	return put_word(as, 0xd65f03c0 /* ret */);
}

/* ---- x86_64: REX.W opcode ModRM [SIB] displacement ------------------------------------------------------------ */

static bool x86_insn(struct assembler *as, uint8_t opcode, uint8_t reg, uint8_t base, int32_t off)
{
	bool near = fits(off, -128, 127);
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
	return put(as, bytes, count + (near ? 1 : 4));
}

static bool x86_memory(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off)
{
	return x86_insn(as, store ? 0x89 : 0x8b, reg, base, off);
}

static bool x86_add(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm)
{
	return x86_insn(as, 0x8d /* lea */, reg, from, imm);
}

static bool x86_call(struct assembler *as, uint8_t reg)
{
	const uint8_t bytes[] = {0x41, 0xff, (uint8_t)(0xd0 | (reg & 7))};

	return reg >= 8 ? put(as, bytes, 3) : put(as, bytes + 1, 2);
}

static bool x86_return(struct assembler *as)
{
	const uint8_t byte = 0xc3;

	return put(as, &byte, 1);
}

/* ---- */

static const struct ops all_ops[] = {
	{"loongarch64", la_memory, la_add, la_call, la_return},
	{"arm64", arm_memory, arm_add, arm_call, arm_return},
	{"x86_64", x86_memory, x86_add, x86_call, x86_return},
};

static const struct ops *ops_of(const struct jf_backend *backend)
{
	static const struct ops none;

	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
		if (!strcmp(all_ops[i].backend, backend->name))
			return &all_ops[i];
	return &none;
}

bool asm_store(struct assembler *as, const struct jf_backend *backend, uint8_t value, uint8_t base, int32_t off)
{
	return ops_of(backend)->memory(as, true, value, base, off);
}

bool asm_load(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t base, int32_t off)
{
	return ops_of(backend)->memory(as, false, reg, base, off);
}

bool asm_add(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t from, int32_t imm)
{
	return ops_of(backend)->add(as, reg, from, imm);
}

bool asm_call(struct assembler *as, const struct jf_backend *backend, uint8_t reg)
{
	return ops_of(backend)->call(as, reg);
}

bool asm_return(struct assembler *as, const struct jf_backend *backend)
{
	return ops_of(backend)->leave(as);
}
