/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/function.h>

#include "frame/builder.h"
#include "frame/range.h"

#include <inttypes.h>

/* Functions with a body of their own: prologue and exits around it, rows that go on, and the range. */

static const struct jf_values no_values;

void jf_function_begin(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	if (!code)
		return;
	if (!frame || !frame->conv) {
		jf_code_fail(code, JF_E_INVAL);
		return;
	}
	jf_frame_begin(code, frame);
	jf_frame_prologue(code, frame, values ? values : &no_values);
}

/* returns: whether there is a function to go on with. */
static bool is_begun(struct jf_code *code)
{
	if (code && !code->frame)
		jf_code_fail(code, JF_E_INVAL);
	return code && code->frame;
}

void jf_function_return(struct jf_code *code)
{
	struct jf_row body;

	if (!is_begun(code))
		return;
	body = jf_code_state(code);
	jf_code_mark(code, JF_MARK_EPILOGUE);
	jf_frame_epilogue(code, code->frame);
	jf_code_set_state(code, body);
}

/* The jump's register is written before the frame is taken down, for that leaves it alone. */
static void exit_to(struct jf_code *code, uint64_t target)
{
	const struct jf_frame *frame = code->frame;
	const struct jf_build_ops *ops = frame->conv->backend->build;
	uint32_t entry_off = 0;
	enum jf_status status = JF_OK;

	if (frame->spec.tail_calls)
		status = jf_tail_entry_off(frame->conv, &frame->spec, &entry_off);
	if (status != JF_OK) {
		jf_code_fail(code, status);
		return;
	}
	ops->constant(code, ops->target, target);
	if (frame->spec.tail_calls)
		jf_frame_tail_exit(code, frame, entry_off);
	else
		jf_frame_jump_out(code, frame);
}

void jf_function_tail_jump(struct jf_code *code, uint64_t target)
{
	struct jf_row body;

	if (!is_begun(code))
		return;
	if (!code->frame->conv->backend->build || code->frame->spec.role == JF_ROLE_CALLBACK) {
		jf_code_fail(code, JF_E_UNSUPPORTED);
		return;
	}
	body = jf_code_state(code);
	exit_to(code, target);
	jf_code_set_state(code, body);
}

void jf_function_restore_sp(struct jf_code *code)
{
	if (!is_begun(code))
		return;
	if (code->frame->conv->backend->build)
		jf_frame_reset_sp(code, code->frame);
	else
		jf_code_fail(code, JF_E_UNSUPPORTED);
}

enum jf_status jf_function_end(const struct jf_code *code, struct jf_error *error)
{
	if (!code)
		return jf_error_set(error, JF_E_INVAL, "code", "it is NULL");
	if (code->status != JF_OK)
		return jf_error_set(error, code->status, "code", "byte %zu: %s", code->fail_off,
				    jf_status_text(code->status));
	if (!code->frame)
		return jf_error_set(error, JF_E_INVAL, "code", "no function was begun: call jf_function_begin() first");
	return JF_OK;
}

/* ---- the range ------------------------------------------------------------------------------------------- */

enum jf_range_kind jf_range_kind_of(uint32_t role)
{
	static const uint8_t of_role[JF_ROLE__COUNT] = {
		[JF_ROLE_MAIN] = JF_RANGE_MAIN,
		[JF_ROLE_SUBPROGRAM] = JF_RANGE_SUBPROGRAM,
		[JF_ROLE_BOUNDARY] = JF_RANGE_BOUNDARY,
		[JF_ROLE_CALLBACK] = JF_RANGE_CALLBACK,
	};

	return (enum jf_range_kind)of_role[role];
}

/* What a range cannot be made of. */
static enum jf_status check_parts(const struct jf_code *code, const char *name, uint64_t callback,
				  const struct jf_range *range, struct jf_error *error)
{
	const struct {
		bool is_good;
		const char *where, *text;
	} needs[] = {
		{range, "range", "it is NULL"},
		{name, "name", "it is NULL: walks show the name"},
		{code->bytes, "code", "it only counts: emit the function once more, with memory for the bytes"},
		{code->rows, "code", "it has no rows: give jf_code_init() memory for rows"},
		{code->size > code->start, "code", "the function has no bytes"},
		{code->frame->spec.role != JF_ROLE_BOUNDARY || callback, "callback",
		 "it is 0, and the frame's role is boundary: give the address of a function of role callback"},
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!needs[i].is_good)
			return jf_error_set(error, JF_E_INVAL, needs[i].where, "%s", needs[i].text);
	return JF_OK;
}

enum jf_status jf_range_from(const struct jf_code *code, const char *name, uint64_t callback, struct jf_range *range,
			     struct jf_error *error)
{
	enum jf_status status = jf_function_end(code, error);
	const struct jf_frame *frame;

	if (status == JF_OK)
		status = check_parts(code, name, callback, range, error);
	if (status != JF_OK)
		return status;
	frame = code->frame;
	*range = (struct jf_range){
		.size = sizeof(*range),
		.kind = (uint8_t)jf_range_kind_of(frame->spec.role),
		.start = code->address + code->start,
		.end = code->address + code->size,
		.name = name,
		.backend = frame->conv->backend,
		.rows = code->rows + code->row_start,
		.row_count = code->row_count - code->row_start,
		.slots = frame->slots,
		.slot_count = frame->slot_count,
		.fp_off_from_cfa = frame->conv->fp_off_from_cfa,
		.landing_sp_off_from_cfa = frame->landing_sp_off_from_cfa,
		.callback = frame->spec.role == JF_ROLE_BOUNDARY ? callback : 0,
	};
	return JF_OK;
}
