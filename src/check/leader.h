/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_LEADER_H
#define JF_CHECK_LEADER_H

#include "check/checker.h"

/*
 * Where instructions start, and what holds where paths may meet. Bytes are decoded as often as they are looked at;
 * kept are a flag for each byte and, for each leader, registers and cells.
 */

enum {
	IS_START = 1 << 0,  /* an instruction that can be reached */
	IS_LEADER = 1 << 1, /* paths may meet here, or it is a mark */
	IS_QUEUED = 1 << 2,
	IS_TARGET = 1 << 3, /* of a jump or branch in the code; leader_sweep() alone tells */
	IS_ROW = 1 << 4,    /* of a table that is judged: a row begins here */
};

struct leader {
	uint32_t off;
	bool pending;
	uint32_t cell_count;
	bool cells_dropped, charged_always;
	uint8_t came_in, in_pad;
	uint32_t charged_at;
	struct value *regs; /* NULL: not reached yet; reg_count of them, and behind them room for the cells */
	struct cell *cells;
};

static inline bool is_inside(const struct checker *c, int64_t off)
{
	return off >= 0 && (uint64_t)off < c->input->byte_count;
}

static inline bool effect_is_call(const struct jf_effect *effect)
{
	return effect->flow == JF_FLOW_CALL || effect->flow == JF_FLOW_CALL_REG || effect->flow == JF_FLOW_CALL_MEM;
}

#define LEADER_UNLINKED INT64_C(-1) /* where a jump goes that a linker has yet to complete */

/* c->effect = the instruction at c->off. */
bool leader_decode(struct checker *c);
/* Finds out where instructions start and which of them are leaders. returns: false without memory. */
bool leader_scan(struct checker *c);
/* The same for code of which every byte counts: instructions follow each other from the first byte to the last. */
bool leader_sweep(struct checker *c);
/* A path comes to the leader at `off`. */
void leader_arrive(struct checker *c, const struct state *state, uint32_t off);
void leader_unpack(const struct checker *c, const struct leader *leader, struct state *state);

#endif
