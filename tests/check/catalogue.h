/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_CATALOGUE_H
#define JF_TESTS_CHECK_CATALOGUE_H

#include "oracle.h"

#define FINDINGS_MAX 64

struct verdict {
	uint32_t broken, undecided;        /* RULE(); RULE(0) is undecided where the code cannot be followed */
	char unsaved[JF_FINDING_TEXT_MAX]; /* what the finding on R3 says, but for the place */
	struct jf_check_report report;
	struct jf_finding findings[FINDINGS_MAX];
};

/* Asks the checker about a subject. */
void verdict_of(const struct subject *s, struct verdict *v);
/* What is known of a convention: rules that its good frames of that role break. */
uint32_t known_findings(const struct subject *s);
/* "R3 R10" */
const char *rules_text(uint32_t rules);

#endif
