/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/sites.h"

#include "base/memory.h"

/* What hooks may note while they emit an instruction; see body.h. */

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

void jf_body_may_fault(struct jf_body *b, size_t start, uint8_t dst)
{
	struct jf_faults *faults;
	uint32_t here = (uint32_t)(b->code->size - b->code->start);

	if (!b->state) {
		jf_code_fail(b->code, JF_E_UNSUPPORTED);
		return;
	}
	faults = b->state->faults;
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
