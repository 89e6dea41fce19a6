/* SPDX-License-Identifier: BSD-2-Clause */
#include "edit.h"

#include <string.h>

#include "../unit/check.h"

/* ---- instructions --------------------------------------------------------------------------------------- */

bool insns_list(const struct subject *s, struct insn_list *list)
{
	uint32_t off = 0;

	list->count = 0;
	while (off < s->size) {
		struct jf_effect *effect = &list->effect[list->count];

		CHECK(list->count < INSNS_IN_SUBJECT_MAX, "%s is too long", s->name);
		if (jf_decode(s->conv->backend, s->code + off, s->size - off, effect) != JF_OK)
			return false;
		list->off[list->count++] = off;
		off += effect->size_bytes;
	}
	list->off[list->count] = off;
	return true;
}

bool insns_is_target(const struct insn_list *list, uint32_t off)
{
	for (unsigned int i = 0; i < list->count; i++) {
		uint8_t flow = list->effect[i].flow;

		if ((flow == JF_FLOW_JUMP || flow == JF_FLOW_BRANCH) &&
		    (int64_t)list->off[i] + list->effect[i].target_off == off)
			return true;
	}
	return false;
}

/* ---- fields of instructions ------------------------------------------------------------------------------ */

void edit_nops(struct subject *s, uint32_t start, uint32_t end)
{
	const struct arch *arch = arch_named(s->conv->backend->name);

	for (; start + arch->nop_bytes <= end; start += arch->nop_bytes)
		memcpy(s->code + start, arch->nop, arch->nop_bytes);
}

/* returns: false when the field lies outside the instruction, or the sum outside the field */
static bool add_to_field(uint8_t *insn, unsigned int size, const struct arch_field *field, int by, bool is_signed)
{
	unsigned int start = field->back ? size - field->back : 0;
	unsigned int bytes = field->back ? (field->bit + field->bits + 7u) / 8 : 4;
	uint32_t mask = field->bits == 32 ? UINT32_MAX : (UINT32_C(1) << field->bits) - 1, word = 0;
	int64_t value, half = INT64_C(1) << (field->bits - 1);

	if (field->back > size || start + bytes > size || by % (1 << field->scale_log2))
		return false;
	memcpy(&word, insn + start, bytes);
	value = word >> field->bit & mask;
	if (is_signed && value >= half)
		value -= 2 * half;
	value += by / (1 << field->scale_log2);
	if (is_signed ? value < -half || value >= half : value < 0 || value > mask)
		return false;
	word = (word & ~(mask << field->bit)) | ((uint32_t)value & mask) << field->bit;
	memcpy(insn + start, &word, bytes);
	return true;
}

static unsigned int regs_of(const struct jf_compare *a, const struct jf_compare *b)
{
	return a->a != b->a || a->b != b->b;
}

/* Whether two instructions differ in nothing but one immediate (by that much), or in registers. */
static bool same_but(const struct jf_effect *a, const struct jf_effect *b, bool imm, int by)
{
	unsigned int imms = 0, regs = 0;

	if (strcmp(a->name, b->name) || a->size_bytes != b->size_bytes || a->flow != b->flow ||
	    a->step_count != b->step_count || a->target_off != b->target_off)
		return false;
	for (unsigned int i = 0; i < a->step_count; i++) {
		const struct jf_step *x = &a->steps[i], *y = &b->steps[i];

		if (x->kind != y->kind || x->bytes != y->bytes || x->shift != y->shift)
			return false;
		if (x->imm != y->imm && y->imm - x->imm != by)
			return false;
		imms += x->imm != y->imm;
		regs += x->dst != y->dst || x->a != y->a || x->b != y->b || x->c != y->c;
	}
	if (a->asks.kind != b->asks.kind || a->asks.cond != b->asks.cond || a->flags_hold.kind != b->flags_hold.kind)
		return false;
	imms += a->asks.imm != b->asks.imm || a->flags_hold.imm != b->flags_hold.imm;
	regs += regs_of(&a->asks, &b->asks) || regs_of(&a->flags_hold, &b->flags_hold);
	imms += a->flow_imm != b->flow_imm;
	regs += a->flow_reg != b->flow_reg;
	return imm ? imms && !regs : regs && !imms;
}

static bool try_field(struct subject *s, uint32_t off, unsigned int size, const struct arch_field *field, bool imm,
		      int by)
{
	uint8_t before[16];
	struct jf_effect old, new;
	const struct jf_backend *backend = s->conv->backend;
	bool done;

	if (!field->bits || jf_decode(backend, s->code + off, size, &old) != JF_OK)
		return false;
	memcpy(before, s->code + off, size);
	done = add_to_field(s->code + off, size, field, by, imm) &&
	       jf_decode(backend, s->code + off, size, &new) == JF_OK && same_but(&old, &new, imm, by);
	if (!done)
		memcpy(s->code + off, before, size);
	return done;
}

bool edit_imm(struct subject *s, uint32_t off, unsigned int size, int by)
{
	const struct arch *f = arch_named(s->conv->backend->name);

	for (unsigned int i = 0; i < sizeof(f->imms) / sizeof(f->imms[0]); i++)
		if (try_field(s, off, size, &f->imms[i], true, by))
			return true;
	return false;
}

bool edit_reg(struct subject *s, uint32_t off, unsigned int size, unsigned int n, int by)
{
	const struct arch *f = arch_named(s->conv->backend->name);

	if (n >= sizeof(f->regs) / sizeof(f->regs[0]))
		return false;
	return try_field(s, off, size, &f->regs[n], false, by);
}

static bool is_opposite(uint8_t a, uint8_t b)
{
	static const uint8_t pairs[][2] = {{JF_COND_EQ, JF_COND_NE},
					   {JF_COND_GT, JF_COND_LE},
					   {JF_COND_GE, JF_COND_LT},
					   {JF_COND_SGT, JF_COND_SLE},
					   {JF_COND_SGE, JF_COND_SLT}};

	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((a == pairs[i][0] && b == pairs[i][1]) || (a == pairs[i][1] && b == pairs[i][0]))
			return true;
	return false;
}

bool edit_choice(struct subject *s, uint32_t off, unsigned int size)
{
	const struct jf_backend *backend = s->conv->backend;
	struct jf_effect old, new;

	if (jf_decode(backend, s->code + off, size, &old) != JF_OK || old.asks.kind == JF_COMPARE_UNKNOWN)
		return false;
	for (unsigned int bit = 0; bit < 8 * size; bit++) {
		uint8_t flip = (uint8_t)(1u << bit % 8);

		s->code[off + bit / 8] ^= flip;
		if (jf_decode(backend, s->code + off, size, &new) == JF_OK &&
		    new.size_bytes == size &&new.step_count == old.step_count &&
		    !memcmp(new.steps, old.steps, old.step_count * sizeof(old.steps[0])) &&
		    !regs_of(&new.asks, &old.asks) && is_opposite(new.asks.cond, old.asks.cond))
			return true;
		s->code[off + bit / 8] ^= flip;
	}
	return false;
}

/* ---- room ------------------------------------------------------------------------------------------------ */

void edit_insert(struct subject *s, uint32_t off, const uint8_t *bytes, uint32_t count, bool marks_follow)
{
	CHECK(s->size + count <= SUBJECT_CODE_MAX && off <= s->size, "%s: no room at %u", s->name, off);
	memmove(s->code + off + count, s->code + off, s->size - off);
	memcpy(s->code + off, bytes, count);
	s->size += count;
	s->address -= count;
	for (uint32_t i = 0; i < s->row_count; i++)
		if (s->rows[i].code_off > off || (s->rows[i].code_off == off && off > 0))
			s->rows[i].code_off += count;
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (s->marks[i] != JF_MARK_UNSET && (s->marks[i] > off || (marks_follow && s->marks[i] == off)))
			s->marks[i] += count;
	for (uint32_t i = 0; i < s->cleanup_count; i++) {
		s->cleanups[i].start_off += count;
		s->cleanups[i].end_off += count;
		s->cleanups[i].pad_off += s->cleanups[i].pad_off == JF_CLEANUP_IN_PAD ? 0 : count;
	}
	for (unsigned int i = 0; i < ZONE__COUNT; i++) {
		s->zones[i].start += count;
		s->zones[i].end += count;
	}
}
