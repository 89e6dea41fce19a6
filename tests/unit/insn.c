/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "bpf/isa.h"
#include "check.h"

#include <string.h>

/* The kind of every opcode, written down a second time, from the opcode tables of RFC 9669. */
static const uint8_t alu_opcodes[] = {
	0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0x94, 0xa4, 0xb4, 0xc4, /* 32 bits, immediate */
	0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c, 0x7c, 0x9c, 0xac, 0xbc, 0xcc,       /* 32 bits, register */
	0x07, 0x17, 0x27, 0x37, 0x47, 0x57, 0x67, 0x77, 0x87, 0x97, 0xa7, 0xb7, 0xc7,
	0x0f, 0x1f, 0x2f, 0x3f, 0x4f, 0x5f, 0x6f, 0x7f, 0x9f, 0xaf, 0xbf, 0xcf,
};
static const uint8_t jump_opcodes[] = {
	0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75, 0xa5, 0xb5, 0xc5, 0xd5, 0x1d, 0x2d, 0x3d, 0x4d,
	0x5d, 0x6d, 0x7d, 0xad, 0xbd, 0xcd, 0xdd, 0x16, 0x26, 0x36, 0x46, 0x56, 0x66, 0x76, 0xa6,
	0xb6, 0xc6, 0xd6, 0x1e, 0x2e, 0x3e, 0x4e, 0x5e, 0x6e, 0x7e, 0xae, 0xbe, 0xce, 0xde,
};
static const uint8_t swap_opcodes[] = {0xd4, 0xdc, 0xd7};
/* The second line of each: Linux's own, for arena memory. */
static const uint8_t load_opcodes[] = {
	0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91, 0xa1, 0xa9, 0xb1, 0xb9, 0xc1, 0xc9, 0xd1,
};
static const uint8_t store_opcodes[] = {
	0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xa2, 0xaa, 0xb2, 0xba, 0xa3, 0xab, 0xb3, 0xbb,
};
static const uint8_t atomic_opcodes[] = {0xc3, 0xcb, 0xd3, 0xdb, 0xe3, 0xeb, 0xf3, 0xfb};
static const uint8_t always_opcodes[] = {0x05, 0x06};
static const uint8_t call_opcodes[] = {0x85};
static const uint8_t exit_opcodes[] = {0x95};
static const uint8_t imm64_opcodes[] = {0x18};
static const uint8_t call_reg_opcodes[] = {0x8d};
static const uint8_t may_goto_opcodes[] = {0xe5};
/* Packet access of classic BPF: valid somewhere, not covered. */
static const uint8_t other_opcodes[] = {0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x58};

/* clang-format off */
#define KIND(kind, list) { kind, list, sizeof(list) }
/* clang-format on */
static const struct {
	enum jf_op_kind kind;
	const uint8_t *opcodes;
	size_t count;
} kinds[] = {
	KIND(JF_OP_ALU, alu_opcodes),
	KIND(JF_OP_JUMP, jump_opcodes),
	KIND(JF_OP_SWAP, swap_opcodes),
	KIND(JF_OP_LOAD, load_opcodes),
	KIND(JF_OP_STORE, store_opcodes),
	KIND(JF_OP_ATOMIC, atomic_opcodes),
	KIND(JF_OP_JUMP_ALWAYS, always_opcodes),
	KIND(JF_OP_CALL, call_opcodes),
	KIND(JF_OP_EXIT, exit_opcodes),
	KIND(JF_OP_IMM64, imm64_opcodes),
	KIND(JF_OP_CALL_REG, call_reg_opcodes),
	KIND(JF_OP_MAY_GOTO, may_goto_opcodes),
	KIND(JF_OP_UNSUPPORTED, other_opcodes),
};

Test(insn, every_opcode_has_its_kind)
{
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		struct jf_insn insn = {.opcode = (uint8_t)opcode};
		enum jf_op_kind wanted = JF_OP_BAD;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (memchr(kinds[i].opcodes, (int)opcode, kinds[i].count))
				wanted = kinds[i].kind;
		CHECK(jf_insn_kind(&insn) == wanted, "opcode 0x%02x is of kind %d, not %d", opcode, jf_insn_kind(&insn),
		      wanted);
	}
}

/* Some are told apart by their fields. */
Test(insn, fields_that_make_another_instruction)
{
	static const struct {
		struct jf_insn insn;
		enum jf_op_kind kind;
	} cases[] = {
		{INSN(0xbf, 1, 2, 1, 1), JF_OP_CAST},
		{INSN(0xbf, 1, 2, -1, 0), JF_OP_PER_CPU},
		{INSN(0xbf, 1, 2, 0, 0), JF_OP_ALU},
		{INSN(0xbf, 1, 2, 32, 0), JF_OP_ALU},
		{INSN(0xbc, 1, 2, 1, 0), JF_OP_ALU},
		{INSN(0xbc, 1, 2, -1, 0), JF_OP_ALU},
		/* arguments after the fifth: memory at R11, below for the callee's, above for one's own */
		{LDX(DW, 1, 11, 8), JF_OP_ARG_GET},
		{LDX(DW, 1, 11, 56), JF_OP_ARG_GET},
		{LDX(DW, 1, 11, 0), JF_OP_LOAD},
		{LDX(DW, 1, 11, -8), JF_OP_LOAD},
		{LDX(DW, 1, 11, 12), JF_OP_LOAD},
		{LDX(W, 1, 11, 8), JF_OP_LOAD},
		{STX(DW, 11, 1, -8), JF_OP_ARG_PUT},
		{ST(DW, 11, -16, 7), JF_OP_ARG_PUT},
		{STX(DW, 11, 1, 8), JF_OP_STORE},
		{STX(W, 11, 1, -8), JF_OP_STORE},
		{STX(DW, 10, 1, -8), JF_OP_STORE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(jf_insn_kind(&cases[i].insn) == cases[i].kind, "case %zu: %d, not %d", i,
		      jf_insn_kind(&cases[i].insn), cases[i].kind);
}

/* ---- decoding ---------------------------------------------------------------------------------------- */

static struct jf_op decode(struct jf_insn first, struct jf_insn second, uint32_t wanted_units)
{
	const struct jf_insn insns[] = {{.opcode = 0x95}, first, second};
	struct jf_op op;

	memset(&op, 0xff, sizeof(op));
	CHECK(jf_insn_decode(insns, 1, jf_insn_kind(&insns[1]), &op) == wanted_units, "opcode 0x%02x", first.opcode);
	CHECK(op.index == 1 && op.opcode == first.opcode, "opcode 0x%02x", first.opcode);
	CHECK(op.dst == (first.regs & 15) && op.src == first.regs >> 4, "opcode 0x%02x", first.opcode);
	return op;
}

#define DECODE(...) decode((struct jf_insn)__VA_ARGS__, (struct jf_insn)EXIT, 1)

Test(insn, alu_operations)
{
	static const uint8_t codes[] = {
		[ADD] = JF_ALU_ADD, [SUB] = JF_ALU_SUB, [MUL] = JF_ALU_MUL,   [DIV] = JF_ALU_DIV, [OR] = JF_ALU_OR,
		[AND] = JF_ALU_AND, [LSH] = JF_ALU_LSH, [RSH] = JF_ALU_RSH,   [NEG] = JF_ALU_NEG, [MOD] = JF_ALU_MOD,
		[XOR] = JF_ALU_XOR, [MOV] = JF_ALU_MOV, [ARSH] = JF_ALU_ARSH,
	};

	for (unsigned int code = ADD; code <= ARSH; code++) {
		struct jf_op op = DECODE(ALU64_K(code, 3, -5));

		CHECK(op.code == codes[code] && op.is64 && op.is_imm && op.imm == -5 && !op.sign, "code %u", code);
		op = DECODE(ALU32_K(code, 3, INT32_MIN));
		CHECK(op.code == codes[code] && !op.is64 && op.is_imm && op.imm == INT32_MIN, "code %u", code);
		if (code == NEG)
			continue;
		op = DECODE(ALU64_X(code, 3, 10));
		CHECK(op.code == codes[code] && op.is64 && !op.is_imm, "code %u", code);
		op = DECODE(ALU32_X(code, 3, 10));
		CHECK(op.code == codes[code] && !op.is64 && !op.is_imm, "code %u", code);
	}
}

Test(insn, signed_operations_are_told_by_the_offset)
{
	struct jf_op op = DECODE(INSN(0x3f, 1, 2, 1, 0));

	cr_assert_eq(op.code, JF_ALU_SDIV);
	cr_assert(op.is64 && !op.sign);
	op = DECODE(INSN(0x34, 1, 0, 1, -1));
	cr_assert_eq(op.code, JF_ALU_SDIV);
	cr_assert_not(op.is64);
	op = DECODE(INSN(0x97, 1, 0, 1, 7));
	cr_assert_eq(op.code, JF_ALU_SMOD);
	op = DECODE(INSN(0x97, 1, 0, 0, 7));
	cr_assert_eq(op.code, JF_ALU_MOD);
	for (int width = 8; width <= 32; width *= 2) {
		op = DECODE(INSN(0xbf, 1, 2, width, 0));
		cr_assert_eq(op.code, JF_ALU_MOV);
		cr_assert(op.sign && op.bytes == width / 8 && op.is64);
	}
	op = DECODE(INSN(0xbc, 1, 2, 16, 0));
	cr_assert(op.sign && op.bytes == 2 && !op.is64);
	op = DECODE(INSN(0xbf, 1, 2, 0, 0));
	cr_assert_not(op.sign);
}

Test(insn, byte_swaps)
{
	for (int width = 16; width <= 64; width *= 2) {
		struct jf_op op = DECODE(INSN(0xd4, 1, 0, 0, width));

		CHECK(op.code == JF_SWAP_TO_LE && op.bytes == width / 8, "%d", width);
		op = DECODE(INSN(0xdc, 1, 0, 0, width));
		CHECK(op.code == JF_SWAP_TO_BE && op.bytes == width / 8, "%d", width);
		op = DECODE(INSN(0xd7, 1, 0, 0, width));
		CHECK(op.code == JF_SWAP_ALWAYS && op.bytes == width / 8, "%d", width);
	}
}

Test(insn, jumps)
{
	static const uint8_t codes[] = {
		[JEQ] = JF_COND_EQ, [JGT] = JF_COND_GT,   [JGE] = JF_COND_GE,   [JSET] = JF_COND_SET,
		[JNE] = JF_COND_NE, [JSGT] = JF_COND_SGT, [JSGE] = JF_COND_SGE, [JLT] = JF_COND_LT,
		[JLE] = JF_COND_LE, [JSLT] = JF_COND_SLT, [JSLE] = JF_COND_SLE,
	};

	for (unsigned int code = JEQ; code <= JSLE; code++) {
		struct jf_op op;

		if (code == 8 || code == 9)
			continue;
		op = DECODE(J_K(code, 7, -9, 20));
		CHECK(op.code == codes[code] && op.is64 && op.is_imm && op.imm == -9 && op.target == 22, "code %u",
		      code);
		op = DECODE(J_X(code, 7, 8, -2));
		CHECK(op.code == codes[code] && op.is64 && !op.is_imm && op.target == 0, "code %u", code);
		op = DECODE(J32_K(code, 7, 1, 0));
		CHECK(op.code == codes[code] && !op.is64 && op.is_imm && op.target == 2, "code %u", code);
		op = DECODE(J32_X(code, 7, 8, 32767));
		CHECK(op.code == codes[code] && !op.is64 && !op.is_imm && op.target == 32769, "code %u", code);
	}
	cr_assert_eq(DECODE(JA(-1)).target, 1);
	cr_assert_eq(DECODE(JA(100)).target, 102);
	cr_assert_eq(DECODE(JAL(100000)).target, 100002);
	cr_assert_eq(DECODE(JAL(-2)).target, 0);
}

Test(insn, memory)
{
	static const uint8_t sizes[] = {W, H, B, DW};
	static const uint8_t bytes[] = {4, 2, 1, 8};

	for (unsigned int i = 0; i < 4; i++) {
		struct jf_op op = DECODE(LDX(sizes[i], 1, 2, -32768));

		CHECK(op.bytes == bytes[i] && op.off == -32768 && !op.sign, "size %u", i);
		op = DECODE(STX(sizes[i], 1, 2, 32767));
		CHECK(op.bytes == bytes[i] && op.off == 32767 && !op.is_imm, "size %u", i);
		op = DECODE(ST(sizes[i], 1, 4, -1));
		CHECK(op.bytes == bytes[i] && op.off == 4 && op.is_imm && op.imm == -1, "size %u", i);
		if (sizes[i] == DW)
			continue;
		op = DECODE(LDSX(sizes[i], 1, 2, 8));
		CHECK(op.bytes == bytes[i] && op.sign, "size %u", i);
	}
}

Test(insn, arena_memory)
{
	struct jf_op op = DECODE(INSN(0xb9, 1, 2, 8, 0));

	cr_assert(op.arena && op.bytes == 8 && !op.sign);
	op = DECODE(INSN(0xc9, 1, 2, 8, 0));
	cr_assert(op.arena && op.bytes == 2 && op.sign);
	op = DECODE(INSN(0xa2, 1, 0, 8, -3));
	cr_assert(op.arena && op.bytes == 4 && op.is_imm && op.imm == -3);
	op = DECODE(INSN(0xb3, 1, 2, 8, 0));
	cr_assert(op.arena && op.bytes == 1 && !op.is_imm);
	op = DECODE(INSN(0xfb, 1, 2, 8, 0x41));
	cr_assert(op.arena && op.bytes == 8 && op.code == JF_ATOMIC_OR && op.fetch);
	/* Plain ones are not, nor are plain atomics, whose mode means sign extension in loads. */
	cr_assert_not(DECODE(LDX(DW, 1, 2, 8)).arena);
	cr_assert_not(DECODE(LDSX(W, 1, 2, 8)).arena);
	cr_assert_not(DECODE(STX(DW, 1, 2, 8)).arena);
	cr_assert_not(DECODE(ATOMIC(DW, 1, 2, 8, 0)).arena);
}

Test(insn, arguments_after_the_fifth)
{
	for (int n = 1; n <= JF_OUT_ARGS_MAX; n++) {
		CHECK(DECODE(LDX(DW, 3, 11, 8 * n)).code == n, "incoming %d", n);
		CHECK(DECODE(STX(DW, 11, 3, -8 * n)).code == n, "outgoing %d", n);
		CHECK(DECODE(ST(DW, 11, -8 * n, 5)).code == n, "outgoing %d", n);
	}
	cr_assert(DECODE(ST(DW, 11, -8, 5)).is_imm);
	cr_assert_eq(DECODE(ST(DW, 11, -8, -5)).imm, -5);
}

Test(insn, moves_that_are_none)
{
	struct jf_op op = DECODE(INSN(0xbf, 1, 2, 1, 0x10000));

	cr_assert(op.code == JF_ALU_MOV && !op.sign && op.imm == 0x10000);
	op = DECODE(INSN(0xbf, 1, 2, -1, 0));
	cr_assert(op.code == JF_ALU_MOV && !op.sign);
}

Test(insn, atomics)
{
	static const struct {
		int32_t imm;
		uint8_t code;
	} cases[] = {
		{0x00, JF_ATOMIC_ADD},       {0x40, JF_ATOMIC_OR},         {0x50, JF_ATOMIC_AND},
		{0xa0, JF_ATOMIC_XOR},       {0xe1, JF_ATOMIC_XCHG},       {0xf1, JF_ATOMIC_CMPXCHG},
		{0x100, JF_ATOMIC_LOAD_ACQ}, {0x110, JF_ATOMIC_STORE_REL},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jf_op op = DECODE(ATOMIC(DW, 1, 2, -8, cases[i].imm));

		CHECK(op.code == cases[i].code && op.bytes == 8 && op.is64 && op.off == -8, "0x%x", cases[i].imm);
		CHECK(op.fetch == (cases[i].imm & 1), "0x%x", cases[i].imm);
		op = DECODE(ATOMIC(W, 1, 2, -8, cases[i].imm));
		CHECK(op.code == cases[i].code && op.bytes == 4 && !op.is64, "0x%x", cases[i].imm);
	}
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(DECODE(ATOMIC(DW, 1, 2, 0, cases[i].imm | 1)).fetch);
}

Test(insn, immediates_of_64_bits)
{
	struct jf_op op = decode((struct jf_insn)INSN(0x18, 1, 0, 0, 0x89abcdef),
				 (struct jf_insn)INSN(0, 0, 0, 0, 0x01234567), 2);

	cr_assert_eq(op.imm, INT64_C(0x0123456789abcdef));
	op = decode((struct jf_insn)INSN(0x18, 1, 2, 0, 1), (struct jf_insn)INSN(0, 0, 0, 0, -1), 2);
	cr_assert_eq(op.imm, (int64_t)UINT64_C(0xffffffff00000001));
	cr_assert_eq(op.src, 2);
}
