/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * A branch's word says how its distance is stored, in words of 4 bytes, and which bit turns it round: beq and
 * bne, blt and bge, bltu and bgeu, beqz and bnez.
 *
 *     b              offs[15:0] offs[25:16]
 *     beqz, bnez     offs[15:0] rj offs[20:16]
 *     beq, ...       offs[15:0] rj rd
 */
#define OPCODE_MASK 0xfc000000u
#define OPPOSITE    0x04000000u
#define LOW_BITS    16 /* of the distance, from bit 10 */
#define JUMP_BITS   26

#define REACH(bits) ((1 << ((bits) + 1)) - 4)

const struct jf_branches jf_loongarch64_branches = {{
	[JF_BRANCH_IF] = {{4, REACH(LOW_BITS)}, {8, REACH(JUMP_BITS) - 4}},
	[JF_BRANCH_ALWAYS] = {{4, REACH(JUMP_BITS)}},
}};

static inline unsigned int distance_bits(uint32_t word)
{
	uint32_t opcode = word & OPCODE_MASK;

	return opcode == LA_B ? JUMP_BITS : opcode == LA_BEQZ || opcode == LA_BNEZ ? 21 : LOW_BITS;
}

static inline uint32_t with_distance(uint32_t word, unsigned int bits, int64_t distance)
{
	uint32_t words = (uint32_t)(distance >> 2), high = (1u << (bits - LOW_BITS)) - 1;

	return word | (words & 0xffff) << 10 | (words >> LOW_BITS & high);
}

/* The branch, or the opposite one over a jump. */
unsigned int jf_loongarch64_put_branch(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form)
{
	unsigned int bits = distance_bits(branch);

	if (form == 0 && la_fits_distance(distance, bits)) {
		jf_code_write32(at, with_distance(branch, bits, distance));
		return 4;
	}
	if (form != 1 || bits == JUMP_BITS || !la_fits_distance(distance - 4, JUMP_BITS))
		return 0;
	jf_code_write32(at, with_distance(branch ^ OPPOSITE, bits, 2 * 4));
	jf_code_write32(at + 4, with_distance(LA_B, JUMP_BITS, distance - 4));
	return 8;
}

/* Comparisons with -1, 0 and 1 that are comparisons with zero: the condition then, counted from 1. */
#define ZERO_FORM(cond) (uint8_t)((cond) + 1)
static const uint8_t zero_forms[3][JF_COND__COUNT] = {
	{
		[JF_COND_SGT] = ZERO_FORM(JF_COND_SGE),
		[JF_COND_SLE] = ZERO_FORM(JF_COND_SLT),
	},
	{
		[JF_COND_GT] = ZERO_FORM(JF_COND_NE),
		[JF_COND_LE] = ZERO_FORM(JF_COND_EQ),
	},
	{
		[JF_COND_GE] = ZERO_FORM(JF_COND_NE),
		[JF_COND_LT] = ZERO_FORM(JF_COND_EQ),
		[JF_COND_SGE] = ZERO_FORM(JF_COND_SGT),
		[JF_COND_SLT] = ZERO_FORM(JF_COND_SLE),
	},
};

static enum jf_status jump_compare(struct jf_body *b, const struct jf_op *op)
{
	static const struct {
		enum la_branch16 compare;
		bool swapped;
	} forms[JF_COND__COUNT] = {
		[JF_COND_EQ] = {LA_BEQ, false},  [JF_COND_NE] = {LA_BNE, false},  [JF_COND_GT] = {LA_BLTU, true},
		[JF_COND_GE] = {LA_BGEU, false}, [JF_COND_LT] = {LA_BLTU, false}, [JF_COND_LE] = {LA_BGEU, true},
		[JF_COND_SGT] = {LA_BLT, true},  [JF_COND_SGE] = {LA_BGE, false}, [JF_COND_SLT] = {LA_BLT, false},
		[JF_COND_SLE] = {LA_BGE, true},
	};
	unsigned int x = la_bpf(b, op->dst), y = LA_ZERO;
	uint8_t cond = op->code;
	int64_t value = op->imm;

	if (op->is_imm && value >= -1 && value <= 1 && zero_forms[value + 1][cond]) {
		cond = (uint8_t)(zero_forms[value + 1][cond] - 1);
		value = 0;
	}
	/* Sign extension keeps the order of unsigned words, too. */
	if (!op->is64) {
		emit_sext32(b->code, LA_T1, x);
		x = LA_T1;
	}
	if (!op->is_imm) {
		y = la_bpf(b, op->src);
		if (!op->is64) {
			emit_sext32(b->code, LA_T2, y);
			y = LA_T2;
		}
	} else if (value) {
		y = LA_T2;
		jf_loongarch64_li(b->code, y, (uint64_t)value);
	}
	if (y == LA_ZERO && (cond == JF_COND_EQ || cond == JF_COND_NE)) {
		jf_body_branch(b, JF_BRANCH_IF, (cond == JF_COND_EQ ? LA_BEQZ : LA_BNEZ) | x << 5, op->target);
	} else {
		unsigned int rj = forms[cond].swapped ? y : x, rd = forms[cond].swapped ? x : y;

		jf_body_branch(b, JF_BRANCH_IF, forms[cond].compare | rj << 5 | rd, op->target);
	}
	return JF_OK;
}

static enum jf_status jump_set(struct jf_body *b, const struct jf_op *op)
{
	uint64_t mask = op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm;
	unsigned int dst = la_bpf(b, op->dst), msb, lsb;

	if (!op->is_imm) {
		emit_3r(b->code, LA_AND, LA_T1, dst, la_bpf(b, op->src));
		if (!op->is64)
			emit_zext32(b->code, LA_T1, LA_T1);
	} else if (mask < 4096) {
		emit_2ru12(b->code, LA_ANDI, LA_T1, dst, (int64_t)mask);
	} else if (la_one_run(mask, &msb, &lsb)) {
		emit_field(b->code, LA_BSTRPICK_D, LA_T1, dst, msb, lsb);
	} else {
		jf_loongarch64_li(b->code, LA_T1, (uint64_t)op->imm);
		emit_3r(b->code, LA_AND, LA_T1, dst, LA_T1);
		if (!op->is64 && mask > INT32_MAX)
			emit_zext32(b->code, LA_T1, LA_T1);
	}
	jf_body_branch(b, JF_BRANCH_IF, LA_BNEZ | LA_T1 << 5, op->target);
	return JF_OK;
}

enum jf_status jf_loongarch64_jump(struct jf_body *b, const struct jf_op *op)
{
	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	return op->code == JF_COND_SET ? jump_set(b, op) : jump_compare(b, op);
}

enum jf_status jf_loongarch64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_body_branch(b, JF_BRANCH_ALWAYS, LA_B, op->target);
	return JF_OK;
}

/* Stores the count back on every way through: what is skipped is the stub, once in so many times. */
enum jf_status jf_loongarch64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = la_bpf(b, JF_BPF_AX), fp = la_bpf(b, JF_BPF_FP);
	struct jf_code *c = b->code;
	struct jf_label left = {0};

	emit_2ri14(c, LA_LDPTR_D, ax, fp, op->imm);
	jf_body_branch(b, JF_BRANCH_IF, LA_BEQZ | ax << 5, op->target);
	emit_2ri12(c, LA_ADDI_D, ax, ax, -1);
	jf_body_branch_ahead(b, LA_BNEZ | ax << 5, &left);
	jf_loongarch64_add_imm(c, ax, fp, op->imm, LA_T1);
	jf_loongarch64_call_address(c, stub);
	jf_body_label(b, &left);
	emit_2ri14(c, LA_STPTR_D, ax, fp, op->imm);
	return JF_OK;
}
