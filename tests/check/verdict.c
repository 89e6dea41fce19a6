/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalogue.h"

#include <stdio.h>
#include <string.h>

#include "../unit/check.h"

static enum jf_target_kind target_kind(enum call_kind kind)
{
	switch (kind) {
	case TO_BPF: return JF_TARGET_BPF;
	case TO_MAY_GOTO: return JF_TARGET_OWN_STUB;
	case TO_STUB: return JF_TARGET_CALL_STUB;
	case TO_THROW: return JF_TARGET_THROW;
	case TO_RESUME: return JF_TARGET_RESUME;
	default: return JF_TARGET_C;
	}
}

static void note_finding(struct verdict *v, const struct jf_finding *finding)
{
	const char *what = strstr(finding->text, "has not saved");

	if (finding->rule == 0)
		v->undecided |= RULE(0);
	if (finding->rule == 3 && what)
		snprintf(v->unsaved, sizeof(v->unsaved), "%s", what);
}

void verdict_of(const struct subject *s, struct verdict *v)
{
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_check_target targets[SUBJECT_CALLS_MAX];
	struct jf_values values = s->values;
	struct jf_error error = {.text = ""};

	values.private_stack = s->private_stack;
	for (unsigned int i = 0; i < s->call_count; i++)
		targets[i] = (struct jf_check_target){.start = s->calls[i].address,
						      .end = s->calls[i].address + 4,
						      .kind = (uint8_t)target_kind(s->calls[i].kind)};
	input.kind = s->is_private_stub ? JF_CHECK_PRIVATE_STUB : s->is_stub ? JF_CHECK_CALL_STUB : JF_CHECK_FUNCTION;
	input.conv = s->conv;
	input.bytes = s->code;
	input.byte_count = s->size;
	input.address = s->address;
	input.spec = s->frame.spec;
	input.boundary = s->any_boundary ? NULL : &s->boundary.spec;
	memcpy(input.marks, s->marks, sizeof(input.marks));
	if (s->row_count) {
		input.rows = s->rows;
		input.row_count = s->row_count;
		input.slots = s->row_slots;
		input.slot_count = s->row_slot_count;
	}
	input.targets = targets;
	input.target_count = s->call_count;
	input.values = &values;
	input.cleanups = s->cleanups;
	input.cleanup_count = s->frame.spec.cleanups ? s->cleanup_count : 0;
	input.spill_off = s->spill_off;
	input.throw_off = s->throw_off;
	input.c_align = s->conv->backend->stack_align;
	memset(v, 0, sizeof(*v));
	v->report.size = sizeof(v->report);
	v->report.findings = v->findings;
	v->report.finding_capacity = FINDINGS_MAX;
	CHECK_STATUS(jf_check(&input, &v->report, &error), JF_OK, "%s: %s: %s", s->name, error.where, error.text);
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++) {
		v->broken |= v->report.verdicts[rule] == JF_VERDICT_BROKEN ? RULE(rule) : 0;
		v->undecided |= v->report.verdicts[rule] == JF_VERDICT_UNDECIDED ? RULE(rule) : 0;
	}
	for (unsigned int i = 0; i < v->report.finding_count && i < FINDINGS_MAX; i++)
		note_finding(v, &v->findings[i]);
}

/* Linux's frames leave registers of the ABI out of a boundary's saves; and see arch_convention.callback_leaves. */
uint32_t known_findings(const struct subject *s)
{
	const struct jf_frame_spec *spec = &s->frame.spec;

	if (s->is_stub)
		return 0;
	if (spec->role == JF_ROLE_BOUNDARY && jf_convention_unsaved(s->conv, NULL, 0) > 0)
		return RULE(3);
	if (spec->role == JF_ROLE_CALLBACK && spec->tail_calls)
		return arch_convention(s->conv).callback_leaves;
	return 0;
}

const char *rules_text(uint32_t rules)
{
	static char texts[4][96];
	static unsigned int next;
	char *text = texts[next++ % 4];
	size_t length = 0;

	text[0] = '\0';
	for (unsigned int rule = 0; rule <= JF_RULE_COUNT; rule++)
		if (rules & RULE(rule))
			length += (size_t)snprintf(text + length, sizeof(texts[0]) - length, "%sR%u", length ? " " : "",
						   rule);
	return length ? text : "none";
}
