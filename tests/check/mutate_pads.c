/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

/*
 * Clean-up pads: tables that lie, and pads that go where no pad may. Nobody enters a pad when a function runs, so each
 * operator says itself which rules its mutants break.
 */

/* returns: the n-th record that has a pad, or NULL. */
static struct jf_cleanup_code *record_at(struct subject *s, unsigned int n)
{
	for (uint32_t i = 0; i < s->cleanup_count; i++)
		if (s->cleanups[i].pad_off != JF_CLEANUP_IN_PAD && !n--)
			return &s->cleanups[i];
	return NULL;
}

static const struct jf_effect *insn_at(const struct insn_list *insns, uint32_t off)
{
	for (unsigned int i = 0; i < insns->count; i++)
		if (insns->off[i] == off)
			return &insns->effect[i];
	return NULL;
}

/* ---- the table ------------------------------------------------------------------------------------------- */

/* returns: the last instruction in the range that goes elsewhere, or NULL. Behind a call the result may be moved. */
static const struct jf_effect *last_flow(const struct insn_list *insns, uint32_t start, uint32_t end, uint32_t *off)
{
	for (unsigned int i = insns->count; i-- > 0;) {
		if (insns->off[i] < start || insns->off[i] >= end || insns->effect[i].flow == JF_FLOW_NEXT)
			continue;
		*off = insns->off[i];
		return &insns->effect[i];
	}
	return NULL;
}

/* Into the midst of the call that the record covers. */
static enum mutated cut_call(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n / 3);
	const struct jf_effect *call;
	uint32_t off, by = 1 + n % 3;

	if (!record)
		return MUTATIONS_END;
	call = last_flow(insns, record->start_off, record->end_off, &off);
	if (!call || by >= call->size_bytes)
		return MUTATION_UNFIT;
	record->end_off = off + call->size_bytes - by;
	return MUTATED;
}

static enum mutated empty_record(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n / 2);

	(void)insns;
	if (!record)
		return MUTATIONS_END;
	record->end_off = n % 2 ? record->start_off : 0;
	return MUTATED;
}

static enum mutated leave_function(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n / 2);

	(void)insns;
	if (!record)
		return MUTATIONS_END;
	*(n % 2 ? &record->end_off : &record->pad_off) = s->size + (n % 2);
	return MUTATED;
}

static enum mutated repeat_record(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n >= s->cleanup_count || s->cleanup_count == SUBJECT_CLEANUPS_MAX)
		return MUTATIONS_END;
	s->cleanups[s->cleanup_count] = s->cleanups[n];
	s->cleanup_count++;
	return MUTATED;
}

static enum mutated pad_in_range(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n);

	(void)insns;
	if (!record)
		return MUTATIONS_END;
	record->pad_off = record->start_off;
	return MUTATED;
}

/* ---- the pad's code ---------------------------------------------------------------------------------------- */

static enum mutated skip_marker(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n / 2);
	const struct jf_effect *effect = record ? insn_at(insns, record->pad_off) : NULL;

	if (!record)
		return MUTATIONS_END;
	if (!effect || !(effect->flags & JF_EFFECT_LANDING_PAD))
		return MUTATION_UNFIT;
	if (n % 2)
		record->pad_off += effect->size_bytes;
	else
		edit_nops(s, record->pad_off, record->pad_off + effect->size_bytes);
	return MUTATED;
}

/* The pad goes on to the epilogue, which is behind it. */
static enum mutated drop_resume(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	struct jf_cleanup_code *record = record_at(s, n);
	const struct jf_effect *resume;
	uint32_t off;

	if (!record)
		return MUTATIONS_END;
	resume = last_flow(insns, record->pad_off, s->marks[JF_MARK_EPILOGUE], &off);
	if (!resume)
		return MUTATION_UNFIT;
	edit_nops(s, off, off + resume->size_bytes);
	return MUTATED;
}

static struct assembler pad_zone(struct subject *s)
{
	struct assembler as = {s->code + s->zones[ZONE_PAD].start, s->code + s->zones[ZONE_PAD].end};

	edit_nops(s, s->zones[ZONE_PAD].start, s->zones[ZONE_PAD].end);
	return as;
}

static bool is_called(const struct subject *s)
{
	return s->cleanup_count && s->conv->cleanup_entry == JF_CLEANUP_CALLED;
}

static enum mutated access_by_sp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t offs[] = {8, 16, 24, 64};
	const struct jf_backend *backend = s->conv->backend;
	struct assembler as;
	uint8_t reg = s->conv->bpf_reg[JF_BPF_R0];

	(void)insns;
	if (!is_called(s) || n >= 8)
		return MUTATIONS_END;
	as = pad_zone(s);
	return (n % 2 ? asm_store(&as, backend, reg, backend->sp, offs[n / 2]) :
			asm_load(&as, backend, reg, backend->sp, offs[n / 2])) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

/* Onto the frame's own stack, as a pad that is resumed has it; or not back to where SP was. */
static enum mutated move_sp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	int32_t end = -(int32_t)s->frame.size_bytes - s->conv->fp_off_from_cfa;
	struct assembler as;

	(void)insns;
	if (!is_called(s) || n >= 3)
		return MUTATIONS_END;
	as = pad_zone(s);
	return asm_add(&as, backend, backend->sp, n ? backend->sp : backend->fp, n ? (n == 1 ? 16 : -16) : end) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

static enum mutated lie_in_pad(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -8, 16};
	const struct jf_row *row;

	(void)insns;
	if (!s->cleanup_count || n >= 3)
		return MUTATIONS_END;
	row = jf_row_find(s->rows, s->row_count, s->zones[ZONE_PAD].start);
	if (s->row_count + 2 > SUBJECT_ROWS_MAX || row != jf_row_find(s->rows, s->row_count, s->zones[ZONE_PAD].end))
		return MUTATION_UNFIT;
	for (uint32_t i = s->row_count; i-- > 0 && &s->rows[i] > row;)
		s->rows[i + 2] = s->rows[i];
	s->rows[row - s->rows + 1] = *row;
	s->rows[row - s->rows + 1].code_off = s->zones[ZONE_PAD].start;
	s->rows[row - s->rows + 1].cfa_off += by[n];
	s->rows[row - s->rows + 2] = *row;
	s->rows[row - s->rows + 2].code_off = s->zones[ZONE_PAD].end;
	s->row_count += 2;
	return MUTATED;
}

/* ---- what the unwinder is told -------------------------------------------------------------------------------- */

static enum mutated tell_another_place(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -8, 16, -16};
	int32_t *told = n / 4 ? &s->throw_off : &s->spill_off;

	(void)insns;
	if (n >= 8)
		return MUTATIONS_END;
	if (!*told || !(*told + by[n % 4]))
		return MUTATION_UNFIT;
	*told += by[n % 4];
	return MUTATED;
}

const struct operator pad_operators[] = {
	{"a cleanup range that ends in a call", RULE(19) | RULE(26), ON_ALL, true, false, cut_call},
	{"a cleanup range without code", RULE(19), ON_ALL, true, false, empty_record},
	{"a cleanup record beyond the function", RULE(19), ON_ALL, true, false, leave_function},
	{"a cleanup record twice", RULE(19), ON_ALL, true, false, repeat_record},
	{"a pad in a range", RULE(19), ON_ALL, true, false, pad_in_range},
	{"a pad without its marker", RULE(27), ON_ALL, true, false, skip_marker},
	{"a pad without its resume", RULE(24), ON_ALL, true, false, drop_resume},
	{"a pad that goes to its frame by SP", RULE(21), ON_ALL, true, false, access_by_sp},
	{"a pad on another stack", RULE(21) | RULE(24), ON_ALL, true, false, move_sp},
	{"a row of a pad that lies", RULE(22), ON_ALL, true, false, lie_in_pad},
	{"an unwinder told another place", RULE(20), ON_ALL, true, false, tell_another_place},
};
const unsigned int pad_operator_count = sizeof(pad_operators) / sizeof(pad_operators[0]);
