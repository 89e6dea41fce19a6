/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* One run of bits in `value`. out: its place. The run's lowest bit carries through it, into what is free. */
static bool is_run(uint64_t value, unsigned int *start, unsigned int *length)
{
	uint64_t sum = value + (value & -value);

	if (sum & value)
		return false;
	*start = (unsigned int)__builtin_ctzll(value);
	*length = (sum ? (unsigned int)__builtin_ctzll(sum) : 64) - *start;
	return true;
}

/*
 * Bitmask immediates (Arm ARM, pseudocode DecodeBitMasks): an element of 2, 4, ..., 64 bits holding
 * one run of ones, rotated, and repeated over the register.
 *
 *     N:imms = 1:xxxxxx  size 64, run of xxxxxx + 1 ones     0:10xxxx  size 16
 *              0:0xxxxx  size 32                             0:110xxx  size 8    ...
 *     immr   = how far the run is rotated right
 *
 * An element that begins and ends with ones has a run of zeros instead.
 */
bool jf_arm64_fits_logical(bool is64, uint64_t imm, uint32_t *fields)
{
	uint64_t value = is64 ? imm : (imm & UINT32_MAX) | imm << 32, element;
	unsigned int size = 64, start, ones;

	if (!value || !~value)
		return false;
	while (size > 2 && ((value ^ value >> size / 2) & UINT64_MAX >> (64 - size / 2)) == 0)
		size /= 2;
	element = value & UINT64_MAX >> (64 - size);
	if (!(element & 1)) {
		if (!is_run(element, &start, &ones))
			return false;
	} else {
		unsigned int zeros;

		if (!is_run(~element & UINT64_MAX >> (64 - size), &start, &zeros))
			return false;
		start += zeros;
		ones = size - zeros;
	}
	*fields = (uint32_t)(size == 64) << 22 | ((size - start) & (size - 1)) << 16 |
		  ((~(2 * size - 1) & 0x3f) | (ones - 1)) << 10;
	return true;
}

void jf_arm64_logical(struct jf_code *code, enum jf_arm64_logical op, bool is64, unsigned int rd, unsigned int rn,
		      uint64_t imm)
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

	return (struct recipe){is64, inverse < normal, insns ? insns : 1};
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
			jf_arm64_wide(code, JF_ARM64_MOVN, recipe.is64, rd, part ^ 0xffff, (unsigned int)shift);
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

void jf_arm64_mov_large(struct jf_code *code, unsigned int rd, uint64_t value)
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

/* ---- the rarer ones -------------------------------------------------------------------------- */

void jf_arm64_rev(struct jf_code *code, enum jf_arm64_rev op, bool is64, unsigned int rd, unsigned int rn)
{
	uint32_t whole = is64 && op == JF_ARM64_REV ? 0x400 : 0;

	jf_arm64_put(code, (rd | rn) < 32, jf_arm64_sf(is64) | (uint32_t)op | whole | rn << 5 | rd);
}

void jf_arm64_add_uxtw(struct jf_code *code, unsigned int rd, unsigned int rn, unsigned int rm, unsigned int shift)
{
	jf_arm64_put(code, (rd | rn | rm) < 32 && shift <= 4, 0x8b204000 | rm << 16 | shift << 10 | rn << 5 | rd);
}

void jf_arm64_ordered(struct jf_code *code, enum jf_arm64_ordered op, unsigned int shift, unsigned int rt,
		      unsigned int rn)
{
	jf_arm64_put(code, (rt | rn) < 32 && shift < 4, shift << 30 | (uint32_t)op | rn << 5 | rt);
}

void jf_arm64_atomic_insn(struct jf_code *code, enum jf_arm64_atomic op, unsigned int shift, unsigned int rs,
			  unsigned int rt, unsigned int rn)
{
	jf_arm64_put(code, (rs | rt | rn) < 32 && shift < 4, shift << 30 | (uint32_t)op | rs << 16 | rn << 5 | rt);
}

void jf_arm64_store_exclusive(struct jf_code *code, enum jf_arm64_exclusive_store op, unsigned int shift,
			      unsigned int rs, unsigned int rt, unsigned int rn)
{
	jf_arm64_put(code, (rs | rt | rn) < 32 && shift < 4 && rs != rt && rs != rn,
		     shift << 30 | (uint32_t)op | rs << 16 | rn << 5 | rt);
}

void jf_arm64_csel(struct jf_code *code, enum jf_arm64_cond cond, unsigned int rd, unsigned int rn, unsigned int rm)
{
	jf_arm64_put(code, (rd | rn | rm) < 32 && (unsigned int)cond < 16,
		     0x9a800000 | rm << 16 | (uint32_t)cond << 12 | rn << 5 | rd);
}

void jf_arm64_branch_reg(struct jf_code *code, enum jf_arm64_branch_reg op, unsigned int rn)
{
	jf_arm64_put(code, rn < 32, 0xd6000000 | (uint32_t)op | rn << 5);
}

void jf_arm64_pair(struct jf_code *code, enum jf_arm64_pair op, bool fp, unsigned int rt, unsigned int rt2,
		   unsigned int rn, int64_t off)
{
	uint32_t file = fp ? 0x44000000u : 0x80000000u;

	jf_arm64_put(code, (rt | rt2 | rn) < 32 && off >= -512 && off <= 504 && !(off & 7),
		     file | (uint32_t)op | ((uint32_t)(off >> 3) & 0x7f) << 15 | rt2 << 10 | rn << 5 | rt);
}

void jf_arm64_hint(struct jf_code *code, enum jf_arm64_hint hint)
{
	jf_arm64_put(code, (unsigned int)hint < 128, 0xd503201f | (uint32_t)hint << 5);
}

void jf_arm64_dmb_ish(struct jf_code *code)
{
	jf_code_put32(code, 0xd5033bbf);
}

void jf_arm64_brk(struct jf_code *code, unsigned int number)
{
	jf_arm64_put(code, number < 1u << 16, 0xd4200000 | number << 5);
}

void jf_arm64_mrs(struct jf_code *code, unsigned int rt, enum jf_arm64_sysreg reg)
{
	jf_arm64_put(code, rt < 32 && (unsigned int)reg < 0x8000, 0xd5300000 | (uint32_t)reg << 5 | rt);
}

void jf_arm64_adrp(struct jf_code *code, unsigned int rd, int64_t pages)
{
	uint32_t low = (uint32_t)pages & 3, high = (uint32_t)(pages >> 2) & 0x7ffff;

	jf_arm64_put(code, rd < 32 && jf_arm64_fits_adrp(pages), 0x90000000 | low << 29 | high << 5 | rd);
}
