/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/tokens.h"

/* Code as a row of things done to the frame, and how far two such rows are apart. */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	/* FNV-1a, a word at a time, and stirred. */
	hash = (hash ^ value) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

/*
 * Sizes of private stacks, constants, and what is loaded from elsewhere are no part of the frame; adding 0 is a move to
 * some decoders.
 */
static uint64_t mix_step(const struct jf_backend *backend, uint64_t hash, const struct jf_step *step)
{
	bool of_frame = step->kind == JF_STEP_STORE || step->a == backend->sp || step->a == backend->fp ||
			step->dst == backend->sp || step->dst == backend->fp;
	bool adds = (step->kind == JF_STEP_MOVE && step->a != JF_REG_NONE) ||
		    (step->kind == JF_STEP_ADD && step->b == JF_REG_NONE && step->bytes == 8);

	hash = mix(hash, adds ? JF_STEP_ADD : step->kind);
	hash = mix(hash, (uint64_t)step->dst << 24 | (uint64_t)step->a << 16 | (uint64_t)step->b << 8 | step->c);
	hash = mix(hash, (uint64_t)(adds ? 8 : step->bytes) << 24 | (uint64_t)step->shift << 16 |
				 (uint64_t)step->bits << 8 | step->sign);
	return of_frame ? mix(hash, (uint64_t)step->imm) : hash;
}

static uint64_t mix_effect(const struct jf_backend *backend, const struct jf_effect *effect)
{
	uint64_t hash = mix(effect->flow, effect->flags);

	if (effect->flow != JF_FLOW_NEXT)
		hash = mix(hash, effect->flow_reg);
	if (effect->flags & JF_EFFECT_UNKNOWN)
		for (const char *c = effect->name; *c; c++)
			hash = mix(hash, (uint8_t)*c);
	for (unsigned int i = 0; i < effect->step_count; i++)
		hash = mix_step(backend, hash, &effect->steps[i]);
	return hash;
}

/* The register that this instruction only loads a constant into. */
static uint8_t constant_of(const struct jf_effect *effect)
{
	const struct jf_step *step = effect->steps;

	if (effect->step_count != 1 || effect->flow != JF_FLOW_NEXT)
		return JF_REG_NONE;
	if (step->kind == JF_STEP_INSERT ||
	    ((step->kind == JF_STEP_MOVE || step->kind == JF_STEP_ADDRESS) && step->a == JF_REG_NONE))
		return step->dst;
	return JF_REG_NONE;
}

/* As prologues do it, by SP: bodies address the BPF stack by its own frame pointer. */
static bool saves(const struct jf_backend *backend, const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++) {
		const struct jf_step *step = &effect->steps[i];

		if (step->kind == JF_STEP_STORE && step->a == backend->sp && step->c < backend->reg_count &&
		    backend->regs[step->c].flags & JF_REG_CALLEE_SAVED)
			return true;
	}
	return false;
}

static bool signs(const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].kind == JF_STEP_SIGN)
			return true;
	return false;
}

void tokenize(const struct jf_backend *backend, const uint8_t *bytes, size_t size, struct tokens *tokens)
{
	bool saving[TOKENS_MAX];
	uint32_t off = 0, n;

	tokens->signs = tokens->pads = false;
	for (n = 0; n < TOKENS_MAX && off < size; n++) {
		struct jf_effect effect;

		if (jf_decode(backend, bytes + off, size - off, &effect) != JF_OK)
			break;
		off += effect.size_bytes;
		tokens->end_off[n] = off;
		tokens->what[n] = mix_effect(backend, &effect);
		tokens->constant[n] = constant_of(&effect);
		tokens->goes_on[n] = tokens->constant[n] != JF_REG_NONE && effect.steps[0].kind == JF_STEP_INSERT;
		tokens->signs |= signs(&effect);
		/* Signing a return address marks an entry too. */
		tokens->pads |= n < 2 && effect.flags & JF_EFFECT_LANDING_PAD && !effect.step_count;
		saving[n] = saves(backend, &effect);
	}
	tokens->count = n;
	tokens->saves_from[n] = 0;
	while (n--)
		tokens->saves_from[n] = tokens->saves_from[n + 1] + saving[n];
}

static struct token_match better(struct token_match a, struct token_match b)
{
	return b.cost < a.cost || (b.cost == a.cost && b.matched > a.matched) ? b : a;
}

struct token_match tokens_match(const struct tokens *prologue, const struct tokens *code, uint32_t most)
{
	struct token_match row[TOKENS_MAX + 1], best;

	row[0] = (struct token_match){0, 0, 0};
	for (uint32_t k = 0; k < code->count; k++) {
		row[k + 1] = row[k];
		row[k + 1].cost += code->constant[k] != JF_REG_NONE ? 0 : EDIT;
	}
	for (uint32_t i = 0; i < prologue->count; i++) {
		struct token_match corner = row[0];
		uint32_t least;

		row[0].cost += EDIT;
		least = row[0].cost;
		for (uint32_t k = 0; k < code->count; k++) {
			struct token_match above = row[k + 1], left = row[k], diagonal = corner;

			corner = above;
			above.cost += EDIT;
			left.cost += code->constant[k] != JF_REG_NONE ? 0 : EDIT;
			row[k + 1] = better(above, left);
			if (prologue->what[i] == code->what[k]) {
				diagonal.matched++;
				diagonal.end = k + 1;
				row[k + 1] = better(row[k + 1], diagonal);
			}
			least = row[k + 1].cost < least ? row[k + 1].cost : least;
		}
		if (least > most)
			return (struct token_match){least, 0, 0};
	}
	best = row[0];
	best.cost += EDIT * code->saves_from[0];
	for (uint32_t k = 1; k <= code->count; k++) {
		row[k].cost += EDIT * code->saves_from[k];
		best = better(best, row[k]);
	}
	return best;
}

uint32_t tokens_end_off(const struct tokens *code, uint32_t end)
{
	uint8_t reg = code->constant[end - 1];

	while (reg != JF_REG_NONE && end < code->count && code->goes_on[end] && code->constant[end] == reg)
		end++;
	return code->end_off[end - 1];
}

/* What is nowhere in the code cannot match. */
uint32_t tokens_least_cost(const struct tokens *prologue, const struct tokens *code)
{
	uint32_t cost = 0;

	for (uint32_t i = 0; i < prologue->count; i++) {
		bool found = false;

		for (uint32_t k = 0; k < code->count && !found; k++)
			found = prologue->what[i] == code->what[k];
		cost += found ? 0 : EDIT;
	}
	return cost;
}
