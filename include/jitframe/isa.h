/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ISA_H
#define JF_ISA_H

#include <jitframe/types.h>

/*
 * The encoding of BPF instructions: RFC 9669, and what Linux's verifier hands to JITs beside it.
 * src/bpf/isa.c says which instruction each opcode is.
 */

/* One BPF instruction (RFC 9669 section 3), fields in host byte order. regs: dst in bits 0-3, src in 4-7. */
struct jf_insn {
	uint8_t opcode;
	uint8_t regs;
	int16_t off;
	int32_t imm;
};

static inline uint8_t jf_insn_dst(const struct jf_insn *insn)
{
	return insn->regs & 0x0f;
}

static inline uint8_t jf_insn_src(const struct jf_insn *insn)
{
	return insn->regs >> 4;
}

/* ---- fields of the opcode, RFC 9669 section 3 ------------------------------------------------------ */

enum {
	JF_CLASS_LD = 0,
	JF_CLASS_LDX = 1,
	JF_CLASS_ST = 2,
	JF_CLASS_STX = 3,
	JF_CLASS_ALU = 4,
	JF_CLASS_JMP = 5,
	JF_CLASS_JMP32 = 6,
	JF_CLASS_ALU64 = 7,
};
/* The fields of an opcode: class, whether the source is a register, operation, mode, size. */
#define JF_INSN_CLASS(opcode)    ((opcode)&0x07)
#define JF_INSN_SOURCE_X(opcode) (((opcode)&0x08) != 0)
#define JF_INSN_CODE(opcode)     ((opcode) >> 4)
#define JF_INSN_MODE(opcode)     ((opcode)&0xe0)
#define JF_INSN_SIZE(opcode)     ((opcode)&0x18)

enum { JF_SIZE_W = 0x00, JF_SIZE_H = 0x08, JF_SIZE_B = 0x10, JF_SIZE_DW = 0x18 };
enum { JF_MODE_IMM = 0x00, JF_MODE_MEM = 0x60, JF_MODE_MEMSX = 0x80, JF_MODE_ATOMIC = 0xc0 };
/* Linux's own, for code that a verifier has rewritten: accesses of arena memory. */
enum { JF_MODE_ARENA = 0xa0, JF_MODE_ARENA_SX = 0xc0 /* loads */, JF_MODE_ARENA_ATOMIC = 0xe0 };

/* ---- other fields ---------------------------------------------------------------------------------- */

/* MOV between registers whose offset field makes it something else. */
enum { JF_MOV_CAST = 1, JF_MOV_PER_CPU = -1 };
enum { JF_CAST_TO_ARENA = 1, JF_CAST_TO_USER = 0x10000 };
#define JF_REG_ARGS 5  /* arguments that travel in R1 to R5 */
#define JF_BPF_ARGS 11 /* the register that stands for arguments after the fifth */
enum { JF_JMP_JA = 0x0, JF_JMP_CALL = 0x8, JF_JMP_EXIT = 0x9, JF_JMP_JCOND = 0xe };
enum { JF_SRC_HELPER = 0, JF_SRC_FUNCTION = 1, JF_SRC_KFUNC = 2 };
enum { JF_SRC_IMM64 = 0, JF_SRC_MAP = 1, JF_SRC_MAP_VALUE = 2, JF_SRC_CODE = 4 };
#define JF_HELPER_TAIL_CALL 12 /* Linux's number of bpf_tail_call() */

/* ---- whole opcodes ---------------------------------------------------------------------------------- */

enum {
	JF_INSN_LDDW = 0x18, /* 64-bit immediate: two struct jf_insn; src is JF_SRC_IMM64 and its kin */
	JF_INSN_CALL = 0x85, /* src is JF_SRC_HELPER and its kin */
	JF_INSN_MOV64_IMM = 0xb7,
	JF_INSN_EXIT = 0x95,
};

/* Whether imm is the index of a function: a call of it, or a 64-bit immediate with its address. */
static inline bool jf_insn_names_function(const struct jf_insn *insn)
{
	return (insn->opcode == JF_INSN_CALL && jf_insn_src(insn) == JF_SRC_FUNCTION) ||
	       (insn->opcode == JF_INSN_LDDW && jf_insn_src(insn) == JF_SRC_CODE);
}

#endif
