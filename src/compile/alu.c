/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/alu.h>

/* ---- cheaper operations -------------------------------------------------------------------------- */

/* What a constant makes of an operation. */
enum outcome {
	AS_IT_IS,
	ZERO,
	SAME, /* dst, in 32-bit operations zero-extended */
	NEGATED,
	SHIFTED_LEFT,
	SHIFTED_RIGHT,
	LOW_BITS,
};

/* Unsigned -1 is a number like others. */
static const uint8_t outcomes[JF_ALU__COUNT][4] = {
	/* by 0, by 1, by -1, by another power of two */
	[JF_ALU_MUL] = {ZERO, SHIFTED_LEFT, NEGATED, SHIFTED_LEFT},
	[JF_ALU_DIV] = {ZERO, SHIFTED_RIGHT, AS_IT_IS, SHIFTED_RIGHT},
	[JF_ALU_SDIV] = {ZERO, SAME, NEGATED, AS_IT_IS},
	[JF_ALU_MOD] = {SAME, ZERO, AS_IT_IS, LOW_BITS},
	[JF_ALU_SMOD] = {SAME, ZERO, ZERO, AS_IT_IS},
};

static enum outcome outcome_of(const struct jf_op *op)
{
	uint64_t value = jf_alu_constant(op);

	if (op->imm >= -1 && op->imm <= 1)
		return (enum outcome)outcomes[op->code][op->imm < 0 ? 2 : op->imm];
	return value & (value - 1) ? AS_IT_IS : (enum outcome)outcomes[op->code][3];
}

/* dst as it is, but for the upper half behind a 32-bit operation. */
static struct jf_op keeping(const struct jf_op *op)
{
	struct jf_op move = *op;

	move.code = JF_ALU_MOV;
	move.is_imm = false;
	move.src = op->dst;
	return move;
}

bool jf_alu_cheaper(const struct jf_op *op, struct jf_op *cheaper)
{
	bool may = op->is_imm && op->code < JF_ALU__COUNT && outcomes[op->code][0] != AS_IT_IS;
	enum outcome what = may ? outcome_of(op) : AS_IT_IS;
	uint64_t value = jf_alu_constant(op);

	if (what == AS_IT_IS)
		return false;
	*cheaper = what == SAME ? keeping(op) : *op;
	if (what == ZERO) {
		cheaper->code = JF_ALU_MOV;
		cheaper->imm = 0;
	} else if (what == NEGATED) {
		cheaper->code = JF_ALU_NEG;
	} else if (what == LOW_BITS) {
		cheaper->code = JF_ALU_AND;
		cheaper->imm = (int64_t)value - 1;
	} else if (what != SAME) {
		cheaper->code = what == SHIFTED_LEFT ? JF_ALU_LSH : JF_ALU_RSH;
		cheaper->imm = __builtin_ctzll(value);
	}
	return true;
}

/* ---- by forms ------------------------------------------------------------------------------------ */

/* A mask that is not negative has cleared the upper half, a shift to the right the sign. */
static void zero_extend(struct jf_body *b, const struct jf_op *op, unsigned int dst, const struct jf_alu_forms *forms)
{
	bool clear = op->is_imm && ((op->code == JF_ALU_AND && op->imm >= 0) || (op->code == JF_ALU_RSH && op->imm));

	if (!op->is64 && !clear && !op->upper_dead && forms->zero_extend)
		forms->zero_extend(b->code, dst, dst);
}

static enum jf_status with_constant(struct jf_body *b, const struct jf_op *op, unsigned int dst,
				    const struct jf_alu_forms *forms)
{
	const struct jf_alu_form *form = &forms->ops[op->code];
	uint32_t insn = form->reg[op->is64];

	if (form->imm[op->is64] && op->imm >= form->min && op->imm <= form->max) {
		forms->put_imm(b->code, form->imm[op->is64], dst, dst, op->imm);
		zero_extend(b, op, dst, forms);
		return JF_OK;
	}
	forms->put_constant(b->code, forms->temp, forms->zero_extend ? (uint64_t)op->imm : jf_alu_constant(op));
	if (!insn)
		return forms->other(b, op, dst, forms->temp);
	forms->put_reg(b->code, insn, dst, dst, forms->temp);
	zero_extend(b, op, dst, forms);
	return JF_OK;
}

/* The constant has its final form. */
static enum jf_status by_shortcut(struct jf_body *b, const struct jf_op *op, unsigned int dst,
				  const struct jf_alu_forms *forms)
{
	if (forms->shortcut && forms->shortcut(b, op, dst))
		return JF_OK;
	/* The others with 0 have become something cheaper, but AND. */
	if (op->imm == 0 && op->code != JF_ALU_AND) {
		const struct jf_op move = keeping(op);

		return forms->other(b, &move, dst, dst);
	}
	return with_constant(b, op, dst, forms);
}

static enum jf_status subtract(struct jf_body *b, const struct jf_op *op, unsigned int dst,
			       const struct jf_alu_forms *forms)
{
	uint64_t negated = 0 - (uint64_t)op->imm;
	struct jf_op add = *op;

	add.code = JF_ALU_ADD;
	add.imm = op->is64 ? (int64_t)negated : (int32_t)negated;
	return by_shortcut(b, &add, dst, forms);
}

static enum jf_status shift(struct jf_body *b, const struct jf_op *op, unsigned int dst,
			    const struct jf_alu_forms *forms)
{
	int64_t top = op->is64 ? 63 : 31;
	struct jf_op masked;

	if (op->imm >= 0 && op->imm <= top)
		return by_shortcut(b, op, dst, forms);
	masked = *op;
	masked.imm &= top;
	return by_shortcut(b, &masked, dst, forms);
}

enum jf_status jf_alu_by_constant(struct jf_body *b, const struct jf_op *op, const struct jf_alu_forms *forms)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	struct jf_op cheaper;

	if (op->code >= JF_ALU__COUNT)
		return JF_E_UNSUPPORTED;
	switch (op->code) {
	case JF_ALU_MOV:
		forms->put_constant(b->code, dst, op->upper_dead ? (uint64_t)op->imm : jf_alu_constant(op));
		return JF_OK;
	case JF_ALU_NEG:
		forms->put_reg(b->code, forms->ops[JF_ALU_NEG].reg[op->is64], dst, forms->zero, dst);
		zero_extend(b, op, dst, forms);
		return JF_OK;
	case JF_ALU_SUB: return subtract(b, op, dst, forms);
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH: return shift(b, op, dst, forms);
	default:
		if (jf_alu_cheaper(op, &cheaper))
			return jf_alu_by_forms(b, &cheaper, forms);
		return by_shortcut(b, op, dst, forms);
	}
}
