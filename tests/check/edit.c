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

/*
 * Where instructions have immediates and registers. Formats are not told apart: whether a field is one of
 * this instruction's is seen from what the decoder says when it is changed.
 */
struct field {
	uint8_t bit; /* of a 32-bit word; for the variable-length ones, of the last byte, */
	uint8_t bits;
	uint8_t back;       /* with the field starting so many bytes before the end (0: a word's) */
	uint8_t scale_log2; /* of an immediate */
};

struct fields {
	const char *backend;
	uint32_t nop;
	unsigned int nop_bytes;
	struct field imms[8], regs[6];
};

static const struct fields all_fields[] = {
	/* andi zero, zero, 0; 12-, 14- and 16-bit immediates at bit 10; rd, rj, rk */
	{"loongarch64",
	 0x03400000,
	 4,
	 {{10, 12, 0, 0}, {10, 14, 0, 2}, {10, 16, 0, 2}, {5, 20, 0, 0}},
	 {{0, 5, 0, 0}, {5, 5, 0, 0}, {10, 5, 0, 0}}},
	/* nop; 12-bit, scaled 12-bit, pairs' 7-bit, unscaled 9-bit immediates, movz's; Rd or Rt, Rn, Rt2, Rm */
	{"arm64",
	 0xd503201f,
	 4,
	 {{10, 12, 0, 0}, {10, 12, 0, 3}, {15, 7, 0, 3}, {12, 9, 0, 0}, {5, 16, 0, 0}},
	 {{0, 5, 0, 0}, {5, 5, 0, 0}, {10, 5, 0, 0}, {16, 5, 0, 0}}},
	/* nop; the last 1 or 4 bytes, and those before an 8-bit or 32-bit immediate; ModRM's two registers where
	 * it is the last byte or before a displacement of 1 or 4, and that of push and pop */
	{"x86_64",
	 0x90,
	 1,
	 {{0, 8, 1, 0}, {0, 32, 4, 0}, {0, 8, 2, 0}, {0, 32, 5, 0}, {0, 8, 5, 0}, {0, 32, 8, 0}},
	 {{0, 3, 1, 0}, {3, 3, 1, 0}, {3, 3, 2, 0}, {3, 3, 5, 0}, {0, 3, 2, 0}, {0, 3, 5, 0}}},
};

static const struct fields *fields_of(const struct subject *s)
{
	for (size_t i = 0; i < sizeof(all_fields) / sizeof(all_fields[0]); i++)
		if (!strcmp(all_fields[i].backend, s->conv->backend->name))
			return &all_fields[i];
	CHECK(false, "no fields for %s", s->conv->backend->name);
	return NULL;
}

void edit_nops(struct subject *s, uint32_t start, uint32_t end)
{
	const struct fields *f = fields_of(s);

	for (; start + f->nop_bytes <= end; start += f->nop_bytes)
		memcpy(s->code + start, &f->nop, f->nop_bytes);
}

/* returns: false when the field lies outside the instruction, or the sum outside the field */
static bool add_to_field(uint8_t *insn, unsigned int size, const struct field *field, int by, bool is_signed)
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
	imms += a->flow_imm != b->flow_imm;
	regs += a->flow_reg != b->flow_reg;
	return imm ? imms && !regs : regs && !imms;
}

static bool try_field(struct subject *s, uint32_t off, unsigned int size, const struct field *field, bool imm, int by)
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
	const struct fields *f = fields_of(s);

	for (unsigned int i = 0; i < sizeof(f->imms) / sizeof(f->imms[0]); i++)
		if (try_field(s, off, size, &f->imms[i], true, by))
			return true;
	return false;
}

bool edit_reg(struct subject *s, uint32_t off, unsigned int size, unsigned int n, int by)
{
	const struct fields *f = fields_of(s);

	if (n >= sizeof(f->regs) / sizeof(f->regs[0]))
		return false;
	return try_field(s, off, size, &f->regs[n], false, by);
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
	for (unsigned int i = 0; i < ZONE__COUNT; i++) {
		s->zones[i].start += count;
		s->zones[i].end += count;
	}
}
