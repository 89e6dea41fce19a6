/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "conventions.h"
#include "specs.h"

/* Frames that are as they should be: no rule is broken, none is left open, and the rows are those found in the code. */

#define FINDINGS 16

struct counts {
	unsigned int frames, rows;
};

static void check_good(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg)
{
	static struct emitted e;
	struct jf_finding findings[FINDINGS];
	struct jf_check_report report = {.findings = findings, .finding_capacity = FINDINGS};
	struct jf_error error = {0};
	struct counts *counts = arg;
	char name[256], text[2048];

	if (!emit_frame(&e, conv, spec))
		return;
	spec_text(conv, spec, name, sizeof(name));
	CHECK_STATUS(jf_check(&e.input, &report, &error), JF_OK, "%s: %s: %s", name, error.where, error.text);
	CHECK(is_clean(&report, known_findings(conv, spec), text, sizeof(text)), "%s:%s", name, text);
	CHECK(report.exit_count == 1, "%s: %u exits", name, report.exit_count);
	counts->frames++;
}

ALL_CONVENTIONS(checker, good_frames)
{
	const struct jf_convention *conv = convention_at(*index);
	struct counts counts = {0};

	if (!conv->backend->decode)
		cr_skip_test();
	each_spec(conv, check_good, &counts);
	cr_assert_gt(counts.frames, 1000);
}
