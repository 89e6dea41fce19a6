/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sized.h"

#include <jitframe/backend.h>

static const struct jf_values no_values;

/* Bits of the frame record's slots. */
static uint32_t record_mask(const struct jf_frame *frame)
{
	int ra = jf_frame_slot(frame, JF_SLOT_RETURN, frame->conv->backend->ra);
	int fp = jf_frame_slot(frame, JF_SLOT_SAVE, frame->conv->backend->fp);

	return (ra < 0 ? 0 : UINT32_C(1) << ra) | (fp < 0 ? 0 : UINT32_C(1) << fp);
}

/*
 * What holds at a function's first instruction. An adopting callback finds every save of the boundary
 * in place, seen from its third argument; one that restores knows no more than the frame record.
 */
void jf_frame_begin(struct jf_code *code, const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	const struct jf_backend *backend = conv->backend;
	uint32_t all = jf_frame_saved_mask(frame);

	if (frame->spec.role != JF_ROLE_CALLBACK) {
		int ra = jf_frame_slot(frame, JF_SLOT_RETURN, JF_REG_NONE);
		uint32_t saved = backend->ra_pushed && ra >= 0 ? UINT32_C(1) << ra : 0;

		jf_code_begin(code, frame, backend->sp, backend->cfa_sp_off_at_entry, saved);
		return;
	}
	jf_code_begin(code, frame, backend->args[2], -conv->fp_off_from_cfa,
		      conv->landing == JF_LANDING_ADOPT ? all : record_mask(frame));
	if (conv->landing == JF_LANDING_RESTORE)
		jf_code_row_flags(code, JF_ROW_REGS_LOST, 0);
	if (frame->spec.sign_return)
		jf_code_row_flags(code, JF_ROW_RA_SIGNED, 0);
}

/* When only its effect is wanted. */
static void emit_prologue_scratch(struct jf_code *scratch, uint8_t *bytes, const struct jf_frame *frame,
				  const struct jf_values *values)
{
	jf_code_init(scratch, bytes, JF_FUNCTION_BYTES_MAX, 0, NULL, 0);
	jf_frame_begin(scratch, frame);
	jf_frame_prologue(scratch, frame, values);
}

static void emit_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	jf_code_mark(code, JF_MARK_EPILOGUE);
	jf_frame_epilogue(code, frame);
}

static enum jf_status emit_tail_exit(struct jf_code *code, const struct jf_frame *frame)
{
	uint32_t entry_off;
	enum jf_status status;

	if (!frame->spec.tail_calls || frame->spec.role == JF_ROLE_CALLBACK)
		return JF_E_UNSUPPORTED;
	status = jf_tail_entry_off(frame->conv, &frame->spec, &entry_off);
	if (status == JF_OK)
		jf_frame_tail_exit(code, frame, entry_off);
	return status;
}

enum jf_status jf_frame_emit(struct jf_code *code, const struct jf_frame *frame, enum jf_part part,
			     const struct jf_values *values)
{
	uint8_t bytes[JF_FUNCTION_BYTES_MAX];
	struct jf_code scratch;
	struct jf_row body;
	enum jf_status status = JF_OK;

	if (!code || !frame || !frame->conv || (unsigned int)part > JF_PART_ALL)
		return JF_E_INVAL;
	if (!values)
		values = &no_values;
	if (!jf_sized_is_zero(values->reserved, sizeof(values->reserved)))
		return JF_E_INVAL;
	jf_frame_begin(code, frame);
	if (part == JF_PART_PROLOGUE || part == JF_PART_ALL) {
		jf_frame_prologue(code, frame, values);
	} else {
		emit_prologue_scratch(&scratch, bytes, frame, values);
		if (scratch.status != JF_OK)
			return scratch.status;
		jf_code_set_state(code, jf_code_state(&scratch));
	}
	body = jf_code_state(code);
	if (part == JF_PART_EPILOGUE || part == JF_PART_ALL)
		emit_epilogue(code, frame);
	jf_code_set_state(code, body);
	if (part == JF_PART_TAIL_EXIT)
		status = emit_tail_exit(code, frame);
	else if (part == JF_PART_ALL && frame->spec.tail_calls && frame->spec.role != JF_ROLE_CALLBACK)
		status = emit_tail_exit(code, frame);
	return status == JF_OK ? jf_code_finish(code) : status;
}

enum jf_status jf_tail_entry_off(const struct jf_convention *conv, const struct jf_frame_spec *spec,
				 uint32_t *entry_off)
{
	struct jf_frame_spec main_spec = JF_FRAME_SPEC_INIT;
	uint8_t bytes[JF_FUNCTION_BYTES_MAX];
	struct jf_code scratch;
	struct jf_frame frame;
	enum jf_status status;

	if (!conv || !spec || !entry_off)
		return JF_E_INVAL;
	main_spec.tail_calls = spec->tail_calls;
	main_spec.landing_pads = spec->landing_pads;
	main_spec.sign_return = spec->sign_return;
	main_spec.classic = spec->classic;
	status = jf_frame_solve(conv, &main_spec, &frame, NULL);
	if (status != JF_OK)
		return status;
	emit_prologue_scratch(&scratch, bytes, &frame, &no_values);
	if (scratch.status != JF_OK)
		return scratch.status;
	if (scratch.marks[JF_MARK_TAIL_ENTRY] == JF_MARK_UNSET)
		return JF_E_UNSUPPORTED;
	*entry_off = scratch.marks[JF_MARK_TAIL_ENTRY];
	return JF_OK;
}
