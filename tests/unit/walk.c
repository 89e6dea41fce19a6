/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk_stack.h"

/* Walks that go well, and what is known on the way; where they must stop is in walk_stops.c. */

TestSuite(walk, .init = add_ranges);

/* ---- a walk that goes well -------------------------------------------------------------------------- */

static void check_from_middle(void)
{
	/* middle */
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[1]);
	cr_assert_eq(frame->pc, 0x210);
	cr_assert(frame->pc_is_return);
	cr_assert_eq(frame->cfa, AT(5));
	cr_assert_eq(jf_walk_sp(&walk), AT(1));
	cr_assert_eq(jf_walk_fp(&walk), OUTER_FP);
	check_reg(TOY_S0, 0xc0de00 + TOY_S0);
	/* outer: entered by the return address that equals its end */
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[2]);
	cr_assert_eq(frame->pc, 0x320);
	cr_assert_eq(frame->cfa, AT(9));
	cr_assert_eq(jf_walk_sp(&walk), AT(5));
	check_reg(TOY_S0, 0x5050);
	check_reg(TOY_F0, 0x12345678);
	check_reg(TOY_CW, 0xbeef);
	check_reg(TOY_S1, 0xc0de00 + TOY_S1);
	/* the entry stub */
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[3]);
	cr_assert_eq(frame->pc, 0x404);
	cr_assert_eq(jf_walk_sp(&walk), AT(9));
	cr_assert_eq(jf_walk_fp(&walk), 0xf0f0);
	check_reg(TOY_S1, 0x5151);
	check_reg(TOY_S2, 0xc0de00 + TOY_S2);
	/* and no further, however often one asks */
	cr_assert_eq(jf_walk_step(&walk), JF_END);
	cr_assert_eq(jf_walk_step(&walk), JF_END);
	cr_assert_eq(frame->range, &ranges[3]);
}

Test(walk, from_a_call_to_the_entry)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(frame->range, &ranges[0]);
	cr_assert_eq(frame->row, &leaf_rows[1], "0x10c - 1 is under the second row");
	cr_assert_eq(frame->cfa, AT(1));
	check_from_middle();
}

/* At a pc that is no return address the row is the one of the pc itself. */
Test(walk, from_an_interrupted_instruction)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x10b, false), JF_OK);
	cr_assert_eq(frame->row, &leaf_rows[1]);
	check_from_middle();
	cr_assert_eq(start(&stack, 0x10c, false), JF_OK);
	cr_assert_eq(frame->row, &leaf_rows[2]);
}

/* Before it has stored ra, and with SP where the caller left it. */
Test(walk, from_the_first_instruction)
{
	struct jf_memory memory;
	struct jf_regs regs = start_regs();
	struct stack stack = good;

	memory = memory_of(&stack);
	regs.value[TOY_SP] = AT(1);
	regs.value[TOY_RA] = 0x210;
	cr_assert_eq(start_with(&toy_backend, &memory, &regs, 0x100, false), JF_OK);
	cr_assert_eq(frame->cfa, AT(1));
	check_from_middle();
}

Test(walk, only_slots_of_the_row_are_read)
{
	struct stack stack = good;
	static const uint64_t wanted[] = {AT(0), AT(4), AT(3), AT(2), AT(1), AT(8), AT(7), AT(6)};

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	while (jf_walk_step(&walk) == JF_OK)
		;
	cr_assert_eq(stack.read_count, sizeof(wanted) / sizeof(wanted[0]));
	cr_assert_arr_eq(stack.reads, wanted, sizeof(wanted));
}

Test(walk, this_processs_own_memory)
{
	struct stack stack = good;
	struct jf_regs regs = start_regs();
	uint64_t base = (uintptr_t)stack.word;
	struct jf_memory memory = {.size = sizeof(memory), .low = base, .high = base + sizeof(stack.word)};

	regs.value[TOY_SP] = base;
	regs.value[TOY_FP] = base + 7 * 8;
	cr_assert_eq(start_with(&toy_backend, &memory, &regs, 0x10c, true), JF_OK);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[3]);
	cr_assert_eq(jf_walk_sp(&walk), base + 9 * 8);
	cr_assert_eq(jf_walk_step(&walk), JF_END);
}

/* ---- which registers are known ----------------------------------------------------------------------- */

Test(walk, at_a_call_only_callee_saved_registers_are_known)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	check_unknown(TOY_V0);
	check_unknown(TOY_A1);
	check_unknown(TOY_T0);
	check_unknown(TOY_RA);
	check_reg(TOY_S5, 0xc0de00 + TOY_S5);
	check_reg(TOY_CW, 0xc0de00 + TOY_CW);
	check_reg(TOY_SP, LOW);
	check_reg(TOY_FP, OUTER_FP);
	check_unknown(TOY_REG__COUNT);
	check_unknown(JF_REG_NONE);
}

Test(walk, at_an_interrupted_instruction_all_are_until_the_first_step)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x108, false), JF_OK);
	check_reg(TOY_V0, 0xc0de00 + TOY_V0);
	check_reg(TOY_RA, 0xc0de00 + TOY_RA);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	check_unknown(TOY_V0);
	check_unknown(TOY_A1);
	check_unknown(TOY_RA);
	check_reg(TOY_S2, 0xc0de00 + TOY_S2);
}

Test(walk, regs_lost_keeps_only_what_was_saved)
{
	struct stack stack = good;

	middle_rows[0].flags = JF_ROW_REGS_LOST;
	cr_assert_eq(start(&stack, 0x210, false), JF_OK);
	check_reg(TOY_S2, 0xc0de00 + TOY_S2);
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	/* outer's CFA is in fp, which middle lost. */
	cr_assert_eq(jf_walk_step(&walk), JF_E_LOST);
	cr_assert_eq(frame->range, &ranges[2]);
	cr_assert_eq(frame->fail_address, 0x320);
	check_reg(TOY_S0, 0x5050);
	check_reg(TOY_F0, 0x12345678);
	check_reg(TOY_SP, AT(5));
	check_unknown(TOY_S1);
	check_unknown(TOY_S2);
	check_unknown(TOY_FP);
}

/* As rows made from ORC say it. */
Test(walk, regs_lost_but_for_the_frame_pointer)
{
	struct stack stack = good;

	middle_rows[0].flags = JF_ROW_REGS_LOST | JF_ROW_FP_KEPT;
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[2]);
	cr_assert_eq(frame->cfa, AT(9));
	check_reg(TOY_FP, OUTER_FP);
	check_unknown(TOY_S1);
	check_unknown(TOY_S2);
}

Test(walk, a_signed_return_address_is_stripped_whatever_the_row_says)
{
	struct stack stack = good;

	middle_rows[0].flags = JF_ROW_RA_SIGNED;
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	check_from_middle();
}

static uint64_t strip_high_byte(uint64_t value)
{
	return value & (UINT64_MAX >> 8);
}

Test(walk, the_backend_strips_return_addresses)
{
	struct jf_backend backend = toy_backend;
	struct jf_range signed_ranges[4];
	struct jf_memory memory;
	struct jf_regs regs = start_regs();
	struct stack stack = good;

	backend.strip_return = strip_high_byte;
	cr_assert_eq(jf_code_map_remove_all(ranges, 4), JF_OK);
	memcpy(signed_ranges, ranges, sizeof(ranges));
	for (unsigned int i = 0; i < 4; i++)
		signed_ranges[i].backend = &backend;
	cr_assert_eq(jf_code_map_add_all(signed_ranges, 4, NULL), JF_OK);
	stack.word[0] |= UINT64_C(0xab) << 56;
	stack.word[4] |= UINT64_C(0x01) << 56;
	memory = memory_of(&stack);
	cr_assert_eq(start_with(&backend, &memory, &regs, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->pc, 0x210);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->pc, 0x320);
}

/* ---- R17 --------------------------------------------------------------------------------------------- */

Test(walk, a_return_address_belongs_to_the_byte_before_it)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x110, true), JF_OK);
	cr_assert_eq(frame->range, &ranges[0]);
	cr_assert_eq(frame->row, &leaf_rows[2]);
	cr_assert_eq(start(&stack, 0x110, false), JF_E_NO_ROW);
	cr_assert_eq(start(&stack, 0x100, true), JF_E_NO_ROW);
	cr_assert_eq(start(&stack, 0x100, false), JF_OK);
	/* The row, too: the one at 4 begins with the instruction behind the call. */
	cr_assert_eq(start(&stack, 0x104, true), JF_OK);
	cr_assert_eq(frame->row, &leaf_rows[0]);
	cr_assert_eq(start(&stack, 0x104, false), JF_OK);
	cr_assert_eq(frame->row, &leaf_rows[1]);
}
