/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BPF_ISA_H
#define JF_BPF_ISA_H

#include <jitframe/program.h>

/* What an instruction is, as far as the driver has to tell. */
enum jf_op_kind {
	JF_OP_ALU,
	JF_OP_SWAP,
	JF_OP_IMM64,
	JF_OP_LOAD,
	JF_OP_STORE,
	JF_OP_ATOMIC,
	JF_OP_JUMP,
	JF_OP_JUMP_ALWAYS,
	JF_OP_CALL,
	JF_OP_CALL_REG,
	JF_OP_MAY_GOTO,
	JF_OP_CAST,
	JF_OP_PER_CPU,
	JF_OP_ARG_PUT,
	JF_OP_ARG_GET,
	JF_OP_EXIT,
	JF_OP_BAD,         /* no such instruction */
	JF_OP_UNSUPPORTED, /* valid, not covered */
	JF_OP_SEE_FIELDS,  /* in the table only: the opcode alone does not tell */
	JF_OP__COUNT
};

/*
 * By the byte that holds the register numbers: bit per register named, and what can be said of both. READ: both
 * are registers; SET: dst is not R10, either; IMM: src is 0. FROM_FP: src is R10 and dst is not; TO_FP: dst
 * is R10 and src is not.
 */
extern const uint32_t jf_insn_regs[256];
enum {
	JF_REGS_READ = 1 << 16,
	JF_REGS_SET = 1 << 17,
	JF_REGS_READ_IMM = 1 << 18,
	JF_REGS_SET_IMM = 1 << 19,
	JF_REGS_FROM_FP = 1 << 20,
	JF_REGS_TO_FP = 1 << 21,
};

extern const uint8_t jf_insn_kinds[256]; /* by opcode */
enum jf_op_kind jf_insn_kind_by_fields(const struct jf_insn *insn);

static inline enum jf_op_kind jf_insn_kind(const struct jf_insn *insn)
{
	enum jf_op_kind kind = (enum jf_op_kind)jf_insn_kinds[insn->opcode];

	return kind == JF_OP_SEE_FIELDS ? jf_insn_kind_by_fields(insn) : kind;
}

/* Width in bytes of a memory access, from the opcode's size field. */
static inline uint8_t jf_insn_bytes(uint8_t opcode)
{
	static const uint8_t bytes[] = {4, 2, 1, 8}; /* W, H, B, DW */

	return bytes[JF_INSN_SIZE(opcode) >> 3];
}

/* Where a jump or may_goto goes. gotol keeps its distance in imm. */
static inline int64_t jf_jump_target(uint32_t index, const struct jf_insn *insn)
{
	bool in_imm = insn->opcode == (JF_JMP_JA << 4 | JF_CLASS_JMP32);

	return (int64_t)index + 1 + (in_imm ? insn->imm : insn->off);
}

/* At most this many iterations between two looks at the clock (timed may_goto), as in Linux. */
#define JF_MAY_GOTO_ITERATIONS 0xffff

extern const struct jf_op jf_insn_templates[256]; /* by opcode: what it alone says */
uint32_t jf_insn_decode_rest(const struct jf_insn *insn, enum jf_op_kind kind, struct jf_op *op);

/* Decodes the (checked) instruction at `index`, of the kind that jf_insn_kind() gives. returns: how many
 * 8-byte units it takes. */
static inline uint32_t jf_insn_decode(const struct jf_insn *insns, uint32_t index, enum jf_op_kind kind,
				      struct jf_op *op)
{
	const struct jf_insn *insn = &insns[index];

	*op = jf_insn_templates[insn->opcode];
	op->index = index;
	op->opcode = insn->opcode;
	op->dst = jf_insn_dst(insn);
	op->src = jf_insn_src(insn);
	op->off = insn->off;
	op->imm = insn->imm;
	if (kind == JF_OP_LOAD || kind == JF_OP_STORE || (kind == JF_OP_ALU && !op->off))
		return 1;
	return jf_insn_decode_rest(insn, kind, op);
}

#endif
