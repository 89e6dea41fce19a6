/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_insn.h"

/* Which 32-bit operations may leave anything in the upper half. A case is code and their indexes, as bits. */

#define SUM32(dst, src) ALU32_X(ADD, dst, src)
#define SWAP(dst, bits) INSN(0xd7, dst, 0, 0, bits)
#define BIT(i)          (1u << (i))

#define CHECK_UPPER(wanted, ...) CHECK_MARKS(jf_unit_mark_upper, JF_INSN_UPPER_DEAD, wanted, __VA_ARGS__)

Test(upper, of_results)
{
	CHECK_UPPER(0, SUM32(0, 1));
	CHECK_UPPER(BIT(0), SUM32(2, 1));
	CHECK_UPPER(0, ADD_X(2, 1));
	CHECK_UPPER(BIT(0), SUM32(2, 1), MOV_X(0, 1));
	CHECK_UPPER(0, SUM32(2, 1), MOV_X(0, 2));
	CHECK_UPPER(BIT(0), SUM32(0, 1), SUM32(0, 2));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ALU32_X(MOV, 0, 2));
	CHECK_UPPER(BIT(0), SUM32(2, 1), INSN(0xbf, 0, 2, 32, 0));
	CHECK_UPPER(BIT(0), SUM32(0, 1), LDDW(0, 0, 1, 0));
}

/* Sums, products and shifts to the left need the upper half for the upper half alone. */
Test(upper, through_64_bit_operations)
{
	CHECK_UPPER(BIT(0), SUM32(2, 1), ADD_X(2, 1), STX(W, 10, 2, -8));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ADD_X(3, 2), STX(W, 10, 3, -8));
	CHECK_UPPER(0, SUM32(2, 1), ADD_X(3, 2), STX(DW, 10, 3, -8));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ALU64_K(LSH, 2, 4), STX(W, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), ALU64_K(RSH, 2, 4), STX(W, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), ALU64_K(ARSH, 2, 4), STX(W, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), ALU64_X(DIV, 2, 3), STX(W, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), ALU64_X(MOD, 3, 2), STX(W, 10, 3, -8));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ALU64_X(LSH, 0, 2));
	CHECK_UPPER(0, SUM32(2, 1), SWAP(2, 64), STX(W, 10, 2, -8));
	CHECK_UPPER(BIT(0), SUM32(2, 1), SWAP(2, 32), STX(DW, 10, 2, -8));
}

Test(upper, through_memory)
{
	CHECK_UPPER(BIT(0), SUM32(2, 1), STX(W, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), STX(DW, 10, 2, -8));
	CHECK_UPPER(0, SUM32(2, 1), LDX(W, 3, 2, 0));
	CHECK_UPPER(0, SUM32(2, 1), STX(W, 2, 1, 0));
	CHECK_UPPER(0, SUM32(2, 1), ST(W, 2, 0, 1));
	CHECK_UPPER(BIT(0), SUM32(2, 1), LDX(W, 2, 1, 0), MOV_X(0, 2));
	CHECK_UPPER(0, SUM32(2, 1), INSN(0xbf, 2, 2, 1, JF_CAST_TO_ARENA));
}

Test(upper, through_atomics)
{
	CHECK_UPPER(BIT(0), SUM32(2, 1), ATOMIC(W, 1, 2, 0, 0));
	CHECK_UPPER(0, SUM32(2, 1), ATOMIC(DW, 1, 2, 0, 0));
	CHECK_UPPER(0, SUM32(2, 1), ATOMIC(W, 2, 1, 0, 0));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ATOMIC(W, 1, 2, 0, 1), MOV_X(0, 2));
	CHECK_UPPER(BIT(0), SUM32(0, 1), ATOMIC(W, 1, 2, 0, 0xf1));
	CHECK_UPPER(0, SUM32(0, 1), ATOMIC(DW, 1, 2, 0, 0xf1));
	CHECK_UPPER(0, SUM32(0, 1), ATOMIC(W, 1, 2, 0, 0xe1));
	CHECK_UPPER(0, SUM32(2, 1), ATOMIC(W, 3, 2, 0, 0x100));
	CHECK_UPPER(BIT(0), SUM32(2, 1), ATOMIC(W, 3, 2, 0, 0x110));
}

Test(upper, through_calls)
{
	CHECK_UPPER(0, SUM32(1, 2), CALL_HELPER(0));
	CHECK_UPPER(0, SUM32(5, 2), CALL_HELPER(0));
	CHECK_UPPER(BIT(0), SUM32(0, 2), CALL_HELPER(0));
	CHECK_UPPER(BIT(0), SUM32(6, 2), CALL_HELPER(0));
	CHECK_UPPER(0, SUM32(6, 2), CALL_HELPER(0), MOV_X(0, 6));
	CHECK_UPPER(0, SUM32(6, 2), INSN(0x8d, 6, 0, 0, 0));
}

/* Any way from there is enough. */
Test(upper, through_branches)
{
	CHECK_UPPER(0, SUM32(2, 1), J_K(JEQ, 2, 0, 0));
	CHECK_UPPER(BIT(0), SUM32(2, 1), J32_K(JNE, 2, 0, 0));
	CHECK_UPPER(0, SUM32(2, 1), J_X(JEQ, 1, 2, 0));
	CHECK_UPPER(0, SUM32(2, 1), J_K(JEQ, 1, 0, 1), MOV_K(2, 0), MOV_X(0, 2));
	CHECK_UPPER(BIT(0), SUM32(2, 1), J_K(JEQ, 1, 0, 1), MOV_X(0, 1), MOV_K(2, 0));
	CHECK_UPPER(0, SUM32(2, 1), JA(1), MOV_K(2, 0), MOV_X(0, 2));
	CHECK_UPPER(BIT(0), SUM32(2, 1), JA(1), MOV_X(0, 2), MOV_K(2, 0));
	/* Read before it in the code, behind it in time; and through one register more in every round. */
	CHECK_UPPER(0, MOV_X(0, 2), SUM32(2, 1), J_K(JEQ, 1, 0, -3));
	CHECK_UPPER(0, MOV_X(0, 2), SUM32(2, 1), INSN(0xe5, 0, 0, -3, 0));
	CHECK_UPPER(0, MOV_X(0, 4), MOV_X(4, 3), MOV_X(3, 2), SUM32(2, 1), J_K(JNE, 1, 0, -5));
}

/* When it takes too many rounds, nothing is marked, not even what nothing reads. */
Test(upper, of_what_is_too_deep)
{
	CHECK_UPPER(BIT(0), SUM32(9, 1), MOV_X(0, 6), MOV_X(6, 5), MOV_X(5, 4), MOV_X(4, 3), MOV_X(3, 2), SUM32(2, 1),
		    J_K(JNE, 1, 0, -7));
	CHECK_UPPER(0, SUM32(9, 1), MOV_X(0, 8), MOV_X(8, 7), MOV_X(7, 6), MOV_X(6, 5), MOV_X(5, 4), MOV_X(4, 3),
		    MOV_X(3, 2), SUM32(2, 1), J_K(JNE, 1, 0, -9));
}
