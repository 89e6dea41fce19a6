/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/sites.h"

#include <jitframe/backend.h>

/* Branches of a body: to other BPF instructions, in the shortest form that reaches, and to labels. */

/* How a form of a branch looks. returns: how many bytes it takes, 0 when it does not reach. */
static unsigned int put_form(const struct jf_body *b, uint8_t at[JF_INSN_BYTES_MAX], uint32_t branch, int64_t distance,
			     unsigned int form)
{
	return b->frame->conv->backend->body.put_branch(at, branch, distance, form);
}

/* The first form from *form on that reaches. out: *form. returns: as put_form(). */
static unsigned int put_shortest(const struct jf_body *b, uint8_t at[JF_INSN_BYTES_MAX], uint32_t branch,
				 int64_t distance, unsigned int *form)
{
	for (; *form < JF_BRANCH_FORMS_MAX; ++*form) {
		unsigned int bytes = put_form(b, at, branch, distance, *form);

		if (bytes)
			return bytes;
	}
	return 0;
}

/* Writes the branch at code offset `at`, to here. returns: whether it reaches. */
static bool put_at(const struct jf_body *b, size_t at, uint32_t branch, unsigned int form)
{
	uint8_t counted[JF_INSN_BYTES_MAX]; /* where there is no code */

	return put_form(b, b->code->bytes ? b->code->bytes + at : counted, branch, (int64_t)(b->code->size - at), form);
}

/* ---- to BPF instructions ------------------------------------------------------------------------ */

/* From the place where the next instruction goes. 0: not known yet. */
static int64_t distance_to(const struct jf_body *b, uint32_t target)
{
	struct jf_body_state *state = b->state;
	int64_t here = (int64_t)(b->code->size - b->code->start);

	if (state->sites)
		return 0;
	if (target <= b->index)
		return (int64_t)state->unit->insn_off[target] - here;
	state->looked_ahead = true;
	if (state->first_pass)
		return 0;
	/* Not emitted in this pass: where it was, moved as far as the present instruction has moved. */
	return (int64_t)state->unit->insn_off[target] + state->drift - here;
}

static void note_branch(const struct jf_body *b, enum jf_branch_kind kind, uint32_t branch, unsigned int bytes,
			uint32_t target)
{
	struct jf_site *site = jf_site_here(b);

	if (!site) {
		jf_code_fail(b->code, JF_E_UNSUPPORTED);
		return;
	}
	site->off = (uint32_t)(b->code->size - b->code->start);
	site->target = target;
	site->branch = branch;
	site->kind = (uint8_t)kind;
	site->bytes = (uint8_t)bytes;
}

static void branch_to_insn(struct jf_body *b, enum jf_branch_kind kind, uint32_t branch, uint32_t target)
{
	struct jf_body_state *state = b->state;
	unsigned int before = jf_unit_form(state->unit, b->index), form = before;
	uint8_t bytes[JF_INSN_BYTES_MAX] = {0};
	unsigned int count = put_shortest(b, bytes, branch, distance_to(b, target), &form);

	if (!count) {
		jf_code_fail(b->code, JF_E_RANGE);
		return;
	}
	if (form != before) {
		jf_unit_set_form(state->unit, b->index, form);
		state->grown = true;
	}
	if (state->sites)
		note_branch(b, kind, branch, count, target);
	jf_code_put_insn(b->code, bytes, count);
}

/* ---- to places of bodies that are not BPF ---------------------------------------------------------- */

/* The form that reaches farthest. */
static unsigned int put_farthest(const struct jf_body *b, uint8_t at[JF_INSN_BYTES_MAX], uint32_t branch,
				 unsigned int *form)
{
	unsigned int bytes = 0;

	for (*form = JF_BRANCH_FORMS_MAX; !bytes && *form > 0;)
		bytes = put_form(b, at, branch, 0, --*form);
	return bytes;
}

static void branch_to_place(struct jf_body *b, uint32_t branch, uint32_t place)
{
	struct jf_places *places = b->places;
	uint8_t bytes[JF_INSN_BYTES_MAX] = {0};
	unsigned int form = 0, count;

	if (places->off[place] != UINT32_MAX) {
		count = put_shortest(b, bytes, branch,
				     (int64_t)(places->off[place] + b->code->start) - (int64_t)b->code->size, &form);
	} else {
		count = put_farthest(b, bytes, branch, &form);
		if (places->pending_count == places->capacity) {
			jf_code_fail(b->code, JF_E_NOSPACE);
			return;
		}
		places->pending[places->pending_count++] =
			(struct jf_pending){b->code->size, branch, place, (uint8_t)form};
	}
	if (!count)
		jf_code_fail(b->code, JF_E_RANGE);
	jf_code_put_insn(b->code, bytes, count);
}

void jf_body_branch(struct jf_body *b, enum jf_branch_kind kind, uint32_t branch, uint32_t target)
{
	if (b->state)
		branch_to_insn(b, kind, branch, target);
	else
		branch_to_place(b, branch, target);
}

/* ---- to labels --------------------------------------------------------------------------------- */

void jf_body_branch_ahead(struct jf_body *b, uint32_t branch, struct jf_label *label)
{
	uint8_t bytes[JF_INSN_BYTES_MAX] = {0};
	unsigned int form = 0, count = put_shortest(b, bytes, branch, 0, &form);

	if (!count || label->count == JF_LABEL_BRANCHES_MAX) {
		jf_code_fail(b->code, JF_E_UNSUPPORTED);
		return;
	}
	label->branches[label->count++] = (struct jf_label_branch){b->code->size, branch, (uint8_t)form};
	jf_code_put_insn(b->code, bytes, count);
}

void jf_body_label(struct jf_body *b, const struct jf_label *label)
{
	for (unsigned int i = 0; i < label->count && b->code->status == JF_OK; i++) {
		const struct jf_label_branch *from = &label->branches[i];

		if (!put_at(b, from->at, from->branch, from->form))
			jf_code_fail(b->code, JF_E_RANGE);
	}
}

void jf_body_place(struct jf_body *b, uint32_t place)
{
	struct jf_places *places = b->places;
	uint32_t kept = 0;

	if (!places || place >= places->count || places->off[place] != UINT32_MAX) {
		jf_code_fail(b->code, JF_E_INVAL);
		return;
	}
	places->off[place] = (uint32_t)(b->code->size - b->code->start);
	for (uint32_t i = 0; i < places->pending_count && b->code->status == JF_OK; i++) {
		const struct jf_pending *from = &places->pending[i];

		if (from->place != place)
			places->pending[kept++] = *from;
		else if (!put_at(b, from->at, from->branch, from->form))
			jf_code_fail(b->code, JF_E_RANGE);
	}
	places->pending_count = kept;
}
