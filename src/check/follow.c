/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/choice.h"
#include "check/prove.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Following the code of a compiler, block by block. */

/* ---- leaving ------------------------------------------------------------------------------------------- */

static void take(struct prover *p)
{
	int64_t target = p->c.off + p->c.effect.target_off;

	if (is_inside(&p->c, target))
		arrive_at(p, &p->state, (uint32_t)target);
	else if (target == LEADER_UNLINKED)
		p->returns = true;
	else
		arrive_outside(p, p->c.input->address + (uint64_t)target);
}

/* Without a table, what holds at computed jumps is kept at 0, what holds behind calls at 1. */
static void depart(struct prover *p, const struct jf_row *row, bool is_jump)
{
	struct state **place;

	if (!row && p->table.row_count)
		return;
	p->has_departures = true;
	place = &p->departures[row ? row - p->table.rows : is_jump ? 0 : 1];
	if (!*place) {
		*place = jf_alloc(sizeof(**place));
		if (!*place)
			p->sink.no_memory = true;
		else
			**place = p->state;
	} else {
		state_join(&p->c.map, *place, &p->state, p->c.off);
	}
}

/* A state that stands on a row's word returns: the row was a lie unless this is a way back to the caller. */
static void judge_return(struct prover *p, const struct value *target)
{
	const struct value *sp = &p->state.regs[p->c.backend->sp];
	struct lie lie = {.about = JF_ROWS_ABOUT_CFA, .reg = JF_REG_NONE};
	char text[VALUE_TEXT_MAX];

	p->returns = true;
	if (!p->believing || !p->table.row_count)
		return;
	value_text(p->c.backend, sp, text, sizeof(text));
	if (sp->kind == VALUE_CFA && sp->imm) {
		snprintf(lie.is, sizeof(lie.is), "SP is %s there", text);
		prover_note(p, TRUTH_LIES, p->c.off, prover_row(p, p->c.off), &lie,
			    "returns, so SP has to be the CFA; by the rows that lead here");
	} else if (target->kind != VALUE_ENTRY && target->kind != VALUE_LOST) {
		lie.about = JF_ROWS_ABOUT_RETURN;
		snprintf(lie.is, sizeof(lie.is), "that is not the return address");
		prover_note(p, sp->kind == VALUE_CFA ? TRUTH_LIES : TRUTH_VAGUE, p->c.off, prover_row(p, p->c.off),
			    &lie, "returns, and by the rows that lead here");
	}
}

/* A jump through a register or memory. `collect`: see follow_block(). */
static void leave(struct prover *p, const struct jf_row *row, bool collect)
{
	struct checker *c = &p->c;
	struct value target = value_unknown(c->off, JF_REG_NONE);

	if (c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg < c->backend->reg_count)
		target = p->state.regs[c->effect.flow_reg];
	if ((c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg == c->backend->ra) ||
	    (target.kind == VALUE_ENTRY && target.reg == c->backend->ra)) {
		if (!collect)
			judge_return(p, &target);
		return;
	}
	if (collect) {
		depart(p, row, true);
		return;
	}
	/* With nothing on the stack it may be a tail call. */
	if (value_is_cfa(&p->state.regs[c->backend->sp], -c->backend->cfa_sp_off_at_entry))
		p->returns = true;
	for (size_t i = 0; i < p->input->jump_target_count; i++)
		arrive_at(p, &p->state, p->input->jump_targets[i]);
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

static bool never_returns(const struct prover *p)
{
	return p->input->never_returns && p->c.effect.flow == JF_FLOW_CALL &&
	       p->input->never_returns(p->input->arg,
				       p->c.input->address + p->c.off + (uint64_t)p->c.effect.target_off);
}

#define PADDING_MAX 63 /* bytes behind a call that does not return: blocks begin at multiples of 64 at most */

/* Where the next block begins, if padding follows the call, and the row there is another one. */
static uint32_t behind_padding(const struct prover *p, const struct jf_row *row, uint32_t next)
{
	const struct jf_row *end = p->table.rows + p->table.row_count;
	struct jf_effect effect;
	uint32_t off = next;

	if (!row || row + 1 >= end || row[1].code_off > next + PADDING_MAX)
		return next;
	while (off < row[1].code_off &&
	       jf_decode(p->c.backend, p->c.input->bytes + off, p->c.input->byte_count - off, &effect) == JF_OK &&
	       effect.flags & JF_EFFECT_NOP)
		off += effect.size_bytes;
	return off == row[1].code_off ? off : next;
}

/*
 * A callee may have been given the address of any variable of the frame. A variable that held an address of the frame
 * may hold another one behind the call. Where the caller's registers are saved no callee writes.
 */
static void lose_variables(struct prover *p)
{
	for (uint32_t i = 0; i < p->state.cell_count; i++)
		if (p->state.cells[i].value.kind == VALUE_CFA)
			p->state.cells[i].value = (struct value){.kind = VALUE_LOST};
}

/*
 * While the call lasts, its last byte is looked up, and the link register holds this function's own address.
 * returns: whether the call comes back, as far as the table says. A compiler that knows that a call does not return
 * puts something else behind the call, and describes that.
 */
static bool follow_call(struct prover *p, const struct jf_row *row)
{
	struct checker *c = &p->c;
	uint32_t next = c->off + c->effect.size_bytes;
	const struct jf_row *behind;
	struct lie lie;

	if (row && truth_keeps_link(c, &p->table, row)) {
		lie = (struct lie){.about = JF_ROWS_ABOUT_RETURN, .reg = c->backend->ra};
		snprintf(lie.says, sizeof(lie.says), "%s unchanged", reg_name(c, c->backend->ra));
		snprintf(lie.is, sizeof(lie.is), "the call overwrites %s", reg_name(c, c->backend->ra));
		prover_note(p, TRUTH_LIES, c->off, row, &lie, "calls, and has a row that");
	}
	checker_call(c, &p->state, JF_TARGET_C);
	lose_variables(p);
	if (never_returns(p) || next >= c->input->byte_count)
		return false;
	behind = prover_row(p, behind_padding(p, row, next));
	return !behind || behind == row || truth_of_row(c, &p->state, &p->table, behind, &lie) == TRUTH_HOLDS;
}

/* ---- a block ----------------------------------------------------------------------------------------------- */

/* Whether the row is true before the instruction, as far as can be said. */
static bool judge(struct prover *p, const struct jf_row *row)
{
	struct checker *c = &p->c;
	enum truth truth;
	struct lie lie;
	bool is_counted;

	if (!p->table.row_count)
		return true;
	if (!row || row->flags & JF_ROW_UNKNOWN) {
		prover_note(p, TRUTH_VAGUE, c->off, row, NULL, row ? "has a row that says nothing" : "has no row");
		return true;
	}
	if (row == c->row_judged && c->changes == c->row_changes)
		return true;
	truth = truth_of_row(c, &p->state, &p->table, row, &lie);
	prover_note(p, truth, c->off, row, &lie, "has a row that");
	/* Scratch registers change without being counted; others, where the row relies on them. */
	is_counted = row->cfa_reg == c->backend->sp || is_callee_saved(c, row->cfa_reg);
	c->row_judged = truth == TRUTH_HOLDS && is_counted ? row : NULL;
	c->row_changes = c->changes;
	return truth == TRUTH_HOLDS;
}

/*
 * An instruction that its decoder does not know is some computation: the instruction leaves alone what holds the
 * caller's value or an address of this frame.
 */
static void trust(struct prover *p)
{
	struct checker *c = &p->c;

	memset(c->trusted, 0, sizeof(c->trusted));
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		if (value_is_entry(&p->state.regs[reg], (uint8_t)reg) || p->state.regs[reg].kind == VALUE_CFA)
			c->trusted[reg / 64] |= UINT64_C(1) << reg % 64;
}

/* What comes behind the steps. returns: whether the next instruction is reached. */
static bool flow(struct prover *p, const struct jf_row *row, bool collect)
{
	struct checker *c = &p->c;

	switch (c->effect.flow) {
	case JF_FLOW_NEXT: return true;
	case JF_FLOW_BRANCH:
		if (!collect)
			take(p);
		return true;
	case JF_FLOW_JUMP:
		if (!collect)
			take(p);
		return false;
	case JF_FLOW_CALL:
	case JF_FLOW_CALL_REG:
	case JF_FLOW_CALL_MEM: {
		bool returns = follow_call(p, row);

		if (collect)
			depart(p, row, false);
		return returns;
	}
	case JF_FLOW_JUMP_REG:
	case JF_FLOW_JUMP_MEM: leave(p, row, collect); return false;
	default: return false;
	}
}

/* The row in force at c->off, from the row before on. */
static const struct jf_row *advance(const struct prover *p, const struct jf_row *row)
{
	const struct jf_row *end = p->table.rows + p->table.row_count;

	if (!row)
		return prover_row(p, p->c.off);
	while (row + 1 < end && row[1].code_off <= p->c.off)
		row++;
	return row;
}

/* Behind an instruction that control does not leave. returns: whether the block goes on. */
static bool go_on(struct prover *p, bool collect)
{
	struct checker *c = &p->c;
	uint32_t next = c->off + c->effect.size_bytes;

	if (next < c->input->byte_count && !(c->flags[next] & IS_LEADER)) {
		c->off = next;
		return true;
	}
	if (!collect && next < c->input->byte_count)
		arrive_at(p, &p->state, next);
	else if (!collect)
		arrive_behind(p);
	return false;
}

void follow_block(struct prover *p, uint32_t index, bool collect)
{
	struct checker *c = &p->c;
	const struct leader *leader = &c->leaders[index];
	const struct jf_row *row = NULL;

	leader_unpack(c, leader, &p->state);
	c->flags_hold = choice_of_nothing;
	p->believing = p->believed[index];
	p->behind_call = false;
	c->changes++;
	for (c->off = leader->off; c->budget; c->budget--) {
		if (!leader_decode(c)) {
			prover_note(p, TRUTH_VAGUE, c->off, NULL, NULL, "is no instruction that is known");
			return;
		}
		row = advance(p, row);
		if (!judge(p, row))
			return;
		if (p->visit && !collect)
			p->visit(p, &p->state, p->visit_arg);
		if (collect && row && c->effect.flags & JF_EFFECT_NOP)
			depart(p, row, false); /* kernels turn them into jumps */
		if (c->effect.flags & JF_EFFECT_UNKNOWN)
			trust(p);
		checker_steps(c, &p->state);
		p->behind_call = effect_is_call(&c->effect) || (p->behind_call && c->effect.flags & JF_EFFECT_NOP);
		if (!flow(p, row, collect))
			return;
		if (!go_on(p, collect))
			return;
	}
}

void follow_settle(struct prover *p, uint32_t first)
{
	struct checker *c = &p->c;
	uint32_t i = first;

	while (i < c->leader_count && i <= c->highest_pending && c->budget && !c->too_many && !p->sink.no_memory) {
		if (!c->leaders[i].pending) {
			i++;
			c->budget--;
			continue;
		}
		c->leaders[i].pending = false;
		c->lowest_pending = i + 1;
		follow_block(p, i, false);
		i = c->lowest_pending;
	}
}
