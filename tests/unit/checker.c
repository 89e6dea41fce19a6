/* SPDX-License-Identifier: BSD-2-Clause */
#include "checker.h"
#include "arch.h"

#include <stdio.h>
#include <string.h>

static size_t tail_exit_size(const struct jf_frame *frame)
{
	uint8_t bytes[FRAME_CODE_BYTES];
	struct jf_code code;

	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	return jf_frame_emit(&code, frame, JF_PART_TAIL_EXIT, NULL) == JF_OK ? code.size : 0;
}

static const struct jf_values values = {.private_stack_word = (uint64_t)-56};

bool emit_frame(struct emitted *out, const struct jf_convention *conv, const struct jf_frame_spec *spec)
{
	if (jf_frame_solve(conv, spec, &out->frame, NULL) != JF_OK)
		return false;
	jf_code_init(&out->code, out->bytes, sizeof(out->bytes), 0x10000, out->rows, FRAME_ROWS);
	if (jf_frame_emit(&out->code, &out->frame, JF_PART_ALL, &values) != JF_OK)
		return false;
	out->input = (struct jf_check_input)JF_CHECK_INPUT_INIT;
	out->input.conv = conv;
	out->input.c_align = conv->backend->stack_align;
	out->input.bytes = out->bytes;
	out->input.byte_count = out->code.size;
	out->input.address = out->code.address;
	out->input.spec = out->frame.spec;
	memcpy(out->input.marks, out->code.marks, sizeof(out->input.marks));
	out->input.rows = out->rows;
	out->input.row_count = out->code.row_count;
	out->input.slots = out->frame.slots;
	out->input.slot_count = out->frame.slot_count;
	out->tail_exit_off = (uint32_t)(out->code.size - tail_exit_size(&out->frame));
	out->input.from_body = &out->tail_exit_off;
	out->input.from_body_count = out->tail_exit_off != out->code.size;
	return true;
}

uint32_t known_findings(const struct jf_convention *conv, const struct jf_frame_spec *spec)
{
	uint32_t rules = 0;

	if (spec->role == JF_ROLE_BOUNDARY && jf_convention_unsaved(conv, NULL, 0) > 0)
		rules |= RULE(3);
	if (spec->role == JF_ROLE_CALLBACK && spec->tail_calls)
		rules |= arch_convention(conv).callback_leaves;
	return rules;
}

bool is_clean(const struct jf_check_report *report, uint32_t known, char *text, size_t capacity)
{
	size_t length = 0;

	text[0] = 0;
	for (size_t i = 0; i < report->finding_count && i < report->finding_capacity; i++) {
		const struct jf_finding *f = &report->findings[i];
		int more;

		if (known & UINT32_C(1) << f->rule && f->verdict == JF_VERDICT_BROKEN)
			continue;
		more = snprintf(text + length, capacity - length, "\n  R%u %s: %s", f->rule,
				jf_verdict_name((enum jf_verdict)f->verdict), f->text);
		length += more > 0 ? (size_t)more : 0;
		if (length >= capacity)
			return false;
	}
	return !length;
}
