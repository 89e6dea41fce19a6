/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* A branch's word says how many bits its distance has, where, and which bit turns it round. */
struct shape {
	unsigned int bits, shift;
	uint32_t opposite;
};

static inline struct shape shape_of(uint32_t word)
{
	if ((word & JF_ARM64_B_MASK) == JF_ARM64_B)
		return (struct shape){JF_ARM64_JUMP_BITS, 0, 0};
	if ((word & JF_ARM64_B_COND_MASK) == JF_ARM64_B_COND)
		return (struct shape){JF_ARM64_COND_BITS, 5, JF_ARM64_B_COND_OPPOSITE};
	return (struct shape){(word & JF_ARM64_CBZ_MASK) == JF_ARM64_CBZ ? JF_ARM64_COND_BITS : JF_ARM64_TEST_BITS, 5,
			      JF_ARM64_ON_NONZERO};
}

/* The branch, or the opposite one over a jump. */
unsigned int jf_arm64_put_branch(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form)
{
	struct shape shape = shape_of(branch);

	if (form == 0 && jf_arm64_fits_branch(distance, shape.bits)) {
		jf_code_write32(at, branch | jf_arm64_branch_field(distance, shape.bits) << shape.shift);
		return 4;
	}
	if (form != 1 || !shape.opposite || !jf_arm64_fits_branch(distance - 4, JF_ARM64_JUMP_BITS))
		return 0;
	jf_code_write32(at, (branch ^ shape.opposite) | jf_arm64_branch_field(2 * 4, shape.bits) << shape.shift);
	jf_code_write32(at + 4, JF_ARM64_B | jf_arm64_branch_field(distance - 4, JF_ARM64_JUMP_BITS));
	return 8;
}

#define REACH(bits) ((1 << ((bits) + 1)) - 4)

const struct jf_branches jf_arm64_branches = {{
	[JF_BRANCH_IF] = {{4, REACH(JF_ARM64_TEST_BITS)}, {8, REACH(JF_ARM64_JUMP_BITS) - 4}},
	[JF_BRANCH_ALWAYS] = {{4, REACH(JF_ARM64_JUMP_BITS)}},
}};

/*
 * Comparisons with 0, 1 and -1 that are tests for zero or of the sign, by condition: the immediate, and
 * what is tested.
 */
enum test { ZERO, NONZERO, POSITIVE, NEGATIVE };
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
static bool branch_without_compare(const struct jf_op *op, unsigned int dst, uint32_t *word)
{
	if (op->code == JF_COND_SET) {
		int log2 = jf_arm64_imm_log2(op);

		*word = jf_arm64_tbz_word(dst, (unsigned int)log2 & 63) ^ JF_ARM64_ON_NONZERO;
		return log2 >= 0;
	}
	if (op->imm != tests[op->code].imm)
		return false;
	*word = tests[op->code].test >= POSITIVE ? jf_arm64_tbz_word(dst, op->is64 ? 63 : 31) :
						   jf_arm64_cbz_word(op->is64, dst);
	if (tests[op->code].test & 1) /* NONZERO, NEGATIVE */
		*word ^= JF_ARM64_ON_NONZERO;
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

	if (op->is_imm && jf_arm64_fits_logical(op->is64, jf_alu_constant(op), &fields))
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
	uint32_t word;

	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	if (!op->is_imm || !branch_without_compare(op, dst, &word)) {
		if (op->code == JF_COND_SET)
			test(b, op, dst);
		else
			compare(b, op, dst);
		word = JF_ARM64_B_COND | conds[op->code];
	}
	jf_body_branch(b, JF_BRANCH_IF, word, op->target);
	return JF_OK;
}

enum jf_status jf_arm64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_body_branch(b, JF_BRANCH_ALWAYS, JF_ARM64_B, op->target);
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
	struct jf_label left = {0};

	jf_arm64_load_stack(b, JF_ARM64_AX, op->imm);
	jf_body_branch(b, JF_BRANCH_IF, jf_arm64_cbz_word(true, JF_ARM64_AX), op->target);
	jf_arm64_addsub(b->code, JF_ARM64_SUBI, true, JF_ARM64_AX, JF_ARM64_AX, 1);
	jf_body_branch_ahead(b, jf_arm64_cbz_word(true, JF_ARM64_AX) | JF_ARM64_ON_NONZERO, &left);
	jf_arm64_add_const(b->code, JF_ARM64_AX, JF_ARM64_BPF_FP, op->imm);
	jf_arm64_call_far(b, stub);
	jf_body_label(b, &left);
	jf_arm64_store_stack(b, JF_ARM64_AX, op->imm);
	return JF_OK;
}
