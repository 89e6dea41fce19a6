/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * Bitmask immediates (Arm ARM, pseudocode DecodeBitMasks): an element of 2, 4, ..., 64 bits holding
 * one run of ones, rotated, and repeated over the register.
 *
 *     N:imms = 1:xxxxxx  size 64, run of xxxxxx + 1 ones     0:10xxxx  size 16
 *              0:0xxxxx  size 32                             0:110xxx  size 8    ...
 *     immr   = how far the run is rotated right
 *
 * So: count the places where a run starts, going round. There is one per element, which gives the
 * size; the value must be the same rotated by that size; the ones per element are the run.
 */
bool jf_arm64_fits_logical(bool is64, uint64_t imm, uint32_t *fields)
{
	uint64_t value = is64 ? imm : (imm & UINT32_MAX) | imm << 32;
	uint64_t starts = value & ~(value << 1 | value >> 63);
	unsigned int runs, size, ones, start;

	if (!starts) /* all zeros, all ones */
		return false;
	runs = (unsigned int)__builtin_popcountll(starts);
	size = 64 / runs;
	if (runs & (runs - 1) || (size < 64 && (value << size | value >> (64 - size)) != value))
		return false;
	ones = (unsigned int)__builtin_popcountll(value) / runs;
	start = (unsigned int)__builtin_ctzll(starts);
	*fields = (uint32_t)(size == 64) << 22 | ((size - start) & (size - 1)) << 16 |
		  ((~(2 * size - 1) & 0x3f) | (ones - 1)) << 10;
	return true;
}

void jf_arm64_logical(struct jf_code *code, enum jf_arm64_logical op, bool is64, unsigned int rd,
		      unsigned int rn, uint64_t imm)
{
	uint32_t fields = 0;
	bool fits = jf_arm64_fits_logical(is64, imm, &fields) && (is64 || imm <= UINT32_MAX);

	jf_arm64_put(code, fits && (rd | rn) < 32, jf_arm64_sf(is64) | (uint32_t)op | fields | rn << 5 | rd);
}

/* How many of the 16-bit parts of a value differ from `filler`. */
static unsigned int parts_other_than(uint64_t value, bool is64, uint32_t filler)
{
	unsigned int count = 0;

	for (unsigned int shift = 0; shift < (is64 ? 64u : 32u); shift += 16)
		count += (value >> shift & 0xffff) != filler;
	return count;
}

/* The way to build a constant from parts: writing a W register clears the upper half. */
struct recipe {
	bool is64;
	bool inverted; /* start from all ones: MOVN */
	unsigned int insns;
};

static struct recipe recipe_for(uint64_t value)
{
	bool is64 = value > UINT32_MAX;
	unsigned int normal = parts_other_than(value, is64, 0);
	unsigned int inverse = parts_other_than(value, is64, 0xffff);
	unsigned int insns = inverse < normal ? inverse : normal;

	return (struct recipe){ is64, inverse < normal, insns ? insns : 1 };
}

static void mov_parts(struct jf_code *code, unsigned int rd, uint64_t value, struct recipe recipe)
{
	uint32_t filler = recipe.inverted ? 0xffff : 0;
	unsigned int left = recipe.insns;
	int shift = recipe.is64 ? 48 : 16;

	for (bool first = true; left; shift -= 16) {
		uint32_t part = value >> shift & 0xffff;

		if (part == filler && shift)
			continue;
		if (!first)
			jf_arm64_wide(code, JF_ARM64_MOVK, recipe.is64, rd, part, (unsigned int)shift);
		else if (recipe.inverted)
			jf_arm64_wide(code, JF_ARM64_MOVN, recipe.is64, rd, part ^ 0xffff,
				      (unsigned int)shift);
		else
			jf_arm64_wide(code, JF_ARM64_MOVZ, recipe.is64, rd, part, (unsigned int)shift);
		first = false;
		left--;
	}
}

void jf_arm64_mov_wide(struct jf_code *code, unsigned int rd, uint64_t value)
{
	mov_parts(code, rd, value, recipe_for(value));
}

void jf_arm64_mov_const(struct jf_code *code, unsigned int rd, uint64_t value)
{
	struct recipe recipe = recipe_for(value);
	uint32_t fields;

	if (recipe.insns > 1 && jf_arm64_fits_logical(recipe.is64, value, &fields))
		jf_arm64_logical(code, JF_ARM64_ORRI, recipe.is64, rd, JF_ARM64_XZR, value);
	else
		mov_parts(code, rd, value, recipe);
}

unsigned int jf_arm64_const_insns(uint64_t value)
{
	struct recipe recipe = recipe_for(value);
	uint32_t fields;

	return recipe.insns > 1 && jf_arm64_fits_logical(recipe.is64, value, &fields) ? 1 : recipe.insns;
}

void jf_arm64_add_const(struct jf_code *code, unsigned int rd, unsigned int rn, int64_t value)
{
	enum jf_arm64_addsub op = value < 0 ? JF_ARM64_SUBI : JF_ARM64_ADDI;
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (jf_arm64_fits_addsub(size)) {
		if (size || rd != rn)
			jf_arm64_addsub(code, op, true, rd, rn, size);
		return;
	}
	jf_arm64_addsub(code, op, true, rd, rn, size & ~UINT64_C(4095));
	jf_arm64_addsub(code, op, true, rd, rd, size & 4095);
}
