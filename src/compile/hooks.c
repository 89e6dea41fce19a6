/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/sites.h"

#include "base/memory.h"

/* What hooks may ask while they emit an instruction; see body.h. */

struct jf_site *jf_site_here(const struct jf_body *b)
{
	struct jf_sites *sites = b->state->sites;
	struct jf_site *site = sites->list + sites->count;

	if (sites->count > sites->start && site[-1].index == b->index)
		return &site[-1];
	if (sites->count == sites->capacity)
		return NULL;
	*site = (struct jf_site){.index = b->index, .off = b->state->unit->insn_off[b->index], .target = b->index};
	sites->count++;
	return site;
}

/* There is room for all hooks that have to do with distances. */
static void note_branch(const struct jf_body *b, uint32_t target)
{
	struct jf_sites *sites = b->state->sites;
	uint32_t at = sites->count;

	at -= at > sites->start && sites->list[at - 1].index == b->index;
	if (at == sites->capacity) {
		jf_code_fail(b->code, JF_E_UNSUPPORTED);
		return;
	}
	sites->list[at] = (struct jf_site){
		.index = b->index,
		.off = (uint32_t)(b->code->size - b->code->start),
		.target = target,
		.is_branch = true,
	};
	sites->count = at + 1;
}

int64_t jf_body_distance(const struct jf_body *b, uint32_t target)
{
	struct jf_body_state *state = b->state;
	int64_t here;

	if (state->sites) {
		note_branch(b, target);
		return 0;
	}
	here = (int64_t)(b->code->size - b->code->start);
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

void jf_body_may_fault(struct jf_body *b, size_t start, uint8_t dst)
{
	struct jf_faults *faults = b->state->faults;
	uint32_t here = (uint32_t)(b->code->size - b->code->start);

	if (faults->count == faults->capacity) {
		uint32_t capacity = faults->capacity ? 2 * faults->capacity : 64;
		struct jf_fault *list = jf_realloc(faults->list, capacity * sizeof(*list));

		if (!list) {
			jf_code_fail(b->code, JF_E_NO_MEMORY);
			return;
		}
		faults->list = list;
		faults->capacity = capacity;
	}
	faults->list[faults->count++] = (struct jf_fault){
		.start_off = (uint32_t)(start - b->code->start),
		.end_off = here,
		.resume_off = here,
		.reg = dst == JF_REG_NONE ? JF_REG_NONE : jf_body_reg(b, dst),
	};
}
