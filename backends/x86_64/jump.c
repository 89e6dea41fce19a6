/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps: two bytes where they reach, five or six where they do not. */
#include "insn.h"

/* At most one per BPF instruction. The opcode of the short form, and the form of the long one. */
ALWAYS_INLINE void emit_branch(struct jf_body *b, unsigned int opcode8, unsigned int form32, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);

	if (!jf_body_is_long(b) && fits_s8(distance - 2)) {
		emit_branch8(b->code, opcode8, distance - 2);
		return;
	}
	jf_body_grow(b);
	emit_branch32(b->code, form32, distance - (form32 & F_0F ? 6 : 5));
}

static void emit_jcc(struct jf_body *b, unsigned int cc, uint32_t target)
{
	emit_branch(b, 0x70 | (cc & 15), F_0F | 0x80 | (cc & 15), target);
}

enum jf_status jf_x86_64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	emit_branch(b, 0xeb, 0xe9, op->target);
	return JF_OK;
}

/* test with itself leaves the flags that cmp with 0 would. */
static void emit_compare(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = operand(b, op->dst);
	int64_t imm = narrow(op->is64, op->imm);

	if (op->code == JF_COND_SET && op->is_imm)
		jf_x86_64_emit_test_ri(b->code, op->is64, dst, imm);
	else if (op->code == JF_COND_SET)
		emit_test_rr(b->code, op->is64, dst, operand(b, op->src));
	else if (!op->is_imm)
		emit_alu_rr(b->code, ALU_CMP, op->is64, dst, operand(b, op->src));
	else if (imm == 0)
		emit_test_rr(b->code, op->is64, dst, dst);
	else
		jf_x86_64_emit_alu_ri(b->code, ALU_CMP, op->is64, dst, imm);
}

enum jf_status jf_x86_64_jump(struct jf_body *b, const struct jf_op *op)
{
	static const uint8_t ccs[JF_COND__COUNT] = {
		[JF_COND_EQ] = CC_E,  [JF_COND_NE] = CC_NE,  [JF_COND_GT] = CC_A,   [JF_COND_GE] = CC_AE,
		[JF_COND_LT] = CC_B,  [JF_COND_LE] = CC_BE,  [JF_COND_SGT] = CC_G,  [JF_COND_SGE] = CC_GE,
		[JF_COND_SLT] = CC_L, [JF_COND_SLE] = CC_LE, [JF_COND_SET] = CC_NE,
	};

	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	emit_compare(b, op);
	emit_jcc(b, ccs[op->code], op->target);
	return JF_OK;
}

/* AX is R10 of the machine. sub says both whether it was 0 and whether it is now. */
enum jf_status jf_x86_64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = b->frame->conv->bpf_reg[JF_BPF_AX];
	struct mem count = at(jf_body_reg(b, JF_BPF_FP), op->imm + r10_disp(b));
	size_t to_store;

	emit_load(b->code, 8, false, ax, count);
	jf_x86_64_emit_alu_ri(b->code, ALU_SUB, true, ax, 1);
	emit_jcc(b, CC_B, op->target);
	to_store = skip_if(b->code, CC_NE);
	emit_lea(b->code, true, ax, count);
	jf_x86_64_emit_call(b->code, stub, SCRATCH);
	land(b->code, to_store);
	emit_store(b->code, 8, count, ax);
	return JF_OK;
}
