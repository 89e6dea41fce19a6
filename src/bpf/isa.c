/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/isa.h"

/* The one place that knows BPF's opcodes (RFC 9669), as two tables. */

/*
 * What each opcode is. A row has the operation of ALU and jump instructions, or mode and the upper size
 * bit of memory ones; a column the class, from column 8 on with the source bit or the lower size bit.
 * SEE: the other fields tell.
 */
enum {
	ALU = JF_OP_ALU,
	SWP = JF_OP_SWAP,
	I64 = JF_OP_IMM64,
	LD = JF_OP_LOAD,
	ST = JF_OP_STORE,
	ATM = JF_OP_ATOMIC,
	JMP = JF_OP_JUMP,
	JA = JF_OP_JUMP_ALWAYS,
	CAL = JF_OP_CALL,
	CLR = JF_OP_CALL_REG,
	MGO = JF_OP_MAY_GOTO,
	EXT = JF_OP_EXIT,
	BAD = JF_OP_BAD,
	UNS = JF_OP_UNSUPPORTED, /* classic BPF's packet access */
	SEE = JF_OP_SEE_FIELDS,
};

/* clang-format off */
const uint8_t jf_insn_kinds[256] = {
	/*         LD  LDX   ST  STX  ALU  JMP  J32  A64   LD  LDX   ST  STX  ALU  JMP  J32  A64 */
	/* 00 */ BAD, BAD, BAD, BAD, ALU,  JA,  JA, ALU, BAD, BAD, BAD, BAD, ALU, BAD, BAD, ALU,
	/* 10 */ BAD, BAD, BAD, BAD, ALU, JMP, JMP, ALU, I64, BAD, BAD, BAD, ALU, JMP, JMP, ALU,
	/* 20 */ UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU, UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU,
	/* 30 */ UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU, UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU,
	/* 40 */ UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU, UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU,
	/* 50 */ UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU, UNS, BAD, BAD, BAD, ALU, JMP, JMP, ALU,
	/* 60 */ BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU, BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU,
	/* 70 */ BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU, BAD, SEE, SEE, SEE, ALU, JMP, JMP, ALU,
	/* 80 */ BAD,  LD, BAD, BAD, ALU, CAL, BAD, ALU, BAD,  LD, BAD, BAD, BAD, CLR, BAD, BAD,
	/* 90 */ BAD,  LD, BAD, BAD, ALU, EXT, BAD, ALU, BAD, BAD, BAD, BAD, ALU, BAD, BAD, ALU,
	/* a0 */ BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU, BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU,
	/* b0 */ BAD,  LD,  ST,  ST, ALU, JMP, JMP, ALU, BAD,  LD,  ST,  ST, ALU, JMP, JMP, SEE,
	/* c0 */ BAD,  LD, BAD, ATM, ALU, JMP, JMP, ALU, BAD,  LD, BAD, ATM, ALU, JMP, JMP, ALU,
	/* d0 */ BAD,  LD, BAD, ATM, SWP, JMP, JMP, SWP, BAD, BAD, BAD, ATM, SWP, JMP, JMP, BAD,
	/* e0 */ BAD, BAD, BAD, ATM, BAD, MGO, BAD, BAD, BAD, BAD, BAD, ATM, BAD, BAD, BAD, BAD,
	/* f0 */ BAD, BAD, BAD, ATM, BAD, BAD, BAD, BAD, BAD, BAD, BAD, ATM, BAD, BAD, BAD, BAD,
};
/* clang-format on */

#define REGS(dst, src)                                                                                             \
	(1u << (dst) | 1u << (src) | ((dst) <= 10 && (src) <= 10 ? JF_REGS_READ : 0u) |                            \
	 ((dst) < 10 && (src) <= 10 ? JF_REGS_SET : 0u) | ((dst) <= 10 && (src) == 0 ? JF_REGS_READ_IMM : 0u) |    \
	 ((dst) < 10 && (src) == 0 ? JF_REGS_SET_IMM : 0u) | ((src) == 10 && (dst) != 10 ? JF_REGS_FROM_FP : 0u) | \
	 ((dst) == 10 && (src) != 10 ? JF_REGS_TO_FP : 0u))
#define REGS_OF(src)                                                                                                  \
	REGS(0, src), REGS(1, src), REGS(2, src), REGS(3, src), REGS(4, src), REGS(5, src), REGS(6, src),             \
		REGS(7, src), REGS(8, src), REGS(9, src), REGS(10, src), REGS(11, src), REGS(12, src), REGS(13, src), \
		REGS(14, src), REGS(15, src)

const uint32_t jf_insn_regs[256] = {
	REGS_OF(0), REGS_OF(1), REGS_OF(2),  REGS_OF(3),  REGS_OF(4),  REGS_OF(5),  REGS_OF(6),  REGS_OF(7),
	REGS_OF(8), REGS_OF(9), REGS_OF(10), REGS_OF(11), REGS_OF(12), REGS_OF(13), REGS_OF(14), REGS_OF(15),
};

/* Arguments after the fifth look like 8 bytes of memory at R11. */
static bool is_argument(const struct jf_insn *insn, uint8_t base, bool outgoing)
{
	return base == JF_BPF_ARGS && insn->off % 8 == 0 && (outgoing ? insn->off < 0 : insn->off > 0);
}

enum jf_op_kind jf_insn_kind_by_fields(const struct jf_insn *insn)
{
	switch (JF_INSN_CLASS(insn->opcode)) {
	case JF_CLASS_ALU64:
		return insn->off == JF_MOV_CAST ? JF_OP_CAST : insn->off == JF_MOV_PER_CPU ? JF_OP_PER_CPU : JF_OP_ALU;
	case JF_CLASS_LDX: return is_argument(insn, jf_insn_src(insn), false) ? JF_OP_ARG_GET : JF_OP_LOAD;
	default: return is_argument(insn, jf_insn_dst(insn), true) ? JF_OP_ARG_PUT : JF_OP_STORE;
	}
}

/* ---- what an opcode says about its operation ---------------------------------------------------- */

/* clang-format off */
#define ALU_OP(bits, alu)                                                                  \
	[(bits) << 4 | 0x04] = { .code = (alu), .is_imm = true },                          \
	[(bits) << 4 | 0x07] = { .code = (alu), .is_imm = true, .is64 = true },            \
	[(bits) << 4 | 0x0c] = { .code = (alu) }, [(bits) << 4 | 0x0f] = { .code = (alu), .is64 = true }
/* clang-format on */

/* clang-format off */
#define JUMP_OP(bits, cond)                                                                \
	[(bits) << 4 | 0x05] = { .code = (cond), .is_imm = true, .is64 = true },           \
	[(bits) << 4 | 0x06] = { .code = (cond), .is_imm = true },                         \
	[(bits) << 4 | 0x0d] = { .code = (cond), .is64 = true }, [(bits) << 4 | 0x0e] = { .code = (cond) }
/* clang-format on */

/* clang-format off */
#define SIZES(class, mode, ...)                                                            \
	[(class) | (mode) | 0x00] = { .bytes = 4, __VA_ARGS__ },                           \
	[(class) | (mode) | 0x08] = { .bytes = 2, __VA_ARGS__ },                           \
	[(class) | (mode) | 0x10] = { .bytes = 1, __VA_ARGS__ },                           \
	[(class) | (mode) | 0x18] = { .bytes = 8, .is64 = true, __VA_ARGS__ }
/* clang-format on */

/* Byte swaps: ALU with K to little, with X to big endian; ALU64 always. may_goto and calls: nothing. */
const struct jf_op jf_insn_templates[256] = {
	ALU_OP(0x0, JF_ALU_ADD),
	ALU_OP(0x1, JF_ALU_SUB),
	ALU_OP(0x2, JF_ALU_MUL),
	ALU_OP(0x3, JF_ALU_DIV),
	ALU_OP(0x4, JF_ALU_OR),
	ALU_OP(0x5, JF_ALU_AND),
	ALU_OP(0x6, JF_ALU_LSH),
	ALU_OP(0x7, JF_ALU_RSH),
	ALU_OP(0x8, JF_ALU_NEG),
	ALU_OP(0x9, JF_ALU_MOD),
	ALU_OP(0xa, JF_ALU_XOR),
	ALU_OP(0xb, JF_ALU_MOV),
	ALU_OP(0xc, JF_ALU_ARSH),
	[0xd4] = {.code = JF_SWAP_TO_LE},
	[0xdc] = {.code = JF_SWAP_TO_BE},
	[0xd7] = {.code = JF_SWAP_ALWAYS, .is64 = true},
	JUMP_OP(0x1, JF_COND_EQ),
	JUMP_OP(0x2, JF_COND_GT),
	JUMP_OP(0x3, JF_COND_GE),
	JUMP_OP(0x4, JF_COND_SET),
	JUMP_OP(0x5, JF_COND_NE),
	JUMP_OP(0x6, JF_COND_SGT),
	JUMP_OP(0x7, JF_COND_SGE),
	JUMP_OP(0xa, JF_COND_LT),
	JUMP_OP(0xb, JF_COND_LE),
	JUMP_OP(0xc, JF_COND_SLT),
	JUMP_OP(0xd, JF_COND_SLE),
	SIZES(JF_CLASS_LDX, JF_MODE_MEM, .sign = false),
	SIZES(JF_CLASS_LDX, JF_MODE_MEMSX, .sign = true),
	SIZES(JF_CLASS_LDX, JF_MODE_ARENA, .arena = true),
	SIZES(JF_CLASS_LDX, JF_MODE_ARENA_SX, .arena = true, .sign = true),
	SIZES(JF_CLASS_ST, JF_MODE_MEM, .is_imm = true),
	SIZES(JF_CLASS_ST, JF_MODE_ARENA, .is_imm = true, .arena = true),
	SIZES(JF_CLASS_STX, JF_MODE_MEM, .arena = false),
	SIZES(JF_CLASS_STX, JF_MODE_ARENA, .arena = true),
	SIZES(JF_CLASS_STX, JF_MODE_ATOMIC, .arena = false),
	SIZES(JF_CLASS_STX, JF_MODE_ARENA_ATOMIC, .arena = true),
};

/* ---- what the other fields add ------------------------------------------------------------------- */

/* The offset of an ALU instruction, when it has one (checked: 1 for div and mod, a width for mov). */
static void decode_alu_off(struct jf_op *op)
{
	if (op->code == JF_ALU_DIV) {
		op->code = JF_ALU_SDIV;
	} else if (op->code == JF_ALU_MOD) {
		op->code = JF_ALU_SMOD;
	} else {
		op->sign = true;
		op->bytes = (uint8_t)(op->off / 8);
	}
}

static void decode_atomic(struct jf_op *op)
{
	op->fetch = op->imm & 1;
	switch (op->imm & ~1) {
	case 0x00: op->code = JF_ATOMIC_ADD; break;
	case 0x40: op->code = JF_ATOMIC_OR; break;
	case 0x50: op->code = JF_ATOMIC_AND; break;
	case 0xa0: op->code = JF_ATOMIC_XOR; break;
	case 0xe0: op->code = JF_ATOMIC_XCHG; break;
	case 0xf0: op->code = JF_ATOMIC_CMPXCHG; break;
	default: /* 0x100, 0x110: checked */ op->code = op->imm & 0x10 ? JF_ATOMIC_STORE_REL : JF_ATOMIC_LOAD_ACQ;
	}
}

uint32_t jf_insn_decode_rest(const struct jf_insn *insn, enum jf_op_kind kind, struct jf_op *op)
{
	switch (kind) {
	case JF_OP_ALU: decode_alu_off(op); break;
	case JF_OP_SWAP: op->bytes = (uint8_t)(op->imm / 8); break;
	case JF_OP_ATOMIC: decode_atomic(op); break;
	case JF_OP_JUMP:
	case JF_OP_JUMP_ALWAYS:
	case JF_OP_MAY_GOTO: op->target = (uint32_t)jf_jump_target(op->index, insn); break;
	case JF_OP_ARG_PUT: op->code = (uint8_t)(-op->off / 8); break;
	case JF_OP_ARG_GET: op->code = (uint8_t)(op->off / 8); break;
	case JF_OP_IMM64: op->imm = (int64_t)((uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm); return 2;
	default: break;
	}
	return 1;
}
