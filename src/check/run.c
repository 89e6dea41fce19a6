/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/choice.h"
#include "check/leader.h"

#include "base/memory.h"

/* Every path through the code, to a fixed point. */

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
		return c->backend->ra_pushed && value_is_cfa(sp, -c->backend->cfa_sp_off_at_entry) ? EXIT_RETURN :
												     EXIT_TAIL;
	}
	if (c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg == c->backend->ra)
		return EXIT_RETURN;
	if (target->kind == VALUE_ENTRY && target->reg == c->backend->ra)
		return EXIT_RETURN;
	/* No switch jumps from a frame that has been taken down, so without tail calls this is to be a return. */
	if (!c->counts_tail_calls || c->is_callback)
		return c->is_function && c->frame.size_bytes && sp->kind == VALUE_CFA &&
				       sp->imm > -(int64_t)c->frame.size_bytes &&
				       sp->imm >= -c->backend->cfa_sp_off_at_entry ?
			       EXIT_RETURN :
			       EXIT_COMPUTED;
	if (c->has_entry_state && value_same(sp, &c->entry_state.regs[c->backend->sp]))
		return EXIT_TAIL;
	return value_is_cfa(sp, -(int32_t)c->frame.size_bytes) && value_is_cfa(fp, c->conv->fp_off_from_cfa) ?
		       EXIT_COMPUTED :
		       EXIT_TAIL;
}

/* A computed jump: to wherever the caller says that such jumps go. */
static void take_table(struct checker *c, const struct state *state)
{
	for (size_t i = 0; i < c->input->jump_target_count; i++)
		leader_arrive(c, state, c->input->jump_targets[i]);
}

static void leave_body(struct checker *c, const struct state *state, const struct value *target)
{
	bool is_switch = c->input->jump_target_count && target && checker_exit_kind(c, state, target) == EXIT_COMPUTED;

	if (!c->judging) {
		if (is_switch)
			take_table(c, state);
		return;
	}
	if (is_switch)
		return;
	switch (checker_exit_kind(c, state, target)) {
	case EXIT_RETURN:
		c->exit_count++;
		rules_return(c, state, target);
		rules_uncharged(c, state);
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

static void leave(struct checker *c, const struct state *state, const struct value *target)
{
	if (state->in_pad) {
		if (c->judging)
			rules_pad_exit(c, state, target);
		return;
	}
	leave_body(c, state, target);
}

static void take(struct checker *c, const struct state *state)
{
	int64_t target = c->off + c->effect.target_off;

	if (!is_inside(c, target))
		leave(c, state, NULL);
	else if (!c->judging)
		leader_arrive(c, state, (uint32_t)target);
}

/* Whether one of the next `count` instructions stores `reg` at the address `wanted`, by a register as it is here. */
static bool stores_behind(const struct checker *c, const struct state *state, unsigned int count, uint8_t reg,
			  struct value wanted)
{
	uint32_t off = c->off + c->effect.size_bytes;
	struct jf_effect effect;

	for (unsigned int i = 0; i < count && is_inside(c, off); i++, off += effect.size_bytes) {
		if (jf_decode(c->backend, c->input->bytes + off, c->input->byte_count - off, &effect) != JF_OK)
			return false;
		for (unsigned int k = 0; k < effect.step_count; k++) {
			const struct jf_step *step = &effect.steps[k];
			struct value to;

			if (step->kind != JF_STEP_STORE || step->c != reg || step->b != JF_REG_NONE ||
			    step->a >= c->backend->reg_count)
				continue;
			to = value_add(&c->map, state->regs[step->a], value_const(step->imm), c->off, JF_REG_NONE);
			if (!value_is_vague(&to) && value_same(&to, &wanted))
				return true;
		}
	}
	return false;
}

/*
 * A call of timed may_goto's stub where nobody has told where the stub is: AX is a small offset, and behind the call,
 * or behind what brings R10 back, the code stores AX at R10 plus this very offset.
 */
static bool is_stub_call(const struct checker *c, const struct state *state)
{
	const struct value *ax = &state->regs[c->conv->bpf_reg[JF_BPF_AX]];
	uint8_t r10 = c->frame.spec.private_stack ? c->conv->bpf_fp_private : c->conv->bpf_reg[JF_BPF_FP];

	if (!c->is_function || !c->conv->stub_offsets || ax->kind != VALUE_CONST || ax->imm >= 0)
		return false;
	return stores_behind(c, state, 2, c->conv->bpf_reg[JF_BPF_AX],
			     value_add(&c->map, state->regs[r10], *ax, c->off, JF_REG_NONE));
}

/*
 * A call of a function that hands the count back, where nobody has told what is where: behind the call the code stores
 * the count's register in the count's slot.
 */
static bool takes_count_back(const struct checker *c, const struct state *state)
{
	return c->counts_tail_calls && c->map.count_by_value && !c->input->target_count &&
	       stores_behind(c, state, 1, c->map.count_reg, value_cfa(c->map.tcc));
}

/* returns: whether the call may return. */
static bool call(struct checker *c, struct state *state)
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
	if (kind == JF_TARGET_C && is_stub_call(c, state))
		kind = JF_TARGET_PRIVATE_STUB;
	if (kind == JF_TARGET_C && takes_count_back(c, state))
		kind = JF_TARGET_BPF;
	if (c->judging) {
		c->call_count++;
		rules_anchor(c, state, (int)kind);
		rules_call(c, state, kind);
		rules_uncharged(c, state);
		rules_cleanup_call(c);
		rules_pad_call(c, state, kind);
		if (kind == JF_TARGET_THROW)
			rules_throw_site(c, state);
	} else {
		cleanup_enter(c, state);
	}
	checker_call(c, state, kind);
	return kind != JF_TARGET_RESUME;
}

/* Both ways, each with what it tells of the count that came in. */
static void branch(struct checker *c, struct state *state)
{
	uint8_t before = state->came_in;
	enum way way = choice_of_branch(c, state);

	if (way != WAY__COUNT)
		state->came_in = (uint8_t)way;
	take(c, state);
	state->came_in = way == WAY__COUNT ? before : (uint8_t)!way;
}

/* What comes behind the steps. returns: whether the next instruction is reached. */
static bool flow(struct checker *c, struct state *state)
{
	struct value target;

	switch (c->effect.flow) {
	case JF_FLOW_NEXT: return true;
	case JF_FLOW_BRANCH: branch(c, state); return true;
	case JF_FLOW_JUMP: take(c, state); return false;
	case JF_FLOW_CALL:
	case JF_FLOW_CALL_REG:
	case JF_FLOW_CALL_MEM: return call(c, state);
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
	if (c->judging && leader_decode(c))
		rules_anchor(c, state, -1);
	c->has_private_fp = frame->spec.private_stack;
	c->private_fp = state->regs[c->conv->bpf_fp_private];
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++) {
		bool saved = jf_frame_slot(frame, JF_SLOT_SAVE, (uint8_t)reg) >= 0 ||
			     (reg == c->backend->ra && jf_frame_slot(frame, JF_SLOT_RETURN, (uint8_t)reg) >= 0);
		bool keeps_ra = reg == c->backend->ra && !saved && c->is_function; /* it is nowhere else */
		bool lost = !is_callee_saved(c, reg) && !keeps_ra && state->regs[reg].kind != VALUE_CFA &&
			    reg != c->conv->bpf_fp_private && !(c->backend->regs[reg].flags & JF_REG_RESERVED);

		if (reg == c->backend->sp || (reg == c->map.count_reg && is_callee_saved(c, reg)))
			continue;
		if (lost || (saved && value_is_entry(&state->regs[reg], (uint8_t)reg)))
			state->regs[reg] = value_unknown(c->off, (uint8_t)reg);
	}
}

/* The bytes are all of the function: behind them nobody returns for it. */
static void run_off(struct checker *c, bool in_pad)
{
	unsigned int rule = in_pad ? 24 : 5;

	applies(c, rule);
	finding(c, rule, JF_VERDICT_BROKEN,
		"is the last one, and control goes on behind it: the function does not return");
}

/* A fresh count is one that may come in by a tail call. What follows has to do for an address as well. */
static void expect_any_count(const struct checker *c, struct state *state)
{
	struct value *value;

	if (c->map.count_reg == JF_REG_NONE || c->map.count_by_value || !c->map.tcc_ptr)
		return;
	value = &state->regs[c->map.count_reg];
	if (value->kind == VALUE_CONST && value->imm == c->map.count_start)
		*value = (struct value){.kind = VALUE_COUNT};
}

/* From a leader to the next one, or to where control does not go on. */
static void walk_block(struct checker *c, const struct leader *leader, visit_fn *visit, void *arg)
{
	struct state state;
	struct value fp, bpf_fp;

	leader_unpack(c, leader, &state);
	c->flags_hold = choice_of_nothing;
	c->changes++;
	if (leader->off == c->input->marks[JF_MARK_EPILOGUE]) { /* a name for R14 to follow */
		uint8_t r0 = c->conv->bpf_reg[JF_BPF_R0];

		state.regs[r0] = value_unknown(leader->off | DEF_JOIN, r0);
	}
	if (leader->off == c->tail_entry)
		expect_any_count(c, &state);
	for (c->off = leader->off; c->budget; c->budget--) {
		c->judged = 0;
		if (!leader_decode(c)) {
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
				run_off(c, state.in_pad);
			return;
		}
		c->off += c->effect.size_bytes;
		if (c->flags[c->off] & IS_LEADER) {
			if (c->off == c->input->marks[JF_MARK_BODY] && c->is_function)
				end_prologue(c, &state);
			if (!visit)
				leader_arrive(c, &state, c->off);
			return;
		}
	}
}

/* ---- all of it ------------------------------------------------------------------------------------------ */

static void settle(struct checker *c)
{
	uint32_t i = 0;

	while (i < c->leader_count && c->budget && !c->too_many && !c->sink->no_memory) {
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
	leader_arrive(c, &state, c->tail_entry);
}

static void enter_from_body(struct checker *c)
{
	struct state state;

	if (!checker_state_at(c, c->input->marks[JF_MARK_BODY], &state))
		return;
	for (size_t i = 0; i < c->input->from_body_count; i++)
		if (is_inside(c, c->input->from_body[i]))
			leader_arrive(c, &state, c->input->from_body[i]);
}

enum jf_status checker_run(struct checker *c)
{
	struct state state;

	c->flags = jf_calloc(c->input->byte_count, sizeof(*c->flags));
	c->leader_index = jf_calloc(c->input->byte_count, sizeof(*c->leader_index));
	if (!c->flags || !c->leader_index || !leader_scan(c))
		return JF_E_NO_MEMORY;
	c->budget = 64 * (uint64_t)c->insn_count + 4096;
	if (!c->leader_count)
		return JF_OK;
	checker_entry_state(c, &state);
	leader_arrive(c, &state, 0);
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
	if (!c->budget || c->too_many)
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
		jf_free(c->leaders[i].regs);
	jf_free(c->leaders);
	jf_free(c->flags);
	jf_free(c->leader_index);
}
