/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <jitframe/row.h>

static const struct jf_row rows[] = {
	{.code_off = 0}, {.code_off = 4}, {.code_off = 6}, {.code_off = 100}, {.code_off = UINT32_MAX},
};
#define COUNT (sizeof(rows) / sizeof(rows[0]))

Test(row, find_gives_the_last_row_not_above)
{
	cr_assert_eq(jf_row_find(rows, COUNT, 0), &rows[0]);
	cr_assert_eq(jf_row_find(rows, COUNT, 3), &rows[0]);
	cr_assert_eq(jf_row_find(rows, COUNT, 4), &rows[1]);
	cr_assert_eq(jf_row_find(rows, COUNT, 5), &rows[1]);
	cr_assert_eq(jf_row_find(rows, COUNT, 6), &rows[2]);
	cr_assert_eq(jf_row_find(rows, COUNT, 99), &rows[2]);
	cr_assert_eq(jf_row_find(rows, COUNT, 100), &rows[3]);
	cr_assert_eq(jf_row_find(rows, COUNT, UINT32_MAX - 1), &rows[3]);
	cr_assert_eq(jf_row_find(rows, COUNT, UINT32_MAX), &rows[4]);
}

Test(row, find_in_nothing_gives_null)
{
	cr_assert_null(jf_row_find(NULL, 0, 0));
	cr_assert_null(jf_row_find(rows, 0, 50));
}

Test(row, find_before_the_first_row_gives_null)
{
	cr_assert_null(jf_row_find(rows + 1, COUNT - 1, 0));
	cr_assert_null(jf_row_find(rows + 1, COUNT - 1, 3));
	cr_assert_eq(jf_row_find(rows + 1, 1, UINT32_MAX), &rows[1]);
}

/* Every table length up to 40 and every offset around it, against looking at each row. */
Test(row, find_agrees_with_a_linear_search)
{
	struct jf_row table[40];
	struct rng rng = {1};

	for (size_t count = 0; count <= 40; count++) {
		uint32_t off = rng_below(&rng, 3);

		for (size_t i = 0; i < count; i++) {
			table[i] = (struct jf_row){.code_off = off};
			off += 1 + rng_below(&rng, 5);
		}
		for (uint32_t at = 0; at < off + 5; at++) {
			const struct jf_row *wanted = NULL;

			for (size_t i = 0; i < count && table[i].code_off <= at; i++)
				wanted = &table[i];
			CHECK(jf_row_find(table, count, at) == wanted, "%zu rows, offset %u", count, at);
		}
	}
}

Test(row, same_compares_all_but_the_offset)
{
	const struct jf_row a = {.code_off = 1, .cfa_off = 16, .saved = 3, .cfa_reg = 2, .flags = JF_ROW_RA_SIGNED};
	struct jf_row b = a;

	b.code_off = 77;
	cr_assert(jf_row_same(&a, &b));
	b = a;
	b.cfa_off = 24;
	cr_assert_not(jf_row_same(&a, &b));
	b = a;
	b.saved = 1;
	cr_assert_not(jf_row_same(&a, &b));
	b = a;
	b.cfa_reg = 3;
	cr_assert_not(jf_row_same(&a, &b));
	b = a;
	b.flags = 0;
	cr_assert_not(jf_row_same(&a, &b));
}
