/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_insn.h"

/* Which accesses go through arena pointers. A case is code and the indexes of those that do, as bits. */

#define TO_ARENA(dst, src) INSN(0xbf, dst, src, 1, JF_CAST_TO_ARENA)
#define TO_USER(dst, src)  INSN(0xbf, dst, src, 1, JF_CAST_TO_USER)

#define CHECK_ARENA(wanted, ...) CHECK_MARKS(jf_unit_mark_arena, JF_INSN_ARENA, wanted, __VA_ARGS__)
#define BIT(i)                   (1u << (i))

Test(arena, from_the_cast_on)
{
	CHECK_ARENA(0, LDX(DW, 0, 1, 0), STX(DW, 1, 2, 0));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), LDX(DW, 0, 2, 0), LDX(DW, 0, 1, 0));
	CHECK_ARENA(BIT(2) | BIT(3), LDX(DW, 0, 1, 0), TO_ARENA(1, 1), LDX(W, 0, 1, 4), ST(B, 1, 0, 1));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), STX(DW, 2, 1, 0), STX(DW, 1, 2, 0));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), LDSX(W, 0, 2, 0));
}

Test(arena, atomics)
{
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), ATOMIC(DW, 2, 1, 0, 0), ATOMIC(DW, 1, 2, 0, 0));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), ATOMIC(DW, 3, 2, 0, 0x100), ATOMIC(DW, 2, 3, 0, 0x100));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), ATOMIC(DW, 2, 3, 0, 0x110), ATOMIC(DW, 3, 2, 0, 0x110));
	/* What they fetch is a number. */
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), TO_ARENA(3, 1), ATOMIC(DW, 2, 3, 0, 0xe1), LDX(DW, 0, 3, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), TO_ARENA(0, 1), ATOMIC(DW, 2, 3, 0, 0xf1), LDX(DW, 4, 0, 0));
}

Test(arena, copies_and_sums)
{
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), MOV_X(3, 2), LDX(DW, 0, 3, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), ADD_K(2, 8), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), ADD_X(2, 3), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), ADD_X(3, 2), LDX(DW, 0, 3, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), ALU64_X(SUB, 2, 3), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), ALU64_K(SUB, 2, 3), LDX(DW, 0, 2, 0));
}

Test(arena, until_it_is_written_otherwise)
{
	CHECK_ARENA(0, TO_ARENA(2, 1), MOV_K(2, 0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), MOV_X(2, 1), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), TO_USER(2, 2), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(1), TO_ARENA(2, 1), LDX(DW, 2, 2, 0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), LDDW(2, 0, 1, 0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), ALU64_K(MUL, 2, 1), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), INSN(0xdc, 2, 0, 0, 64), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), INSN(0xbf, 2, 2, 32, 0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), INSN(0xbf, 2, 2, -1, 0), LDX(DW, 0, 2, 0));
}

Test(arena, calls_keep_R6_to_R9)
{
	CHECK_ARENA(0, TO_ARENA(2, 1), CALL_HELPER(0), LDX(DW, 3, 2, 0), LDX(DW, 3, 0, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(6, 1), CALL_HELPER(0), LDX(DW, 3, 6, 0));
	CHECK_ARENA(BIT(2), TO_ARENA(6, 1), INSN(0x8d, 7, 0, 0, 0), LDX(DW, 3, 6, 0));
}

Test(arena, spills)
{
	CHECK_ARENA(BIT(3), TO_ARENA(2, 1), STX(DW, 10, 2, -8), LDX(DW, 3, 10, -8), LDX(DW, 0, 3, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), STX(DW, 10, 2, -8), LDX(DW, 3, 10, -16), LDX(DW, 0, 3, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), STX(DW, 10, 2, -8), LDX(W, 3, 10, -8), LDX(DW, 0, 3, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), STX(DW, 10, 2, -8), ST(DW, 10, -8, 0), LDX(DW, 3, 10, -8), LDX(DW, 0, 3, 0));
	CHECK_ARENA(0, TO_ARENA(2, 1), STX(DW, 10, 2, -8), STX(DW, 10, 1, -8), LDX(DW, 3, 10, -8), LDX(DW, 0, 3, 0));
	CHECK_ARENA(BIT(3), TO_ARENA(2, 1), STX(DW, 10, 2, -512), LDX(DW, 3, 10, -512), LDX(DW, 0, 3, 0));
}

/* ---- where paths meet: on any of them is enough -------------------------------------------------------- */

Test(arena, one_way_of_a_branch)
{
	CHECK_ARENA(BIT(2), J_K(JEQ, 1, 0, 1), TO_ARENA(2, 1), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(3), TO_ARENA(2, 1), J_K(JEQ, 1, 0, 1), MOV_K(2, 0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(BIT(4), J_K(JEQ, 1, 0, 2), MOV_K(2, 0), JA(1), TO_ARENA(2, 1), LDX(DW, 0, 2, 0));
	/* Behind an unconditional jump nothing is known. */
	CHECK_ARENA(BIT(2), TO_ARENA(2, 1), JA(0), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, JA(2), TO_ARENA(2, 1), MOV_K(2, 0), LDX(DW, 0, 2, 0));
}

/* The cast is behind the access in the code, before it in time. */
Test(arena, loops)
{
	CHECK_ARENA(BIT(1), MOV_K(2, 0), LDX(DW, 0, 2, 0), TO_ARENA(2, 1), J_K(JNE, 1, 0, -3));
	CHECK_ARENA(BIT(1), MOV_K(2, 0), LDX(DW, 0, 2, 0), TO_ARENA(2, 1), INSN(0xe5, 0, 0, -3, 0));
	CHECK_ARENA(0, MOV_K(2, 0), LDX(DW, 0, 2, 0), TO_ARENA(2, 1), J_K(JNE, 1, 0, -4));
	/* Through two registers, one loop each. */
	CHECK_ARENA(BIT(0), LDX(DW, 0, 4, 0), MOV_X(4, 3), MOV_X(3, 2), TO_ARENA(2, 1), J_K(JNE, 1, 0, -5));
}

Test(arena, code_that_is_not_reached)
{
	CHECK_ARENA(0, JA(1), LDX(DW, 0, 2, 0));
	CHECK_ARENA(0, JA(2), TO_ARENA(2, 1), LDX(DW, 0, 2, 0));
}

/* Whatever the code: it ends, and marks nothing but accesses to memory. */
Test(arena, random_code)
{
	static const struct jf_insn kinds[] = {
		TO_ARENA(1, 2),     MOV_X(3, 1),      ADD_X(1, 2), STX(DW, 10, 1, -8),
		LDX(DW, 2, 10, -8), LDX(DW, 3, 1, 0), MOV_K(1, 0), JA(0),
		J_K(JEQ, 1, 0, 0),  CALL_HELPER(0),   EXIT,        STX(DW, 3, 2, 8),
	};
	struct rng rng = {41};

	for (unsigned int round = 0; round < 5000; round++) {
		uint32_t count = 2 + rng_below(&rng, 29), marks;
		struct jf_insn insns[31];

		for (uint32_t i = 0; i < count; i++) {
			insns[i] = kinds[rng_below(&rng, COUNT_OF(kinds))];
			if ((insns[i].opcode & 7) == 5 && insns[i].opcode != 0x85 && insns[i].opcode != 0x95)
				insns[i].off = (int16_t)((int)rng_below(&rng, count) - (int)i - 1);
		}
		insns[count - 1] = (struct jf_insn)EXIT;
		marks = marks_of(insns, count, jf_unit_mark_arena, JF_INSN_ARENA);
		for (uint32_t i = 0; i < count; i++)
			CHECK(!(marks & BIT(i)) || (insns[i].opcode & 7) == 1 || (insns[i].opcode & 7) == 3, "round %u",
			      round);
	}
}
