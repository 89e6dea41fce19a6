/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <jitframe/codemap.h>
#include <string.h>

/* Ranges whose rows are asked for. */

static struct jf_range range_of(struct jf_lazy_rows *lazy)
{
	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = JF_RANGE_MAIN,
		.start = 100,
		.end = 200,
		.name = "range",
		.backend = &toy_backend,
		.lazy = lazy,
	};
}

static const struct jf_row late[] = {{.code_off = 1, .cfa_reg = TOY_SP}};

struct lazy_case {
	unsigned int asked, refusals;
	struct jf_range_rows answer;
};

static const struct jf_range_rows *ask_case(void *arg, const struct jf_range *range)
{
	struct lazy_case *c = arg;

	(void)range;
	c->asked++;
	return c->refusals && c->refusals-- ? NULL : &c->answer;
}

Test(codemap_lazy, lazy_rows_are_asked_for_until_there_is_an_answer)
{
	static const struct jf_row rows[] = {{.cfa_reg = TOY_SP, .cfa_off = 8}};
	struct lazy_case c = {.refusals = 2, .answer = {rows, 1, NULL, 0}};
	struct jf_lazy_rows lazy = {ask_case, &c, NULL};
	struct jf_range range = range_of(&lazy);
	struct jf_range_rows found = {NULL};

	CHECK_STATUS(jf_code_map_add(&range, NULL), JF_OK, "add");
	CHECK(c.asked == 0, "asked %u times by jf_code_map_add()", c.asked);
	CHECK_STATUS(jf_range_find_rows(&range, &found), JF_E_NO_ROW, "first");
	CHECK_STATUS(jf_range_find_rows(&range, &found), JF_E_NO_ROW, "second");
	CHECK(!found.rows && !found.row_count, "written on a failure");
	for (int i = 0; i < 3; i++)
		CHECK_STATUS(jf_range_find_rows(&range, &found), JF_OK, "%d", i);
	CHECK(found.rows == rows && found.row_count == 1, "other rows");
	CHECK(c.asked == 3, "asked %u times", c.asked);
	CHECK_STATUS(jf_code_map_remove(&range), JF_OK, "remove");
}

/* They say nothing, and nobody asks again. */
Test(codemap_lazy, lazy_rows_that_are_none_are_unknown)
{
	struct lazy_case c = {.answer = {late, 1, NULL, 0}};
	struct jf_lazy_rows lazy = {ask_case, &c, NULL};
	struct jf_range range = range_of(&lazy);
	struct jf_range_rows found = {NULL};

	for (int i = 0; i < 2; i++)
		CHECK_STATUS(jf_range_find_rows(&range, &found), JF_OK, "%d", i);
	CHECK(c.asked == 1, "asked %u times", c.asked);
	CHECK(found.row_count == 1 && found.rows[0].flags == JF_ROW_UNKNOWN && !found.slot_count, "not unknown");
}

Test(codemap_lazy, rows_of_other_ranges)
{
	static const struct jf_row row = {.cfa_reg = TOY_SP};
	struct jf_range range = range_of(NULL);
	struct jf_range_rows found = {NULL};

	range.rows = &row;
	range.row_count = 1;
	CHECK_STATUS(jf_range_find_rows(&range, &found), JF_OK, "rows");
	CHECK(found.rows == range.rows && found.row_count == range.row_count, "other rows");
	range.kind = JF_RANGE_ENTRY;
	CHECK_STATUS(jf_range_find_rows(&range, &found), JF_E_NO_ROW, "entry");
	CHECK_STATUS(jf_range_find_rows(NULL, &found), JF_E_INVAL, "NULL");
	CHECK_STATUS(jf_range_find_rows(&range, NULL), JF_E_INVAL, "NULL");
}

static void check_refused(const struct jf_range *range, const char *words)
{
	struct jf_error error = {.where = ""};

	CHECK_STATUS(jf_code_map_add(range, &error), JF_E_INVAL, "%s", words);
	CHECK(!strcmp(error.where, "lazy") && strstr(error.text, words), "%s: %s", error.where, error.text);
}

Test(codemap_lazy, ranges_that_contradict_themselves_are_refused)
{
	struct lazy_case c = {.answer = {late, 1, NULL, 0}};
	struct jf_lazy_rows good = {ask_case, &c, NULL}, without_ask = {NULL, NULL, NULL},
			    used = {ask_case, &c, &c.answer};
	struct jf_range range = range_of(&good);

	range.rows = late;
	range.row_count = 1;
	check_refused(&range, "beside");
	range = range_of(&without_ask);
	check_refused(&range, "ask is NULL");
	range = range_of(&used);
	check_refused(&range, "set it to NULL");
	CHECK(!c.asked, "asked %u times", c.asked);
}
