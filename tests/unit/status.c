/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <jitframe/check.h>
#include <jitframe/status.h>

#include <string.h>

static const struct {
	enum jf_status status;
	int value;
	const char *name;
	const char *text;
} list[] = {
/* clang-format off */
#define ENTRY(name, value, text) { name, value, #name, text },
	/* clang-format on */
	JF_STATUS_LIST(ENTRY)
#undef ENTRY
};
#define COUNT (sizeof(list) / sizeof(list[0]))

Test(status, every_value_has_its_name_and_text)
{
	for (size_t i = 0; i < COUNT; i++) {
		cr_assert_eq((int)list[i].status, list[i].value);
		cr_assert_str_eq(jf_status_name(list[i].status), list[i].name);
		cr_assert_str_eq(jf_status_text(list[i].status), list[i].text);
		cr_assert(strlen(list[i].text) > 1);
	}
}

Test(status, values_names_and_texts_are_unique)
{
	for (size_t i = 0; i < COUNT; i++) {
		for (size_t k = 0; k < i; k++) {
			cr_assert_neq(list[i].value, list[k].value, "%s, %s", list[i].name, list[k].name);
			cr_assert_str_neq(list[i].name, list[k].name);
			cr_assert_str_neq(list[i].text, list[k].text, "%s, %s", list[i].name, list[k].name);
		}
	}
}

Test(status, sign_tells_errors_from_good_news)
{
	for (size_t i = 0; i < COUNT; i++) {
		bool is_error = !strncmp(list[i].name, "JF_E_", 5);

		cr_assert_eq(is_error, list[i].value < 0, "%s", list[i].name);
	}
	cr_assert_eq((int)JF_OK, 0);
	cr_assert_gt((int)JF_END, 0);
}

Test(status, values_are_what_programs_were_compiled_with)
{
	cr_assert_eq((int)JF_CAUGHT, 2);
	cr_assert_eq((int)JF_END, 1);
	cr_assert_eq((int)JF_E_INVAL, -1);
	cr_assert_eq((int)JF_E_BAD_SPEC, -6);
	cr_assert_eq((int)JF_E_BAD_IMAGE, -16);
	cr_assert_eq((int)JF_E_GUARD, -17);
	cr_assert_eq((int)JF_E_IN_SECTION, -18);
	cr_assert_eq((int)JF_E_NO_HANDLER, -19);
	cr_assert_eq((int)JF_E_NO_THREAD, -20);
	cr_assert_eq((int)JF_E_BUSY, -21);
	cr_assert_eq((int)JF_E_IN_PAD, -22);
	cr_assert_eq((int)JF_AT_PAD, 3);
}

Test(status, unknown_values_are_named_as_such)
{
	static const int unknown[] = {4, 100, -100, -1000, INT32_MAX, INT32_MIN};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		cr_assert_str_eq(jf_status_name((enum jf_status)unknown[i]), "JF_E_?");
		cr_assert_str_eq(jf_status_text((enum jf_status)unknown[i]), "unknown status");
	}
}

Test(status, error_set_fills_and_returns)
{
	struct jf_error error;

	memset(&error, 0xff, sizeof(error));
	cr_assert_eq(jf_error_set(&error, JF_E_RANGE, "field", "%d of %s", 3, "four"), JF_E_RANGE);
	cr_assert_eq(error.status, JF_E_RANGE);
	cr_assert_str_eq(error.where, "field");
	cr_assert_str_eq(error.text, "3 of four");
}

Test(status, error_set_takes_null)
{
	struct jf_error error;

	cr_assert_eq(jf_error_set(NULL, JF_E_STUCK, NULL, "%s", "lost"), JF_E_STUCK);
	cr_assert_eq(jf_error_set(&error, JF_E_STUCK, NULL, "%s", "x"), JF_E_STUCK);
	cr_assert_str_eq(error.where, "");
}

Test(status, error_set_cuts_what_is_too_long)
{
	struct {
		struct jf_error error;
		char behind[16];
	} s;
	char name[1000];

	memset(&s, 'z', sizeof(s));
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(jf_error_set(&s.error, JF_E_INVAL, name, "%s", name), JF_E_INVAL);
	cr_assert_eq(strlen(s.error.where), sizeof(s.error.where) - 1);
	cr_assert_eq(strlen(s.error.text), sizeof(s.error.text) - 1);
	cr_assert_eq(s.behind[0], 'z');
}

/* ---- the contract's rules are a list of the same kind ---------------------------------------------- */

Test(contract, rules_are_in_order_of_their_numbers)
{
	unsigned int count = 0, last = 0;

#define ONE(number, name, text)        \
	cr_assert(number > last);      \
	cr_assert(jf_rule_at(number)); \
	last = number;                 \
	count++;
	JF_RULE_LIST(ONE)
#undef ONE
	cr_assert_eq(count, JF_RULE_COUNT);
	cr_assert_eq(last, JF_RULE_COUNT);
	for (unsigned int i = 1; i <= last; i++) {
		const struct jf_rule *rule = jf_rule_at(i);

		if (!rule)
			continue;
		count--;
		cr_assert_eq(rule->number, i);
		cr_assert(rule->name[0] && rule->text[0]);
		for (unsigned int k = 1; k < i; k++)
			cr_assert(!jf_rule_at(k) || strcmp(rule->name, jf_rule_at(k)->name));
	}
	cr_assert_eq(count, 0);
}

Test(contract, other_numbers_have_no_rule)
{
	cr_assert_null(jf_rule_at(0));
	cr_assert_null(jf_rule_at(JF_RULE_COUNT + 1));
	cr_assert_null(jf_rule_at(UINT32_MAX));
}
