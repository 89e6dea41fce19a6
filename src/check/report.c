/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/check.h>

const char *jf_verdict_name(enum jf_verdict verdict)
{
	static const char *const names[JF_VERDICT__COUNT] = {
		[JF_VERDICT_NOT_APPLICABLE] = "not applicable",
		[JF_VERDICT_HOLDS] = "holds",
		[JF_VERDICT_UNDECIDED] = "not decidable",
		[JF_VERDICT_BROKEN] = "broken",
	};

	return (unsigned int)verdict < JF_VERDICT__COUNT ? names[verdict] : "?";
}

bool jf_check_passed(const struct jf_check_report *report)
{
	return report->verdicts[0] <= JF_VERDICT_HOLDS;
}
