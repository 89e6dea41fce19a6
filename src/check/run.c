/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include <stdlib.h>
#include <string.h>

/*
 * Every path through the code, to a fixed point. Bytes are decoded as often as they are looked at; kept are a
 * flag for each byte and, for each instruction where paths may meet, what holds there.
 */

enum {
	IS_START = 1 << 0,  /* an instruction that can be reached */
	IS_LEADER = 1 << 1, /* paths may meet here, or it is a mark */
	IS_QUEUED = 1 << 2,
};

struct leader {
	uint32_t off;
	bool pending;
	uint32_t cell_count;
	bool cells_dropped;
	struct value *regs; /* NULL: not reached yet; reg_count of them, and behind them room for the cells */
	struct cell *cells;
};

static bool decode(struct checker *c)
{
	return jf_decode(c->backend, c->input->bytes + c->off, c->input->byte_count - c->off, &c->effect) == JF_OK &&
	       c->effect.size_bytes;
}

static bool is_inside(const struct checker *c, int64_t off)
{
	return off >= 0 && (uint64_t)off < c->input->byte_count;
}

/* ---- where instructions start ------------------------------------------------------------------------- */

struct queue {
	uint32_t *offs;
	size_t count, capacity;
};

static bool enqueue(struct checker *c, struct queue *queue, int64_t off)
{
	if (!is_inside(c, off))
		return true;
	c->flags[off] |= IS_LEADER;
	if (c->flags[off] & (IS_START | IS_QUEUED))
		return true;
	if (queue->count == queue->capacity) {
		size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
		uint32_t *offs = realloc(queue->offs, capacity * sizeof(*offs));

		if (!offs)
			return false;
		queue->offs = offs;
		queue->capacity = capacity;
	}
	c->flags[off] |= IS_QUEUED;
	queue->offs[queue->count++] = (uint32_t)off;
	return true;
}

/* From `off` on until control does not go on, or comes to where somebody has been. */
static bool scan_from(struct checker *c, struct queue *queue, uint32_t off)
{
	for (c->off = off; c->off < c->input->byte_count; c->off += c->effect.size_bytes) {
		if (c->flags[c->off] & IS_START) {
			c->flags[c->off] |= IS_LEADER;
			break;
		}
		c->flags[c->off] |= IS_START;
		if (!decode(c))
			break;
		c->insn_count++;
		if ((c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_BRANCH) &&
		    !enqueue(c, queue, c->off + c->effect.target_off))
			return false;
		if (c->effect.flow == JF_FLOW_JUMP || c->effect.flow == JF_FLOW_JUMP_REG ||
		    c->effect.flow == JF_FLOW_JUMP_MEM || c->effect.flow == JF_FLOW_TRAP)
			break;
	}
	return true;
}

static bool scan(struct checker *c)
{
	struct queue queue = {0};
	bool ok = enqueue(c, &queue, 0);

	for (size_t i = 0; ok && i < c->input->from_body_count; i++)
		ok = enqueue(c, &queue, c->input->from_body[i]);
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (is_inside(c, c->input->marks[i]))
			c->flags[c->input->marks[i]] |= IS_LEADER;
	if (is_inside(c, c->tail_entry))
		c->flags[c->tail_entry] |= IS_LEADER;
	while (ok && queue.count)
		ok = scan_from(c, &queue, queue.offs[--queue.count]);
	free(queue.offs);
	return ok;
}

static bool make_leaders(struct checker *c)
{
	uint32_t count = 0;

	for (size_t off = 0; off < c->input->byte_count; off++)
		count += (c->flags[off] & (IS_START | IS_LEADER)) == (IS_START | IS_LEADER);
	c->leaders = calloc(count + 1, sizeof(*c->leaders));
	if (!c->leaders)
		return false;
	for (size_t off = 0; off < c->input->byte_count; off++) {
		if ((c->flags[off] & (IS_START | IS_LEADER)) != (IS_START | IS_LEADER))
			continue;
		c->leader_index[off] = c->leader_count;
		c->leaders[c->leader_count++].off = (uint32_t)off;
	}
	return true;
}

/* ---- what holds there --------------------------------------------------------------------------------- */

static bool pack(const struct checker *c, struct leader *leader, const struct state *state)
{
	size_t reg_bytes = c->backend->reg_count * sizeof(struct value);

	if (!leader->regs) {
		/* Cells only go from here on: one block is enough for ever. */
		leader->regs = malloc(reg_bytes + state->cell_count * sizeof(struct cell));
		if (!leader->regs)
			return false;
		leader->cells = (struct cell *)(void *)(leader->regs + c->backend->reg_count);
	}
	memcpy(leader->regs, state->regs, reg_bytes);
	memcpy(leader->cells, state->cells, state->cell_count * sizeof(struct cell));
	leader->cell_count = state->cell_count;
	leader->cells_dropped = state->cells_dropped;
	return true;
}

static void unpack(const struct checker *c, const struct leader *leader, struct state *state)
{
	memcpy(state->regs, leader->regs, c->backend->reg_count * sizeof(struct value));
	memcpy(state->cells, leader->cells, leader->cell_count * sizeof(struct cell));
	state->cell_count = leader->cell_count;
	state->cells_dropped = leader->cells_dropped;
}

/* A path comes to the leader at `off`. */
static void arrive(struct checker *c, const struct state *state, uint32_t off)
{
	uint32_t index = c->leader_index[off];
	struct leader *leader = &c->leaders[index];
	struct state joined;

	if (leader->regs) {
		unpack(c, leader, &joined);
		if (!state_join(&c->map, &joined, state, off))
			return;
		state = &joined;
	}
	if (!pack(c, leader, state)) {
		c->sink->no_memory = true;
		return;
	}
	leader->pending = true;
	if (index < c->lowest_pending)
		c->lowest_pending = index;
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
	unpack(c, leader, state);
	return true;
}

/* ---- where control goes ------------------------------------------------------------------------------- */

enum jf_target_kind checker_target_kind(const struct checker *c, int64_t target_off)
{
	uint64_t address = c->input->address + (uint64_t)target_off;

	if (is_inside(c, target_off))
		return JF_TARGET_BPF;
	for (size_t i = 0; i < c->input->target_count; i++)
		if (address >= c->input->targets[i].start && address < c->input->targets[i].end)
			return (enum jf_target_kind)c->input->targets[i].kind;
	return JF_TARGET_C;
}

enum exit_kind checker_exit_kind(const struct checker *c, const struct state *state, const struct value *target)
{
	const struct value *sp = &state->regs[c->backend->sp], *fp = &state->regs[c->backend->fp];

	if (!target) { /* a stub that returns in the function's place has the return address still on the stack */
		return c->backend->ra_pushed && value_is_cfa(sp, -c->backend->cfa_sp_off_at_entry) ? EXIT_RETURN
												   : EXIT_TAIL;
	}
	if (c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg == c->backend->ra)
		return EXIT_RETURN;
	if (target->kind == VALUE_ENTRY && target->reg == c->backend->ra)
		return EXIT_RETURN;
	if (!c->counts_tail_calls || c->is_callback)
		return EXIT_COMPUTED;
	if (c->has_entry_state && value_same(sp, &c->entry_state.regs[c->backend->sp]))
		return EXIT_TAIL;
	return value_is_cfa(sp, -(int32_t)c->frame.size_bytes) && value_is_cfa(fp, c->conv->fp_off_from_cfa)
		       ? EXIT_COMPUTED
		       : EXIT_TAIL;
}

static void leave(struct checker *c, const struct state *state, const struct value *target)
{
	if (!c->judging)
		return;
	switch (checker_exit_kind(c, state, target)) {
	case EXIT_RETURN:
		c->exit_count++;
		rules_return(c, state, target);
		break;
	case EXIT_TAIL:
		c->tail_exit_count++;
		rules_tail_exit(c, state, target);
		break;
	default:
		/* What comes from a register of the caller's own is no place in any program. */
		if (target && (target->kind == VALUE_ENTRY || target->kind == VALUE_CONST))
			rules_return(c, state, target);
		else
			finding(c, 0, JF_VERDICT_UNDECIDED,
				"jumps to an address that is computed: where it goes on is not known");
	}
}

static void take(struct checker *c, const struct state *state)
{
	int64_t target = c->off + c->effect.target_off;

	if (!is_inside(c, target))
		leave(c, state, NULL);
	else if (!c->judging)
		arrive(c, state, (uint32_t)target);
}

static void call(struct checker *c, struct state *state)
{
	enum jf_target_kind kind = JF_TARGET_C;

	if (c->effect.flow == JF_FLOW_CALL) {
		kind = checker_target_kind(c, c->off + c->effect.target_off);
	} else if (c->effect.flow == JF_FLOW_CALL_REG && c->effect.flow_reg < c->backend->reg_count) {
		const struct value *value = &state->regs[c->effect.flow_reg];

		if (value->kind == VALUE_CONST)
			kind = checker_target_kind(c, (int64_t)((uint64_t)value->imm +
								(uint64_t)(int64_t)c->effect.flow_imm -
								c->input->address));
	}
	if (c->judging) {
		c->call_count++;
		rules_anchor(c, state, (int)kind);
		rules_call(c, state, kind);
	}
	checker_call(c, state, kind);
}

/* What comes behind the steps. returns: whether the next instruction is reached. */
static bool flow(struct checker *c, struct state *state)
{
	struct value target;

	switch (c->effect.flow) {
	case JF_FLOW_NEXT: return true;
	case JF_FLOW_BRANCH: take(c, state); return true;
	case JF_FLOW_JUMP: take(c, state); return false;
	case JF_FLOW_CALL:
	case JF_FLOW_CALL_REG:
	case JF_FLOW_CALL_MEM: call(c, state); return true;
	case JF_FLOW_JUMP_REG:
	case JF_FLOW_JUMP_MEM:
		target = value_unknown(c->off, JF_REG_NONE);
		if (c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg < c->backend->reg_count)
			target = value_add(&c->map, state->regs[c->effect.flow_reg], value_const(c->effect.flow_imm),
					   c->off, JF_REG_NONE);
		leave(c, state, &target);
		return false;
	default: return false;
	}
}

typedef void visit_fn(struct checker *c, const struct state *before, void *arg);

/*
 * The prologue ends. Judged on the way in, since the body may jump back to where it begins. From here on nothing
 * holds that a body may change: what calls lose, and what is still the caller's although the frame has saved it.
 */
static void end_prologue(struct checker *c, struct state *state)
{
	const struct jf_frame *frame = &c->frame;

	c->judged = 0;
	if (c->judging && decode(c))
		rules_anchor(c, state, -1);
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		bool saved = jf_frame_slot(frame, JF_SLOT_SAVE, (uint8_t)reg) >= 0 ||
			     (reg == c->backend->ra && jf_frame_slot(frame, JF_SLOT_RETURN, (uint8_t)reg) >= 0);
		bool lost = !is_callee_saved(c, reg) && state->regs[reg].kind != VALUE_CFA &&
			    reg != c->conv->bpf_fp_private && !(c->backend->regs[reg].flags & JF_REG_RESERVED);

		if (reg == c->backend->sp || (reg == c->map.count_reg && is_callee_saved(c, reg)))
			continue;
		if (lost || (saved && value_is_entry(&state->regs[reg], (uint8_t)reg)))
			state->regs[reg] = value_unknown(c->off, (uint8_t)reg);
	}
}

/* From a leader to the next one, or to where control does not go on. */
static void walk_block(struct checker *c, const struct leader *leader, visit_fn *visit, void *arg)
{
	struct state state;
	struct value fp, bpf_fp;

	unpack(c, leader, &state);
	c->changes++;
	if (leader->off == c->input->marks[JF_MARK_EPILOGUE]) { /* a name for R14 to follow */
		uint8_t r0 = c->conv->bpf_reg[JF_BPF_R0];

		state.regs[r0] = value_unknown(leader->off | DEF_JOIN, r0);
	}
	for (c->off = leader->off; c->budget; c->budget--) {
		c->judged = 0;
		if (!decode(c)) {
			c->effect = (struct jf_effect){0};
			if (c->judging)
				finding(c, 0, JF_VERDICT_UNDECIDED,
					"is no instruction of %s: what it does is not known", c->backend->name);
			return;
		}
		if (visit)
			visit(c, &state, arg);
		fp = state.regs[c->backend->fp];
		bpf_fp = state.regs[c->conv->bpf_reg[JF_BPF_FP]];
		checker_steps(c, &state);
		if (c->judging)
			rules_written(c, &fp, &bpf_fp, &state);
		if (!flow(c, &state))
			return;
		if (!is_inside(c, (int64_t)c->off + c->effect.size_bytes)) {
			if (c->judging && c->effect.flow != JF_FLOW_CALL && c->effect.flow != JF_FLOW_CALL_REG &&
			    c->effect.flow != JF_FLOW_CALL_MEM)
				finding(c, 0, JF_VERDICT_UNDECIDED, "is the last one, and control goes on behind it");
			return;
		}
		c->off += c->effect.size_bytes;
		if (c->flags[c->off] & IS_LEADER) {
			if (c->off == c->input->marks[JF_MARK_BODY] && c->is_function)
				end_prologue(c, &state);
			if (!visit)
				arrive(c, &state, c->off);
			return;
		}
	}
}

/* ---- all of it ------------------------------------------------------------------------------------------ */

static void settle(struct checker *c)
{
	uint32_t i = 0;

	while (i < c->leader_count && c->budget && !c->sink->no_memory) {
		if (!c->leaders[i].pending) {
			i++;
			c->budget--;
			continue;
		}
		c->leaders[i].pending = false;
		c->lowest_pending = i + 1;
		walk_block(c, &c->leaders[i], NULL, NULL);
		i = c->lowest_pending;
	}
}

/* Another program comes in: what its tail call has set up is as here, but for the count and what calls lose. */
static void enter_by_tail_call(struct checker *c)
{
	const struct jf_backend *backend = c->backend;
	struct state state;

	if (!checker_state_at(c, c->tail_entry, &state))
		return;
	rules_tail_entry(c, &state);
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		if (!is_callee_saved(c, reg) && reg != backend->sp && reg != backend->ra &&
		    !(backend->regs[reg].flags & JF_REG_RESERVED))
			state.regs[reg] = value_unknown(DEF_ENTRY, (uint8_t)reg);
	for (unsigned int i = 0; i < backend->arg_count; i++)
		state.regs[backend->args[i]] = value_entry(backend->args[i]);
	if (c->map.count_reg != JF_REG_NONE)
		state.regs[c->map.count_reg] = (struct value){.kind = VALUE_COUNT};
	arrive(c, &state, c->tail_entry);
}

static void enter_from_body(struct checker *c)
{
	struct state state;

	if (!checker_state_at(c, c->input->marks[JF_MARK_BODY], &state))
		return;
	for (size_t i = 0; i < c->input->from_body_count; i++)
		if (is_inside(c, c->input->from_body[i]))
			arrive(c, &state, c->input->from_body[i]);
}

enum jf_status checker_run(struct checker *c)
{
	struct state state;

	c->flags = calloc(c->input->byte_count, sizeof(*c->flags));
	c->leader_index = calloc(c->input->byte_count, sizeof(*c->leader_index));
	if (!c->flags || !c->leader_index || !scan(c) || !make_leaders(c))
		return JF_E_NO_MEMORY;
	c->budget = 64 * (uint64_t)c->insn_count + 4096;
	if (!c->leader_count)
		return JF_OK;
	checker_entry_state(c, &state);
	arrive(c, &state, 0);
	settle(c);
	if (c->tail_entry != JF_MARK_UNSET) {
		enter_by_tail_call(c);
		settle(c);
	}
	enter_from_body(c);
	settle(c);
	return c->sink->no_memory ? JF_E_NO_MEMORY : JF_OK;
}

void checker_visit(struct checker *c, visit_fn *visit, void *arg)
{
	if (!c->budget)
		finding_of_all(c->sink, 0, JF_VERDICT_UNDECIDED,
			       "there are too many ways through this code to follow them all");
	c->budget = UINT64_MAX;
	for (uint32_t i = 0; i < c->leader_count; i++)
		if (c->leaders[i].regs)
			walk_block(c, &c->leaders[i], visit, arg);
}

void checker_fini(struct checker *c)
{
	for (uint32_t i = 0; i < c->leader_count; i++)
		free(c->leaders[i].regs);
	free(c->leaders);
	free(c->flags);
	free(c->leader_index);
}
