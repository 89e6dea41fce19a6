/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_BPF_H
#define JF_TESTS_BPF_H

#include <jitframe/program.h>

/* BPF instructions as initialisers of struct jf_insn; opcodes as in RFC 9669. K: immediate, X: register. */
/* clang-format off */
#define INSN(opcode, dst, src, off, imm)                                                \
	{                                                                               \
		(opcode), (uint8_t)((dst) | (src) << 4), (int16_t)(off), (int32_t)(imm) \
	}
/* clang-format on */

#define ALU64_K(code, dst, imm) INSN((code) << 4 | 0x07, dst, 0, 0, imm)
#define ALU64_X(code, dst, src) INSN((code) << 4 | 0x0f, dst, src, 0, 0)
#define ALU32_K(code, dst, imm) INSN((code) << 4 | 0x04, dst, 0, 0, imm)
#define ALU32_X(code, dst, src) INSN((code) << 4 | 0x0c, dst, src, 0, 0)
enum { ADD = 0, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH };

#define MOV_K(dst, imm) ALU64_K(MOV, dst, imm)
#define MOV_X(dst, src) ALU64_X(MOV, dst, src)
#define ADD_K(dst, imm) ALU64_K(ADD, dst, imm)
#define ADD_X(dst, src) ALU64_X(ADD, dst, src)

#define JA(off)                    INSN(0x05, 0, 0, off, 0)
#define JAL(off)                   INSN(0x06, 0, 0, 0, off) /* gotol */
#define J_K(code, dst, imm, off)   INSN((code) << 4 | 0x05, dst, 0, off, imm)
#define J_X(code, dst, src, off)   INSN((code) << 4 | 0x0d, dst, src, off, 0)
#define J32_K(code, dst, imm, off) INSN((code) << 4 | 0x06, dst, 0, off, imm)
#define J32_X(code, dst, src, off) INSN((code) << 4 | 0x0e, dst, src, off, 0)
enum { JEQ = 1, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT = 0xa, JLE, JSLT, JSLE };

#define CALL_HELPER(number)  INSN(0x85, 0, 0, 0, number)
#define CALL_FUNCTION(index) INSN(0x85, 0, 1, 0, index)
#define CALL_KFUNC(index)    INSN(0x85, 0, 2, 0, index)
#define EXIT                 INSN(0x95, 0, 0, 0, 0)

enum { W = 0x00, H = 0x08, B = 0x10, DW = 0x18 };
#define LDX(size, dst, src, off)          INSN(0x61 | (size), dst, src, off, 0)
#define LDSX(size, dst, src, off)         INSN(0x81 | (size), dst, src, off, 0)
#define ST(size, dst, off, imm)           INSN(0x62 | (size), dst, 0, off, imm)
#define STX(size, dst, src, off)          INSN(0x63 | (size), dst, src, off, 0)
#define ATOMIC(size, dst, src, off, what) INSN(0xc3 | (size), dst, src, off, what)

/* Two instructions. kind: 0 value, 1 map, 2 map value, 4 code. */
#define LDDW(dst, kind, low, high) INSN(0x18, dst, kind, 0, low), INSN(0, 0, 0, 0, high)

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
/* clang-format off */
#define FUNCTION(name, insns) { name, insns, COUNT_OF(insns) }
/* clang-format on */

#endif
