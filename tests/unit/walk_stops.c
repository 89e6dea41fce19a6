/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk_stack.h"

TestSuite(walk_stops, .init = add_ranges);

Test(walk_stops, arguments)
{
	struct stack stack = good;
	struct jf_memory memory = memory_of(&stack);
	struct jf_regs regs = start_regs();

	cr_assert_eq(jf_walk_start(NULL, &toy_backend, &memory, &regs, 0x100, false), JF_E_INVAL);
	cr_assert_eq(jf_walk_start(&walk, NULL, &memory, &regs, 0x100, false), JF_E_INVAL);
	cr_assert_eq(jf_walk_start(&walk, &toy_backend, NULL, &regs, 0x100, false), JF_E_INVAL);
	cr_assert_eq(jf_walk_start(&walk, &toy_backend, &memory, NULL, 0x100, false), JF_E_INVAL);
}

Test(walk_stops, no_row_at_the_start_still_shows_the_registers)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x99999, false), JF_E_NO_ROW);
	cr_assert_eq(frame->pc, 0x99999);
	cr_assert_eq(frame->fail_address, 0x99999);
	cr_assert_null(frame->range);
	cr_assert_null(frame->row);
	cr_assert_eq(jf_walk_sp(&walk), LOW);
	cr_assert_eq(jf_walk_fp(&walk), OUTER_FP);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	cr_assert_eq(stack.read_count, 0);
}

Test(walk_stops, no_row_further_up)
{
	static const uint64_t nowhere[] = {0, 1, 0x200, 0x221, 0x400, UINT64_MAX};

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		struct stack stack = good;

		stack.word[4] = nowhere[i];
		cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
		cr_assert_eq(jf_walk_step(&walk), JF_OK);
		CHECK_STATUS(jf_walk_step(&walk), JF_E_NO_ROW, "ra %lx", nowhere[i]);
		CHECK(frame->pc == nowhere[i] && frame->fail_address == nowhere[i], "ra %lx", nowhere[i]);
		CHECK(jf_walk_sp(&walk) == AT(5), "ra %lx", nowhere[i]);
		CHECK(!frame->row, "ra %lx", nowhere[i]);
		CHECK_STATUS(jf_walk_step(&walk), JF_E_NO_ROW, "again, ra %lx", nowhere[i]);
	}
}

Test(walk_stops, unknown_rows_end_it)
{
	struct stack stack = good;

	middle_rows[0].flags = JF_ROW_UNKNOWN;
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	cr_assert_eq(frame->range, &ranges[1]);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
}

Test(walk_stops, ranges_of_other_backends_are_not_for_us)
{
	struct jf_backend other = toy_backend;
	struct stack stack = good;
	struct jf_memory memory = memory_of(&stack);
	struct jf_regs regs = start_regs();

	cr_assert_eq(start_with(&other, &memory, &regs, 0x10c, true), JF_E_NO_ROW);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	/* Another backend's entry is no clean end. */
	cr_assert_eq(start_with(&other, &memory, &regs, 0x404, true), JF_E_NO_ROW);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
}

Test(walk_stops, starting_in_an_entry_is_the_end)
{
	struct stack stack = good;

	cr_assert_eq(start(&stack, 0x404, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_END);
}

/* Every end of memory below what the walk needs: JF_E_READ at the very address, and no read outside. */
Test(walk_stops, memory_has_two_ends)
{
	for (uint64_t high = LOW; high < AT(9); high++) {
		struct stack stack = good;
		struct jf_memory memory = memory_of(&stack);
		struct jf_regs regs = start_regs();
		enum jf_status status;
		uint64_t pc = 0, sp = 0;

		memory.high = high;
		status = start_with(&toy_backend, &memory, &regs, 0x10c, true);
		for (; status == JF_OK; status = jf_walk_step(&walk)) {
			pc = frame->pc;
			sp = jf_walk_sp(&walk);
		}
		CHECK(status == JF_E_READ, "high %lx: %s", high, jf_status_name(status));
		CHECK(frame->fail_address + 8 > high && frame->fail_address < AT(9), "high %lx: failed at %lx", high,
		      frame->fail_address);
		CHECK(frame->pc == pc && jf_walk_sp(&walk) == sp, "the walk moved");
		for (unsigned int i = 0; i < stack.read_count; i++)
			CHECK(stack.reads[i] + 8 <= high, "high %lx: read at %lx", high, stack.reads[i]);
	}
	for (uint64_t low = LOW + 1; low <= AT(8); low++) {
		struct stack stack = good;
		struct jf_memory memory = memory_of(&stack);
		struct jf_regs regs = start_regs();
		enum jf_status status;

		memory.low = low;
		status = start_with(&toy_backend, &memory, &regs, 0x10c, true);
		while (status == JF_OK)
			status = jf_walk_step(&walk);
		CHECK(status == JF_E_READ && frame->fail_address < low, "low %lx: %s at %lx", low,
		      jf_status_name(status), frame->fail_address);
	}
}

static enum jf_status refuse_to_read(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	(void)address;
	(void)value;
	return JF_E_NO_MEMORY; /* whatever it says, the walk says READ */
}

Test(walk_stops, a_reader_that_fails)
{
	struct jf_memory memory = {.size = sizeof(memory), .low = 0, .high = UINT64_MAX, .read = refuse_to_read};
	struct jf_regs regs = start_regs();

	cr_assert_eq(start_with(&toy_backend, &memory, &regs, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_E_READ);
	cr_assert_eq(frame->fail_address, LOW);
}

/* fp comes from the stack's owner: outer's CFA may be made to lie anywhere. */
Test(walk_stops, a_cfa_that_does_not_grow_is_stuck)
{
	static const uint64_t bad[] = {0, 8, LOW - 16, LOW, AT(2), AT(3), AT(5) - 16, UINT64_MAX - 7, UINT64_MAX - 16};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stack stack = good;
		struct jf_memory memory = memory_of(&stack);
		struct jf_regs regs = start_regs();
		enum jf_status wanted = bad[i] == UINT64_MAX - 16 ? JF_E_READ : JF_E_STUCK;

		regs.value[TOY_FP] = bad[i];
		cr_assert_eq(start_with(&toy_backend, &memory, &regs, 0x10c, true), JF_OK);
		cr_assert_eq(jf_walk_step(&walk), JF_OK);
		cr_assert_eq(jf_walk_step(&walk), JF_OK);
		CHECK_STATUS(jf_walk_step(&walk), wanted, "fp %lx", bad[i]);
		CHECK_STATUS(jf_walk_step(&walk), wanted, "again, fp %lx", bad[i]);
		CHECK(frame->range == &ranges[2], "the cursor moved");
	}
}

Test(walk_stops, an_unsaved_ra_counts_only_in_the_first_frame)
{
	struct stack stack = good;

	/* leaf's last row has ra in its register, yet it is said to have called somebody. */
	cr_assert_eq(start(&stack, 0x110, true), JF_OK);
	cr_assert_eq(frame->cfa, LOW);
	cr_assert_eq(jf_walk_step(&walk), JF_E_STUCK);
	stack.word[4] = 0x110;
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[0]);
	cr_assert_eq(jf_walk_step(&walk), JF_E_STUCK);
}

Test(walk_stops, a_frame_that_keeps_ra_nowhere_is_lost)
{
	static const struct jf_row rows[] = {{.cfa_reg = TOY_SP, .cfa_off = 16}};
	struct jf_range range = RANGE(JF_RANGE_STUB, 0x500, 0x510, "no ra", rows, leaf_slots);
	struct stack stack = good;

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	stack.word[0] = 0x508;
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_E_LOST);
	cr_assert_eq(frame->fail_address, 0x508);
	/* As the first frame, interrupted, it has ra in its register. */
	cr_assert_eq(start(&stack, 0x508, false), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	cr_assert_eq(frame->pc, 0xc0de00 + TOY_RA);
}

Test(walk_stops, the_cfa_register_must_be_known_at_the_start)
{
	static const struct jf_row rows[] = {{.cfa_reg = TOY_A3, .cfa_off = 8, .saved = 1}};
	struct jf_range range = RANGE(JF_RANGE_CALLBACK, 0x500, 0x510, "callback", rows, leaf_slots);
	struct stack stack = good;

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(start(&stack, 0x508, true), JF_E_LOST);
	cr_assert_null(frame->row);
	cr_assert_eq(start(&stack, 0x508, false), JF_OK);
	cr_assert_eq(frame->cfa, 0xc0de00 + TOY_A3 + 8);
}

/* Whatever words the stack holds and wherever the walk starts: it ends, and reads only what it may. */
Test(walk_stops, random_stacks_end)
{
	struct rng rng = {9};

	for (unsigned int round = 0; round < 20000; round++) {
		struct stack stack;
		struct jf_memory memory = memory_of(&stack);
		struct jf_regs regs;
		enum jf_status status;
		unsigned int steps = 0;

		stack.read_count = 0;
		for (unsigned int i = 0; i < WORDS; i++)
			stack.word[i] = rng_below(&rng, 3) ? 0x100 * (1 + rng_below(&rng, 4)) + rng_below(&rng, 0x24) :
							     AT(rng_below(&rng, WORDS + 4));
		for (unsigned int i = 0; i < JF_REGS_MAX; i++)
			regs.value[i] = AT(rng_below(&rng, WORDS));
		status = start_with(&toy_backend, &memory, &regs,
				    0x100 * (1 + rng_below(&rng, 4)) + rng_below(&rng, 0x24), rng_below(&rng, 2));
		for (; status == JF_OK; steps++) {
			CHECK(steps < WORDS + 2, "round %u does not end", round);
			status = jf_walk_step(&walk);
		}
	}
}
