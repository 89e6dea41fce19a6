/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/builder.h"

/* Epilogue and tail exit from the solved frame, by the backend's hooks, as build.c makes the prologue. */

static void load_slots(struct builder *b, bool with_count)
{
	for (unsigned int i = b->stored; i < b->frame->slot_count; i++) {
		const struct jf_slot *slot = &b->frame->slots[i];

		if (is_caller_value(slot) && builder_needs(b, b->ops->load)) {
			b->ops->load(b->code, slot->reg, builder_slot_base(b), builder_slot_off(b, (int)i));
			jf_code_restored(b->code, i);
		} else if (slot->kind == JF_SLOT_TCC && with_count && builder_needs(b, b->ops->load_count)) {
			b->ops->load_count(b->code, b->frame, builder_count_place(b));
		}
	}
}

static bool frees_by_leave(const struct builder *b, unsigned int keep)
{
	return b->ops->leave && !keep;
}

/* From here on the CFA is found by SP where FP is the caller's again. */
static void pop_unit(struct builder *b, unsigned int n, unsigned int keep)
{
	unsigned int first = b->unit_slot[n], end = builder_unit_end(b, n);
	bool has_caller_fp = false;

	for (unsigned int i = first; i < end; i++)
		has_caller_fp |= b->frame->slots[i].kind == JF_SLOT_SAVE && b->frame->slots[i].reg == b->backend->fp;
	if (has_caller_fp && frees_by_leave(b, keep))
		b->ops->leave(b->code);
	else
		b->ops->pop(b->code, b->frame, first);
	b->sp = builder_low_end(b->frame, first);
	for (unsigned int i = first; i < end; i++)
		if (is_caller_value(&b->frame->slots[i]))
			jf_code_restored(b->code, i);
	if (has_caller_fp)
		builder_cfa_by_sp(b);
}

/* What lies above the saves need not be given back one by one: leave does so. */
static bool is_left(const struct builder *b, unsigned int slot, unsigned int keep)
{
	uint8_t kind = b->frame->slots[slot].kind;

	return frees_by_leave(b, keep) &&
	       (kind == JF_SLOT_BPF_STACK || kind == JF_SLOT_THROW || kind == JF_SLOT_TCC || kind == JF_SLOT_TCC_PTR);
}

/* Down to the first `keep` slots; the stored slots lie below those that were pushed. */
static void pop_slots(struct builder *b, unsigned int keep, bool with_count)
{
	int32_t pushed_end = builder_low_end(b->frame, b->stored);
	int tcc = jf_frame_slot(b->frame, JF_SLOT_TCC, JF_REG_NONE);

	if (with_count && tcc >= b->stored && builder_needs(b, b->ops->load_count))
		b->ops->load_count(b->code, b->frame, builder_count_place(b));
	load_slots(b, false);
	if (b->conv->sp_steps == JF_SP_EACH_AREA) {
		builder_move_sp(b, b->sp + (int32_t)b->frame->out_args_bytes);
		builder_move_sp(b, b->sp + (int32_t)b->frame->bpf_stack_bytes);
	} else if (b->sp != pushed_end && !(frees_by_leave(b, keep) && b->unit_count == 1)) {
		builder_set_sp(b, pushed_end);
	}
	for (unsigned int n = b->unit_count; n-- > 0 && b->unit_slot[n] >= keep;)
		if (!is_left(b, b->unit_slot[n], keep))
			pop_unit(b, n, keep);
}

static void take_down(struct builder *b, unsigned int keep, bool with_count)
{
	b->has_fp = true;
	b->sp = -(int32_t)b->frame->size_bytes;
	if (b->unit_count) {
		pop_slots(b, keep, with_count);
		return;
	}
	if (b->sp != builder_first_step(b))
		builder_set_sp(b, builder_first_step(b));
	builder_cfa_by_sp(b);
	load_slots(b, with_count);
	builder_move_sp(b, -b->backend->cfa_sp_off_at_entry);
	builder_cfa_by_sp(b);
}

static void move_result(struct builder *b)
{
	uint8_t from = b->conv->bpf_reg[JF_BPF_R0], to = b->backend->result;

	if (b->conv->result_bits == 32 && builder_needs(b, b->ops->sign_extend))
		b->ops->sign_extend(b->code, to, from);
	else if (from != to)
		b->ops->move(b->code, to, from);
}

void jf_frame_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	const struct jf_backend *backend = frame->conv->backend;
	struct builder b;

	if (!backend->build) {
		backend->emit_epilogue(code, frame);
		return;
	}
	b = builder_begin(code, frame);
	take_down(&b, 0, b.conv->count_returned);
	move_result(&b);
	if (frame->spec.sign_return && builder_needs(&b, b.ops->sign)) {
		b.ops->sign(code, false);
		jf_code_row_flags(code, 0, JF_ROW_RA_SIGNED);
	}
	b.ops->ret(code);
}

void jf_frame_reset_sp(struct jf_code *code, const struct jf_frame *frame)
{
	struct builder b = builder_begin(code, frame);

	builder_set_sp(&b, -(int32_t)frame->size_bytes);
}

void jf_frame_jump_out(struct jf_code *code, const struct jf_frame *frame)
{
	struct builder b = builder_begin(code, frame);

	take_down(&b, 0, false);
	if (frame->spec.sign_return && builder_needs(&b, b.ops->sign)) {
		b.ops->sign(code, false);
		jf_code_row_flags(code, 0, JF_ROW_RA_SIGNED);
	}
	b.ops->jump(code, frame, 0);
}

void jf_frame_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	const struct jf_backend *backend = frame->conv->backend;
	struct jf_row body = jf_code_state(code);
	struct builder b;

	if (!backend->build) {
		backend->emit_tail_exit(code, frame, entry_off);
		return;
	}
	b = builder_begin(code, frame);
	take_down(&b, b.conv->tail_keeps, true);
	b.ops->jump(code, frame, entry_off);
	jf_code_set_state(code, body);
}
