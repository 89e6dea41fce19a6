/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/builder.h"

int32_t builder_low_end(const struct jf_frame *frame, unsigned int count)
{
	int32_t low = 0;

	for (unsigned int i = 0; i < count; i++)
		if (frame->slots[i].off_from_cfa < low)
			low = frame->slots[i].off_from_cfa;
	return low;
}

bool builder_needs(struct builder *b, bool has_hook)
{
	if (!has_hook)
		jf_code_fail(b->code, JF_E_BAD_DESC);
	return has_hook;
}

static void find_units(struct builder *b)
{
	const struct jf_frame *frame = b->frame;
	unsigned int slot = b->in_place, count;

	while (b->ops->unit && slot < frame->slot_count && (count = b->ops->unit(frame, slot))) {
		b->unit_slot[b->unit_count++] = (uint8_t)slot;
		slot += count;
	}
	if (slot > frame->slot_count || (b->unit_count && !(b->ops->push && b->ops->pop))) {
		jf_code_fail(b->code, JF_E_BAD_DESC);
		b->unit_count = 0;
		slot = frame->slot_count;
	}
	b->stored = (uint8_t)slot;
}

struct builder builder_begin(struct jf_code *code, const struct jf_frame *frame)
{
	const struct jf_backend *backend = frame->conv->backend;
	struct builder b = {
		.code = code, .frame = frame, .conv = frame->conv, .backend = backend, .ops = backend->build};

	b.in_place = backend->ra_pushed;
	b.sp = -backend->cfa_sp_off_at_entry;
	find_units(&b);
	return b;
}

unsigned int builder_unit_end(const struct builder *b, unsigned int n)
{
	return n + 1 < b->unit_count ? b->unit_slot[n + 1] : b->stored;
}

void builder_move_sp(struct builder *b, int32_t to)
{
	if (to != b->sp)
		b->ops->add(b->code, b->backend->sp, b->backend->sp, to - b->sp);
	b->sp = to;
}

void builder_set_sp(struct builder *b, int32_t to)
{
	b->ops->add(b->code, b->backend->sp, b->backend->fp, to - b->conv->fp_off_from_cfa);
	b->sp = to;
}

void builder_cfa_by_sp(struct builder *b)
{
	jf_code_cfa(b->code, b->backend->sp, -b->sp);
	b->has_fp = false;
}

int32_t builder_first_step(const struct builder *b)
{
	return -(int32_t)(b->conv->sp_steps == JF_SP_AT_ONCE ? b->frame->size_bytes : b->frame->fixed_bytes);
}

uint8_t builder_slot_base(const struct builder *b)
{
	return b->has_fp ? b->backend->fp : b->backend->sp;
}

int32_t builder_slot_off(const struct builder *b, int slot)
{
	int32_t base = b->has_fp ? b->conv->fp_off_from_cfa : b->sp;

	return slot < 0 ? 0 : b->frame->slots[slot].off_from_cfa - base;
}

struct jf_count_place builder_count_place(const struct builder *b)
{
	return (struct jf_count_place){
		.base = builder_slot_base(b),
		.tcc_off = builder_slot_off(b, jf_frame_slot(b->frame, JF_SLOT_TCC, JF_REG_NONE)),
		.tcc_ptr_off = builder_slot_off(b, jf_frame_slot(b->frame, JF_SLOT_TCC_PTR, JF_REG_NONE)),
	};
}
