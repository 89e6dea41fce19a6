/* SPDX-License-Identifier: BSD-2-Clause */
#include "cases.h"

/* Bitmask immediates, every one and no other; and constants in as few instructions as there are. */

/* ---- bitmask immediates --------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Every bitmask immediate of the width, as the manual builds them. returns: how many. */
static size_t all_bitmasks(bool is64, uint64_t *values)
{
	size_t count = 0;

	for (unsigned int size = 2; size <= (is64 ? 64 : 32); size *= 2)
		for (unsigned int ones = 1; ones < size; ones++)
			for (unsigned int turn = 0; turn < size; turn++) {
				uint64_t mask = UINT64_MAX >> (64 - size), run = UINT64_MAX >> (64 - ones);
				uint64_t element = turn ? (run >> turn | run << (size - turn)) & mask : run;
				uint64_t value = 0;

				for (unsigned int at = 0; at < (is64 ? 64 : 32); at += size)
					value |= element << at;
				values[count++] = value;
			}
	qsort(values, count, sizeof(*values), by_value);
	return count;
}

static uint64_t masks[6000];

static void every_bitmask(bool w, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct op *op = &ops_logical[i % LEN(ops_logical)];

		jf_arm64_logical(fresh(), (enum jf_arm64_logical)op->value, w, 1, 2, masks[i]);
		reads("%s %s, %s, #0x%" PRIx64, op->name, z(w, 1), z(w, 2), masks[i]);
	}
}

Test(constants_arm64, every_bitmask_immediate)
{
	size_t count = all_bitmasks(true, masks);

	cr_assert_eq(count, 5334u);
	every_bitmask(true, count);
	count = all_bitmasks(false, masks);
	cr_assert_eq(count, 1302u);
	every_bitmask(false, count);
	check_all();
}

Test(constants_arm64, no_other_bitmask_immediate)
{
	uint32_t fields;

	for (int w = 0; w < 2; w++) {
		size_t count = all_bitmasks(w, masks);

		for (size_t i = 0; i < count; i++)
			for (unsigned int bit = 0; bit < (w ? 64 : 32); bit++) {
				uint64_t near = masks[i] ^ UINT64_C(1) << bit;
				bool valid = bsearch(&near, masks, count, sizeof(near), by_value);

				cr_assert_eq(jf_arm64_fits_logical(w, near, &fields), valid, "%d: 0x%" PRIx64, w, near);
			}
	}
}

/* ---- constants ------------------------------------------------------------------------------ */

/* Runs MOVZ, MOVN, MOVK and ORR immediate, on x9. */
static uint64_t run_constant(void)
{
	uint64_t x9 = 0xdeadbeefdeadbeef;

	for (size_t at = 0; at < code.size; at += 4) {
		uint32_t word = (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8 | (uint32_t)bytes[at + 2] << 16 |
				(uint32_t)bytes[at + 3] << 24;
		bool is64 = word >> 31;
		uint64_t part = (uint64_t)(word >> 5 & 0xffff) << (word >> 17 & 0x30);

		cr_assert_eq(word & 31, 9u);
		switch (word & 0x7f800000) {
		case JF_ARM64_MOVZ: x9 = part; break;
		case JF_ARM64_MOVN: x9 = ~part; break;
		case JF_ARM64_MOVK: x9 = (x9 & ~(UINT64_C(0xffff) << (word >> 17 & 0x30))) | part; break;
		case JF_ARM64_ORRI: {
			size_t count = all_bitmasks(is64, masks);
			uint32_t fields;

			cr_assert_eq(word >> 5 & 31, 31u);
			for (size_t i = 0; i < count; i++)
				if (jf_arm64_fits_logical(is64, masks[i], &fields) && fields == (word & 0x7ffc00))
					x9 = masks[i];
			break;
		}
		default: cr_assert_fail("0x%08x is no part of a constant", word);
		}
		if (!is64)
			x9 &= UINT32_MAX;
	}
	return x9;
}

static void check_constant(uint64_t value)
{
	jf_arm64_mov_const(fresh(), 9, value);
	cr_assert_eq(code.status, JF_OK);
	cr_assert_eq(run_constant(), value, "0x%" PRIx64 " came out as 0x%" PRIx64, value, run_constant());
	cr_assert_eq(code.size / 4, jf_arm64_const_insns(value), "0x%" PRIx64, value);
	jf_arm64_mov_wide(fresh(), 9, value);
	cr_assert_eq(run_constant(), value, "0x%" PRIx64 ", wide", value);
	cr_assert_leq(code.size, 16u);
}

Test(constants_arm64, constants)
{
	static const uint64_t parts[] = {0, 1, 0x8000, 0xfffe, 0xffff};
	static const struct {
		uint64_t value;
		unsigned int insns;
	} known[] = {
		{0, 1},
		{UINT64_MAX, 1},
		{UINT32_MAX, 1},
		{0xffff, 1},
		{0x10000, 1},
		{0x12345678, 2},
		{0xfffffffe, 1},
		{0xffff1234, 1},
		{0x1234ffff, 1},
		{0xffffffff80000000, 1},
		{0xfffffffffffff000, 1},
		{0x5555555555555555, 1},
		{0xffffffff12345678, 2},
		{0x00007fff12345678, 3},
		{0x123456789abcdef0, 4},
		{0x0000ffff00000000, 1},
		{0xffff0000ffffffff, 1},
		{0xff00ff00ff00ff00, 1},
	};

	for (unsigned int i = 0; i < 625; i++)
		check_constant(parts[i % 5] | parts[i / 5 % 5] << 16 | parts[i / 25 % 5] << 32 | parts[i / 125] << 48);
	for (unsigned int bit = 0; bit < 64; bit++) {
		check_constant(UINT64_C(1) << bit);
		check_constant(~(UINT64_C(1) << bit));
		check_constant((UINT64_C(1) << bit) - 1);
		check_constant(UINT64_C(0x123456789abcdef0) >> bit);
	}
	for (size_t i = 0; i < LEN(known); i++)
		cr_assert_eq(jf_arm64_const_insns(known[i].value), known[i].insns, "0x%" PRIx64, known[i].value);
	REFUSED(jf_arm64_mov_const(&code, 32, 1));
	REFUSED(jf_arm64_mov_const(&code, 32, 0x5555));
}

Test(constants_arm64, add_constant)
{
	static const struct {
		int64_t value;
		uint32_t words[2];
		size_t count;
	} known[] = {
		{0, {0}, 0},
		{16, {0x910043ff}, 1},
		{-16, {0xd10043ff}, 1},
		{4095, {0x913fffff}, 1},
		{4096, {0x914007ff}, 1},
		{-32752, {0xd1401fff, 0xd13fc3ff}, 2},
		{0xffffff, {0x917fffff, 0x913fffff}, 2},
	};

	for (size_t i = 0; i < LEN(known); i++) {
		jf_arm64_add_const(fresh(), JF_ARM64_SP, JF_ARM64_SP, known[i].value);
		cr_assert_eq(code.status, JF_OK);
		cr_assert_eq(code.size, 4 * known[i].count, "%" PRId64, known[i].value);
		for (size_t k = 0; k < known[i].count; k++) {
			uint32_t word;

			memcpy(&word, bytes + 4 * k, 4);
			cr_assert_eq(word, known[i].words[k], "%" PRId64 ": 0x%08x", known[i].value, word);
		}
	}
	jf_arm64_add_const(fresh(), 1, 2, 0);
	reads("mov x1, x2");
	cr_assert_eq(memcmp(bytes, "\x41\x00\x00\x91", 4), 0); /* add x1, x2, #0 */
	REFUSED(jf_arm64_add_const(&code, 0, 0, 0x1000001));
	REFUSED(jf_arm64_add_const(&code, 0, 0, -0x1000001));
	REFUSED(jf_arm64_add_const(&code, 0, 0, INT64_MIN));
}
