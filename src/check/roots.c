/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/prove.h"

#include "base/memory.h"

/*
 * Code that no path has led to: targets of switch tables, landing pads of C++ exceptions, parts that other parts of the
 * function jump to. What holds there is what holds at a computed jump, or behind a call, where the same row is in
 * force; both leave the frame as the frame is. Where there is no such place the row is believed, and held to what the
 * code goes on to.
 */

/* Nothing but padding up to the next instruction that something leads to. */
static bool is_padding(struct prover *p, uint32_t off)
{
	struct checker *c = &p->c;

	for (c->off = off; c->off < c->input->byte_count; c->off += c->effect.size_bytes) {
		if (c->off != off && c->flags[c->off] & IS_TARGET)
			return true;
		if (!leader_decode(c) || c->effect.flow == JF_FLOW_TRAP)
			return true;
		if (!(c->effect.flags & JF_EFFECT_NOP))
			return false;
	}
	return true;
}

/* Once more through what has been reached: what holds where control may go to an unknown place. */
static bool collect(struct prover *p)
{
	struct checker *c = &p->c;
	uint64_t budget = c->budget;

	if (!p->departures) {
		p->departures = jf_calloc(prover_departures(p), sizeof(*p->departures));
		if (!p->departures)
			return false;
	}
	p->collected_count = c->reached_count;
	c->budget = UINT64_MAX;
	for (uint32_t i = 0; i < c->leader_count; i++)
		if (c->leaders[i].regs)
			follow_block(p, i, true);
	c->budget = budget;
	return !p->sink.no_memory;
}

static const struct state *find_departure(const struct prover *p, const struct jf_row *row)
{
	if (p->table.row_count && !row)
		return NULL;
	if (p->departures && !row)
		return p->departures[0] ? p->departures[0] : p->departures[1];
	for (size_t i = 0; p->departures && i < p->table.row_count; i++)
		if (p->departures[i] && jf_row_same(&p->table.rows[i], row))
			return p->departures[i];
	return NULL;
}

#define COLLECTIONS_MAX 8

/* What roots lead to may hold more of them. */
static const struct state *departure(struct prover *p, const struct jf_row *row)
{
	const struct state *state = find_departure(p, row);

	if (state || p->collected_count == p->c.reached_count || p->collections == COLLECTIONS_MAX)
		return state;
	p->collections++;
	return collect(p) ? find_departure(p, row) : NULL;
}

/* Whether the row there may be believed. is_known: other code jumps there. */
static bool is_believable(struct prover *p, uint32_t off, const struct jf_row *row, bool is_known)
{
	/* Code that nothing leads to at all, as in assembly that ends twice. */
	if (!row || row->flags & JF_ROW_OUTERMOST || (!is_known && !p->has_departures))
		return false;
	if (row->flags & JF_ROW_UNKNOWN) {
		prover_note(p, TRUTH_VAGUE, off, row, NULL, "has a row that says nothing");
		return false;
	}
	if (!is_known)
		prover_note(p, TRUTH_VAGUE, off, row, NULL,
			    "is reached by nothing that can be followed, and no way to it has the same row");
	return true;
}

static void follow_root(struct prover *p, uint32_t index, bool is_known)
{
	uint32_t off = p->c.leaders[index].off;
	const struct jf_row *row = prover_row(p, off);
	const struct state *state = departure(p, row);

	p->believing = 0;
	if (!state) {
		if (!is_believable(p, off, row, is_known))
			return;
		p->believing = off + 1;
		truth_believe(&p->c, &p->table, row, &p->state);
		state = &p->state;
	}
	p->c.off = off;
	p->c.effect.size_bytes = 0;
	p->c.highest_pending = index;
	arrive_at(p, state, off);
	follow_settle(p, index);
}

/* Other parts' first; then those that no jump goes to: what they lead to may be the others. */
void roots_follow(struct prover *p)
{
	for (size_t i = 0; i < p->input->entry_count; i++) {
		uint32_t off = p->input->entries[i], index = p->c.leader_index[off];

		if (p->c.flags[off] & IS_START && !p->c.leaders[index].regs)
			follow_root(p, index, true);
	}
	for (unsigned int targets = 0; targets < 2; targets++) {
		for (uint32_t i = 0; i < p->c.leader_count && !p->sink.no_memory && p->c.budget; i++) {
			const struct leader *leader = &p->c.leaders[i];

			if (leader->regs || (!targets && p->c.flags[leader->off] & IS_TARGET))
				continue;
			if (!is_padding(p, leader->off))
				follow_root(p, i, p->is_part);
		}
	}
}
