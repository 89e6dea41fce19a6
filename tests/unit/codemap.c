/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <jitframe/codemap.h>
#include <stdlib.h>
#include <string.h>

static const struct jf_row one_row = {.cfa_reg = TOY_SP};

static struct jf_range range_of(uint64_t start, uint64_t end)
{
	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = JF_RANGE_MAIN,
		.start = start,
		.end = end,
		.name = "range",
		.backend = &toy_backend,
		.rows = &one_row,
		.row_count = 1,
	};
}

static const struct jf_range *find(uint64_t address)
{
	unsigned int section = jf_code_map_enter();
	const struct jf_range *range = jf_code_map_find(address);

	jf_code_map_leave(section);
	return range;
}

/* ---- lookup ---------------------------------------------------------------------------------------- */

Test(codemap, is_empty_at_first)
{
	cr_assert_null(find(0));
	cr_assert_null(find(1));
	cr_assert_null(find(UINT64_MAX));
}

Test(codemap, a_range_is_from_start_up_to_its_end)
{
	struct jf_range range = range_of(100, 200);

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_null(find(0));
	cr_assert_null(find(99));
	cr_assert_eq(find(100), &range);
	cr_assert_eq(find(199), &range);
	cr_assert_null(find(200));
	cr_assert_null(find(UINT64_MAX));
}

Test(codemap, ranges_at_the_ends_of_the_address_space)
{
	struct jf_range low = range_of(0, 1), high = range_of(UINT64_MAX - 1, UINT64_MAX);

	cr_assert_eq(jf_code_map_add(&high, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&low, NULL), JF_OK);
	cr_assert_eq(find(0), &low);
	cr_assert_null(find(1));
	cr_assert_null(find(UINT64_MAX - 2));
	cr_assert_eq(find(UINT64_MAX - 1), &high);
	cr_assert_null(find(UINT64_MAX));
}

Test(codemap, neighbours_of_one_byte)
{
	struct jf_range ranges[5];

	for (unsigned int i = 0; i < 5; i++)
		ranges[i] = range_of(10 + i, 11 + i);
	cr_assert_eq(jf_code_map_add_all(ranges, 5, NULL), JF_OK);
	for (unsigned int i = 0; i < 5; i++)
		cr_assert_eq(find(10 + i), &ranges[i]);
	cr_assert_null(find(9));
	cr_assert_null(find(15));
	cr_assert_eq(jf_code_map_remove_all(&ranges[2], 1), JF_OK);
	cr_assert_eq(find(11), &ranges[1]);
	cr_assert_null(find(12));
	cr_assert_eq(find(13), &ranges[3]);
}

Test(codemap, the_order_of_adding_does_not_matter)
{
	struct jf_range ranges[6];
	static const unsigned int order[] = {3, 0, 5, 1, 4, 2};

	for (unsigned int i = 0; i < 6; i++)
		ranges[i] = range_of(100 * i, 100 * i + 50);
	for (unsigned int i = 0; i < 6; i++)
		cr_assert_eq(jf_code_map_add(&ranges[order[i]], NULL), JF_OK);
	for (unsigned int i = 0; i < 6; i++) {
		cr_assert_eq(find(100 * i), &ranges[i]);
		cr_assert_eq(find(100 * i + 49), &ranges[i]);
		cr_assert_null(find(100 * i + 50));
	}
}

/* ---- overlaps --------------------------------------------------------------------------------------- */

Test(codemap, overlaps_are_refused)
{
	static const uint64_t bad[][2] = {
		{100, 200}, {100, 101}, {199, 200}, {150, 160}, {0, 101}, {199, 300}, {0, 0x80000000},
	};
	struct jf_range range = range_of(100, 200), left = range_of(50, 100), right = range_of(200, 201);

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct jf_range other = range_of(bad[i][0], bad[i][1]);

		CHECK_STATUS(jf_code_map_add(&other, NULL), JF_E_OVERLAP, "[%lu, %lu)", bad[i][0], bad[i][1]);
		CHECK(find(150) == &range, "[%lu, %lu)", bad[i][0], bad[i][1]);
		CHECK(!find(99) && !find(200), "[%lu, %lu)", bad[i][0], bad[i][1]);
	}
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_E_OVERLAP);
	cr_assert_eq(jf_code_map_add(&left, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&right, NULL), JF_OK);
}

Test(codemap, all_or_none_are_added)
{
	struct jf_range there = range_of(500, 600);
	struct jf_range ranges[] = {range_of(100, 200), range_of(300, 400), range_of(599, 700), range_of(0, 10)};

	cr_assert_eq(jf_code_map_add(&there, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add_all(ranges, 4, NULL), JF_E_OVERLAP);
	cr_assert_null(find(150));
	cr_assert_null(find(350));
	cr_assert_null(find(650));
	cr_assert_null(find(5));
	cr_assert_eq(find(599), &there);
	ranges[2].start = 600;
	cr_assert_eq(jf_code_map_add_all(ranges, 4, NULL), JF_OK);
	cr_assert_eq(find(650), &ranges[2]);
}

Test(codemap, ranges_of_one_call_must_not_overlap_either)
{
	struct jf_range ranges[] = {range_of(100, 200), range_of(150, 160)};

	cr_assert_eq(jf_code_map_add_all(ranges, 2, NULL), JF_E_OVERLAP);
	cr_assert_null(find(150));
}

/* ---- removal ---------------------------------------------------------------------------------------- */

Test(codemap, all_or_none_are_removed)
{
	struct jf_range ranges[] = {range_of(100, 200), range_of(300, 400), range_of(500, 600)};

	cr_assert_eq(jf_code_map_remove_all(ranges, 1), JF_E_NOT_FOUND);
	cr_assert_eq(jf_code_map_add_all(ranges, 2, NULL), JF_OK);
	cr_assert_eq(jf_code_map_remove_all(ranges, 3), JF_E_NOT_FOUND);
	cr_assert_eq(find(100), &ranges[0]);
	cr_assert_eq(find(300), &ranges[1]);
	cr_assert_eq(jf_code_map_remove_all(ranges + 1, 1), JF_OK);
	cr_assert_eq(find(100), &ranges[0]);
	cr_assert_null(find(300));
	cr_assert_eq(jf_code_map_remove_all(ranges + 1, 1), JF_E_NOT_FOUND);
	cr_assert_eq(jf_code_map_remove_all(ranges, 1), JF_OK);
	cr_assert_null(find(100));
}

/* A range is known by where it lies in memory, not by what it says. */
Test(codemap, a_twin_is_not_found)
{
	struct jf_range range = range_of(100, 200), twin = range;

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(jf_code_map_remove_all(&twin, 1), JF_E_NOT_FOUND);
	cr_assert_eq(find(100), &range);
}

Test(codemap, what_was_removed_can_be_added_again)
{
	struct jf_range range = range_of(100, 200);

	for (unsigned int i = 0; i < 100; i++) {
		cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
		cr_assert_eq(find(150), &range);
		cr_assert_eq(jf_code_map_remove_all(&range, 1), JF_OK);
		cr_assert_null(find(150));
	}
}

/* ---- refusals: nothing is added --------------------------------------------------------------------- */

static const struct jf_slot slots[2] = {
	{.kind = JF_SLOT_RETURN, .reg = TOY_RA, .off_from_cfa = -8, .size_bytes = 8},
	{.kind = JF_SLOT_PAD, .reg = JF_REG_NONE, .off_from_cfa = -16, .size_bytes = 8},
};
static const struct jf_row late[] = {{.code_off = 1, .cfa_reg = TOY_SP}};
static const struct jf_row twice[] = {{.cfa_reg = TOY_SP}, {.code_off = 4, .cfa_reg = TOY_SP}, {.code_off = 4}};
static const struct jf_row back[] = {{.cfa_reg = TOY_SP}, {.code_off = 4, .cfa_reg = TOY_SP}, {.code_off = 2}};
static const struct jf_row no_reg[] = {{.cfa_reg = TOY_REG__COUNT}};
static const struct jf_row no_slot[] = {{.cfa_reg = TOY_SP, .saved = 4}};
static const struct jf_row pad_saved[] = {{.cfa_reg = TOY_SP, .saved = 2}};

#define REFUSED(field, change)                                                                         \
	do {                                                                                           \
		struct jf_range range_ = range_of(100, 200);                                           \
		struct jf_error error_ = {.where = ""};                                                \
                                                                                                       \
		range_.slots = slots;                                                                  \
		range_.slot_count = 2;                                                                 \
		change;                                                                                \
		CHECK_STATUS(jf_code_map_add(&range_, &error_), JF_E_INVAL, "%s", #change);            \
		CHECK_STATUS(jf_code_map_add(&range_, NULL), JF_E_INVAL, "%s", #change);               \
		CHECK(!find(100), "%s", #change);                                                      \
		CHECK(!strcmp(error_.where, field), "%s: %s: %s", #change, error_.where, error_.text); \
		CHECK(error_.status == JF_E_INVAL && error_.text[0], "%s", #change);                   \
	} while (0)

Test(codemap, ranges_that_contradict_themselves_are_refused)
{
	REFUSED("size", range_.size--);
	REFUSED("size", range_.size++);
	REFUSED("size", range_.size = 0);
	REFUSED("kind", range_.kind = JF_RANGE__COUNT);
	REFUSED("end", range_.end = 100);
	REFUSED("end", range_.end = 99);
	REFUSED("name", range_.name = NULL);
	REFUSED("backend", range_.backend = NULL);
	REFUSED("rows", range_.rows = NULL);
	REFUSED("rows", range_.row_count = 0);
	REFUSED("slots", range_.slots = NULL);
	REFUSED("slot_count", range_.slot_count = JF_FRAME_SLOTS_MAX + 1);
	REFUSED("callback", range_.kind = JF_RANGE_BOUNDARY);
	REFUSED("rows", range_.rows = late);
	REFUSED("rows", range_.rows = twice; range_.row_count = 3);
	REFUSED("rows", range_.rows = back; range_.row_count = 3);
	REFUSED("rows", range_.rows = no_reg);
	REFUSED("rows", range_.rows = no_slot);
	REFUSED("rows", range_.rows = pad_saved);
	REFUSED("callback", range_.kind = JF_RANGE_TRY);
	/* Row offsets are 32 bits. */
	REFUSED("end", range_.end = range_.start + UINT64_C(0x100000000));
	REFUSED("end", range_.kind = JF_RANGE_ENTRY; range_.end = range_.start + UINT64_C(0x100000000));
}

/* Which one of many: by its name. */
Test(codemap, a_refusal_names_the_range)
{
	struct jf_range ranges[] = {range_of(100, 200), range_of(150, 300)};
	struct jf_error error = {.where = ""};

	ranges[1].name = "second";
	cr_assert_eq(jf_code_map_add_all(ranges, 2, &error), JF_E_OVERLAP);
	cr_assert_not_null(strstr(error.text, "\"second\", [0x96, 0x12c)"), "%s", error.text);
	ranges[1].end = 0;
	cr_assert_eq(jf_code_map_add_all(ranges, 2, &error), JF_E_INVAL);
	cr_assert_str_eq(error.where, "end");
	cr_assert_not_null(strstr(error.text, "\"second\""), "%s", error.text);
	cr_assert_eq(jf_code_map_add_all(ranges, 0, &error), JF_E_INVAL);
	cr_assert_str_eq(error.where, "count");
}

Test(codemap, a_bad_range_keeps_the_others_out)
{
	struct jf_range ranges[] = {range_of(100, 200), range_of(300, 300)};

	cr_assert_eq(jf_code_map_add_all(ranges, 2, NULL), JF_E_INVAL);
	cr_assert_null(find(100));
}

Test(codemap, what_is_there_stays_when_it_is_added_again)
{
	struct jf_range ranges[] = {range_of(100, 200), range_of(300, 400)};

	cr_assert_eq(jf_code_map_add(&ranges[0], NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&ranges[0], NULL), JF_E_OVERLAP);
	cr_assert_eq(jf_code_map_find(100), &ranges[0]);
	cr_assert_eq(jf_code_map_add_all(ranges, 2, NULL), JF_E_OVERLAP);
	cr_assert_eq(jf_code_map_find(100), &ranges[0]);
	cr_assert_null(jf_code_map_find(300));
	cr_assert_eq(jf_code_map_remove(&ranges[0]), JF_OK);
}

/* It would wait for itself. */
Test(codemap, inside_a_section_nothing_is_changed)
{
	struct jf_range there = range_of(100, 200), range = range_of(300, 400);
	unsigned int outer, inner;

	cr_assert_eq(jf_code_map_add(&there, NULL), JF_OK);
	outer = jf_code_map_enter();
	inner = jf_code_map_enter();
	jf_code_map_leave(inner);
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_E_IN_SECTION);
	cr_assert_eq(jf_code_map_remove(&there), JF_E_IN_SECTION);
	cr_assert_eq(jf_code_map_find(100), &there);
	cr_assert_null(jf_code_map_find(300));
	jf_code_map_leave(outer);
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(jf_code_map_remove(&there), JF_OK);
}

Test(codemap, null_and_nothing)
{
	struct jf_range range = range_of(100, 200);

	cr_assert_eq(jf_code_map_add(NULL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_code_map_add_all(NULL, 1, NULL), JF_E_INVAL);
	cr_assert_eq(jf_code_map_add_all(&range, 0, NULL), JF_E_INVAL);
	cr_assert_eq(jf_code_map_remove(NULL), JF_E_INVAL);
	cr_assert_eq(jf_code_map_remove_all(NULL, 1), JF_E_INVAL);
	cr_assert_eq(jf_code_map_remove_all(&range, 0), JF_E_INVAL);
}

Test(codemap, what_is_allowed)
{
	struct jf_range entry = range_of(100, 200), boundary = range_of(200, 300), big = range_of(1000, 1000);

	entry.kind = JF_RANGE_ENTRY;
	entry.rows = NULL;
	entry.row_count = 0;
	cr_assert_eq(jf_code_map_add(&entry, NULL), JF_OK);
	boundary.kind = JF_RANGE_BOUNDARY;
	boundary.callback = 1;
	cr_assert_eq(jf_code_map_add(&boundary, NULL), JF_OK);
	big.end += UINT32_MAX;
	big.slots = slots;
	big.slot_count = 2;
	cr_assert_eq(jf_code_map_add(&big, NULL), JF_OK);
}

/* ---- many ------------------------------------------------------------------------------------------- */

#define MANY  10000
#define SPACE (MANY * 8)

static struct jf_range many[MANY];
static const struct jf_range *owner[SPACE]; /* what a map of every address would say */

static void claim(const struct jf_range *range, const struct jf_range *by)
{
	for (uint64_t at = range->start; at < range->end; at++)
		owner[at] = by;
}

static bool is_free(const struct jf_range *range)
{
	for (uint64_t at = range->start; at < range->end; at++)
		if (owner[at])
			return false;
	return true;
}

static void check_everywhere(void)
{
	for (uint64_t at = 0; at < SPACE; at++)
		CHECK(find(at) == owner[at], "address %lu", at);
}

/* In batches of up to 200, some of which overlap; then some removed, some added again. */
Test(codemap, ten_thousand_ranges)
{
	struct rng rng = {5};
	size_t there = 0;

	for (size_t i = 0; i < MANY;) {
		size_t batch = 1 + rng_below(&rng, 200), fits = true;

		if (batch > MANY - i)
			batch = MANY - i;
		for (size_t k = 0; k < batch; k++) {
			uint64_t start = rng_below(&rng, SPACE - 8);

			many[i + k] = range_of(start, start + 1 + rng_below(&rng, 4));
			/* Most batches are made to fit, else hardly one would. */
			if (rng_below(&rng, 1000) && !is_free(&many[i + k])) {
				k--;
				continue;
			}
			fits = fits && is_free(&many[i + k]);
			if (fits)
				claim(&many[i + k], &many[i + k]);
		}
		CHECK_STATUS(jf_code_map_add_all(&many[i], batch, NULL), fits ? JF_OK : JF_E_OVERLAP, "batch at %zu",
			     i);
		if (!fits) {
			for (uint64_t at = 0; at < SPACE; at++)
				if (owner[at] >= &many[i] && owner[at] < &many[i + batch])
					owner[at] = NULL;
			continue;
		}
		i += batch;
		there += batch;
	}
	cr_assert_eq(there, MANY);
	check_everywhere();
	for (size_t i = 0; i + 100 <= MANY; i += 200) {
		CHECK_STATUS(jf_code_map_remove_all(&many[i], 100), JF_OK, "%zu", i);
		for (size_t k = 0; k < 100; k++)
			claim(&many[i + k], NULL);
	}
	check_everywhere();
	CHECK_STATUS(jf_code_map_remove_all(many, MANY), JF_E_NOT_FOUND, "half of them are gone");
	check_everywhere();
}
