/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/* Loads and stores: addresses, what is moved, and the base that some write back. */

#define FP_BIT (1u << 26)

static unsigned int bytes_of(const struct jf_decode_row *row)
{
	return row->width & ~(unsigned int)(SIGNED | W);
}

/* The register of a field: general, or floating-point where the word says so. */
static unsigned int data_reg(uint32_t word, unsigned int field)
{
	return word & FP_BIT ? JF_ARM64_D0 + field : jf_arm64_gp(field);
}

/* One register; of a load to 32 bits, the upper half is cleared. */
static void put_data(struct jf_effect *effect, const struct jf_decode_row *row, unsigned int data,
		     struct jf_decode_address address)
{
	put_wide_access(effect, row->kind, data, row->width & ~(unsigned int)W, address);
	if (row->width & W && data != JF_REG_NONE)
		put_step(effect, JF_STEP_EXTEND, data, data, U32);
}

static void put_write_back(struct jf_effect *effect, unsigned int base, int64_t off)
{
	put_step(effect, JF_STEP_ADD, base, base, U64)->imm = off;
}

/* ---- one register ---------------------------------------------------------------------------- */

static bool decode_indexed(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word,
			   struct jf_decode_address *address)
{
	unsigned int option = word_bits(word, 15, 13), rm = word_bits(word, 20, 16), scale = 0;
	unsigned int data = data_reg(word, word_bits(word, 4, 0));

	if (!(option & 2))
		return false;
	while (1u << scale < bytes_of(row))
		scale++;
	if (rm != JF_ARM64_XZR) {
		address->index = rm;
		address->shift = word & 1u << 12 ? scale : 0;
	}
	if (rm == JF_ARM64_XZR || option & 1) { /* 64 bits */
		put_data(effect, row, data, *address);
		return true;
	}
	/* The index is extended from 32 bits, for which a step has no room, unless the result has. */
	if (row->kind == JF_STEP_STORE || data >= JF_ARM64_D0 || data == address->base) {
		effect->flags |= JF_EFFECT_UNKNOWN;
		return true;
	}
	put_step(effect, JF_STEP_EXTEND, data, rm, option == 6 ? S32 : U32);
	address->index = data;
	put_data(effect, row, data, *address);
	return true;
}

static bool decode_single(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_decode_address address = {.base = word_bits(word, 9, 5), .index = JF_REG_NONE};
	unsigned int field = word_bits(word, 4, 0), data = data_reg(word, field);
	int64_t off = word_signed(word, 20, 12);

	/* Constrained unpredictable: the base is both written back and moved. */
	if ((row->format == F_PRE || row->format == F_POST) && data == address.base)
		return false;
	switch (row->format) {
	case F_INDEXED: return decode_indexed(effect, row, word, &address);
	case F_SCALED: address.off = (int64_t)word_bits(word, 21, 10) * bytes_of(row); break;
	case F_UNSCALED: address.off = off; break;
	case F_PRE: put_write_back(effect, address.base, off); break;
	case F_LITERAL:
		address.base = JF_REG_NONE;
		address.off = word_signed(word, 23, 5) * 4;
		break;
	default: break;
	}
	put_data(effect, row, data, address);
	if (row->format == F_POST)
		put_write_back(effect, address.base, off);
	return true;
}

/* The base is authenticated first, and what comes out is in no register. */
static bool decode_ldra(struct jf_effect *effect, uint32_t word)
{
	unsigned int rt = word_bits(word, 4, 0), rn = word_bits(word, 9, 5);
	bool write_back = word & 1u << 11;

	if (write_back && rt == rn && rn != JF_ARM64_SP)
		return false;
	if (write_back)
		put_kill(effect, rn);
	put_kill(effect, jf_arm64_gp(rt));
	return true;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* The register that is the base is loaded last. */
static void put_pair(struct jf_effect *effect, const struct jf_decode_row *row, unsigned int first, unsigned int second,
		     struct jf_decode_address address)
{
	struct jf_decode_address next = address;
	bool swap = row->kind == JF_STEP_LOAD && first == address.base;

	next.off += bytes_of(row);
	if (swap)
		put_data(effect, row, second, next);
	put_data(effect, row, first, address);
	if (!swap)
		put_data(effect, row, second, next);
}

static bool decode_pair(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rt = word_bits(word, 4, 0), rt2 = word_bits(word, 14, 10), rn = word_bits(word, 9, 5);
	int64_t off = word_signed(word, 21, 15) * bytes_of(row);
	unsigned int first = data_reg(word, rt), second = data_reg(word, rt2);
	struct jf_decode_address address = {.base = rn, .index = JF_REG_NONE};

	/* Constrained unpredictable, as above, or two loads into one register. */
	if (row->format != F_PAIR && (first == rn || second == rn))
		return false;
	if (row->kind == JF_STEP_LOAD && rt == rt2)
		return false;
	if (row->format == F_PAIR)
		address.off = off;
	else if (row->format == F_PAIR_PRE)
		put_write_back(effect, rn, off);
	put_pair(effect, row, first, second, address);
	if (row->format == F_PAIR_POST)
		put_write_back(effect, rn, off);
	return true;
}

/* ---- exclusive, ordered, atomic -------------------------------------------------------------- */

/*
 * Stores that depend on the monitor or on memory are of something unknown, and so is what comes back. Of
 * a swap the value is known.
 */
static bool decode_ordered(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rt = jf_arm64_gp(word_bits(word, 4, 0)), rt2 = jf_arm64_gp(word_bits(word, 14, 10));
	unsigned int rs = jf_arm64_gp(word_bits(word, 20, 16)), rn = word_bits(word, 9, 5);
	struct jf_decode_address address = {.base = rn, .index = JF_REG_NONE};
	unsigned int pair_bytes = 2 * bytes_of(row);

	switch (row->format) {
	case F_ORDERED: put_data(effect, row, rt, address); break;
	case F_EXCLUSIVE_PAIR:
		if (word_bits(word, 4, 0) == word_bits(word, 14, 10))
			return false;
		put_pair(effect, row, rt, rt2, address);
		break;
	case F_EXCLUSIVE_STORE_PAIR:
	case F_EXCLUSIVE_STORE:
		if (rs != JF_REG_NONE && (rs == rt || rs == rn || (row->format == F_EXCLUSIVE_STORE_PAIR && rs == rt2)))
			return false;
		put_access(effect, JF_STEP_STORE, JF_REG_NONE,
			   row->format == F_EXCLUSIVE_STORE ? bytes_of(row) : pair_bytes, &address);
		put_kill(effect, rs);
		break;
	case F_CAS_PAIR:
		if ((word & 1) || (word & 1u << 16))
			return false;
		put_access(effect, JF_STEP_LOAD, JF_REG_NONE, pair_bytes, &address);
		put_access(effect, JF_STEP_STORE, JF_REG_NONE, pair_bytes, &address);
		put_kill(effect, rs);
		put_kill(effect, jf_arm64_gp(word_bits(word, 20, 16) + 1));
		break;
	default: /* F_ATOMIC, F_SWAP, F_CAS */
		put_access(effect, JF_STEP_LOAD, JF_REG_NONE, bytes_of(row), &address);
		put_access(effect, JF_STEP_STORE, row->format == F_SWAP ? rs : JF_REG_NONE, bytes_of(row), &address);
		put_kill(effect, row->format == F_CAS ? rs : rt);
		break;
	}
	return true;
}

/* ---- vectors --------------------------------------------------------------------------------- */

/* How many bytes one element is, or 0 for an encoding that is none. */
static unsigned int element_bytes(uint32_t word)
{
	unsigned int size = word_bits(word, 11, 10), set = word >> 12 & 1;

	switch (word_bits(word, 15, 14)) {
	case 0: return 1;
	case 1: return size & 1 ? 0 : 2;
	case 2: return size == 0 ? 4 : size == 1 && !set ? 8 : 0;
	default: return set ? 0 : 1u << size; /* replicated */
	}
}

static bool decode_structs(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_decode_address address = {.base = word_bits(word, 9, 5), .index = JF_REG_NONE};
	unsigned int rt = word_bits(word, 4, 0), rm = word_bits(word, 20, 16), count = row->width;
	bool whole = row->format == F_STRUCTS, q = word & 1u << 30;
	unsigned int bytes = whole ? (q ? 16 : 8) : element_bytes(word);

	if (!bytes || (whole && !q && word_bits(word, 11, 10) == 3 && row->name[2] != '1'))
		return false;
	put_access(effect, row->kind, JF_REG_NONE, 0, &address);
	effect->steps[0].bytes = (uint8_t)(bytes * count);
	for (unsigned int i = 0; row->kind == JF_STEP_LOAD && i < count; i++)
		put_kill(effect, JF_ARM64_D0 + (rt + i) % 32);
	if (!(word & 1u << 23))
		return true;
	if (rm == JF_ARM64_XZR)
		put_write_back(effect, address.base, bytes * count);
	else
		put_step(effect, JF_STEP_ADD, address.base, address.base, U64)->b = (uint8_t)rm;
	return true;
}

bool jf_arm64_decode_memory(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	switch (row->format) {
	case F_LDRA: return decode_ldra(effect, word);
	case F_PAIR:
	case F_PAIR_PRE:
	case F_PAIR_POST: return decode_pair(effect, row, word);
	case F_ORDERED:
	case F_EXCLUSIVE_STORE:
	case F_EXCLUSIVE_PAIR:
	case F_EXCLUSIVE_STORE_PAIR:
	case F_ATOMIC:
	case F_SWAP:
	case F_CAS:
	case F_CAS_PAIR: return decode_ordered(effect, row, word);
	case F_STRUCTS:
	case F_STRUCT: return decode_structs(effect, row, word);
	default: return decode_single(effect, row, word);
	}
}
