/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/choice.h"

/* What one instruction does to a state. */

static struct value operand(const struct state *state, uint8_t reg)
{
	return reg == JF_REG_NONE ? value_const(0) : state->regs[reg];
}

/* Of a register other than SP a row says that it is the caller's, or how far from the CFA: nothing else counts. */
static bool is_of_caller(const struct value *value)
{
	return value->kind == VALUE_ENTRY || value->kind == VALUE_CFA;
}

static void set(struct checker *c, struct state *state, uint8_t reg, struct value value)
{
	if (reg >= c->backend->reg_count)
		return;
	if (reg == c->backend->sp || ((is_callee_saved(c, reg) || reg == c->backend->ra) &&
				      (is_of_caller(&state->regs[reg]) || is_of_caller(&value))))
		c->changes++;
	state->regs[reg] = value;
}

/* a + (b << shift) + imm; without registers it is relative to the instruction or of elsewhere. */
static struct value address_of(const struct checker *c, const struct state *state, const struct jf_step *step)
{
	struct value a = operand(state, step->a), b = operand(state, step->b);

	if (b.kind == VALUE_CONST)
		b.imm = (int64_t)((uint64_t)b.imm << (step->shift & 63));
	else if (step->shift)
		b = value_tainted(value_taint(&c->map, &b), c->off, step->dst);
	a = value_add(&c->map, a, value_const(step->imm), c->off, step->dst);
	return value_add(&c->map, a, b, c->off, step->dst);
}

static bool is_leftover(const struct checker *c, const struct value *value)
{
	return (value->kind == VALUE_ENTRY && is_callee_saved(c, value->reg)) ||
	       (value->kind == VALUE_UNKNOWN && (value->def == DEF_ENTRY || value->flags & VALUE_LEFTOVER));
}

/* A result that is not known, of a and perhaps something else. */
static struct value result_of(const struct checker *c, const struct value *a, unsigned int taint, uint8_t reg)
{
	struct value value = value_tainted(taint, c->off, reg);
	bool is_base = a->kind == VALUE_ENTRY && c->backend->regs[a->reg].flags & JF_REG_RESERVED;

	if (value.kind == VALUE_UNKNOWN && (is_base || is_leftover(c, a)))
		value.flags = VALUE_LEFTOVER;
	return value;
}

/* ---- arithmetic ------------------------------------------------------------------------------------- */

static int64_t fold(uint8_t kind, uint64_t a, uint64_t b)
{
	switch (kind) {
	case JF_STEP_ADD: return (int64_t)(a + b);
	case JF_STEP_SUB: return (int64_t)(a - b);
	case JF_STEP_AND: return (int64_t)(a & b);
	case JF_STEP_OR: return (int64_t)(a | b);
	case JF_STEP_XOR: return (int64_t)(a ^ b);
	case JF_STEP_SHL: return (int64_t)(a << (b & 63));
	case JF_STEP_SHR: return (int64_t)(a >> (b & 63));
	default: return (int64_t)a >> (b & 63);
	}
}

/* An address of the stack with its low bits cleared: exact only when the CFA is known to be aligned so. */
static struct value mask_stack(const struct checker *c, struct value a, int64_t mask)
{
	int64_t align = (int64_t)((uint64_t)mask & (0 - (uint64_t)mask));

	if (!mask)
		return value_const(0);
	if (mask > 0 || align < 0)
		return value_tainted(value_taint(&c->map, &a), c->off, JF_REG_NONE);
	if (a.kind == VALUE_CFA && mask == -align && (c->conv->frame_align >= align || align == 1))
		return value_cfa(a.imm & mask);
	return (struct value){.kind = VALUE_STACK, .reg = JF_REG_NONE, .def = c->off, .imm = align};
}

static struct value sum(const struct checker *c, struct value a, struct value b, uint8_t reg)
{
	struct value value = value_add(&c->map, a, b, c->off, reg);

	if (value.kind == VALUE_UNKNOWN && value.def == c->off && (is_leftover(c, &a) || is_leftover(c, &b)))
		value.flags = VALUE_LEFTOVER;
	return value;
}

/* All bits, or none. */
static bool is_mask(const struct value *value)
{
	return value->kind == VALUE_CONST && (value->imm == 0 || value->imm == -1);
}

static struct value alu64(const struct checker *c, const struct jf_step *step, struct value a, struct value b)
{
	unsigned int taint_a = value_taint(&c->map, &a), taint_b = value_taint(&c->map, &b);

	if (a.kind == VALUE_CONST && b.kind == VALUE_CONST)
		return value_const(fold(step->kind, (uint64_t)a.imm, (uint64_t)b.imm));
	if (step->kind == JF_STEP_ADD)
		return sum(c, a, b, step->dst);
	if (step->kind == JF_STEP_SUB && b.kind == VALUE_CONST)
		return value_add(&c->map, a, value_const((int64_t)(0 - (uint64_t)b.imm)), c->off, step->dst);
	if (step->kind == JF_STEP_SUB && a.kind == VALUE_CFA && b.kind == VALUE_CFA)
		return value_const(a.imm - b.imm);
	if (step->kind == JF_STEP_AND && taint_a && b.kind == VALUE_CONST && a.kind != VALUE_LOST)
		return mask_stack(c, a, b.imm);
	if (b.kind == VALUE_CONST && !b.imm && step->kind != JF_STEP_AND)
		return a; /* or, xor and shifts by nothing */
	if (step->kind == JF_STEP_AND && (is_mask(&a) || is_mask(&b)))
		return (is_mask(&a) ? a : b).imm ? (is_mask(&a) ? b : a) : value_const(0);
	if (a.kind == VALUE_CONST && !a.imm && (step->kind == JF_STEP_OR || step->kind == JF_STEP_XOR))
		return b;
	if (step->kind == JF_STEP_SUB && taint_b && taint_b < 3)
		taint_b = 0; /* a distance */
	/* Half of it is gone, as in value_extend(). */
	if (step->kind == JF_STEP_SHL && b.kind == VALUE_CONST && (b.imm & 63) >= 32 && taint_a < 3)
		taint_a = 0;
	return result_of(c, &a, taint_a > taint_b ? taint_a : taint_b, step->dst);
}

static struct value alu_of(const struct checker *c, const struct jf_step *step, struct value a, struct value b)
{
	if (step->bytes != 4)
		return alu64(c, step, a, b);
	if (a.kind == VALUE_CONST && b.kind == VALUE_CONST) {
		a = value_extend(a, 4, step->kind == JF_STEP_SAR, c->off, step->dst);
		if (step->kind >= JF_STEP_SHL)
			b.imm &= 31;
		a = value_const(fold(step->kind, (uint64_t)a.imm, (uint64_t)b.imm));
	} else if (b.kind != VALUE_CONST || b.imm || step->kind == JF_STEP_AND) {
		a = value_tainted(a.kind == VALUE_LOST || b.kind == VALUE_LOST ? 3 : 0, c->off, step->dst);
	}
	return value_extend(a, 4, step->sign, c->off, step->dst);
}

static struct value alu(const struct checker *c, const struct state *state, const struct jf_step *step)
{
	struct value a = operand(state, step->a), parts[WAY__COUNT];
	struct value b = step->b == JF_REG_NONE ? value_const(step->imm) : operand(state, step->b);
	bool clears = step->a == step->b && step->a != JF_REG_NONE;

	if (clears && (step->kind == JF_STEP_XOR || step->kind == JF_STEP_SUB))
		return value_const(0);
	if (a.kind != VALUE_CHOSEN && b.kind != VALUE_CHOSEN)
		return alu_of(c, step, a, b);
	for (enum way way = 0; way < WAY__COUNT; way++)
		parts[way] = alu_of(c, step, value_part(&a, way), value_part(&b, way));
	return value_chosen(&c->map, parts);
}

static struct value choose(const struct checker *c, const struct state *state, const struct jf_step *step,
			   const struct question *asked)
{
	struct value options[2] = {operand(state, step->a), operand(state, step->b)};

	options[1] = value_add(&c->map, options[1], value_const(step->imm), c->off, step->dst);
	for (unsigned int i = 0; i < 2; i++)
		options[i] = value_extend(options[i], step->bytes, step->sign, c->off, step->dst);
	return choice_made(c, asked, step, options);
}

static struct value insert(const struct checker *c, const struct jf_step *step, struct value a)
{
	uint64_t mask = (step->bits < 64 ? (UINT64_C(1) << step->bits) - 1 : UINT64_MAX) << (step->shift & 63);

	if (a.kind != VALUE_CONST)
		return result_of(c, &a, a.kind == VALUE_LOST ? 3 : 0, step->dst);
	a.imm = (int64_t)(((uint64_t)a.imm & ~mask) | ((uint64_t)step->imm << (step->shift & 63) & mask));
	return value_extend(a, step->bytes, step->sign, c->off, step->dst);
}

/* ---- pointer authentication: the code depends on SP, which has to be the same on the way back -------- */

static struct value sign(const struct checker *c, const struct state *state, struct value a)
{
	const struct value *sp = &state->regs[c->backend->sp];

	if (a.kind != VALUE_ENTRY || a.flags || a.imm || a.ext || sp->kind != VALUE_CFA)
		return value_unknown(c->off, a.reg);
	a.flags = VALUE_SIGNED;
	a.def = (uint32_t)(int32_t)sp->imm;
	return a;
}

static struct value authenticate(const struct checker *c, const struct state *state, struct value a)
{
	const struct value *sp = &state->regs[c->backend->sp];

	if (!(a.flags & VALUE_SIGNED) || sp->kind != VALUE_CFA || (int32_t)a.def != sp->imm)
		return a.kind == VALUE_LOST ? a : value_unknown(c->off, a.reg);
	a.flags = 0;
	a.def = 0;
	return a;
}

/* ---- memory ------------------------------------------------------------------------------------------ */

/* What of a register's value an access of `bytes` carries. */
static struct value carried(const struct checker *c, struct value value, uint32_t bytes, bool sign, uint8_t reg)
{
	if (value.kind == VALUE_ENTRY && !value.imm && value.reg < c->backend->reg_count &&
	    bytes >= c->backend->regs[value.reg].size_bytes)
		return value;
	return value_extend(value, bytes, sign, c->off, reg);
}

/* The cell that an access reads as a whole: of a register's value only what the register holds counts. */
static const struct cell *cell_read(const struct checker *c, const struct state *state, int32_t off, uint32_t bytes)
{
	const struct cell *cell = state_cell_at(state, off);

	if (!cell || cell->bytes == bytes)
		return cell;
	if (cell->value.kind != VALUE_ENTRY || cell->value.imm || cell->value.reg >= c->backend->reg_count ||
	    (bytes < cell->bytes ? bytes : cell->bytes) < c->backend->regs[cell->value.reg].size_bytes)
		return NULL;
	return cell;
}

static struct value load(struct checker *c, const struct state *state, const struct jf_step *step)
{
	struct value address = address_of(c, state, step);
	const struct cell *cell = NULL;
	struct value value;
	int32_t off;

	if (c->judging) {
		rules_base(c, state, step);
		rules_access(c, state, &address, step->bytes, false, NULL);
	}
	if (cleanup_is_elsewhere(c, state) && c->backend->ra_pushed && value_is_entry(&address, c->backend->sp))
		return value_way_back();
	if (charge_load(c, state, step, &address, &value))
		return value;
	if (address.kind != VALUE_CFA || address.imm != (int32_t)address.imm)
		return value_tainted(c->map.saves_alone && value_taint(&c->map, &address) ? 3 : 0, c->off, step->dst);
	off = (int32_t)address.imm;
	c->rmw_off = off;
	cell = cell_read(c, state, off, step->bytes);
	if (c->judging && step->dst != JF_REG_NONE && step->dst == c->map.count_reg)
		rules_count_read(c, state, off);
	if (!cell)
		return value_tainted(state->cells_dropped ? 3 : 0, c->off, step->dst);
	/* A callback's own slots may be where the boundary saved registers. */
	if (off && (off == c->map.tcc || off == c->map.tcc_ptr) && step->bytes == count_slot_bytes(&c->map, off) &&
	    !(cell->value.kind == VALUE_ENTRY && is_callee_saved(c, cell->value.reg)))
		return (struct value){.kind = VALUE_SLOT, .def = (uint32_t)off};
	return carried(c, cell->value, step->bytes, step->sign, step->dst);
}

static void tell(struct checker *c, const struct state *state, const struct jf_step *step, const struct value *value)
{
	struct value address;

	if (!c->told)
		return;
	address = address_of(c, state, step);
	if (address.kind == VALUE_CFA && address.imm == (int32_t)address.imm)
		c->told(c->told_arg, step, (int32_t)address.imm, value);
}

/* What is not told apart: the contents of the BPF stack, which are the program's own. */
static bool is_worth_a_cell(const struct checker *c, int32_t off, const struct value *value)
{
	bool is_save = value->kind == VALUE_ENTRY && (value->reg == c->backend->ra || is_callee_saved(c, value->reg));

	if (c->map.saves_alone)
		return is_save || value->kind == VALUE_CFA;
	return is_save || off < c->map.bpf_low || off >= c->map.bpf_high;
}

static void store(struct checker *c, struct state *state, const struct jf_step *step)
{
	struct value address = address_of(c, state, step);
	struct value value = value_unknown(c->off, JF_REG_NONE);
	int32_t off;

	if (step->c != JF_REG_NONE)
		value = carried(c, operand(state, step->c), step->bytes, false, JF_REG_NONE);
	if (c->judging) {
		rules_base(c, state, step);
		rules_access(c, state, &address, step->bytes, true, &value);
	}
	tell(c, state, step, &value);
	charge_store(c, state, step, &address, step->c == JF_REG_NONE ? NULL : &value);
	if (address.kind != VALUE_CFA || address.imm != (int32_t)address.imm)
		return;
	off = (int32_t)address.imm;
	if (c->map.saves_alone && !step->bytes)
		return; /* a variable of any size: it ends where it ends */
	if (is_worth_a_cell(c, off, &value) && step->bytes) {
		c->changes++;
		state_store(state, off, step->bytes, value);
	} else {
		uint32_t before = state->cell_count;

		state_forget(state, off, step->bytes);
		c->changes += state->cell_count != before;
	}
}

/* ---- all of them -------------------------------------------------------------------------------------- */

static void one(struct checker *c, struct state *state, const struct jf_step *step, const struct question *asked)
{
	struct value a = operand(state, step->a);

	switch (step->kind) {
	case JF_STEP_MOVE:
		a = sum(c, a, value_const(step->imm), step->dst);
		set(c, state, step->dst, value_extend(a, step->bytes, step->sign, c->off, step->dst));
		break;
	case JF_STEP_INSERT: set(c, state, step->dst, insert(c, step, a)); break;
	case JF_STEP_EXTEND:
		set(c, state, step->dst, value_extend(a, step->bytes, step->sign, c->off, step->dst));
		break;
	case JF_STEP_LOAD:
		a = load(c, state, step);
		tell(c, state, step, &a);
		set(c, state, step->dst, a);
		break;
	case JF_STEP_STORE: store(c, state, step); break;
	case JF_STEP_ADDRESS:
		if (step->a == JF_REG_NONE && step->b == JF_REG_NONE)
			set(c, state, step->dst, value_const((int64_t)(c->input->address + c->off) + step->imm));
		else
			set(c, state, step->dst, address_of(c, state, step));
		break;
	case JF_STEP_SIGN: set(c, state, step->dst, sign(c, state, a)); break;
	case JF_STEP_AUTH: set(c, state, step->dst, authenticate(c, state, a)); break;
	case JF_STEP_KILL: set(c, state, step->dst, value_unknown(c->off, step->dst)); break;
	case JF_STEP_CHOOSE: set(c, state, step->dst, choose(c, state, step, asked)); break;
	default: set(c, state, step->dst, alu(c, state, step));
	}
}

/* The kernel gives back what is in memory, and the return address. */
static void ask_kernel(struct checker *c, struct state *state)
{
	if (!c->map.saves_alone) {
		checker_call(c, state, JF_TARGET_C);
		return;
	}
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		if (!is_callee_saved(c, reg) && reg != c->backend->sp && reg != c->backend->ra)
			state->regs[reg] = value_unknown(c->off, (uint8_t)reg);
}

/* An instruction that the decoder does not know. */
static void lose_registers(struct checker *c, struct state *state)
{
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		if (reg != c->backend->sp && !(c->trusted[reg / 64] >> reg % 64 & 1))
			state->regs[reg] = (struct value){.kind = VALUE_LOST};
	c->changes++;
}

void checker_steps(struct checker *c, struct state *state)
{
	struct question asked = choice_question(c, state, &c->effect.asks);
	struct question flags_hold = choice_question(c, state, &c->effect.flags_hold);

	c->rmw_off = INT32_MAX;
	if (c->effect.flags & JF_EFFECT_UNKNOWN)
		lose_registers(c, state);
	for (unsigned int i = 0; i < c->effect.step_count; i++)
		one(c, state, &c->effect.steps[i], &asked);
	c->flags_hold = flags_hold;
	if (c->effect.flags & JF_EFFECT_SYSTEM)
		ask_kernel(c, state);
}

/* ---- calls --------------------------------------------------------------------------------------------- */

static bool is_kept(const struct checker *c, unsigned int reg, enum jf_target_kind kind)
{
	if (is_callee_saved(c, reg) || reg == c->backend->sp || c->backend->regs[reg].flags & JF_REG_RESERVED)
		return true;
	if (kind != JF_TARGET_PRIVATE_STUB && kind != JF_TARGET_OWN_STUB)
		return false;
	for (unsigned int bpf = 0; bpf < JF_BPF_AX; bpf++)
		if (c->conv->bpf_reg[bpf] == reg)
			return true;
	return reg == c->conv->bpf_fp_private;
}

void checker_call(struct checker *c, struct state *state, enum jf_target_kind kind)
{
	const struct value *sp = &state->regs[c->backend->sp];

	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		if (!is_kept(c, reg, kind))
			state->regs[reg] = value_unknown(c->off, (uint8_t)reg);
	/* The callee hands the count back, and may have counted: what is in the slot is no longer the count. */
	if (kind == JF_TARGET_BPF && c->map.count_by_value && c->counts_tail_calls) {
		state->regs[c->map.count_reg] = (struct value){.kind = VALUE_COUNT};
		state_forget(state, c->map.tcc, c->map.count_bytes);
	}
	if (sp->kind == VALUE_CFA) {
		/* Arguments belong to the callee. */
		state_forget_below(state, sp->imm);
		if (c->frame.out_args_bytes && sp->imm == (int32_t)sp->imm)
			state_forget(state, (int32_t)sp->imm, c->frame.out_args_bytes);
	}
	c->changes++;
}
