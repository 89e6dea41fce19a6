/* SPDX-License-Identifier: BSD-2-Clause */
#include "predict.h"

#include <string.h>

static uint64_t extend(uint64_t value, unsigned int bytes, bool sign)
{
	unsigned int gone = 64 - 8 * bytes;

	if (bytes >= 8)
		return value;
	return sign ? (uint64_t)((int64_t)(value << gone) >> gone) : value << gone >> gone;
}

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
	case JF_STEP_SHR: result = extend(a, step->bytes, false) >> count; break;
	default: result = (uint64_t)((int64_t)extend(a, step->bytes, true) >> count); break;
	}
	return extend(result, step->bytes, step->sign);
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
			set(state, step->dst, known ? extend(value, step->bytes, step->sign) : 0, !known);
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
	case JF_STEP_EXTEND: return extend(a, step->bytes, step->sign);
	case JF_STEP_ADDRESS: return address;
	case JF_STEP_SIGN:
	case JF_STEP_AUTH: return backend->strip_return ? backend->strip_return(a) : a;
	default: return operate(step, a, step->b == JF_REG_NONE ? (uint64_t)step->imm : value_of(state, step->b));
	}
}

const struct jf_step *predict(const struct jf_backend *backend, const struct jf_effect *effect, struct state *state,
			      uint64_t *address)
{
	for (unsigned int i = 0; i < effect->step_count; i++) {
		const struct jf_step *step = &effect->steps[i];
		bool sure = known(state, step->a) && known(state, step->b);

		*address = value_of(state, step->a) + (value_of(state, step->b) << step->shift) + (uint64_t)step->imm;
		if (step->a == JF_REG_NONE && step->b == JF_REG_NONE)
			*address += state->pc;
		if (step->kind == JF_STEP_LOAD || step->kind == JF_STEP_STORE) {
			if (!sure || !access(state, step, *address))
				return step;
		} else {
			set(state, step->dst, result_of(backend, step, state, *address),
			    !sure || step->kind == JF_STEP_KILL);
			state->is_signed[step->dst] = step->kind == JF_STEP_SIGN;
		}
	}
	return NULL;
}
