/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/cleanup.h"
#include "walk/shadow_stack.h"
#include "walk/thread.h"
#include "walk/walk.h"

/* Takes in one slot of the row. returns: false when the row cannot be plain with it. */
static bool add_slot(struct walk_memo *memo, const struct jf_backend *backend, const struct jf_slot *slot,
		     unsigned int index)
{
	int32_t off = slot->off_from_cfa;
	bool odd = off > -8 || off < INT16_MIN || backend->regs[slot->reg].size_bytes != 8;

	if (slot->reg == backend->ra)
		memo->ra_off = (int16_t)off;
	else if (slot->reg == backend->fp)
		memo->fp_off = (int16_t)off;
	else
		memo->others |= UINT32_C(1) << index;
	if (odd) {
		memo->is_odd = true;
		return memo->others >> index & 1;
	}
	if (memo->depth < -off)
		memo->depth = (uint16_t)-off;
	return true;
}

/* Whether a row says no more than plain ones do. */
static bool make_plain(struct walk_memo *memo, const struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_row *row = walk->frame.row;

	if (row->flags & ~JF_ROW_RA_SIGNED || (row->cfa_reg != backend->fp && row->cfa_reg != backend->sp) ||
	    (walk->frame.range && walk->frame.range->kind == JF_RANGE_ENTRY) ||
	    (walk->frame.function && walk->frame.function->flags & JF_CFI_SIGNAL))
		return false;
	for (unsigned int i = 0; i < walk->frame.slot_count; i++)
		if (row->saved >> i & 1 && !add_slot(memo, backend, &walk->frame.slots[i], i))
			return false;
	memo->cfa_off = row->cfa_off;
	memo->cfa_is_fp = row->cfa_reg == backend->fp;
	if (walk_cleanup_find(walk))
		memo->stops = WALK_STOP_CLEANUP;
	else if (walk->frame.range &&
		 (walk->frame.range->kind == JF_RANGE_BOUNDARY || walk->frame.range->kind == JF_RANGE_TRY))
		memo->stops = WALK_STOP_BOUNDARY;
	return memo->ra_off;
}

void jf_walk_remember(const struct walk *walk, uint64_t age)
{
	struct walk_memos *memos = walk_own_memos();
	size_t at = walk_memo_at(walk->frame.pc);
	struct walk_memo *memo;

	if (!walk_memos_take(memos))
		return;
	memo = &memos->memo[at];
	*memo = (struct walk_memo){.pc = walk->frame.pc, .age = age};
	/* No throw is to find a boundary by its memo where none may land. */
	if (!make_plain(memo, walk) || (memo->stops == WALK_STOP_BOUNDARY && jf_walk_shadow_stack()))
		memo->depth = 0;
	memos->more[at] = (struct walk_memo_more){
		.slot_count = walk->frame.slot_count,
		.slots = walk->frame.slots,
		.row = walk->frame.row,
		.range = walk->frame.range,
		.function = walk->frame.function,
		.name = walk->frame.name,
	};
	memos->more[at].known[walk->backend->sp / 64] |= walk_bit(walk->backend->sp);
	for (unsigned int i = 0; i < walk->frame.slot_count; i++)
		if (walk->frame.row->saved >> i & 1 && walk->frame.slots[i].reg != walk->backend->ra)
			memos->more[at].known[walk->frame.slots[i].reg / 64] |= walk_bit(walk->frame.slots[i].reg);
	memos->strip_return = walk->backend->strip_return;
	walk_memos_give(memos);
}
