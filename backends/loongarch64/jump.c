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

static inline unsigned int distance_bits(uint32_t word)
{
	uint32_t opcode = word & OPCODE_MASK;

	return opcode == LA_B ? 26 : opcode == LA_BEQZ || opcode == LA_BNEZ ? 21 : LOW_BITS;
}

static inline uint32_t with_distance(uint32_t word, unsigned int bits, int64_t distance)
{
	uint32_t words = (uint32_t)(distance >> 2), high = (1u << (bits - LOW_BITS)) - 1;

	return (word & ~(0xffffu << 10 | high)) | (words & 0xffff) << 10 | (words >> LOW_BITS & high);
}

/* Short: the branch. Long: the opposite one over a jump. returns: how many words, 0 when they do not reach. */
static inline unsigned int branch_words(uint32_t words[2], uint32_t word, int64_t distance, bool is_long)
{
	unsigned int bits = distance_bits(word);

	if (!is_long && la_fits_distance(distance, bits)) {
		words[0] = with_distance(word, bits, distance);
		return 1;
	}
	if (!is_long || bits == 26 || !la_fits_distance(distance - 4, 26))
		return 0;
	words[0] = with_distance(word ^ OPPOSITE, bits, 2 * 4);
	words[1] = with_distance(LA_B, 26, distance - 4);
	return 2;
}

static bool put_branch(uint8_t *branch, int64_t distance, bool is_long)
{
	uint32_t word = branch[0] | (uint32_t)branch[1] << 8 | (uint32_t)branch[2] << 16 | (uint32_t)branch[3] << 24;
	uint32_t words[2];
	unsigned int count = branch_words(words, word, distance, is_long);

	for (unsigned int i = 0; i < 4 * count; i++)
		branch[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
	return count;
}

const struct jf_branches jf_loongarch64_branches = {
	.short_bytes = 4,
	.long_bytes = 8,
	.long_always_bytes = 4,
	.short_reach = (1 << (LOW_BITS + 1)) - 4,
	.put = put_branch,
};

static void emit_branch(struct jf_body *b, uint32_t word, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);
	unsigned int count;
	uint32_t words[2];

	count = branch_words(words, word, distance, jf_body_is_long(b));
	if (!count) {
		jf_body_grow(b);
		count = branch_words(words, word, distance, true);
	}
	if (!count)
		jf_code_fail(b->code, JF_E_RANGE);
	for (unsigned int i = 0; i < count; i++)
		jf_code_put32(b->code, words[i]);
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
		emit_branch(b, (cond == JF_COND_EQ ? LA_BEQZ : LA_BNEZ) | x << 5, op->target);
	} else {
		unsigned int rj = forms[cond].swapped ? y : x, rd = forms[cond].swapped ? x : y;

		emit_branch(b, forms[cond].compare | rj << 5 | rd, op->target);
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
	emit_branch(b, LA_BNEZ | LA_T1 << 5, op->target);
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
	emit_branch(b, LA_B, op->target);
	return JF_OK;
}

/* Stores the count back on every way through: what is skipped is the stub, once in so many times. */
enum jf_status jf_loongarch64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = la_bpf(b, JF_BPF_AX), fp = la_bpf(b, JF_BPF_FP);
	struct jf_code *c = b->code;
	struct jf_code ahead;

	emit_2ri14(c, LA_LDPTR_D, ax, fp, op->imm);
	emit_branch(b, LA_BEQZ | ax << 5, op->target);
	emit_2ri12(c, LA_ADDI_D, ax, ax, -1);
	/* The call is put down where the branch will be, to see how long it is. */
	ahead = *c;
	jf_loongarch64_add_imm(&ahead, ax, fp, op->imm, LA_T1);
	jf_loongarch64_call_address(&ahead, stub);
	emit_branch21(c, LA_BNEZ, ax, (int64_t)(ahead.size - c->size) + 4);
	jf_loongarch64_add_imm(c, ax, fp, op->imm, LA_T1);
	jf_loongarch64_call_address(c, stub);
	emit_2ri14(c, LA_STPTR_D, ax, fp, op->imm);
	return JF_OK;
}
