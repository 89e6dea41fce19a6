/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_ISA_H
#define TESTS_RANDOM_ISA_H

/*
 * Instruction fields as RFC 9669 section 3 and 4 number them, written down for the tests apart from the
 * library's own tables; the part after it is Linux's.
 */
enum isa_class { LD = 0, LDX = 1, ST = 2, STX = 3, ALU = 4, JMP = 5, JMP32 = 6, ALU64 = 7 };
enum isa_source { K = 0x00, X = 0x08 };
enum isa_alu {
	ADD = 0x00,
	SUB = 0x10,
	MUL = 0x20,
	DIV = 0x30,
	OR = 0x40,
	AND = 0x50,
	LSH = 0x60,
	RSH = 0x70,
	NEG = 0x80,
	MOD = 0x90,
	XOR = 0xa0,
	MOV = 0xb0,
	ARSH = 0xc0,
	END = 0xd0,
};
enum isa_jump {
	JA = 0x00,
	JEQ = 0x10,
	JGT = 0x20,
	JGE = 0x30,
	JSET = 0x40,
	JNE = 0x50,
	JSGT = 0x60,
	JSGE = 0x70,
	CALL = 0x80,
	EXIT = 0x90,
	JLT = 0xa0,
	JLE = 0xb0,
	JSLT = 0xc0,
	JSLE = 0xd0,
};
enum isa_size { W = 0x00, H = 0x08, B = 0x10, DW = 0x18 };
enum isa_mode { IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, MEMSX = 0x80, ATOMIC = 0xc0 };
enum isa_atomic { FETCH = 0x01, XCHG = 0xe1, CMPXCHG = 0xf1 }; /* the others: enum isa_alu */
enum isa_call { HELPER = 0, LOCAL = 1, RUNTIME = 2 };

/* Linux: verified code's accesses of the arena, and instructions that came after RFC 9669. */
enum isa_arena {
	ARENA = 0xa0,
	ARENA_SX = 0xc0 /* LDX */,
	ARENA_ATOMIC = 0xe0 /* STX */
};
enum isa_later { JCOND = 0xe0, LOAD_ACQ = 0x100, STORE_REL = 0x110 };
enum isa_mov { MOV_CAST = 1, MOV_PER_CPU = -1 };
enum isa_cast { CAST_TO_ARENA = 1, CAST_TO_USER = 0x10000 };
enum isa_register { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11 };

#define ISA_STACK_ARGS_MAX 7

#endif
