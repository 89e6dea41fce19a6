/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * A branch is its word with distance 0. Its forms, of which the longer ones jump over a jump with the opposite branch:
 *
 *     c.beqz, c.bnez, c.j    where the registers allow it
 *     beq, ...               jal
 *     bne +8; jal            auipc t2; jalr zero, t2
 *     bne +12; auipc t2; jalr zero, t2
 *
 * Jumps through t2 need no landing pad.
 */
#define OPCODE_MASK 0x7fu
#define OPPOSITE    0x1000u /* beq and bne, blt and bge, bltu and bgeu */
#define REACH(bits) ((1 << ((bits)-1)) - 2)
#define REACH_32    (INT32_MAX - 0x1000)

const struct jf_branches jf_riscv64_branches = {{
	[JF_BRANCH_IF] = {{2, REACH(9)}, {4, REACH(13)}, {8, REACH(21) - 4}, {12, REACH_32 - 4}},
	[JF_BRANCH_ALWAYS] = {{2, REACH(12)}, {4, REACH(21)}, {8, REACH_32}},
}};

static unsigned int put_word(uint8_t *at, uint32_t word)
{
	jf_code_write32(at, word);
	return 4;
}

static unsigned int put_short(uint8_t *at, uint32_t word)
{
	uint16_t compressed = jf_riscv64_compress(word);

	if (!compressed)
		return 0;
	at[0] = (uint8_t)compressed;
	at[1] = (uint8_t)(compressed >> 8);
	return 2;
}

/* auipc t2 and jalr, for a distance from the auipc */
static unsigned int put_far(uint8_t *at, int64_t distance)
{
	int64_t low = (int64_t)((uint64_t)distance << 52) >> 52;

	if (distance > REACH_32 || distance < -REACH_32)
		return 0;
	jf_code_write32(at, (uint32_t)RV_AUIPC | rv_imm_u((distance - low) >> 12) | rv_rd(RV_T2));
	jf_code_write32(at + 4, RV_JALR | rv_imm_i(low) | rv_rs1(RV_T2));
	return 8;
}

unsigned int jf_riscv64_put_branch(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form)
{
	bool is_jump = (branch & OPCODE_MASK) == RV_JAL, is_near = rv_fits_distance(distance, is_jump ? 21 : 13);
	uint32_t word = branch | (is_jump ? rv_imm_j(distance) : rv_imm_b(distance));
	unsigned int over;

	if (form < 2 && !is_near)
		return 0;
	if (form < 2)
		return form ? put_word(at, word) : put_short(at, word);
	if (is_jump)
		return form == 2 ? put_far(at, distance) : 0;
	over = jf_riscv64_put_branch(at + 4, RV_JAL, distance - 4, form - 1);
	return over ? over + put_word(at, (branch ^ OPPOSITE) | rv_imm_b(4 + over)) : 0;
}

static enum jf_status jump_compare(struct jf_body *b, const struct jf_op *op)
{
	static const struct {
		enum rv_branch compare;
		bool swapped;
	} forms[JF_COND__COUNT] = {
		[JF_COND_EQ] = {RV_BEQ, false},  [JF_COND_NE] = {RV_BNE, false},  [JF_COND_GT] = {RV_BLTU, true},
		[JF_COND_GE] = {RV_BGEU, false}, [JF_COND_LT] = {RV_BLTU, false}, [JF_COND_LE] = {RV_BGEU, true},
		[JF_COND_SGT] = {RV_BLT, true},  [JF_COND_SGE] = {RV_BGE, false}, [JF_COND_SLT] = {RV_BLT, false},
		[JF_COND_SLE] = {RV_BGE, true},
	};
	unsigned int x = rv_bpf(b, op->dst), y = RV_ZERO;
	bool swapped = forms[op->code].swapped;

	/* Sign extension keeps the order of unsigned words, too. */
	if (!op->is64) {
		emit_sext32(b->code, RV_T1, x);
		x = RV_T1;
	}
	if (!op->is_imm) {
		y = rv_bpf(b, op->src);
		if (!op->is64) {
			emit_sext32(b->code, RV_T2, y);
			y = RV_T2;
		}
	} else if (op->imm) {
		y = RV_T2;
		jf_riscv64_li(b->code, y, (uint64_t)op->imm);
	}
	jf_body_branch(b, JF_BRANCH_IF, rv_branch_word(forms[op->code].compare, swapped ? y : x, swapped ? x : y),
		       op->target);
	return JF_OK;
}

static enum jf_status jump_set(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = rv_bpf(b, op->dst);

	if (op->is_imm && rv_fits(op->imm, 12)) {
		emit_i(b->code, RV_ANDI, RV_T1, dst, op->imm);
	} else if (op->is_imm) {
		jf_riscv64_li(b->code, RV_T1, (uint64_t)op->imm);
		emit_r(b->code, RV_AND, RV_T1, RV_T1, dst);
	} else {
		emit_r(b->code, RV_AND, RV_T1, dst, rv_bpf(b, op->src));
	}
	/* A constant without a sign has cleared the upper half. */
	if (!op->is64 && !(op->is_imm && op->imm >= 0))
		emit_sext32(b->code, RV_T1, RV_T1);
	jf_body_branch(b, JF_BRANCH_IF, rv_branch_word(RV_BNE, RV_T1, RV_ZERO), op->target);
	return JF_OK;
}

enum jf_status jf_riscv64_jump(struct jf_body *b, const struct jf_op *op)
{
	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	return op->code == JF_COND_SET ? jump_set(b, op) : jump_compare(b, op);
}

enum jf_status jf_riscv64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_body_branch(b, JF_BRANCH_ALWAYS, RV_JAL, op->target);
	return JF_OK;
}

/* Stores the count back on every way through: what is skipped is the stub, once in so many times. */
enum jf_status jf_riscv64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = rv_bpf(b, JF_BPF_AX), fp = rv_bpf(b, JF_BPF_FP);
	struct jf_label skip = {0};
	struct jf_code *c = b->code;

	jf_riscv64_load_at(c, ax, fp, op->imm);
	jf_body_branch(b, JF_BRANCH_IF, rv_branch_word(RV_BEQ, ax, RV_ZERO), op->target);
	emit_i(c, RV_ADDI, ax, ax, -1);
	jf_body_branch_ahead(b, rv_branch_word(RV_BNE, ax, RV_ZERO), &skip);
	jf_riscv64_add_imm(c, ax, fp, op->imm, RV_T1);
	jf_riscv64_call_address(c, stub);
	jf_body_label(b, &skip);
	jf_riscv64_store_at(c, ax, fp, op->imm);
	return JF_OK;
}
