/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/choice.h"

#include <string.h>

/* What holds where a function is entered: at its start, and by a tail call. */

/* ---- what is to be checked --------------------------------------------------------------------------- */

static int32_t slot_off(const struct jf_frame *frame, enum jf_slot_kind kind)
{
	int slot = jf_frame_slot(frame, kind, JF_REG_NONE);

	return slot < 0 ? 0 : frame->slots[slot].off_from_cfa;
}

static void make_map(struct checker *c)
{
	const struct jf_frame *frame = &c->frame;

	c->map = (struct stack_map){.bpf_low = 1, .count_reg = JF_REG_NONE, .reg_count = c->backend->reg_count};
	if (!c->is_function)
		return;
	c->map.is_main = frame->spec.role == JF_ROLE_MAIN || frame->spec.role == JF_ROLE_BOUNDARY;
	c->map.tcc = slot_off(frame, JF_SLOT_TCC);
	c->map.tcc_ptr = slot_off(frame, JF_SLOT_TCC_PTR);
	if (c->conv->caps & JF_CAP_TAIL_CALLS) {
		c->map.count_reg = c->conv->count_reg;
		c->map.count_start = c->conv->count_start;
		c->map.count_bytes = c->conv->count_bytes;
		c->map.count_by_value = c->conv->count_form == JF_COUNT_BY_VALUE && c->map.count_reg != JF_REG_NONE;
	}
	if (!frame->spec.private_stack) {
		c->map.bpf_high = frame->bpf_fp_off_from_cfa;
		c->map.bpf_low = frame->bpf_fp_off_from_cfa - (int32_t)frame->bpf_stack_bytes;
	}
}

enum jf_status checker_init(struct checker *c, const struct jf_check_input *input, const struct jf_frame_spec *boundary,
			    struct sink *sink, struct jf_error *error)
{
	enum jf_status status;

	memset(c, 0, sizeof(*c));
	c->input = input;
	c->conv = input->conv;
	c->backend = c->conv->backend;
	c->sink = sink;
	c->is_function = input->kind == JF_CHECK_FUNCTION;
	c->tail_entry = JF_MARK_UNSET;
	c->frame.conv = c->conv;
	status = jf_frame_record(c->conv, c->record);
	if (status != JF_OK)
		return jf_error_set(error, status, c->conv->name, "frames without a frame record");
	if (!c->is_function) {
		if (input->kind == JF_CHECK_CALL_STUB) {
			c->frame.slot_count = JF_RECORD__COUNT;
			memcpy(c->frame.slots, c->record, sizeof(c->record));
		}
		make_map(c);
		return JF_OK;
	}
	status = jf_frame_solve(c->conv, &input->spec, &c->frame, error);
	if (status != JF_OK)
		return status;
	c->is_callback = c->frame.spec.role == JF_ROLE_CALLBACK;
	c->counts_tail_calls = c->frame.spec.tail_calls;
	if (c->is_callback)
		status = jf_frame_solve(c->conv, boundary, &c->boundary, error);
	make_map(c);
	return status == JF_OK ? checker_find_entry_state(c) : status;
}

/* ---- at its first instruction ------------------------------------------------------------------------ */

/* Registers as the throw left them, the boundary's slots as its prologue did; arguments 2 and 3 say where. */
static void enter_callback(const struct checker *c, struct state *state)
{
	const struct jf_frame *boundary = &c->boundary;

	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		if (is_callee_saved(c, reg) && jf_frame_slot(boundary, JF_SLOT_SAVE, (uint8_t)reg) >= 0)
			state->regs[reg] = value_unknown(DEF_ENTRY, (uint8_t)reg);
	state->regs[c->backend->ra] = value_unknown(DEF_ENTRY, c->backend->ra);
	state->regs[c->backend->sp] = value_entry(c->backend->sp);
	state->regs[c->backend->args[1]] = value_cfa(boundary->landing_sp_off_from_cfa);
	state->regs[c->backend->args[2]] = value_cfa(c->conv->fp_off_from_cfa);
	for (unsigned int i = 0; i < boundary->slot_count; i++) {
		const struct jf_slot *slot = &boundary->slots[i];
		struct value value = value_unknown(DEF_ENTRY, (uint8_t)(0x80 | i));

		if (slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE)
			value = value_entry(slot->reg);
		else if (slot->kind != JF_SLOT_TCC && slot->kind != JF_SLOT_TCC_PTR)
			continue;
		if (slot->kind == JF_SLOT_RETURN && boundary->spec.sign_return)
			value.flags = VALUE_SIGNED; /* while SP was the CFA */
		state_store(state, slot->off_from_cfa,
			    value.kind == VALUE_ENTRY ? c->backend->regs[slot->reg].size_bytes :
							count_slot_bytes(&c->map, slot->off_from_cfa),
			    value);
	}
}

void checker_entry_state(const struct checker *c, struct state *state)
{
	const struct jf_backend *backend = c->backend;

	state_clear(state);
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		state->regs[reg] = value_entry((uint8_t)reg);
	if (c->is_callback) {
		enter_callback(c, state);
		return;
	}
	state->regs[backend->sp] = value_cfa(-backend->cfa_sp_off_at_entry);
	if (backend->ra_pushed) {
		state->regs[backend->ra] = value_unknown(DEF_ENTRY, backend->ra);
		state_store(state, -backend->cfa_sp_off_at_entry, 8, value_entry(backend->ra));
	}
}

/* ---- by a tail call ------------------------------------------------------------------------------------ */

/* Follows the convention's own prologue of a main program, which has no branches up to there. */
static bool follow_prologue(const struct checker *c, const struct jf_frame *frame, const struct jf_code *code,
			    struct state *state, bool *has_pad)
{
	struct checker own = *c;

	own.frame = *frame;
	own.is_callback = false;
	own.flags_hold = choice_of_nothing;
	make_map(&own);
	checker_entry_state(&own, state);
	for (own.off = 0; own.off < c->entry_off; own.off += own.effect.size_bytes) {
		if (jf_decode(c->backend, code->bytes + own.off, code->size - own.off, &own.effect) != JF_OK ||
		    own.effect.flow != JF_FLOW_NEXT)
			return false;
		checker_steps(&own, state);
	}
	*has_pad = jf_decode(c->backend, code->bytes + own.off, code->size - own.off, &own.effect) == JF_OK &&
		   own.effect.flags & JF_EFFECT_LANDING_PAD;
	return own.off == c->entry_off;
}

enum jf_status checker_find_entry_state(struct checker *c)
{
	const struct jf_frame_spec *spec = &c->frame.spec;
	struct jf_frame_spec main_spec = JF_FRAME_SPEC_INIT;
	static const struct jf_values no_values;
	uint8_t bytes[JF_FUNCTION_BYTES_MAX];
	struct jf_frame frame;
	struct jf_code code;

	if (jf_tail_entry_off(c->conv, spec, &c->entry_off) != JF_OK)
		return JF_OK;
	if (spec->role == JF_ROLE_MAIN || spec->role == JF_ROLE_BOUNDARY)
		c->tail_entry = c->entry_off;
	main_spec.tail_calls = spec->tail_calls;
	main_spec.landing_pads = spec->landing_pads;
	main_spec.sign_return = spec->sign_return;
	main_spec.classic = spec->classic;
	if (jf_frame_solve(c->conv, &main_spec, &frame, NULL) != JF_OK)
		return JF_E_BAD_DESC;
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	jf_frame_begin(&code, &frame);
	jf_frame_prologue(&code, &frame, &no_values);
	if (jf_code_finish(&code) != JF_OK)
		return JF_E_BAD_DESC;
	c->has_entry_state = follow_prologue(c, &frame, &code, &c->entry_state, &c->entry_has_pad);
	return JF_OK;
}
