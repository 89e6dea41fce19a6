/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/memory.h"
#include "check.h"
#include "codemap/index.h"
#include "toy.h"

#include <stdlib.h>

/* The code map against a list of ranges, where its regions and blocks begin and end, and when memory fails. */

static const struct jf_row one_row = {.cfa_reg = TOY_SP};

static struct jf_range range_of(uint64_t start, uint64_t bytes)
{
	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = JF_RANGE_MAIN,
		.start = start,
		.end = start + bytes,
		.name = "range",
		.backend = &toy_backend,
		.rows = &one_row,
		.row_count = 1,
	};
}

/* ---- memory that fails: the n-th piece from now on ------------------------------------------------------- */

static long fail_after = -1;

static bool may(enum jf_memory_event event, size_t bytes)
{
	(void)bytes;
	return event == JF_MEMORY_FREE || event == JF_MEMORY_UNMAP || fail_after < 0 || fail_after-- != 0;
}

/* ---- a list ----------------------------------------------------------------------------------------------- */

#define LISTED 300

static struct jf_range ranges[LISTED];
static bool is_in[LISTED];

static const struct jf_range *listed(uint64_t address)
{
	for (unsigned int i = 0; i < LISTED; i++)
		if (is_in[i] && address >= ranges[i].start && address < ranges[i].end)
			return &ranges[i];
	return NULL;
}

static bool fits(const struct jf_range *range)
{
	for (unsigned int i = 0; i < LISTED; i++)
		if (is_in[i] && range->start < ranges[i].end && ranges[i].start < range->end)
			return false;
	return true;
}

static void check_at(uint64_t address)
{
	CHECK(jf_code_map_find(address) == listed(address), "address 0x%lx", address);
}

/* Where something may change: the ends of ranges, and of blocks and regions around those. */
static void check_around(uint64_t address)
{
	for (int i = -2; i <= 2; i++)
		check_at(address + (uint64_t)i);
	check_at((address | (MAP_BLOCK_BYTES - 1)) + 1);
	check_at(address & ~(uint64_t)(MAP_BLOCK_BYTES - 1));
	check_at((address >> MAP_REGION_SHIFT << MAP_REGION_SHIFT) - 1);
	check_at(((address >> MAP_REGION_SHIFT) + 1) << MAP_REGION_SHIFT);
}

static void check_all(void)
{
	for (unsigned int i = 0; i < LISTED; i++) {
		check_around(ranges[i].start);
		check_around(ranges[i].end);
		check_at(ranges[i].start + (ranges[i].end - ranges[i].start) / 2);
	}
}

static struct jf_range random_range(struct rng *rng, uint64_t base, unsigned int bits)
{
	static const unsigned int shifts[] = {0, 4, MAP_BLOCK_SHIFT, MAP_REGION_SHIFT};
	uint64_t start = base + (rng_next(rng) & ((UINT64_C(1) << bits) - 1));
	unsigned int size_bits = 1 + rng_below(rng, rng_below(rng, 20) ? 12 : (bits < 32 ? bits : 32) - 2);

	/* As often as not at the start of a block or region, and as long as some of these. */
	start = start >> shifts[rng_below(rng, 4)] << shifts[rng_below(rng, 4)];
	if (rng_below(rng, 2))
		return range_of(start, (uint64_t)(1 + rng_below(rng, 3)) << shifts[rng_below(rng, 4)]);
	return range_of(start, 1 + rng_below(rng, 1u << size_bits));
}

/* One range comes or goes. */
static void change(struct rng *rng, uint64_t base, unsigned int bits)
{
	unsigned int i = rng_below(rng, LISTED);
	enum jf_status wanted;

	if (is_in[i]) {
		CHECK_STATUS(jf_code_map_remove(&ranges[i]), JF_OK, "range %u", i);
		is_in[i] = false;
		return;
	}
	CHECK_STATUS(jf_code_map_remove(&ranges[i]), JF_E_NOT_FOUND, "range %u", i);
	ranges[i] = random_range(rng, base, bits);
	wanted = fits(&ranges[i]) ? JF_OK : JF_E_OVERLAP;
	CHECK_STATUS(jf_code_map_add(&ranges[i], NULL), wanted, "[0x%lx, 0x%lx)", ranges[i].start, ranges[i].end);
	is_in[i] = wanted == JF_OK;
}

static void compare(uint64_t base, unsigned int bits, unsigned int rounds)
{
	struct rng rng = {bits};

	for (unsigned int i = 0; i < LISTED; i++)
		ranges[i] = range_of(base, 1);
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < 20; i++)
			change(&rng, base, bits);
		check_all();
	}
	for (unsigned int i = 0; i < LISTED; i++)
		if (is_in[i]) {
			CHECK_STATUS(jf_code_map_remove(&ranges[i]), JF_OK, "range %u", i);
			is_in[i] = false;
		}
	check_all();
	cr_assert_eq(atomic_load(&jf_code_map_regions)->live, 0, "leaves are left");
}

Test(codemap_index, in_a_few_blocks)
{
	compare(0x7f0000000000, MAP_BLOCK_SHIFT + 3, 200);
}

Test(codemap_index, in_a_few_regions)
{
	compare(0x7f0000000000, MAP_REGION_SHIFT + 3, 200);
}

Test(codemap_index, across_a_lot_of_address_space)
{
	compare(UINT64_C(0xffff800000000000), 40, 100);
}

/* ---- sizes ------------------------------------------------------------------------------------------------ */

/* As many in one block as there can be, and each of them alone. */
Test(codemap_index, a_block_of_single_bytes)
{
	static struct jf_range bytes[MAP_BLOCK_BYTES];

	for (unsigned int i = 0; i < MAP_BLOCK_BYTES; i++) {
		unsigned int at = i * 389 % MAP_BLOCK_BYTES;

		bytes[at] = range_of(0x10000 + at, 1);
		CHECK_STATUS(jf_code_map_add(&bytes[at], NULL), JF_OK, "%u", at);
	}
	for (unsigned int i = 0; i < MAP_BLOCK_BYTES; i++)
		CHECK(jf_code_map_find(0x10000 + i) == &bytes[i], "%u", i);
	for (unsigned int i = 0; i < MAP_BLOCK_BYTES; i++) {
		CHECK_STATUS(jf_code_map_remove(&bytes[i]), JF_OK, "%u", i);
		CHECK(!jf_code_map_find(0x10000 + i), "%u", i);
		CHECK(i + 1 == MAP_BLOCK_BYTES || jf_code_map_find(0x10001 + i) == &bytes[i + 1], "%u", i);
	}
}

Test(codemap_index, four_gigabytes)
{
	struct jf_range big = range_of(0x123456789, UINT32_MAX), before = range_of(0x123456788, 1),
			behind = range_of(big.end, 1), inside = range_of(big.start + 0x40000000, 1);

	cr_assert_eq(jf_code_map_add(&big, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&before, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&behind, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&inside, NULL), JF_E_OVERLAP);
	for (uint64_t at = big.start; at < big.end; at += 0x12345)
		CHECK(jf_code_map_find(at) == &big, "0x%lx", at);
	cr_assert_eq(jf_code_map_find(big.end - 1), &big);
	cr_assert_eq(jf_code_map_find(big.end), &behind);
	cr_assert_eq(jf_code_map_find(big.start - 1), &before);
	cr_assert_eq(jf_code_map_remove(&big), JF_OK);
	cr_assert_null(jf_code_map_find(big.start));
	cr_assert_eq(jf_code_map_add(&inside, NULL), JF_OK);
}

Test(codemap_index, a_million_ranges_one_by_one, .timeout = 120)
{
	/* Not static: the leak check of every test of this program would read the array. */
	const size_t count = 1000000;
	struct jf_range *many = calloc(count, sizeof(*many));

	for (size_t i = 0; i < count; i++) {
		size_t at = i * 611953 % count;

		many[at] = range_of(0x7f0000000000 + at * 96, 80);
		CHECK_STATUS(jf_code_map_add(&many[at], NULL), JF_OK, "%zu", at);
	}
	for (size_t i = 0; i < count; i++) {
		CHECK(jf_code_map_find(many[i].start) == &many[i], "%zu", i);
		CHECK(jf_code_map_find(many[i].end - 1) == &many[i], "%zu", i);
		CHECK(!jf_code_map_find(many[i].end), "%zu", i);
	}
	for (size_t i = 0; i < count; i++)
		CHECK_STATUS(jf_code_map_remove(&many[i * 611953 % count]), JF_OK, "%zu", i);
	cr_assert_eq(atomic_load(&jf_code_map_regions)->live, 0, "leaves are left");
	free(many);
}

/* Code that comes and goes at ever new addresses leaves nothing behind. */
Test(codemap_index, keys_are_thrown_out)
{
	struct jf_range range;

	for (uint64_t i = 0; i < 100000; i++) {
		range = range_of(i << MAP_REGION_SHIFT, 16);
		CHECK_STATUS(jf_code_map_add(&range, NULL), JF_OK, "%lu", i);
		CHECK_STATUS(jf_code_map_remove(&range), JF_OK, "%lu", i);
	}
	cr_assert_leq(atomic_load(&jf_code_map_regions)->mask, 63);
}

/* ---- no memory -------------------------------------------------------------------------------------------- */

Test(codemap_index, what_does_not_go_in_whole_leaves_no_trace)
{
	struct jf_range there = range_of(0x7f000000a000, 16);
	/* The last ones are in one block, and more than a line has room for. */
	struct jf_range batch[] = {range_of(0x7f0000000000, 5000),       range_of(0x7f00000ffffb, 0x100010),
				   range_of(0x7e0000000000, UINT32_MAX), range_of(0x7f000000a010, 8),
				   range_of(0x7f000000a020, 8),          range_of(0x7f000000a030, 8),
				   range_of(0x7f000000a040, 8)};
	enum jf_status status = JF_E_NO_MEMORY;
	long tries;

	jf_memory_hook = may;
	cr_assert_eq(jf_code_map_add(&there, NULL), JF_OK);
	for (tries = 0; tries < 1000 && status != JF_OK; tries++) {
		fail_after = tries;
		status = jf_code_map_add_all(batch, JF_COUNT_OF(batch), NULL);
		fail_after = -1;
		if (status == JF_OK)
			break;
		cr_assert_eq(status, JF_E_NO_MEMORY);
		for (unsigned int i = 0; i < JF_COUNT_OF(batch); i++)
			CHECK(jf_map_is_free(batch[i].start, batch[i].end - 1), "try %ld, range %u", tries, i);
		CHECK(jf_code_map_find(there.start) == &there, "try %ld", tries);
		CHECK(atomic_load(&jf_code_map_regions)->live == 1, "try %ld: a leaf is left", tries);
	}
	cr_assert_gt(tries, 5);
	cr_assert_eq(status, JF_OK);
	cr_assert_eq(jf_code_map_remove_all(batch, JF_COUNT_OF(batch)), JF_OK);
}
