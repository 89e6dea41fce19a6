/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

#include <string.h>

/* Rows that do not tell the truth about code that is as it should be (R10, R17). */

static enum mutated drop_row(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n >= s->row_count)
		return MUTATIONS_END;
	if (n == 0)
		return MUTATION_UNFIT; /* there has to be one at 0 */
	memmove(&s->rows[n], &s->rows[n + 1], (s->row_count - n - 1) * sizeof(s->rows[0]));
	s->row_count--;
	return MUTATED;
}

/* A row's start, one instruction on or back. */
static enum mutated shift_row(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	unsigned int row = n / 2, insn = 0;
	uint32_t off;

	if (row >= s->row_count)
		return MUTATIONS_END;
	while (insn < insns->count && insns->off[insn] < s->rows[row].code_off)
		insn++;
	if (row == 0 || insn + 1 >= insns->count)
		return MUTATION_UNFIT;
	off = n % 2 ? insns->off[insn + 1] : insns->off[insn - 1];
	if (off <= s->rows[row - 1].code_off || (row + 1 < s->row_count && off >= s->rows[row + 1].code_off))
		return MUTATION_UNFIT;
	s->rows[row].code_off = off;
	return MUTATED;
}

static enum mutated shift_cfa(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n / 2 >= s->row_count)
		return MUTATIONS_END;
	s->rows[n / 2].cfa_off += n % 2 ? 8 : -8;
	return MUTATED;
}

static enum mutated change_cfa_reg(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;

	(void)insns;
	if (n >= s->row_count)
		return MUTATIONS_END;
	s->rows[n].cfa_reg = s->rows[n].cfa_reg == backend->sp ? backend->fp : backend->sp;
	return MUTATED;
}

/* A register said to be in its slot that is not, or the other way round. */
static enum mutated flip_saved(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	unsigned int row = n / JF_FRAME_SLOTS_MAX, slot = n % JF_FRAME_SLOTS_MAX;

	(void)insns;
	if (row >= s->row_count)
		return MUTATIONS_END;
	if (slot >= s->row_slot_count || !(jf_frame_saved_mask(&s->frame) & UINT32_C(1) << slot))
		return MUTATION_UNFIT;
	s->rows[row].saved ^= UINT32_C(1) << slot;
	return MUTATED;
}

static enum mutated move_slot(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n / 2 >= s->row_slot_count)
		return MUTATIONS_END;
	s->row_slots[n / 2].off_from_cfa += n % 2 ? 8 : -8;
	return MUTATED;
}

static enum mutated flip_signed(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	if (n >= s->row_count)
		return MUTATIONS_END;
	if (!s->frame.spec.sign_return)
		return MUTATION_UNFIT;
	s->rows[n].flags ^= JF_ROW_RA_SIGNED;
	return MUTATED;
}

/* Room for another row at index i, which begins as a copy of the one before it. returns: false when full. */
static bool insert_row(struct subject *s, unsigned int i, uint32_t off)
{
	if (s->row_count == SUBJECT_ROWS_MAX)
		return false;
	memmove(&s->rows[i + 1], &s->rows[i], (s->row_count - i) * sizeof(s->rows[0]));
	s->row_count++;
	s->rows[i] = s->rows[i - 1];
	s->rows[i].code_off = off;
	return true;
}

/*
 * True at every instruction, and false at the byte before the return address of a call, where the walk looks: a
 * row for the call's last bytes.
 */
static enum mutated spoil_return(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	unsigned int call = n / 2, i = 0;
	uint32_t end;
	uint8_t flow;

	if (call >= insns->count)
		return MUTATIONS_END;
	end = insns->off[call + 1];
	flow = insns->effect[call].flow;
	if (flow != JF_FLOW_CALL && flow != JF_FLOW_CALL_REG)
		return MUTATION_UNFIT;
	while (i < s->row_count && s->rows[i].code_off < end)
		i++;
	if (i == 0 || s->rows[i - 1].code_off >= end - 1)
		return MUTATION_UNFIT;
	if (!insert_row(s, i, end - 1))
		return MUTATION_UNFIT;
	if ((i + 1 == s->row_count || s->rows[i + 1].code_off != end) && end < s->size && !insert_row(s, i + 1, end))
		return MUTATION_UNFIT;
	if (n % 2)
		s->rows[i].cfa_off += 16;
	else
		s->rows[i].saved &= ~(UINT32_C(1) << jf_frame_slot(&s->frame, JF_SLOT_RETURN, JF_REG_NONE));
	return MUTATED;
}

#define R10 RULE(10)
/* A row that is wrong where a call returns to is seen by both. */
#define R10_R17 (RULE(10) | RULE(17))

const struct operator row_operators[] = {
	{"a row less", R10_R17, ON_ALL, false, true, drop_row},
	{"a row one instruction off", R10_R17, ON_ALL, false, true, shift_row},
	{"a row's CFA off by 8", R10_R17, ON_ALL, false, true, shift_cfa},
	{"a row's CFA by another register", R10_R17, ON_ALL, false, true, change_cfa_reg},
	{"a row's register too many or too few", R10_R17, ON_ALL, false, true, flip_saved},
	{"a row's slot 8 off", R10_R17, ON_ALL, false, true, move_slot},
	{"a row that is wrong about a signature", R10_R17, ON_ALL, false, true, flip_signed},
	{"a row wrong at return addresses alone", RULE(17), ON_ALL, false, true, spoil_return},
};
const unsigned int row_operator_count = sizeof(row_operators) / sizeof(row_operators[0]);
