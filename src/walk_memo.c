/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk_memo.h"
#include "walk.h"

__thread struct walk_memos jf_walk_memos;

/* How far below the CFA a slot begins, when it is one of those right there; else 0. */
static uint16_t slot_depth(const struct jf_slot *slot)
{
	int32_t off = slot->off_from_cfa;

	return off <= -8 && off >= INT16_MIN ? (uint16_t)-off : 0;
}

/* Fills in what a throw needs. returns: whether that is all there is to the row. */
static bool make_plain(struct walk_memo *memo, const struct jf_walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_row *row = walk->row;
	uint16_t ra = 0, fp = 0;

	for (unsigned int i = 0; i < walk->slot_count; i++) {
		uint8_t reg = row->saved >> i & 1 ? walk->slots[i].reg : JF_REG_NONE;
		uint16_t depth = slot_depth(&walk->slots[i]);

		if (reg == backend->ra)
			ra = depth;
		if (reg == backend->fp)
			fp = depth;
		if (!depth && (reg == backend->ra || reg == backend->fp))
			return false;
	}
	memo->cfa_off = row->cfa_off;
	memo->ra_off = (int16_t)-ra;
	memo->fp_off = (int16_t)-fp;
	memo->depth = ra > fp ? ra : fp;
	memo->cfa_is_fp = row->cfa_reg == backend->fp;
	memo->is_boundary = walk->range && walk->range->kind == JF_RANGE_BOUNDARY;
	if (walk->function && walk->function->flags & JF_CFI_SIGNAL)
		return false;
	return ra && !(row->flags & ~JF_ROW_RA_SIGNED) && (memo->cfa_is_fp || row->cfa_reg == backend->sp) &&
	       !(walk->range && walk->range->kind == JF_RANGE_ENTRY);
}

void jf_walk_remember(const struct jf_walk *walk, uint64_t age)
{
	struct walk_memos *memos = &jf_walk_memos;
	size_t at = walk_memo_at(walk->pc);
	struct walk_memo *memo = &memos->memo[at];

	if (!walk_memos_take(memos))
		return;
	*memo = (struct walk_memo){.pc = walk->pc, .age = age, .slot_count = walk->slot_count};
	memo->plain = make_plain(memo, walk);
	memos->more[at] = (struct walk_memo_more){
		.slots = walk->slots,
		.row = walk->row,
		.range = walk->range,
		.function = walk->function,
		.name = walk->name,
	};
	memos->strip_return = walk->backend->strip_return;
	walk_memos_give(memos);
}
