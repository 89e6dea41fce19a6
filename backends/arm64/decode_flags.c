/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/* What branches ask, and what instructions leave in the condition flags for them. */

struct jf_compare jf_arm64_condition(unsigned int cond)
{
	static const uint8_t conds[14] = {JF_COND_EQ,     JF_COND_NE,     JF_COND_GE,     JF_COND_LT, JF_COND__COUNT,
					  JF_COND__COUNT, JF_COND__COUNT, JF_COND__COUNT, JF_COND_GT, JF_COND_LE,
					  JF_COND_SGE,    JF_COND_SLT,    JF_COND_SGT,    JF_COND_SLE};
	struct jf_compare asks = {.kind = JF_COMPARE_FLAGS, .cond = JF_COND__COUNT, .a = JF_REG_NONE, .b = JF_REG_NONE};

	if (cond < 14)
		asks.cond = conds[cond];
	if (asks.cond == JF_COND__COUNT)
		asks.kind = JF_COMPARE_UNKNOWN;
	return asks;
}

void jf_arm64_ask(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_compare asks = {.kind = JF_COMPARE_WITH, .cond = row->kind, .b = JF_REG_NONE};

	asks.a = (uint8_t)jf_arm64_gp(jf_arm64_field_rd(word));
	asks.bytes = (uint8_t)jf_arm64_width_of(word);
	if (row->format == F_BRANCH14) {
		asks.kind = JF_COMPARE_AND;
		asks.bytes = 8;
		asks.imm = (int64_t)(UINT64_C(1) << (word >> 31 << 5 | word_bits(word, 23, 19)));
	} else if (!row->width) { /* b.cond */
		asks = jf_arm64_condition(word & 15);
	}
	effect->asks = asks;
}

/* Of two registers without a shift. */
static void registers(struct jf_compare *flags, enum jf_compare_kind kind, uint32_t word)
{
	if (word_bits(word, 23, 21) || word_bits(word, 15, 10))
		return;
	flags->kind = (uint8_t)kind;
	flags->a = (uint8_t)jf_arm64_gp(jf_arm64_field_rn(word));
	flags->b = (uint8_t)jf_arm64_gp(jf_arm64_field_rm(word));
}

/* Of a register and an immediate. */
static void immediate(struct jf_compare *flags, enum jf_compare_kind kind, unsigned int reg, int64_t imm)
{
	flags->kind = (uint8_t)kind;
	flags->a = (uint8_t)reg;
	flags->imm = imm;
}

/* What adds, subs and ands leave; without a result they are cmn, cmp and tst. Taking 0 carries, adding it does not. */
static void compare(struct jf_compare *flags, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rn = jf_arm64_field_rn(word);
	int64_t imm = (int64_t)word_bits(word, 21, 10) << (word & 1u << 22 ? 12 : 0);
	uint64_t mask = 0;

	if (row->format == F_ADDSUB_SHIFTED && row->kind == JF_STEP_SUB)
		registers(flags, JF_COMPARE_WITH, word);
	else if (row->format == F_LOGICAL_SHIFTED)
		registers(flags, JF_COMPARE_AND, word);
	else if (row->format == F_ADDSUB_IMM && (row->kind == JF_STEP_SUB || imm))
		immediate(flags, JF_COMPARE_WITH, rn, row->kind == JF_STEP_SUB ? imm : -imm);
	else if (row->format == F_LOGICAL_IMM && jf_arm64_bit_mask(word, &mask))
		immediate(flags, JF_COMPARE_AND, jf_arm64_gp(rn), (int64_t)mask);
}

/* Of what compares nothing, only what certainly keeps the flags. */
void jf_arm64_set_flags(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_compare *flags = &effect->flags_hold;
	bool sets = false;

	*flags = (struct jf_compare){
		JF_COMPARE_UNKNOWN, 0, JF_REG_NONE, JF_REG_NONE, (uint8_t)jf_arm64_width_of(word), 0};
	switch (row->format) {
	case F_ADDSUB_IMM:
	case F_ADDSUB_SHIFTED: sets = word >> 29 & 1; break;
	case F_LOGICAL_IMM:
	case F_LOGICAL_SHIFTED: sets = word_bits(word, 30, 29) == 3; break;
	case F_ADR:
	case F_ADRP:
	case F_MOVN:
	case F_MOVZ:
	case F_MOVK:
	case F_BITFIELD:
	case F_SHIFT_REG:
	case F_CSEL:
	case F_CSINC:
	case F_CSINV:
	case F_CSNEG:
	case F_SCALED:
	case F_UNSCALED:
	case F_PRE:
	case F_BRANCH19:
	case F_BRANCH14: break;
	default: return;
	}
	if (!sets)
		flags->kind = JF_COMPARE_FLAGS;
	else
		compare(flags, row, word);
}
