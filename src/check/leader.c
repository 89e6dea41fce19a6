/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/leader.h"

#include "base/memory.h"

#include <string.h>

static bool pack(const struct checker *c, struct leader *leader, const struct state *state)
{
	size_t reg_bytes = c->backend->reg_count * sizeof(struct value);

	if (!leader->regs) {
		/* Cells only go from here on: one block is enough for ever. */
		leader->regs = jf_alloc(reg_bytes + state->cell_count * sizeof(struct cell));
		if (!leader->regs)
			return false;
		leader->cells = (struct cell *)(void *)(leader->regs + c->backend->reg_count);
	}
	memcpy(leader->regs, state->regs, reg_bytes);
	memcpy(leader->cells, state->cells, state->cell_count * sizeof(struct cell));
	leader->cell_count = state->cell_count;
	leader->cells_dropped = state->cells_dropped;
	leader->came_in = state->came_in;
	leader->in_pad = state->in_pad;
	leader->charged_at = state->charged_at;
	leader->charged_always = state->charged_always;
	return true;
}

void leader_unpack(const struct checker *c, const struct leader *leader, struct state *state)
{
	memcpy(state->regs, leader->regs, c->backend->reg_count * sizeof(struct value));
	memcpy(state->cells, leader->cells, leader->cell_count * sizeof(struct cell));
	state->cell_count = leader->cell_count;
	state->cells_dropped = leader->cells_dropped;
	state->came_in = leader->came_in;
	state->in_pad = leader->in_pad;
	state->charged_at = leader->charged_at;
	state->charged_always = leader->charged_always;
}

/* With so many the memory for what holds at each would be more than a check is worth. */
#define REACHED_MAX (UINT32_C(1) << 18)

void leader_arrive(struct checker *c, const struct state *state, uint32_t off)
{
	uint32_t index = c->leader_index[off];
	struct leader *leader = &c->leaders[index];
	struct state joined;

	if (leader->regs) {
		leader_unpack(c, leader, &joined);
		if (!state_join(&c->map, &joined, state, off))
			return;
		state = &joined;
	}
	if (!leader->regs && ++c->reached_count > REACHED_MAX) {
		c->too_many = true;
		return;
	}
	if (!pack(c, leader, state)) {
		c->sink->no_memory = true;
		return;
	}
	leader->pending = true;
	if (index < c->lowest_pending)
		c->lowest_pending = index;
	if (index > c->highest_pending)
		c->highest_pending = index;
}

bool checker_is_start(const struct checker *c, uint32_t off)
{
	return is_inside(c, off) && c->flags[off] & IS_START;
}

bool checker_state_at(const struct checker *c, uint32_t off, struct state *state)
{
	const struct leader *leader;

	if (!checker_is_start(c, off) || !(c->flags[off] & IS_LEADER))
		return false;
	leader = &c->leaders[c->leader_index[off]];
	if (!leader->regs)
		return false;
	leader_unpack(c, leader, state);
	return true;
}
