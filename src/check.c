/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/check.h>

enum jf_status jf_check(const struct jf_check_input *input, struct jf_check_report *report, struct jf_error *error)
{
	if (!input || !report)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	return jf_error_set(error, JF_E_UNSUPPORTED, "conv", "nothing can be checked yet");
}

enum jf_status jf_check_rows(const struct jf_check_input *input, struct jf_row *rows, size_t *row_count,
			     struct jf_slot *slots, size_t *slot_count, struct jf_error *error)
{
	if (!input || !rows || !row_count || !slots || !slot_count)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	return jf_error_set(error, JF_E_UNSUPPORTED, "conv", "nothing can be checked yet");
}

int jf_convention_check(const struct jf_convention *conv, struct jf_finding *findings, size_t capacity)
{
	(void)findings;
	(void)capacity;
	return conv ? 0 : JF_E_INVAL;
}
