/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

/* Code that is good for something else than what is asked of it. */

static enum mutated solve_again(struct subject *s)
{
	struct jf_frame frame;

	if (jf_frame_solve(s->conv, &s->frame.spec, &frame, NULL) != JF_OK)
		return MUTATION_UNFIT;
	s->frame = frame;
	return MUTATED;
}

static enum mutated larger_stack(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const uint32_t by[] = {16, 64, 160};

	(void)insns;
	if (n >= 3)
		return MUTATIONS_END;
	if (s->frame.spec.private_stack)
		return MUTATION_UNFIT;
	s->frame.spec.bpf_stack_bytes += by[n];
	return solve_again(s);
}

/* The callback has room for its boundary's stack, and not for its own. */
static enum mutated stack_of_boundary(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	uint32_t own = s->frame.spec.bpf_stack_bytes, of_boundary = s->boundary.spec.bpf_stack_bytes;

	(void)insns;
	if (n >= 1)
		return MUTATIONS_END;
	if (s->frame.spec.private_stack || own < of_boundary)
		return MUTATION_UNFIT;
	s->frame.spec.bpf_stack_bytes = own + of_boundary + 64;
	return solve_again(s);
}

static enum mutated other_arena(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n >= 3 || !s->frame.spec.arena)
		return MUTATIONS_END;
	s->values.arena_base += UINT64_C(0x1000) << 13 * n;
	return MUTATED;
}

static enum mutated other_private_stack(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n >= 3 || !s->frame.spec.private_stack)
		return MUTATIONS_END;
	s->private_stack += UINT64_C(0x10) << 8 * n;
	return MUTATED;
}

/* The place where tail calls enter, an instruction on or back. */
static enum mutated shift_tail_entry(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int by[] = {-2, -1, 1, 2};
	unsigned int i = 0;

	if (n >= 4 || s->marks[JF_MARK_TAIL_ENTRY] == JF_MARK_UNSET)
		return MUTATIONS_END;
	while (i < insns->count && insns->off[i] < s->marks[JF_MARK_TAIL_ENTRY])
		i++;
	if ((int)i + by[n] < 0)
		return MUTATION_UNFIT;
	s->marks[JF_MARK_TAIL_ENTRY] = insns->off[(int)i + by[n]];
	return MUTATED;
}

/* An instruction more in front of the tail-call entry, which nobody has been told of. */
static enum mutated longer_prefix(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	uint8_t bytes[16], r0 = s->conv->bpf_reg[JF_BPF_R0];
	struct assembler as = {bytes, bytes + sizeof(bytes)};
	uint32_t count;

	if (n >= 1 || s->marks[JF_MARK_TAIL_ENTRY] == JF_MARK_UNSET)
		return MUTATIONS_END;
	if (!s->frame.spec.tail_calls || insns->effect[0].flags & JF_EFFECT_LANDING_PAD ||
	    !asm_add(&as, s->conv->backend, r0, r0, 0))
		return MUTATION_UNFIT;
	count = (uint32_t)(as.at - bytes);
	edit_insert(s, 0, bytes, count, true);
	s->marks[JF_MARK_TAIL_ENTRY] -= count;
	return MUTATED;
}

const struct operator spec_operators[] = {
	{"a larger BPF stack wanted", RULE(8) | RULE(11) | RULE(12), ON_ALL, false, false, larger_stack},
	{"a callback with room for its boundary's stack alone", RULE(8) | RULE(11) | RULE(12), ON_CALLBACK, false,
	 false, stack_of_boundary},
	{"another arena", RULE(15), ON_ALL, false, false, other_arena},
	{"another private stack", RULE(15), ON_ALL, false, false, other_private_stack},
	{"a tail-call entry an instruction off", RULE(16), ON_MAIN | ON_BOUNDARY, true, false, shift_tail_entry},
	{"an instruction more before the tail-call entry", RULE(16), ON_MAIN | ON_BOUNDARY, true, false, longer_prefix},
};
const unsigned int spec_operator_count = sizeof(spec_operators) / sizeof(spec_operators[0]);
