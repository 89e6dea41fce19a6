/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

/* What has to hold for what is called: the tail-call count (R9), the call's row (R17), private stubs (R18). */

bool count_came_in(const struct checker *c, const struct value *value)
{
	return !c->map.is_main && !c->is_callback && value_is_entry(value, c->map.count_reg);
}

/* As it came in, or as it is in its slot by now: a tail call that does not happen is not counted. */
bool count_is_in_force(const struct checker *c, const struct state *state, const struct value *value)
{
	const struct cell *cell = state_cell(state, c->map.tcc, c->map.count_bytes);

	if (value->kind == VALUE_SLOT)
		return (int32_t)value->def == c->map.tcc && cell &&
		       (!value->imm || (value->imm == count_step(&c->map) && value_same(value, &cell->value)));
	if (value->kind == VALUE_COUNT && value->imm)
		return cell && value->imm == count_step(&c->map) && value_same(value, &cell->value);
	return value->kind == VALUE_COUNT || count_came_in(c, value);
}

/* What travels to a BPF function. */
bool count_is_address(const struct checker *c, const struct state *state, const struct value *value)
{
	int32_t slot = c->map.tcc_ptr;

	if (value->kind == VALUE_COUNT)
		return value->imm || !c->map.is_main;
	if (slot) /* a subprogram gets the address, and has it in both slots */
		return value->kind == VALUE_SLOT &&
		       ((int32_t)value->def == slot ||
			(c->frame.spec.role == JF_ROLE_SUBPROGRAM && (int32_t)value->def == c->map.tcc)) &&
		       !value->imm && state_cell(state, slot, 8);
	return value_is_entry(value, c->map.count_reg) || (c->map.tcc && value_is_cfa(value, c->map.tcc));
}

/* Where BPF functions are called; where memory is reached by way of the count's register; by value: at a return. */
void rules_count(struct checker *c, const struct state *state)
{
	bool by_value = c->map.count_by_value;
	const struct value *value;
	char text[VALUE_TEXT_MAX];

	if (!c->counts_tail_calls || c->map.count_reg == JF_REG_NONE ||
	    (!c->map.tcc && !is_callee_saved(c, c->map.count_reg)))
		return;
	value = &state->regs[c->map.count_reg];
	applies(c, 9);
	if (by_value ? count_is_in_force(c, state, value) : count_is_address(c, state, value))
		return;
	value_text(c->backend, value, text, sizeof(text));
	finding(c, c->is_callback ? 15 : 9, verdict_on_count(value),
		"is reached with %s = %s, not %sthe tail-call count", reg_name(c, c->map.count_reg), text,
		by_value ? "" : "the address of ");
}

/* Count and start time: two words in the BPF stack. */
#define STUB_WORDS 16

/* An offset from R10, to which the stub adds the register that R10 has without a private stack. */
static void judge_stub_offset(struct checker *c, const struct state *state)
{
	const struct value *ax = &state->regs[c->conv->bpf_reg[JF_BPF_AX]];
	uint8_t base = c->conv->bpf_reg[JF_BPF_FP];
	bool is_private = c->frame.spec.private_stack;
	char text[VALUE_TEXT_MAX];

	value_text(c->backend, ax, text, sizeof(text));
	if (is_private && base != c->conv->bpf_fp_private)
		finding(c, 18, JF_VERDICT_BROKEN,
			"gives the stub AX = %s, and the stub adds %s: this program's R10 is %s", text,
			reg_name(c, base), reg_name(c, c->conv->bpf_fp_private));
	else if (ax->kind != VALUE_CONST || ax->imm > -STUB_WORDS ||
		 (!is_private && ax->imm < c->map.bpf_low - c->map.bpf_high))
		finding(c, 18, verdict_on(ax),
			"is reached with AX = %s, which is no offset in this program's BPF stack", text);
}

static void judge_stub_argument(struct checker *c, const struct state *state, enum jf_target_kind kind)
{
	const struct value *ax = &state->regs[c->conv->bpf_reg[JF_BPF_AX]];
	char text[VALUE_TEXT_MAX];

	applies(c, 18);
	if (kind == JF_TARGET_PRIVATE_STUB && c->conv->stub_offsets) {
		judge_stub_offset(c, state);
		return;
	}
	if (c->frame.spec.private_stack ||
	    (ax->kind == VALUE_CFA && ax->imm >= c->map.bpf_low && ax->imm < c->map.bpf_high))
		return;
	value_text(c->backend, ax, text, sizeof(text));
	finding(c, 18, verdict_on(ax), "is reached with AX = %s, which is not in this program's BPF stack", text);
}

void rules_call(struct checker *c, const struct state *state, enum jf_target_kind kind)
{
	if (kind == JF_TARGET_BPF && c->is_function)
		rules_count(c, state);
	if (kind == JF_TARGET_PRIVATE_STUB || kind == JF_TARGET_OWN_STUB)
		judge_stub_argument(c, state, kind);
	rules_row_of_call(c, state);
}
