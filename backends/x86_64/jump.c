/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps: two bytes where they reach, five or six where they do not. */
#include "insn.h"

#define OPCODE_JMP8  0xebu
#define OPCODE_JMP32 0xe9u

/*
 *   form 0  70+cc rel8      EB rel8      distances are from the first byte, rel from the end
 *   form 1  0F 80+cc rel32  E9 rel32
 */
#define REACH(bits, bytes) ((UINT32_C(1) << ((bits)-1)) - (bytes))

const struct jf_branches jf_x86_64_branches = {{
	[JF_BRANCH_IF] = {{2, REACH(8, 2)}, {6, REACH(32, 6)}},
	[JF_BRANCH_ALWAYS] = {{2, REACH(8, 2)}, {5, REACH(32, 5)}},
}};

/* `branch` is the opcode of form 0. */
unsigned int jf_x86_64_put_branch(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form)
{
	bool always = branch == OPCODE_JMP8;
	unsigned int bytes = form == 0 ? 2 : always ? 5 : 6;
	int64_t rel = distance - bytes;

	if (form > 1 || (form == 0 ? !fits_s8(rel) : !fits_s32(rel)))
		return 0;
	if (form == 0) {
		at[0] = (uint8_t)branch;
		at[1] = (uint8_t)rel;
	} else if (always) {
		at[0] = OPCODE_JMP32;
		jf_code_write32(at + 1, (uint32_t)rel);
	} else {
		at[0] = 0x0f;
		at[1] = (uint8_t)(branch + 0x10);
		jf_code_write32(at + 2, (uint32_t)rel);
	}
	return bytes;
}

enum jf_status jf_x86_64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_body_branch(b, JF_BRANCH_ALWAYS, OPCODE_JMP8, op->target);
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
	jf_body_branch(b, JF_BRANCH_IF, JCC8(ccs[op->code]), op->target);
	return JF_OK;
}

/* AX is R10 of the machine. sub says both whether it was 0 and whether it is now. */
enum jf_status jf_x86_64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub)
{
	unsigned int ax = b->frame->conv->bpf_reg[JF_BPF_AX];
	struct mem count = at(jf_body_reg(b, JF_BPF_FP), op->imm + r10_disp(b));
	struct jf_label left = {0};

	emit_load(b->code, 8, false, ax, count);
	jf_x86_64_emit_alu_ri(b->code, ALU_SUB, true, ax, 1);
	jf_body_branch(b, JF_BRANCH_IF, JCC8(CC_B), op->target);
	jf_body_branch_ahead(b, JCC8(CC_NE), &left);
	emit_lea(b->code, true, ax, count);
	jf_x86_64_emit_call(b->code, stub, SCRATCH);
	jf_body_label(b, &left);
	emit_store(b->code, 8, count, ax);
	return JF_OK;
}
