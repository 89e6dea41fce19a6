/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/builder.h"

/*
 * A prologue from the solved frame. The order of the steps and all offsets are here; the backend's hooks put the steps
 * down (build.h).
 */

static void cfa_by_fp(struct builder *b)
{
	jf_code_cfa(b->code, b->backend->fp, -b->conv->fp_off_from_cfa);
	b->has_fp = true;
}

static void set_fp(struct builder *b)
{
	b->ops->add(b->code, b->backend->fp, b->backend->sp, b->conv->fp_off_from_cfa - b->sp);
	cfa_by_fp(b);
}

static void store_slots(struct builder *b)
{
	for (unsigned int i = b->stored; i < b->frame->slot_count; i++) {
		const struct jf_slot *slot = &b->frame->slots[i];

		if (is_caller_value(slot) && builder_needs(b, b->ops->store)) {
			b->ops->store(b->code, slot->reg, builder_slot_base(b), builder_slot_off(b, (int)i));
			jf_code_saved(b->code, i);
		} else if (slot->kind == JF_SLOT_TCC && builder_needs(b, b->ops->store_count)) {
			b->ops->store_count(b->code, b->frame, builder_count_place(b));
		}
	}
}

/* ---- building a frame --------------------------------------------------------------------------- */

/* With `made` slots there: the place where a tail call enters a main program (R16). */
static void pass_tail_entry(struct builder *b, unsigned int made)
{
	if (made != b->conv->tail_keeps)
		return;
	if (b->frame->needs & JF_WHEN_MAIN) {
		if (b->ops->fresh_count)
			b->ops->fresh_count(b->code, b->frame);
		jf_code_mark(b->code, JF_MARK_TAIL_ENTRY);
	}
	if (b->ops->tail_pad)
		b->ops->tail_pad(b->code, b->frame);
}

static void push_unit(struct builder *b, unsigned int n)
{
	unsigned int end = builder_unit_end(b, n);

	b->ops->push(b->code, b->frame, b->unit_slot[n]);
	b->sp = builder_low_end(b->frame, end);
	for (unsigned int i = b->unit_slot[n]; i < end; i++)
		if (is_caller_value(&b->frame->slots[i]))
			jf_code_saved(b->code, i);
	if (b->has_fp)
		return;
	builder_cfa_by_sp(b);
	if (b->sp == b->conv->fp_off_from_cfa)
		set_fp(b);
}

/* Builds all below the first `made` slots. */
static void build_slots(struct builder *b, unsigned int made)
{
	pass_tail_entry(b, made);
	for (unsigned int n = 0; n < b->unit_count; n++) {
		if (b->unit_slot[n] < made)
			continue;
		push_unit(b, n);
		pass_tail_entry(b, builder_unit_end(b, n));
	}
	builder_move_sp(b, builder_first_step(b));
	if (!b->has_fp)
		builder_cfa_by_sp(b);
	store_slots(b);
	if (!b->has_fp)
		set_fp(b);
}

static void build_frame(struct builder *b)
{
	if (b->frame->spec.sign_return && builder_needs(b, b->ops->sign)) {
		b->ops->sign(b->code, true);
		jf_code_row_flags(b->code, JF_ROW_RA_SIGNED, 0);
	}
	build_slots(b, b->in_place);
}

/* ---- a callback --------------------------------------------------------------------------------- */

/* The boundary's, as the throw hands FP over. */
static void adopt_fp(struct builder *b)
{
	b->ops->move(b->code, b->backend->fp, b->backend->args[2]);
	cfa_by_fp(b);
}

/* The boundary has stored everything; only SP depends on the callback's own size. */
static void adopt_frame(struct builder *b)
{
	bool each_area = b->conv->sp_steps == JF_SP_EACH_AREA;

	adopt_fp(b);
	builder_set_sp(b, -(int32_t)(each_area ? b->frame->fixed_bytes : b->frame->size_bytes));
	if (b->frame->spec.tail_calls && b->ops->adopt_count)
		b->ops->adopt_count(b->code, b->frame);
}

/* Takes the registers that every boundary pushed off the boundary's stack, and builds a frame below the record. */
static void restore_frame(struct builder *b)
{
	struct jf_frame plain;
	struct builder boundary;
	unsigned int made = 0;

	if (jf_frame_boundary(b->conv, &plain) != JF_OK) {
		jf_code_fail(b->code, JF_E_BAD_DESC);
		return;
	}
	boundary = builder_begin(b->code, &plain);
	b->ops->move(b->code, b->backend->sp, b->backend->args[1]);
	adopt_fp(b);
	for (unsigned int n = boundary.unit_count; n-- > 0;) {
		const struct jf_slot *slot = &plain.slots[boundary.unit_slot[n]];

		if (is_caller_value(slot) && slot->off_from_cfa < b->conv->fp_off_from_cfa)
			b->ops->pop(b->code, &plain, boundary.unit_slot[n]);
	}
	jf_code_row_flags(b->code, 0, JF_ROW_REGS_LOST);
	b->ops->move(b->code, b->backend->sp, b->backend->fp);
	b->sp = b->conv->fp_off_from_cfa;
	while (made < b->frame->slot_count && b->frame->slots[made].off_from_cfa >= b->sp)
		made++;
	build_slots(b, made);
}

/* ---- prologue ----------------------------------------------------------------------------------- */

/* By SP, which is near; where only the save area is known to be small, by FP. */
static void load_bpf_fp(struct builder *b, const struct jf_values *values)
{
	uint8_t reg = b->conv->bpf_reg[JF_BPF_FP];
	bool by_fp = b->conv->sp_steps == JF_SP_SAVES_FIRST;

	if (!(b->frame->needs & b->conv->bpf_fp_when))
		return;
	if (b->frame->spec.private_stack && builder_needs(b, b->ops->private_stack))
		b->ops->private_stack(b->code, b->frame, values);
	else if (reg != b->backend->fp)
		b->ops->add(b->code, reg, by_fp ? b->backend->fp : b->backend->sp,
			    b->frame->bpf_fp_off_from_cfa - (by_fp ? b->conv->fp_off_from_cfa : b->sp));
}

/* What the body needs: SP at the frame's end, R10, the arena base. */
static void ready_body(struct builder *b, const struct jf_values *values)
{
	bool own_register = b->conv->bpf_fp_private != b->conv->bpf_reg[JF_BPF_FP];

	if (b->conv->sp_steps == JF_SP_SAVES_FIRST)
		builder_move_sp(b, -(int32_t)b->frame->size_bytes);
	if (!own_register)
		load_bpf_fp(b, values);
	if (b->conv->sp_steps == JF_SP_EACH_AREA) {
		builder_move_sp(b, b->sp - (int32_t)b->frame->bpf_stack_bytes);
		builder_move_sp(b, b->sp - (int32_t)b->frame->out_args_bytes);
	}
	if (b->frame->needs & JF_WHEN_ARENA)
		b->ops->constant(b->code, b->conv->arena_reg, values->arena_base);
	if (own_register)
		load_bpf_fp(b, values);
}

void jf_frame_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	const struct jf_backend *backend = frame->conv->backend;
	struct builder b;

	if (!backend->build) {
		backend->emit_prologue(code, frame, values);
		return;
	}
	b = builder_begin(code, frame);
	if (b.ops->enter)
		b.ops->enter(code, frame);
	if (!(frame->needs & JF_WHEN_CALLBACK))
		build_frame(&b);
	else if (b.conv->landing == JF_LANDING_RESTORE)
		restore_frame(&b);
	else
		adopt_frame(&b);
	ready_body(&b, values);
	jf_code_mark(code, JF_MARK_BODY);
}
