/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/leader.h"

/* R29: a tail call is counted when it is taken, and only then. */

static bool is_counting(const struct checker *c)
{
	return c->is_function && !c->is_callback && c->counts_tail_calls;
}

/* By its address; or by the register that has it, of which R9 tells when that is another address by now. */
static bool goes_by_count(const struct checker *c, const struct state *state, const struct jf_step *step,
			  const struct value *address)
{
	return !c->map.count_by_value && address->kind != VALUE_CFA && step->bytes == c->map.count_bytes &&
	       (count_is_address(c, state, address) ||
		(step->a == c->map.count_reg && step->a != c->conv->bpf_reg[JF_BPF_R0] && !step->imm &&
		 step->b == JF_REG_NONE));
}

bool charge_load(struct checker *c, const struct state *state, const struct jf_step *step, const struct value *address,
		 struct value *value)
{
	bool is_charged = state->charged_at != NOT_CHARGED && state->charged_always;

	if (!is_counting(c) || !goes_by_count(c, state, step, address))
		return false;
	*value = (struct value){.kind = VALUE_TALLY, .reg = step->dst, .def = c->off};
	value->imm = is_charged ? count_step(&c->map) : 0;
	return true;
}

/* What is stored goes over the count: in its own slot of this frame, or where its address says. */
static bool is_at_count(const struct checker *c, const struct state *state, const struct jf_step *step,
			const struct value *address)
{
	if (address->kind == VALUE_CFA)
		return c->map.tcc && value_is_cfa(address, c->map.tcc) && state_cell(state, c->map.tcc, step->bytes);
	return goes_by_count(c, state, step, address);
}

/* By how much more than was there; in its own slot in place, nobody sees by how much. */
static bool is_more_by(const struct checker *c, const struct value *value, int64_t *more)
{
	if (!value) {
		*more = count_step(&c->map);
		return c->map.tcc && c->rmw_off == c->map.tcc;
	}
	*more = value->imm;
	return value->kind == VALUE_TALLY || (value->kind == VALUE_COUNT && c->map.count_by_value) ||
	       (value->kind == VALUE_SLOT && (int32_t)value->def == c->map.tcc);
}

void charge_store(struct checker *c, struct state *state, const struct jf_step *step, const struct value *address,
		  const struct value *value)
{
	char text[VALUE_TEXT_MAX];
	int64_t more = 0;
	bool counts;

	if (!is_counting(c) || !is_at_count(c, state, step, address))
		return;
	counts = is_more_by(c, value, &more);
	if (address->kind == VALUE_CFA && (!counts || !more))
		return; /* a prologue, a callee's count, what was there: R9 tells what may be there */
	state->charged_at = counts && !more ? NOT_CHARGED : c->off;
	state->charged_always = true;
	if (!c->judging || (counts && !more))
		return;
	applies(c, 29);
	if (counts && more != count_step(&c->map)) {
		finding(c, 29, JF_VERDICT_BROKEN, "adds %lld to the tail-call count, and a tail call adds %lld",
			(long long)more, (long long)count_step(&c->map));
	} else if (!counts) {
		value_text(c->backend, value ? value : &(struct value){.def = c->off}, text, sizeof(text));
		finding(c, 29, value ? verdict_on(value) : JF_VERDICT_BROKEN, "stores %s as the tail-call count", text);
	}
}

/* The instruction that has counted is the one to look at; `off` is where it shows. */
static void tell_charge(struct checker *c, const struct state *state, const char *what)
{
	struct jf_effect effect = c->effect;
	uint32_t off = c->off, judged = c->judged;

	c->off = state->charged_at;
	c->judged = 0;
	if (leader_decode(c))
		finding(c, 29, JF_VERDICT_BROKEN, "counts a tail call, and then comes the %s at +0x%x: %s", what, off,
			"none has been taken");
	c->off = off;
	c->judged = judged;
	c->effect = effect;
}

void rules_uncharged(struct checker *c, const struct state *state)
{
	if (is_counting(c) && state->charged_at != NOT_CHARGED)
		tell_charge(c, state, effect_is_call(&c->effect) ? "call" : "return");
}

/* A frame alone leaves by what its caller had, or by what the prologue's end has forgotten: it looks up no program. */
static bool is_looked_up(const struct checker *c, const struct value *target)
{
	uint32_t body = c->input->marks[JF_MARK_BODY], start = 0, at;

	if (!target || target->kind == VALUE_TALLY)
		return true;
	if (body != JF_MARK_UNSET)
		start = body;
	if (c->tail_entry != JF_MARK_UNSET && c->tail_entry > start)
		start = c->tail_entry;
	at = target->def & ~DEF_JOIN;
	return target->kind == VALUE_UNKNOWN && at != DEF_ENTRY && at > start;
}

void rules_charged(struct checker *c, const struct state *state, const struct value *target)
{
	bool is_charged = state->charged_at != NOT_CHARGED;

	if (!is_counting(c) || !is_looked_up(c, target))
		return;
	applies(c, 29);
	if (!is_charged || !state->charged_always)
		finding(c, 29, JF_VERDICT_BROKEN,
			"leaves for another program, and the tail call has not been counted%s",
			is_charged ? " on every way here" : "");
}
