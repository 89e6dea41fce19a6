/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

/* What hooks may ask while they emit an instruction; see body.h. */

int64_t jf_body_distance(const struct jf_body *b, uint32_t target)
{
	struct jf_body_state *state = b->state;
	int64_t here = (int64_t)(b->code->size - b->code->start);

	if (target <= b->index)
		return (int64_t)state->unit->insn_off[target] - here;
	state->looked_ahead = true;
	if (state->first_pass)
		return 0;
	/* Not emitted in this pass: where it was, moved as far as the present instruction has moved. */
	return (int64_t)state->unit->insn_off[target] + state->drift - here;
}

bool jf_body_is_long(const struct jf_body *b)
{
	return b->state->unit->flags[b->index] & JF_INSN_LONG;
}

void jf_body_grow(struct jf_body *b)
{
	struct jf_body_state *state = b->state;

	if (state->unit->flags[b->index] & JF_INSN_LONG)
		return;
	state->unit->flags[b->index] |= JF_INSN_LONG;
	state->grown = true;
}

uint8_t jf_body_reg(const struct jf_body *b, unsigned int bpf)
{
	const struct jf_convention *conv = b->frame->conv;

	return bpf == JF_BPF_FP && b->frame->spec.private_stack ? conv->bpf_fp_private : conv->bpf_reg[bpf];
}
