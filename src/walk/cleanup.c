/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/cleanup.h"

#include "base/bytes.h"

#include <jitframe/throw.h>

/* Which frames have clean-up pads, and what a throw leaves in them while their pads run. */

/* R17: of a return address the byte before. */
const struct jf_cleanup_code *walk_cleanup_find(const struct walk *walk)
{
	const struct jf_range *range = walk->frame.range;
	uint32_t low = 0, high, off;

	if (!range || range->cleanup_entry == JF_CLEANUP_NONE || !walk->frame.pc_is_return)
		return NULL;
	off = (uint32_t)(walk->frame.pc - 1 - range->start);
	high = range->cleanup_count;
	/* Invariant: records before low end at or before off, records from high on start after it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (range->cleanups[middle].end_off <= off)
			low = middle + 1;
		else if (range->cleanups[middle].start_off > off)
			high = middle;
		else
			return &range->cleanups[middle];
	}
	return NULL;
}

/* Addresses of the two slots: the first has the cookie. The code map has seen that they are there. */
static void find_words(const struct walk *walk, uint64_t at[2])
{
	const struct jf_range *range = walk->frame.range;
	unsigned int count = 0;

	for (unsigned int i = 0; i < range->slot_count && count < 2; i++)
		if (range->slots[i].kind == JF_SLOT_CLEANUP)
			at[count++] = walk->frame.cfa + (uint64_t)(int64_t)range->slots[i].off_from_cfa;
}

/* SP is where the native stub has entered the pad, or below: then the CFA there is some other word. */
static bool read_call(const struct walk *walk, struct cleanup_throw *running)
{
	uint64_t call = walk_sp(walk) + (uint64_t)walk->backend->cfa_sp_off_at_entry, cfa;

	running->landing = 0;
	return jf_walk_read_word(walk, call + offsetof(struct jf_pad_call, cfa), &cfa) == JF_OK &&
	       cfa == walk->frame.cfa &&
	       jf_walk_read_word(walk, call + offsetof(struct jf_pad_call, cookie), &running->cookie) == JF_OK;
}

bool walk_cleanup_read(const struct walk *walk, struct cleanup_throw *running)
{
	const struct jf_cleanup_code *record = walk_cleanup_find(walk);
	uint64_t at[2];

	if (!record || record->pad_off != JF_CLEANUP_IN_PAD || !walk->frame.row)
		return false;
	if (walk->frame.range->cleanup_entry == JF_CLEANUP_CALLED)
		return read_call(walk, running);
	find_words(walk, at);
	return jf_walk_read_word(walk, at[0], &running->cookie) == JF_OK &&
	       jf_walk_read_word(walk, at[1], &running->landing) == JF_OK;
}

void walk_cleanup_write(const struct walk *walk, const struct cleanup_throw *running)
{
	uint64_t at[2];

	find_words(walk, at);
	*(uint64_t *)(uintptr_t)at[0] = running->cookie;
	*(uint64_t *)(uintptr_t)at[1] = running->landing;
}

bool walk_cleanup_knows_registers(const struct walk *walk)
{
	for (unsigned int i = 0; i < KNOWN_WORDS; i++)
		if (walk->kept[i] & ~walk->known[i])
			return false;
	return true;
}

bool jf_walk_cleanup(const struct jf_walk *walk, uint64_t *cookie)
{
	const struct walk *inside = (const struct walk *)walk;
	struct cleanup_throw running = {.cookie = walk ? inside->pad_cookie : 0};

	if (!walk || (!inside->ended_in_pad && !walk_cleanup_read(inside, &running)))
		return false;
	if (cookie)
		*cookie = running.cookie;
	return true;
}
