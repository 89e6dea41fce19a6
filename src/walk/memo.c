/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/cleanup.h"
#include "walk/shadow_stack.h"
#include "walk/thread.h"
#include "walk/walk.h"

/* Takes in one slot of the row. returns: false when the row cannot be plain with it. */
static bool add_slot(struct walk_memo *memo, uint32_t *others, const struct jf_backend *backend,
		     const struct jf_slot *slot, unsigned int index)
{
	int32_t off = slot->off_from_cfa;
	bool odd = off > -8 || off < INT16_MIN || backend->regs[slot->reg].size_bytes != 8;

	if (slot->reg == backend->ra)
		memo->ra_off = (int16_t)off;
	else if (slot->reg == backend->fp)
		memo->fp_off = (int16_t)off;
	else
		*others |= UINT32_C(1) << index;
	if (odd) {
		memo->is_odd = true;
		return *others >> index & 1;
	}
	if (memo->depth < -off)
		memo->depth = (uint16_t)-off;
	return true;
}

/* Whether a row says no more than plain ones do. */
static bool make_plain(struct walk_memo *memo, uint32_t *others, const struct walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	const struct jf_row *row = walk->frame.row;

	if (row->flags & ~JF_ROW_RA_SIGNED || (row->cfa_reg != backend->fp && row->cfa_reg != backend->sp) ||
	    (walk->frame.range && walk->frame.range->kind == JF_RANGE_ENTRY) ||
	    (walk->frame.function && walk->frame.function->flags & JF_CFI_SIGNAL))
		return false;
	for (unsigned int i = 0; i < walk->frame.slot_count; i++)
		if (row->saved >> i & 1 && !add_slot(memo, others, backend, &walk->frame.slots[i], i))
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

/* The memo that an address takes: its own of an earlier age, a new one, or another one's of its set. */
static uint16_t place_for(struct walk_memos *memos, uint64_t pc)
{
	size_t set = walk_memo_set(pc);
	uint16_t *place = &memos->places[set][memos->met % WALK_WAYS];

	for (unsigned int way = 0; way < WALK_WAYS; way++) {
		uint16_t *other = &memos->places[set][way];

		if (!*other || memos->memo[*other].pc == pc || walk_memo_set(memos->memo[*other].pc) != set) {
			place = other;
			break;
		}
	}
	if (!*place || walk_memo_set(memos->memo[*place].pc) != set)
		*place = (uint16_t)(1 + memos->met % (WALK_MEMOS - 1));
	memos->met++;
	return *place;
}

void jf_walk_remember(struct walk *walk, uint64_t age)
{
	struct walk_memos *memos = walk_own_memos();
	struct walk_memo *memo;
	uint32_t others = 0;
	uint16_t at;

	if (!walk_memos_take(memos))
		return;
	at = place_for(memos, walk->frame.pc);
	memos->memo[walk->memo].next = at;
	walk->memo = at;
	memo = &memos->memo[at];
	*memo = (struct walk_memo){.pc = walk->frame.pc, .age = age, .next = at};
	/* No throw is to find a boundary by its memo where none may land. */
	if (!make_plain(memo, &others, walk) || (memo->stops == WALK_STOP_BOUNDARY && jf_walk_shadow_stack()))
		memo->depth = 0;
	memos->more[at] = (struct walk_memo_more){
		.slot_count = walk->frame.slot_count,
		.others = others,
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
