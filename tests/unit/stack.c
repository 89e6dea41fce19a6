/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"

/* jf_function_stack(): how deep code reaches under R10. */

#define MAX 512

static uint32_t stack_of(const struct jf_insn *insns, uint32_t count)
{
	struct jf_function function = {"f", insns, count};
	uint32_t bytes = 0xdead;

	CHECK_STATUS(jf_function_stack(&function, MAX, &bytes), JF_OK, "%u instructions", count);
	return bytes;
}

/* CHECK_STACK(bytes, instructions...): an EXIT is added. */
#define CHECK_STACK(wanted, ...)                                                                             \
	do {                                                                                                 \
		const struct jf_insn insns_[] = {__VA_ARGS__, EXIT};                                         \
		uint32_t bytes_ = stack_of(insns_, COUNT_OF(insns_));                                        \
                                                                                                             \
		CHECK(bytes_ == (wanted), "%u bytes, not %u: %s", bytes_, (unsigned)(wanted), #__VA_ARGS__); \
	} while (0)

Test(stack, code_that_has_none)
{
	CHECK_STACK(0, MOV_K(0, 0));
	CHECK_STACK(0, LDX(DW, 0, 1, -8));
	CHECK_STACK(0, ADD_K(1, -100), STX(DW, 1, 2, -500));
	CHECK_STACK(0, MOV_X(1, 10), MOV_X(2, 1));
	CHECK_STACK(0, LDX(DW, 0, 10, 16));
}

Test(stack, accesses_through_R10)
{
	CHECK_STACK(8, STX(DW, 10, 1, -8));
	CHECK_STACK(8, ST(W, 10, -8, 7));
	CHECK_STACK(1, ST(B, 10, -1, 7));
	CHECK_STACK(24, STX(W, 10, 1, -4), LDX(DW, 0, 10, -24), ST(DW, 10, -16, 0));
	CHECK_STACK(16, ATOMIC(DW, 10, 1, -16, 0));
	CHECK_STACK(16, ATOMIC(DW, 10, 1, -16, 0x110));
	CHECK_STACK(16, ATOMIC(DW, 1, 10, -16, 0x100));
	CHECK_STACK(512, LDX(DW, 0, 10, -512));
}

Test(stack, copies_of_R10)
{
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40));
	CHECK_STACK(40, MOV_X(2, 10), ALU64_K(SUB, 2, 40));
	CHECK_STACK(48, MOV_X(2, 10), ADD_K(2, -40), ST(DW, 2, -8, 0));
	CHECK_STACK(48, MOV_X(2, 10), ADD_K(2, -40), MOV_X(3, 2), ST(DW, 3, -8, 0), ADD_K(3, 16), ST(DW, 3, -8, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), ST(DW, 2, 32, 0));
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, 8), ADD_K(2, -72));
}

Test(stack, what_is_overwritten_is_no_address_any_more)
{
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), MOV_K(2, 0), ST(DW, 2, -500, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), LDDW(2, 0, 0, 0), ST(DW, 2, -500, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), LDX(DW, 2, 1, 0), ST(DW, 2, -500, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), MOV_X(2, 1), ST(DW, 2, -500, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), CALL_HELPER(0), ST(DW, 0, -500, 0));
	CHECK_STACK(40, MOV_X(2, 10), ADD_K(2, -40), CALL_HELPER(0), ST(DW, 2, -500, 0));
}

Test(stack, callee_saved_registers_survive_calls)
{
	CHECK_STACK(100, MOV_X(6, 10), ADD_K(6, -40), CALL_HELPER(0), ST(DW, 6, -60, 0));
}

Test(stack, depths_over_the_maximum_are_the_maximum)
{
	CHECK_STACK(512, LDX(DW, 0, 10, -513));
	CHECK_STACK(512, LDX(DW, 0, 10, -32768));
	CHECK_STACK(512, MOV_X(1, 10), ADD_K(1, INT32_MIN));
	CHECK_STACK(512, MOV_X(1, 10), ALU64_K(SUB, 1, INT32_MAX));
	CHECK_STACK(512, MOV_X(1, 10), ADD_K(1, INT32_MIN), ADD_K(1, INT32_MIN));
}

/* A maximum of 0 is one, too: everything is over it. */
Test(stack, the_maximum_is_the_callers)
{
	const struct jf_insn insns[] = {ST(DW, 10, -64, 0), EXIT};
	const struct jf_function function = FUNCTION("f", insns);
	uint32_t bytes;

	cr_assert_eq(jf_function_stack(&function, 64, &bytes), JF_OK);
	cr_assert_eq(bytes, 64);
	cr_assert_eq(jf_function_stack(&function, 63, &bytes), JF_OK);
	cr_assert_eq(bytes, 63);
	cr_assert_eq(jf_function_stack(&function, 0, &bytes), JF_OK);
	cr_assert_eq(bytes, 0);
	cr_assert_eq(jf_function_stack(&function, 32768, &bytes), JF_OK);
	cr_assert_eq(bytes, 64);
}

/* Upwards from a constant, by an index: the compilers' way to write buf[i]. */
Test(stack, objects_with_an_index)
{
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), ADD_X(2, 1), ST(B, 2, 0, 0));
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), ADD_X(1, 2), ST(B, 1, 5, 0));
}

Test(stack, an_index_below_the_constant_is_not_followed)
{
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ADD_X(2, 1), ST(B, 2, -1, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ADD_X(2, 1), ADD_K(2, -1));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ADD_X(1, 2), ST(B, 1, -5, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ALU64_X(SUB, 2, 1));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ALU64_K(AND, 2, -64));
}

/* R10 itself plus an index: nothing lies above, so the index goes down. */
Test(stack, an_index_from_R10_is_not_followed)
{
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_X(2, 1), ST(B, 2, 0, 0));
	CHECK_STACK(MAX, MOV_K(1, -64), ADD_X(1, 10), ST(B, 1, 0, 0));
}

/* Distances between addresses are no addresses. */
Test(stack, the_difference_of_two_addresses)
{
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), MOV_X(3, 10), ADD_K(3, -32), ALU64_X(SUB, 3, 2), ADD_K(3, -500),
		    ST(B, 3, -500, 0));
}

/* ---- where jumps meet ---------------------------------------------------------------------------------- */

Test(stack, a_loop_that_counts_upwards)
{
	/* r6 = r10 - 64; do { *(r6 + 0) = 0; r6 += 8; } while (--r1) */
	CHECK_STACK(64, MOV_X(6, 10), ADD_K(6, -64), ST(DW, 6, 0, 0), ADD_K(6, 8), ADD_K(1, -1), J_K(JNE, 1, 0, -4));
}

Test(stack, a_loop_that_counts_downwards_is_not_followed)
{
	CHECK_STACK(MAX, MOV_X(6, 10), ST(DW, 6, -8, 0), ADD_K(6, -8), ADD_K(1, -1), J_K(JNE, 1, 0, -4));
	CHECK_STACK(MAX, MOV_X(6, 10), ADD_K(6, -8), J_K(JNE, 1, 0, -2));
}

Test(stack, either_way_of_a_branch)
{
	/* if (r1) r6 = r10 - 16; else r6 = r10 - 128; *r6 = 0 */
	CHECK_STACK(128, MOV_X(6, 10), J_K(JEQ, 1, 0, 3), MOV_X(6, 10), ADD_K(6, -16), JA(2), MOV_X(6, 10),
		    ADD_K(6, -128), ST(DW, 6, 0, 0));
}

Test(stack, below_an_address_from_either_way_is_not_followed)
{
	CHECK_STACK(MAX, MOV_X(6, 10), J_K(JEQ, 1, 0, 2), ADD_K(6, -16), JA(1), ADD_K(6, -128), ST(DW, 6, -8, 0));
}

Test(stack, a_register_that_never_holds_an_address_does_not_matter_at_a_join)
{
	CHECK_STACK(8, ST(DW, 10, -8, 0), J_K(JEQ, 1, 0, 1), MOV_K(2, 0), ST(DW, 2, -400, 0));
}

/* ---- through memory ------------------------------------------------------------------------------------ */

Test(stack, a_spilled_address_may_be_used_upwards)
{
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), LDX(DW, 3, 10, -8), ST(DW, 3, 16, 0));
}

Test(stack, below_a_spilled_address_is_not_followed)
{
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -16), STX(DW, 10, 2, -8), LDX(DW, 3, 10, -8), ST(DW, 3, -64, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -16), STX(DW, 10, 2, -8), LDX(DW, 3, 10, -8), MOV_X(4, 3),
		    ADD_K(4, -64));
	/* Also where the load comes first in the code. */
	CHECK_STACK(MAX, JA(2), LDX(DW, 3, 10, -8), ST(DW, 3, -64, 0), MOV_X(2, 10), ADD_K(2, -16), STX(DW, 10, 2, -8),
		    JA(-6));
	CHECK_STACK(MAX, STX(DW, 10, 10, -8), LDX(DW, 3, 10, -8), ST(DW, 3, -64, 0));
}

/* Words are told apart: a number next to a spilled address stays a number. */
Test(stack, a_spilled_number_is_no_address)
{
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), STX(DW, 10, 1, -16), LDX(DW, 3, 10, -16),
		    ADD_K(3, -500), ST(DW, 3, -500, 0));
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), LDX(DW, 3, 1, 0), ST(DW, 3, -500, 0));
	CHECK_STACK(64, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 1, 2, 0), LDX(DW, 3, 10, -8), ST(DW, 3, -500, 0));
}

Test(stack, addresses_stored_elsewhere)
{
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 1, 2, 0), LDX(DW, 3, 1, 0), ST(DW, 3, -500, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), MOV_X(4, 2), ADD_X(4, 1), STX(DW, 4, 2, 0), LDX(DW, 3, 10, -16),
		    ST(DW, 3, -500, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), MOV_X(4, 2), ADD_X(4, 1), STX(DW, 10, 2, -8), LDX(DW, 3, 4, 0),
		    ST(DW, 3, -500, 0));
}

Test(stack, an_exchange_moves_addresses_both_ways)
{
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), ATOMIC(DW, 10, 2, -8, 0xe1), LDX(DW, 3, 10, -8),
		    ST(DW, 3, -500, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), ATOMIC(DW, 10, 3, -8, 0xe1),
		    ST(DW, 3, -500, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), ATOMIC(DW, 10, 3, -8, 0xf1),
		    ST(DW, 0, -500, 0));
	CHECK_STACK(MAX, MOV_X(2, 10), ADD_K(2, -64), STX(DW, 10, 2, -8), ATOMIC(DW, 3, 10, -8, 0x100),
		    ST(DW, 3, -500, 0));
}

/* ---- refusals ------------------------------------------------------------------------------------------- */

Test(stack, arguments)
{
	const struct jf_insn insns[] = {EXIT}, bad[] = {MOV_K(0, 0)};
	const struct jf_function function = FUNCTION("f", insns), falls = FUNCTION("f", bad), empty = {"f", insns, 0};
	uint32_t bytes = 77;

	cr_assert_eq(jf_function_stack(NULL, 512, &bytes), JF_E_INVAL);
	cr_assert_eq(jf_function_stack(&function, 512, NULL), JF_E_INVAL);
	cr_assert_eq(jf_function_stack(&function, UINT32_MAX, &bytes), JF_E_INVAL);
	cr_assert_eq(jf_function_stack(&falls, 512, &bytes), JF_E_BAD_INSN);
	cr_assert_eq(jf_function_stack(&empty, 512, &bytes), JF_E_BAD_INSN);
	cr_assert_eq(bytes, 77);
}

/* ---- against running the code ---------------------------------------------------------------------------- */

/*
 * Straight code and forward branches over registers and spills that hold numbers or addresses, run on
 * paths that a coin chooses: no access may be deeper than what was found.
 */
#define LENGTH 14

static struct jf_insn random_step(struct rng *rng, uint32_t left)
{
	unsigned int a = 1 + rng_below(rng, 3), b = rng_below(rng, 3) ? 1 + rng_below(rng, 3) : 10;
	int32_t k = ((int32_t)rng_below(rng, 9) - 6) * 8;

	switch (rng_below(rng, 10)) {
	case 8: return (struct jf_insn)STX(DW, 10, a, -8 * (int)(1 + rng_below(rng, 3)));
	case 9: return (struct jf_insn)LDX(DW, a, 10, -8 * (int)(1 + rng_below(rng, 3)));
	case 0:
	case 1: return (struct jf_insn)MOV_X(a, b);
	case 2:
	case 3: return (struct jf_insn)ADD_K(a, k);
	case 4: return (struct jf_insn)ST(DW, b, k, 0);
	case 5: return (struct jf_insn)LDX(B, 0, b, k);
	case 6: return (struct jf_insn)ALU64_K(SUB, a, k);
	default: return (struct jf_insn)J_K(JEQ, 0, 0, rng_below(rng, left + 1));
	}
}

/* Runs once; values far from the stack stand for numbers. returns: the lowest access, as a depth. */
static int64_t run_depth(const struct jf_insn *insns, struct rng *rng)
{
	int64_t reg[11] = {0}, word[4], lowest = 0;

	for (unsigned int i = 0; i < 10; i++)
		reg[i] = INT64_C(1) << 40;
	for (unsigned int i = 0; i < 4; i++)
		word[i] = INT64_C(1) << 40;
	for (uint32_t i = 0; i < LENGTH; i++) {
		unsigned int dst = insns[i].regs & 15, src = insns[i].regs >> 4;
		int64_t at = 0;

		switch (insns[i].opcode) {
		case 0xbf: reg[dst] = reg[src]; break;
		case 0x07: reg[dst] += insns[i].imm; break;
		case 0x17: reg[dst] -= insns[i].imm; break;
		case 0x7b: word[-(at = insns[i].off) / 8] = reg[src]; break;
		case 0x79: reg[dst] = word[-(at = insns[i].off) / 8]; break;
		case 0x7a: at = reg[dst] + insns[i].off; break;
		case 0x71: at = reg[src] + insns[i].off; break;
		case 0x15: i += rng_below(rng, 2) ? (uint32_t)insns[i].off : 0; break;
		}
		if (at < lowest)
			lowest = at;
	}
	return -lowest;
}

Test(stack, no_run_is_deeper_than_what_was_found)
{
	struct rng rng = {21};
	unsigned int exact = 0;

	for (unsigned int round = 0; round < 20000; round++) {
		struct jf_insn insns[LENGTH + 1];
		int64_t deepest = 0;
		uint32_t found;

		for (uint32_t i = 0; i < LENGTH; i++)
			insns[i] = random_step(&rng, LENGTH - 1 - i);
		insns[LENGTH] = (struct jf_insn)EXIT;
		found = stack_of(insns, LENGTH + 1);
		for (unsigned int run = 0; run < 20; run++) {
			int64_t depth = run_depth(insns, &rng);

			deepest = depth > deepest ? depth : deepest;
		}
		CHECK(deepest <= found, "round %u: %u bytes found, %ld used", round, found, (long)deepest);
		exact += found == deepest && found;
	}
	cr_assert_gt(exact, 500, "the analysis is of use in %u of 20000", exact);
}
