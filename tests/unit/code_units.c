/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code_units.h"
#include "check.h"

/* Taking and giving back, against an array with a byte for each unit. */

#define UNITS 1024
#define HELD  200

static uint64_t words[UNITS / 64];
static uint8_t taken[UNITS];
static struct code_units units;

static size_t longest(void)
{
	size_t run = 0, most = 0;

	for (size_t i = 0; i < UNITS; i++) {
		run = taken[i] ? 0 : run + 1;
		most = run > most ? run : most;
	}
	return most;
}

static void mark(size_t first, size_t count, uint8_t from)
{
	for (size_t i = first; i < first + count; i++) {
		CHECK(i < UNITS && taken[i] == from, "unit %zu of [%zu, +%zu)", i, first, count);
		taken[i] = !from;
	}
}

Test(code_units, agree_with_an_array)
{
	struct {
		size_t first, count;
	} held[HELD] = {{0, 0}};
	struct rng rng = {1};

	units = (struct code_units){.words = words, .count = UNITS};
	for (unsigned int step = 0; step < 200000; step++) {
		unsigned int i = rng_below(&rng, HELD);

		if (held[i].count) {
			/* All of it, or its end, as a load does that has taken too much. */
			size_t keep = rng_below(&rng, 2) ? 0 : rng_below(&rng, (uint32_t)held[i].count);

			mark(held[i].first + keep, held[i].count - keep, 1);
			code_units_give(&units, held[i].first + keep, held[i].count - keep);
			held[i].count = keep;
		} else {
			size_t least = 1 + rng_below(&rng, 20), most = least + rng_below(&rng, 20);

			held[i].count = code_units_take(&units, least, most, &held[i].first);
			if (!held[i].count)
				CHECK(longest() < least, "step %u: %zu units were there", step, least);
			CHECK(!held[i].count || (held[i].count >= least && held[i].count <= most), "step %u", step);
			mark(held[i].first, held[i].count, 0);
		}
	}
	for (unsigned int i = 0; i < HELD; i++)
		if (held[i].count)
			code_units_give(&units, held[i].first, held[i].count);
	cr_expect_eq(units.taken, 0);
	for (size_t i = 0; i < UNITS / 64; i++)
		cr_expect_eq(words[i], 0);
	units.next = 0;
	cr_expect_eq(code_units_take(&units, UNITS, UNITS, &held[0].first), UNITS);
}
