/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   [legacy prefixes]  [REX]  opcode  [ModRM  [SIB]  [disp]]  [imm]     opcode in map 0, or behind 0F, 0F 38, 0F 3A
 *   C5 [RvvvvLpp]  |  C4 [RXBmmmmm] [WvvvvLpp]  |  62 [RXBR'0mmm] [Wvvvv1pp] [zL'LbV'aaa]  for prefixes and REX
 *
 * What the decoder's files share: tables of opcodes (decode_table.c, decode_vector.c) say how the bytes of an
 * instruction are split (decode.c) and what it does (decode_effect.c). Source: Intel 64 and IA-32 Architectures
 * Software Developer's Manual, volume 2: chapter 2 (formats), appendix A (opcode maps), chapters 3 to 6.
 */
#ifndef JF_BACKEND_X86_64_DECODE_H
#define JF_BACKEND_X86_64_DECODE_H

#include "x86_64.h"

/* Instructions are no longer than that: volume 2, section 2.3.11. */
#define INSN_BYTES_MAX 15

/* struct opcode.when: the mandatory prefixes that select it, with VEX.W or REX.W; and VEX.L. */
enum {
	NP_W0 = 1 << 0,
	NP_W1 = 1 << 1,
	P66_W0 = 1 << 2,
	P66_W1 = 1 << 3,
	PF3_W0 = 1 << 4,
	PF3_W1 = 1 << 5,
	PF2_W0 = 1 << 6,
	PF2_W1 = 1 << 7,
	L0 = 1 << 8,
	L1 = 1 << 9,
	NP = NP_W0 | NP_W1,
	P66 = P66_W0 | P66_W1,
	PF3 = PF3_W0 | PF3_W1,
	PF2 = PF2_W0 | PF2_W1,
	ANY = NP | P66 | PF3 | PF2,
	LX = L0 | L1,
};

/* struct opcode.rm: what follows. */
enum {
	M = 1 << 0, /* ModRM that names memory */
	R = 1 << 1, /* ModRM that names a register */
	MR = M | R,
	V = 1 << 2,   /* vvvv is an operand; elsewhere it must not be */
	SIB = 1 << 3, /* the memory operand has a SIB byte in any case */
};

/* struct opcode.form: which operands are the destination and the source. E is the ModRM's r/m, G its reg, Z the
 * register in the opcode's low bits, A the accumulator, O an address in the instruction. */
enum form {
	NONE,
	E,
	EG,
	GE,
	EI,
	E1,
	EC, /* by CL */
	G,
	Z,
	ZA,
	ZI,
	AI,
	AO,
	OA,
	I,
	VE, /* vvvv, E */
};

/* struct opcode.imm: how many bytes of immediate, and of which meaning. */
enum imm {
	I8 = 1,
	I16,
	IZ,    /* 2 with 66, else 4 */
	IV,    /* the whole operand's size */
	I16I8, /* enter's two */
	IO,    /* an address: 8, with 67 4 */
	J8,    /* a branch's distance from its end */
	JZ,    /* the same, of 4 bytes: 66 does not count in 64-bit mode */
};

/* struct opcode.size: of the operands, bytes; or one of these. */
enum {
	S0 = 0,    /* any number */
	SV = 0x80, /* 4; 2 with 66; 8 with W */
	S64,       /* 8; 2 with 66: what goes by the stack */
	SW,        /* 4; 8 with W */
	VL,        /* of the vector: 16, 32, 64 */
	VL_2,
	VL_4,
	VL_8,
};

/* struct opcode.op: what it does. */
enum op {
	/* Nothing to registers that are tracked, or memory. */
	OP_NOTHING,
	OP_NOP, /* the same, and is there for nothing else; it touches no memory either */
	/* Operands are read and no more. */
	OP_READ,
	OP_TEST,
	/* The destination gets a value that is not tracked; it is not read. */
	OP_SET,
	/* The same, and it is read before. OP_CHANGE_LOCK may have a LOCK prefix. */
	OP_CHANGE,
	OP_CHANGE_LOCK,
	OP_UNKNOWN,
	OP_SYSTEM,
	OP_TRAP,
	/* What its name says; where there is more than one instruction, by the opcode's or the ModRM's bits. */
	OP_ALU,
	OP_INC,
	OP_DEC,
	OP_NOT,
	OP_SHIFT,
	OP_SHIFTX,
	OP_MOV,
	OP_MOVZX,
	OP_MOVSX,
	OP_LEA,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	OP_CMPXCHG2,
	OP_MULX,
	OP_CMPXADD,
	OP_EXTEND_A, /* cbw and its kin */
	OP_SIGN_D,   /* cwd and its kin */
	OP_BIT,      /* bt and its kin with a register, whose memory operand reaches anywhere */
	OP_CMOV,
	OP_SETCC,
	OP_PUSH,
	OP_POP,
	OP_ENTER,
	OP_LEAVE,
	OP_CALL,
	OP_JMP,
	OP_JCC,
	OP_LOOP,
	OP_RET,
	OP_RETF,
	OP_IRET,
	OP_FAR_CALL,
	OP_FAR_JMP,
	OP_XBEGIN,
	OP_SYSRET,
	OP_MOVS, /* string instructions, REP included */
	OP_CMPS,
	OP_STOS,
	OP_LODS,
	OP_SCAS,
	OP_INS,
	OP_OUTS,
	OP_XLAT,
	OP_DIV_MUL,
	OP_KILL_AX, /* registers that go unnamed: rax ... */
	OP_KILL_CX,
	OP_KILL_AX_DX,
	OP_KILL_AX_CX_DX,
	OP_KILL_AX_BX_CX_DX,
	OP_STORE_DI,
	OP_STORE_AT_G, /* 64 bytes go where the reg operand points */
	OP_GET_MXCSR,
	OP_SET_MXCSR,
	OP_GET_FCW,
	OP_SET_FCW,
	OP_GET_CONTROL, /* whole states: stores of any size */
	OP_SET_CONTROL,
	OP_LANDING_PAD,
	OP_SCATTER, /* to addresses that are not tracked */
};

/* One line of the opcode maps: opcodes first to last, under conditions. */
struct opcode {
	uint8_t first, last;
	uint16_t when;
	uint8_t rm;
	uint8_t digits, rms; /* sets of values of ModRM.reg and ModRM.rm */
	uint8_t form, imm, op, size;
	char name[13]; /* "": found by the opcode's bits, or one of many that are alike */
};

/* For the tables: any ModRM.reg or rm, and one of them. */
#define ALL  0xff
#define D(n) (1 << (n))

/* Without ModRM; with it; with an extension of the opcode in it. */
/* clang-format off */
#define PLAIN(first, last, form, imm, op, size, name) {first, last, ANY, 0, ALL, ALL, form, imm, op, size, name}
#define MODRM(first, last, form, imm, op, size, name) {first, last, ANY, MR, ALL, ALL, form, imm, op, size, name}
#define GROUP(code, digits, form, imm, op, size, name) {code, code, ANY, MR, digits, ALL, form, imm, op, size, name}
#define MEM(code, digits, form, op, size, name) {code, code, ANY, M, digits, ALL, form, 0, op, size, name}
#define REG(code, when, digits, rms, form, op, size, name) {code, code, when, R, digits, rms, form, 0, op, size, name}
/* clang-format on */

/* From vectors, masks and memory to vectors and masks; READS_V with a third operand in vvvv. */
/* clang-format off */
#define READS(first, last, when, imm) {first, last, when, MR, ALL, ALL, E, imm, OP_READ, S0, ""}
#define READS_V(first, last, when, imm) {first, last, when, MR | V, ALL, ALL, E, imm, OP_READ, S0, ""}
#define STORES(first, last, when, imm, size) {first, last, when, M, ALL, ALL, E, imm, OP_SET, size, ""}
/* clang-format on */

struct opcode_map {
	const struct opcode *rows; /* by `first` */
	uint16_t count;
};

/* clang-format off */
#define MAP(rows) {rows, sizeof(rows) / sizeof((rows)[0])}
/* clang-format on */

/* The maps: of one byte; behind 0F, 0F 38 and 0F 3A, counted from 1; by VEX.mmmmm; by EVEX.mmm. */
extern const struct opcode_map jf_x86_64_map_1 HIDDEN;
extern const struct opcode_map jf_x86_64_0f_maps[4] HIDDEN;
extern const struct opcode_map jf_x86_64_vex_maps[4] HIDDEN;
extern const struct opcode_map jf_x86_64_evex_maps[7] HIDDEN;

/* [base + (index << scale) + disp]; without registers, and with `elsewhere`, not in the stack */
struct address {
	int64_t disp; /* with `at_pc`, from the instruction's first byte */
	uint8_t base, index, scale;
	bool at_pc, elsewhere;
};

/* An instruction, split. Register numbers have their fourth bits. */
struct insn {
	const struct opcode *opcode;
	struct address mem;
	int64_t imm;
	uint8_t level; /* enter's second immediate */
	uint8_t size_bytes;
	uint8_t op;  /* the opcode's last byte */
	uint8_t vex; /* 0, or 0xc4, 0xc5, 0x62 */
	uint8_t rep; /* 0, 0xf2, 0xf3: the last one */
	uint8_t pp;  /* 0, 66, F3, F2 as VEX numbers them */
	uint8_t vector_bytes;
	bool data16, addr32, lock, has_rex, w;
	bool segment; /* FS or GS: one with a base */
	bool flat;    /* one without, which processors let pass, or let go before FS and GS */
	uint8_t mod, reg, rm, vvvv;
	bool high_reg; /* EVEX.R': a vector register from 16 on */
	bool scaled;   /* EVEX: disp is in units that depend on the instruction */
};

/* returns: as jf_decode(). */
HIDDEN enum jf_status jf_x86_64_split(const uint8_t *bytes, size_t count, struct insn *insn);
HIDDEN void jf_x86_64_effect(const struct insn *insn, struct jf_effect *effect);

#endif
