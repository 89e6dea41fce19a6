/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

#include <string.h>

/* Any one instruction, changed in a way that nobody has thought about: the oracle says what that breaks. */

static enum mutated drop(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	if (n >= insns->count)
		return MUTATIONS_END;
	if (insns->effect[n].flags & JF_EFFECT_NOP)
		return MUTATION_UNFIT;
	edit_nops(s, insns->off[n], insns->off[n + 1]);
	return MUTATED;
}

static bool goes_on(const struct jf_effect *effect)
{
	return effect->flow == JF_FLOW_NEXT;
}

static enum mutated swap(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	uint8_t bytes[32];
	uint32_t start, middle, end;

	if (n + 1 >= insns->count)
		return MUTATIONS_END;
	start = insns->off[n];
	middle = insns->off[n + 1];
	end = insns->off[n + 2];
	/* What the marks say is of the code that is good. */
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (s->marks[i] == middle && i != JF_MARK_TAIL_ENTRY)
			return MUTATION_UNFIT;
	if (!goes_on(&insns->effect[n]) || !goes_on(&insns->effect[n + 1]) || insns_is_target(insns, middle))
		return MUTATION_UNFIT;
	memcpy(bytes, s->code + start, end - start);
	memcpy(s->code + start, bytes + (middle - start), end - middle);
	memcpy(s->code + start + (end - middle), bytes, middle - start);
	return MUTATED;
}

static enum mutated shift_imm(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int by[] = {8, -8, 16, -16};
	unsigned int i = n / 4;

	if (i >= insns->count)
		return MUTATIONS_END;
	return edit_imm(s, insns->off[i], insns->effect[i].size_bytes, by[n % 4]) ? MUTATED : MUTATION_UNFIT;
}

static enum mutated change_reg(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int by[] = {1, -1, -3};
	unsigned int i = n / 18;

	if (i >= insns->count)
		return MUTATIONS_END;
	return edit_reg(s, insns->off[i], insns->effect[i].size_bytes, n % 18 / 3, by[n % 3]) ? MUTATED :
												MUTATION_UNFIT;
}

/* The instruction again in place of the one behind it. */
static enum mutated repeat(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	uint32_t size, next;

	if (n + 1 >= insns->count)
		return MUTATIONS_END;
	size = insns->effect[n].size_bytes;
	next = insns->effect[n + 1].size_bytes;
	if (size > next || !goes_on(&insns->effect[n]))
		return MUTATION_UNFIT;
	memcpy(s->code + insns->off[n + 1], s->code + insns->off[n], size);
	edit_nops(s, insns->off[n + 1] + size, insns->off[n + 2]);
	return MUTATED;
}

/* At most 4095 wherever 8 or 16 would still do: far out of the frame. */
static enum mutated throw_imm_far(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int by[] = {256, -256};
	unsigned int i = n / 2;

	if (i >= insns->count)
		return MUTATIONS_END;
	return edit_imm(s, insns->off[i], insns->effect[i].size_bytes, by[n % 2]) ? MUTATED : MUTATION_UNFIT;
}

/* The other one of two values, where the instruction chooses without a branch. */
static enum mutated choose_other(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	if (n >= insns->count)
		return MUTATIONS_END;
	for (unsigned int i = 0; i < insns->effect[n].step_count; i++)
		if (insns->effect[n].steps[i].kind == JF_STEP_CHOOSE)
			return edit_choice(s, insns->off[n], insns->effect[n].size_bytes) ? MUTATED : MUTATION_UNFIT;
	return MUTATION_UNFIT;
}

const struct operator code_operators[] = {
	{"drop an instruction", 0, ON_ALL, false, true, drop},
	{"swap two instructions", 0, ON_ALL, false, true, swap},
	{"an offset off by 8 or 16", 0, ON_ALL, false, true, shift_imm},
	{"an offset off by 256", 0, ON_ALL, false, true, throw_imm_far},
	{"another register", 0, ON_ALL, false, true, change_reg},
	{"an instruction twice", 0, ON_ALL, false, true, repeat},
	{"the other choice", RULE(9) | RULE(15), ON_ALL, false, true, choose_other},
};
const unsigned int code_operator_count = sizeof(code_operators) / sizeof(code_operators[0]);
