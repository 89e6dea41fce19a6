/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* A conditional branch in one of the three ways arm64 has. */
struct branch {
	uint32_t word;     /* without its distance */
	uint32_t opposite; /* the bit that turns it round */
	unsigned int bits; /* of its distance */
};

static struct branch on_flags(enum jf_arm64_cond cond)
{
	return (struct branch){JF_ARM64_B_COND | (uint32_t)cond, JF_ARM64_B_COND_OPPOSITE, JF_ARM64_COND_BITS};
}

static struct branch on_zero(bool is64, unsigned int reg)
{
	return (struct branch){jf_arm64_cbz_word(is64, reg), JF_ARM64_ON_NONZERO, JF_ARM64_COND_BITS};
}

static struct branch on_clear_bit(unsigned int reg, unsigned int bit)
{
	return (struct branch){jf_arm64_tbz_word(reg, bit), JF_ARM64_ON_NONZERO, JF_ARM64_TEST_BITS};
}

/* Short: the branch. Long: the opposite one over a jump. */
static inline void branch_to(struct jf_body *b, struct branch branch, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);

	if (!jf_arm64_fits_branch(distance, branch.bits))
		jf_body_grow(b);
	if (!jf_body_is_long(b)) {
		jf_arm64_branch(b->code, branch.word, branch.bits, distance);
		return;
	}
	jf_arm64_branch(b->code, branch.word ^ branch.opposite, branch.bits, 2 * 4);
	jf_arm64_b(b->code, false, jf_body_distance(b, target));
}

/*
 * Comparisons with 0, 1 and -1 that are tests for zero or of the sign, by condition: the immediate, and
 * what is tested.
 */
enum test {
	ZERO,
	NONZERO,
	POSITIVE,
	NEGATIVE
};
static const struct {
	int8_t imm;
	uint8_t test;
} tests[JF_COND_SET] = {
	[JF_COND_EQ] = {0, ZERO},       [JF_COND_NE] = {0, NONZERO},   [JF_COND_GT] = {0, NONZERO},
	[JF_COND_GE] = {1, NONZERO},    [JF_COND_LT] = {1, ZERO},      [JF_COND_LE] = {0, ZERO},
	[JF_COND_SGT] = {-1, POSITIVE}, [JF_COND_SGE] = {0, POSITIVE}, [JF_COND_SLT] = {0, NEGATIVE},
	[JF_COND_SLE] = {-1, NEGATIVE},
};

/* Those, and tests of one bit. */
static bool branch_without_compare(const struct jf_op *op, unsigned int dst, struct branch *branch)
{
	if (op->code == JF_COND_SET) {
		int log2 = jf_arm64_imm_log2(op);

		*branch = on_clear_bit(dst, (unsigned int)log2);
		branch->word ^= branch->opposite;
		return log2 >= 0;
	}
	if (op->imm != tests[op->code].imm)
		return false;
	*branch = tests[op->code].test >= POSITIVE ? on_clear_bit(dst, op->is64 ? 63 : 31) : on_zero(op->is64, dst);
	if (tests[op->code].test & 1) /* NONZERO, NEGATIVE */
		branch->word ^= branch->opposite;
	return true;
}

/* Flags of dst - operand; CMN, dst + (-operand), sets the same ones. */
static void compare(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	int64_t imm = op->imm;

	if (op->is_imm && imm >= 0 && jf_arm64_fits_addsub((uint64_t)imm))
		jf_arm64_addsub(b->code, JF_ARM64_SUBSI, op->is64, JF_ARM64_XZR, dst, (uint64_t)imm);
	else if (op->is_imm && imm < 0 && jf_arm64_fits_addsub((uint64_t)-imm))
		jf_arm64_addsub(b->code, JF_ARM64_ADDSI, op->is64, JF_ARM64_XZR, dst, (uint64_t)-imm);
	else
		jf_arm64_rrr(b->code, JF_ARM64_SUBS, op->is64, JF_ARM64_XZR, dst, jf_arm64_operand(b, op));
}

/* Flags of dst & operand. */
static void test(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	uint32_t fields;

	if (op->is_imm && jf_arm64_fits_logical(op->is64, jf_arm64_imm_value(op), &fields))
		jf_arm64_logical_put(b->code, JF_ARM64_ANDSI, op->is64, JF_ARM64_XZR, dst, fields);
	else
		jf_arm64_rrr(b->code, JF_ARM64_ANDS, op->is64, JF_ARM64_XZR, dst, jf_arm64_operand(b, op));
}

enum jf_status jf_arm64_jump(struct jf_body *b, const struct jf_op *op)
{
	static const uint8_t conds[JF_COND__COUNT] = {
		[JF_COND_EQ] = JF_ARM64_EQ,  [JF_COND_NE] = JF_ARM64_NE,  [JF_COND_GT] = JF_ARM64_HI,
		[JF_COND_GE] = JF_ARM64_HS,  [JF_COND_LT] = JF_ARM64_LO,  [JF_COND_LE] = JF_ARM64_LS,
		[JF_COND_SGT] = JF_ARM64_GT, [JF_COND_SGE] = JF_ARM64_GE, [JF_COND_SLT] = JF_ARM64_LT,
		[JF_COND_SLE] = JF_ARM64_LE, [JF_COND_SET] = JF_ARM64_NE,
	};
	unsigned int dst = jf_body_reg(b, op->dst);
	struct branch branch;

	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	if (!op->is_imm || !branch_without_compare(op, dst, &branch)) {
		if (op->code == JF_COND_SET)
			test(b, op, dst);
		else
			compare(b, op, dst);
		branch = on_flags((enum jf_arm64_cond)conds[op->code]);
	}
	branch_to(b, branch, op->target);
	return JF_OK;
}

enum jf_status jf_arm64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_arm64_b(b->code, false, jf_body_distance(b, op->target));
	return JF_OK;
}

/*
 *        ldr    x9, count
 *        cbz    x9, target
 *        sub    x9, x9, #1
 *        cbnz   x9, 1f
 *        sub    x9, x25, ...               time to look at the clock
 *        bl     stub
 *     1: str    x9, count
 */
enum jf_status jf_arm64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	size_t left;

	jf_arm64_load_stack(b, JF_ARM64_AX, op->imm);
	branch_to(b, on_zero(true, JF_ARM64_AX), op->target);
	jf_arm64_addsub(b->code, JF_ARM64_SUBI, true, JF_ARM64_AX, JF_ARM64_AX, 1);
	left = b->code->size;
	jf_arm64_cbz(b->code, true, true, JF_ARM64_AX, 0);
	jf_arm64_add_const(b->code, JF_ARM64_AX, JF_ARM64_BPF_FP, op->imm);
	jf_arm64_call_far(b, stub);
	jf_arm64_lands_here(b->code, left);
	jf_arm64_store_stack(b, JF_ARM64_AX, op->imm);
	return JF_OK;
}
