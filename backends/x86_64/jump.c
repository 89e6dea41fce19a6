/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps: two bytes where they reach, five or six where they do not. */
#include "insn.h"

#define OPCODE_JCC8 0x70u
#define OPCODE_JMP8 0xebu

/*
 *   short  70+cc rel8      EB rel8      distances are from the first byte, rel from the end
 *   long   0F 80+cc rel32  E9 rel32
 */
#define SHORT_BYTES       2
#define LONG_BYTES        6
#define LONG_ALWAYS_BYTES 5

static bool put_branch(uint8_t *branch, int64_t distance, bool is_long)
{
	unsigned int opcode = branch[0], size = opcode == OPCODE_JMP8 ? LONG_ALWAYS_BYTES : LONG_BYTES;

	if (!is_long) {
		if (!fits_s8(distance - SHORT_BYTES))
			return false;
		branch[1] = (uint8_t)(distance - SHORT_BYTES);
		return true;
	}
	distance -= size;
	if (!fits_s32(distance))
		return false;
	if (opcode == OPCODE_JMP8) {
		branch[0] = 0xe9;
	} else {
		branch[0] = 0x0f;
		branch[1] = (uint8_t)(opcode + 0x10);
	}
	for (unsigned int i = 0; i < 4; i++)
		branch[size - 4 + i] = (uint8_t)(distance >> 8 * i);
	return true;
}

const struct jf_branches jf_x86_64_branches = {
	.short_bytes = SHORT_BYTES,
	.long_bytes = LONG_BYTES,
	.long_always_bytes = LONG_ALWAYS_BYTES,
	.short_reach = 126,
	.put = put_branch,
};

/* The opcode is the short form's. */
static void emit_branch(struct jf_body *b, unsigned int opcode, uint32_t target)
{
	uint8_t bytes[JF_INSN_BYTES_MAX] = {(uint8_t)opcode};
	int64_t distance = jf_body_distance(b, target);

	if (!jf_body_is_long(b) && put_branch(bytes, distance, false)) {
		jf_code_put_insn(b->code, bytes, SHORT_BYTES);
		return;
	}
	jf_body_grow(b);
	if (put_branch(bytes, distance, true))
		jf_code_put_insn(b->code, bytes, opcode == OPCODE_JMP8 ? LONG_ALWAYS_BYTES : LONG_BYTES);
	else
		jf_code_fail(b->code, JF_E_RANGE);
}

static void emit_jcc(struct jf_body *b, unsigned int cc, uint32_t target)
{
	emit_branch(b, OPCODE_JCC8 | (cc & 15), target);
}

enum jf_status jf_x86_64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	emit_branch(b, OPCODE_JMP8, op->target);
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
