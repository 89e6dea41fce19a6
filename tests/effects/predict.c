/* SPDX-License-Identifier: BSD-2-Clause */
#include "predict.h"

#include <string.h>

static uint64_t operate(const struct jf_step *step, uint64_t a, uint64_t b)
{
	unsigned int bits = 8u * step->bytes, count = (unsigned int)b & (bits - 1);
	uint64_t result = 0;

	switch (step->kind) {
	case JF_STEP_ADD: result = a + b; break;
	case JF_STEP_SUB: result = a - b; break;
	case JF_STEP_AND: result = a & b; break;
	case JF_STEP_OR: result = a | b; break;
	case JF_STEP_XOR: result = a ^ b; break;
	case JF_STEP_SHL: result = a << count; break;
	case JF_STEP_SHR: result = compare_extend(a, step->bytes, false) >> count; break;
	default: result = (uint64_t)((int64_t)compare_extend(a, step->bytes, true) >> count); break;
	}
	return compare_extend(result, step->bytes, step->sign);
}

static uint64_t insert(const struct jf_step *step, uint64_t a)
{
	uint64_t field = UINT64_MAX >> (64 - step->bits) << step->shift;

	return (a & ~field) | ((uint64_t)step->imm << step->shift & field);
}

static void set(struct state *state, unsigned int reg, uint64_t value, bool unknown)
{
	state->regs.value[reg] = value;
	state->unknown[reg] = unknown;
	state->is_signed[reg] = false;
}

/* The value of the bytes, little-endian. returns: false when one of them is not known. */
static bool load(const struct state *state, size_t at, unsigned int bytes, uint64_t *value)
{
	*value = 0;
	for (unsigned int i = 0; i < bytes; i++) {
		if (state->memory_unknown[at + i])
			return false;
		*value |= (uint64_t)state->memory[at + i] << 8 * i;
	}
	return true;
}

static bool access(struct state *state, const struct jf_step *step, uint64_t address)
{
	size_t at = address - state->memory_at;
	uint64_t value;

	if (at >= MEMORY_BYTES || MEMORY_BYTES - at < step->bytes)
		return false;
	if (step->kind == JF_STEP_LOAD) {
		bool known = step->dst != JF_REG_NONE && load(state, at, step->bytes, &value);

		if (step->dst != JF_REG_NONE)
			set(state, step->dst, known ? compare_extend(value, step->bytes, step->sign) : 0, !known);
		return true;
	}
	if (!step->bytes)
		memset(state->memory_unknown + at, true, MEMORY_BYTES - at);
	for (unsigned int i = 0; i < step->bytes; i++) {
		state->memory_unknown[at + i] = step->c == JF_REG_NONE || state->unknown[step->c] || i > 7;
		if (!state->memory_unknown[at + i])
			state->memory[at + i] = (uint8_t)(state->regs.value[step->c] >> 8 * i);
	}
	return true;
}

static bool known(const struct state *state, unsigned int reg)
{
	return reg == JF_REG_NONE || !state->unknown[reg];
}

static uint64_t value_of(const struct state *state, unsigned int reg)
{
	return reg == JF_REG_NONE ? 0 : state->regs.value[reg];
}

static uint64_t result_of(const struct jf_backend *backend, const struct jf_step *step, const struct state *state,
			  uint64_t address)
{
	uint64_t a = value_of(state, step->a);

	switch (step->kind) {
	case JF_STEP_MOVE: return a + (uint64_t)step->imm;
	case JF_STEP_INSERT: return insert(step, a);
	case JF_STEP_EXTEND: return compare_extend(a, step->bytes, step->sign);
	case JF_STEP_ADDRESS: return address;
	case JF_STEP_SIGN:
	case JF_STEP_AUTH: return backend->strip_return ? backend->strip_return(a) : a;
	default: return operate(step, a, step->b == JF_REG_NONE ? (uint64_t)step->imm : value_of(state, step->b));
	}
}

static bool chooses(const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].kind == JF_STEP_CHOOSE)
			return true;
	return false;
}

static bool accesses(const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].kind == JF_STEP_LOAD || effect->steps[i].kind == JF_STEP_STORE)
			return true;
	return false;
}

bool asks_flags(const struct jf_effect *effect)
{
	return (effect->flow == JF_FLOW_BRANCH || chooses(effect)) && effect->asks.kind == JF_COMPARE_FLAGS;
}

static struct compared compared(const struct state *state, const struct jf_compare *c)
{
	struct compared result = compare_numbers(c, value_of(state, c->a), value_of(state, c->b), state->flags);

	result.known &= known(state, c->a) && known(state, c->b);
	return result;
}

/* One of two registers, both of which are known. Where nobody can tell which it is, it may be neither. */
static void choose(struct state *state, const struct jf_step *step)
{
	uint64_t a = value_of(state, step->a), b = value_of(state, step->b) + (uint64_t)step->imm;

	set(state, step->dst, compare_extend(state->choice == CHOICE_FIRST ? a : b, step->bytes, step->sign),
	    state->choice == CHOICE_NONE || !known(state, step->a) || !known(state, step->b));
}

static enum choice choice_of(const struct jf_effect *effect, const struct compared *asked)
{
	if ((effect->flow != JF_FLOW_BRANCH && !chooses(effect)) || !compare_tells(asked, effect->asks.cond))
		return CHOICE_NONE;
	return compare_holds(asked, effect->asks.cond) ? CHOICE_FIRST : CHOICE_SECOND;
}

const struct jf_step *predict(const struct jf_backend *backend, const struct jf_effect *effect, struct state *state,
			      uint64_t *address)
{
	struct compared asked = compared(state, &effect->asks);

	state->choice = choice_of(effect, &asked);
	state->flags = compared(state, &effect->flags_hold);
	for (unsigned int i = 0; i < effect->step_count; i++) {
		const struct jf_step *step = &effect->steps[i];
		bool sure = known(state, step->a) && known(state, step->b);

		*address = value_of(state, step->a) + (value_of(state, step->b) << step->shift) + (uint64_t)step->imm;
		if (step->a == JF_REG_NONE && step->b == JF_REG_NONE)
			*address += state->pc;
		if (step->kind == JF_STEP_LOAD || step->kind == JF_STEP_STORE) {
			if (!sure || !access(state, step, *address))
				return step;
		} else if (step->kind == JF_STEP_CHOOSE) {
			choose(state, step);
		} else {
			set(state, step->dst, result_of(backend, step, state, *address),
			    !sure || step->kind == JF_STEP_KILL);
			state->is_signed[step->dst] = step->kind == JF_STEP_SIGN;
		}
	}
	return NULL;
}

bool sets_flags(const struct jf_effect *effect)
{
	return effect->flow == JF_FLOW_NEXT && !accesses(effect) &&
	       (effect->flags_hold.kind == JF_COMPARE_WITH || effect->flags_hold.kind == JF_COMPARE_AND);
}

bool goes_before(const struct jf_effect *comparison, const struct jf_effect *effect)
{
	return !comparison->step_count || !accesses(effect);
}

void bring_near(const struct jf_backend *backend, struct state *state, const struct jf_compare *compare,
		unsigned int way)
{
	uint64_t second;

	if ((compare->kind != JF_COMPARE_WITH && compare->kind != JF_COMPARE_AND) || compare->a >= backend->reg_count ||
	    compare->a == backend->sp || way % 4 == 0)
		return;
	second = compare->b == JF_REG_NONE ? (uint64_t)compare->imm : value_of(state, compare->b);
	if (compare->kind == JF_COMPARE_AND)
		second = ~second;
	state->regs.value[compare->a] = second + way % 4 - 2;
}
