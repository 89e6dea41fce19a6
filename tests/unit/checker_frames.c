/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "conventions.h"
#include "specs.h"

/* Frames that are as they should be: no rule is broken, none is left open, and the rows are those found in the code. */

#define FINDINGS 16

struct counts {
	unsigned int seen, frames, rows;
};

/*
 * The rows found are as true as those emitted, at every instruction, and so say the same of the CFA, the return
 * address and every callee-saved register. Where a register is both in its slot and in its place, as in the middle
 * of a prologue, the two may name different ones.
 */
static void check_rows(const struct emitted *e, const char *name, struct counts *counts)
{
	struct jf_check_input input = e->input;
	struct jf_row rows[FRAME_ROWS];
	struct jf_slot slots[32];
	struct jf_finding findings[FINDINGS];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = FINDINGS};
	size_t row_count = FRAME_ROWS, slot_count = 32;
	struct jf_error error = {0};
	char text[2048];

	CHECK_STATUS(jf_check_rows(&input, rows, &row_count, slots, &slot_count, &error), JF_OK, "%s: %s: %s", name,
		     error.where, error.text);
	for (size_t i = 0; i < row_count; i++) {
		const struct jf_row *there = jf_row_find(e->rows, e->code.row_count, rows[i].code_off);

		CHECK(!(rows[i].flags & JF_ROW_UNKNOWN), "%s: +0x%x", name, rows[i].code_off);
		CHECK(rows[i].flags == there->flags, "%s: +0x%x: flags %x, not %x", name, rows[i].code_off,
		      rows[i].flags, there->flags);
	}
	input.rows = rows;
	input.row_count = row_count;
	input.slots = slots;
	input.slot_count = (uint8_t)slot_count;
	CHECK_STATUS(jf_check(&input, &report, &error), JF_OK, "%s: %s: %s", name, error.where, error.text);
	CHECK(report.verdicts[10] == JF_VERDICT_HOLDS, "%s", is_clean(&report, 0, text, sizeof(text)) ? "" : text);
	counts->rows += (unsigned int)row_count;
}

/* Registers one by one, all and none: how many others are saved makes no difference to a rule. */
static bool is_sampled(const struct jf_frame_spec *spec)
{
	unsigned int regs = spec->bpf_regs_used >> JF_BPF_R6;

	return !(regs & (regs - 1)) || regs == 31;
}

static void check_good(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg)
{
	static struct emitted e;
	struct jf_finding findings[FINDINGS];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = FINDINGS};
	struct jf_error error = {0};
	struct counts *counts = arg;
	char name[256], text[2048];

	if (!is_sampled(spec) || counts->seen++ % ONE_OF || !emit_frame(&e, conv, spec))
		return;
	spec_text(conv, spec, name, sizeof(name));
	CHECK_STATUS(jf_check(&e.input, &report, &error), JF_OK, "%s: %s: %s", name, error.where, error.text);
	CHECK(is_clean(&report, known_findings(conv, spec), text, sizeof(text)), "%s:%s", name, text);
	CHECK(report.exit_count == 1, "%s: %u exits", name, report.exit_count);
	CHECK(report.tail_exit_count == e.input.from_body_count, "%s: %u tail exits", name, report.tail_exit_count);
	check_rows(&e, name, counts);
	counts->frames++;
}

ALL_CONVENTIONS(checker, good_frames)
{
	const struct jf_convention *conv = convention_at(*index);
	struct counts counts = {0};

	needs_decoder(conv);
	each_spec(conv, check_good, &counts);
	cr_assert_gt(counts.frames, 500 / ONE_OF, "%u frames", counts.frames);
}

/* Places that only a body jumps to, and nobody says where the body is: no path reaches them, so no row is known. */
ALL_CONVENTIONS(checker, rows_behind_a_body_that_is_not_marked)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	size_t row_count = FRAME_ROWS, slot_count = 32;
	struct jf_row rows[FRAME_ROWS];
	struct jf_slot slots[32];
	static struct emitted e;

	spec.tail_calls = true;
	needs_decoder(conv);
	cr_assert(emit_frame(&e, conv, &spec) && e.input.from_body_count == 1);
	e.input.marks[JF_MARK_BODY] = JF_MARK_UNSET;
	CHECK_STATUS(jf_check_rows(&e.input, rows, &row_count, slots, &slot_count, NULL), JF_OK, "%s", conv->name);
	for (size_t i = 0; i < row_count; i++) {
		bool is_reached = rows[i].code_off < e.tail_exit_off;

		CHECK(!(rows[i].flags & JF_ROW_UNKNOWN) == is_reached, "+0x%x: flags %x", rows[i].code_off,
		      rows[i].flags);
		CHECK(is_reached || (!rows[i].saved && !rows[i].cfa_reg && !rows[i].cfa_off),
		      "+0x%x: an UNKNOWN row speaks", rows[i].code_off);
	}
	CHECK(jf_row_find(rows, row_count, e.tail_exit_off)->flags & JF_ROW_UNKNOWN, "the tail exit has a row");
}
