/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* A conditional jump: `op` on rj and rd, or without rd when `on_zero`. */
struct branch {
	bool on_zero;
	enum la_branch16 compare;
	enum la_branch21 test;
	unsigned int rj, rd;
};

/* Bit 26 of the opcode turns each condition into its opposite: beq and bne, blt and bge, beqz and bnez. */
#define OPPOSITE 0x04000000u

static void put_branch(struct jf_code *c, const struct branch *br, uint32_t opposite, int64_t distance)
{
	if (br->on_zero)
		emit_branch21(c, (enum la_branch21)(br->test ^ opposite), br->rj, distance);
	else
		emit_branch16(c, (enum la_branch16)(br->compare ^ opposite), br->rj, br->rd, distance);
}

static void emit_branch(struct jf_body *b, const struct branch *br, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);

	if (!jf_body_is_long(b) && !la_fits_distance(distance, br->on_zero ? 21 : 16))
		jf_body_grow(b);
	if (jf_body_is_long(b)) {
		put_branch(b->code, br, OPPOSITE, 8);
		emit_branch26(b->code, LA_B, jf_body_distance(b, target));
	} else {
		put_branch(b->code, br, 0, distance);
	}
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
	struct branch br;

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
	br = (struct branch){
		.on_zero = y == LA_ZERO && (cond == JF_COND_EQ || cond == JF_COND_NE),
		.compare = forms[cond].compare,
		.test = cond == JF_COND_EQ ? LA_BEQZ : LA_BNEZ,
		.rj = forms[cond].swapped ? y : x,
		.rd = forms[cond].swapped ? x : y,
	};
	emit_branch(b, &br, op->target);
	return JF_OK;
}

static enum jf_status jump_set(struct jf_body *b, const struct jf_op *op)
{
	const struct branch br = {.on_zero = true, .test = LA_BNEZ, .rj = LA_T1};
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
	emit_branch(b, &br, op->target);
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
	emit_branch26(b->code, LA_B, jf_body_distance(b, op->target));
	return JF_OK;
}

/* Stores the count back on every way through: what is skipped is the stub, once in so many times. */
enum jf_status jf_loongarch64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = la_bpf(b, JF_BPF_AX), fp = la_bpf(b, JF_BPF_FP);
	const struct branch used_up = {.on_zero = true, .test = LA_BEQZ, .rj = ax};
	struct jf_code *c = b->code;
	struct jf_code ahead;

	emit_2ri14(c, LA_LDPTR_D, ax, fp, op->imm);
	emit_branch(b, &used_up, op->target);
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
