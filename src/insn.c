/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

/*
 * The one place that knows BPF's opcodes (RFC 9669). Two tables say what the four operation bits mean;
 * the rest follows from class and mode.
 */

#define NONE 0xff

static const uint8_t alu_codes[16] = {
	[0x0] = JF_ALU_ADD, [0x1] = JF_ALU_SUB, [0x2] = JF_ALU_MUL, [0x3] = JF_ALU_DIV,
	[0x4] = JF_ALU_OR, [0x5] = JF_ALU_AND, [0x6] = JF_ALU_LSH, [0x7] = JF_ALU_RSH,
	[0x8] = JF_ALU_NEG, [0x9] = JF_ALU_MOD, [0xa] = JF_ALU_XOR, [0xb] = JF_ALU_MOV,
	[0xc] = JF_ALU_ARSH, [0xd] = NONE /* byte swaps */, [0xe] = NONE, [0xf] = NONE,
};
#define CODE_SWAP 0xd

static const uint8_t jump_codes[16] = {
	[0x0] = NONE /* ja */, [0x1] = JF_COND_EQ, [0x2] = JF_COND_GT, [0x3] = JF_COND_GE,
	[0x4] = JF_COND_SET, [0x5] = JF_COND_NE, [0x6] = JF_COND_SGT, [0x7] = JF_COND_SGE,
	[0x8] = NONE /* call */, [0x9] = NONE /* exit */, [0xa] = JF_COND_LT, [0xb] = JF_COND_LE,
	[0xc] = JF_COND_SLT, [0xd] = JF_COND_SLE, [0xe] = NONE /* may_goto */, [0xf] = NONE,
};

static enum jf_op_kind alu_kind(uint8_t opcode)
{
	uint8_t code = JF_INSN_CODE(opcode);

	if (code == CODE_SWAP)
		return JF_INSN_CLASS(opcode) == JF_CLASS_ALU64 && JF_INSN_SOURCE_X(opcode) ? JF_OP_BAD : JF_OP_SWAP;
	if (alu_codes[code] == JF_ALU_NEG && JF_INSN_SOURCE_X(opcode))
		return JF_OP_BAD;
	return alu_codes[code] == NONE ? JF_OP_BAD : JF_OP_ALU;
}

static enum jf_op_kind jump_kind(uint8_t opcode)
{
	bool is32 = JF_INSN_CLASS(opcode) == JF_CLASS_JMP32;
	bool reg = JF_INSN_SOURCE_X(opcode);

	switch (JF_INSN_CODE(opcode)) {
	case JF_JMP_JA:
		return reg ? JF_OP_BAD : JF_OP_JUMP_ALWAYS;
	case JF_JMP_CALL:
		return is32 ? JF_OP_BAD : reg ? JF_OP_UNSUPPORTED : JF_OP_CALL;
	case JF_JMP_EXIT:
		return is32 || reg ? JF_OP_BAD : JF_OP_EXIT;
	case JF_JMP_JCOND:
		return is32 || reg ? JF_OP_BAD : JF_OP_UNSUPPORTED;
	default:
		return jump_codes[JF_INSN_CODE(opcode)] == NONE ? JF_OP_BAD : JF_OP_JUMP;
	}
}

static enum jf_op_kind memory_kind(uint8_t opcode)
{
	bool wide = jf_insn_bytes(opcode) == 8;

	switch (JF_INSN_CLASS(opcode)) {
	case JF_CLASS_LD:
		if (JF_INSN_MODE(opcode) == JF_MODE_IMM)
			return wide ? JF_OP_IMM64 : JF_OP_BAD;
		/* Packet access of classic BPF (ABS, IND): deprecated, valid. */
		return JF_INSN_MODE(opcode) == 0x20 || JF_INSN_MODE(opcode) == 0x40 ? JF_OP_UNSUPPORTED : JF_OP_BAD;
	case JF_CLASS_LDX:
		if (JF_INSN_MODE(opcode) == JF_MODE_MEMSX)
			return wide ? JF_OP_BAD : JF_OP_LOAD;
		return JF_INSN_MODE(opcode) == JF_MODE_MEM ? JF_OP_LOAD : JF_OP_BAD;
	case JF_CLASS_STX:
		if (JF_INSN_MODE(opcode) == JF_MODE_ATOMIC)
			return JF_OP_ATOMIC;
		return JF_INSN_MODE(opcode) == JF_MODE_MEM ? JF_OP_STORE : JF_OP_BAD;
	default:
		return JF_INSN_MODE(opcode) == JF_MODE_MEM ? JF_OP_STORE : JF_OP_BAD;
	}
}

enum jf_op_kind jf_insn_kind(const struct jf_insn *insn)
{
	switch (JF_INSN_CLASS(insn->opcode)) {
	case JF_CLASS_ALU:
	case JF_CLASS_ALU64:
		return alu_kind(insn->opcode);
	case JF_CLASS_JMP:
	case JF_CLASS_JMP32:
		return jump_kind(insn->opcode);
	default:
		return memory_kind(insn->opcode);
	}
}

static void decode_alu(const struct jf_insn *insn, struct jf_op *op)
{
	bool is_signed = insn->off != 0; /* checked: 1 for div and mod, a width for mov */

	op->is64 = JF_INSN_CLASS(insn->opcode) == JF_CLASS_ALU64;
	op->is_imm = !JF_INSN_SOURCE_X(insn->opcode);
	op->off = 0;
	if (JF_INSN_CODE(insn->opcode) == CODE_SWAP) {
		op->bytes = (uint8_t)(insn->imm / 8);
		op->code = op->is64 ? JF_SWAP_ALWAYS : op->is_imm ? JF_SWAP_TO_LE : JF_SWAP_TO_BE;
		return;
	}
	op->code = alu_codes[JF_INSN_CODE(insn->opcode)];
	if (!is_signed)
		return;
	switch (op->code) {
	case JF_ALU_DIV:
		op->code = JF_ALU_SDIV;
		break;
	case JF_ALU_MOD:
		op->code = JF_ALU_SMOD;
		break;
	case JF_ALU_MOV:
		op->sign = true;
		op->bytes = (uint8_t)(insn->off / 8);
		break;
	}
}

static void decode_atomic(const struct jf_insn *insn, struct jf_op *op)
{
	op->fetch = insn->imm & 1;
	switch (insn->imm & ~1) {
	case 0x00:
		op->code = JF_ATOMIC_ADD;
		break;
	case 0x40:
		op->code = JF_ATOMIC_OR;
		break;
	case 0x50:
		op->code = JF_ATOMIC_AND;
		break;
	case 0xa0:
		op->code = JF_ATOMIC_XOR;
		break;
	case 0xe0:
		op->code = JF_ATOMIC_XCHG;
		break;
	case 0xf0:
		op->code = JF_ATOMIC_CMPXCHG;
		break;
	default: /* 0x100, 0x110: checked */
		op->code = insn->imm & 0x10 ? JF_ATOMIC_STORE_REL : JF_ATOMIC_LOAD_ACQ;
	}
}

uint32_t jf_insn_decode(const struct jf_insn *insns, uint32_t index, struct jf_op *op)
{
	const struct jf_insn *insn = &insns[index];
	uint8_t opcode = insn->opcode;

	*op = (struct jf_op){
		.index = index,
		.opcode = opcode,
		.dst = jf_insn_dst(insn),
		.src = jf_insn_src(insn),
		.off = insn->off,
		.imm = insn->imm,
	};
	switch (JF_INSN_CLASS(opcode)) {
	case JF_CLASS_ALU:
	case JF_CLASS_ALU64:
		decode_alu(insn, op);
		return 1;
	case JF_CLASS_JMP:
	case JF_CLASS_JMP32:
		op->is64 = JF_INSN_CLASS(opcode) == JF_CLASS_JMP;
		op->is_imm = !JF_INSN_SOURCE_X(opcode);
		op->code = jump_codes[JF_INSN_CODE(opcode)];
		/* gotol keeps its distance in imm. */
		op->target = index + 1 +
			     (uint32_t)(opcode == (JF_JMP_JA << 4 | JF_CLASS_JMP32) ? insn->imm : insn->off);
		return 1;
	case JF_CLASS_LD:
		op->imm = (int64_t)((uint64_t)(uint32_t)insns[index + 1].imm << 32 | (uint32_t)insn->imm);
		return 2;
	default:
		op->bytes = jf_insn_bytes(opcode);
		op->sign = JF_INSN_MODE(opcode) == JF_MODE_MEMSX;
		op->is_imm = JF_INSN_CLASS(opcode) == JF_CLASS_ST;
		op->is64 = op->bytes == 8;
		if (JF_INSN_CLASS(opcode) == JF_CLASS_STX && JF_INSN_MODE(opcode) == JF_MODE_ATOMIC)
			decode_atomic(insn, op);
		return 1;
	}
}
