/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/section.h"
#include "walk_stack.h"

/* The reader section that belongs to a walk. */

TestSuite(walk_sections, .init = add_ranges);

static void check_nothing_shown(void)
{
	cr_assert_null(frame->range);
	cr_assert_null(frame->function);
	cr_assert_null(frame->orc);
	cr_assert_null(frame->row);
	cr_assert_null(frame->slots);
	cr_assert_null(frame->name);
	cr_assert_eq(frame->slot_count, 0);
}

Test(walk_sections, from_the_start_to_the_end)
{
	struct stack stack = good;

	cr_assert_not(jf_code_map_in_section());
	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert(jf_code_map_in_section());
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(jf_code_map_remove(&ranges[0]), JF_E_IN_SECTION);
	jf_walk_end(&walk);
	cr_assert_not(jf_code_map_in_section());
	cr_assert_eq(jf_code_map_remove(&ranges[0]), JF_OK);
}

/* What the walk stood at may be gone: the frame shows where, no more, and no step goes there. */
Test(walk_sections, behind_the_end)
{
	struct stack stack = good;
	uint64_t value;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	jf_walk_end(&walk);
	cr_assert_eq(frame->pc, 0x210);
	cr_assert_eq(jf_walk_sp(&walk), AT(1));
	cr_assert_eq(jf_walk_fp(&walk), OUTER_FP);
	cr_assert(jf_walk_reg(&walk, TOY_S0, &value));
	check_nothing_shown();
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	cr_assert_eq(jf_walk_step_past_entry(&walk), JF_E_NO_ROW);
}

/* The section is closed once: an outer one stays open. */
Test(walk_sections, a_second_end_does_nothing)
{
	struct stack stack = good;
	unsigned int section;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	jf_walk_end(&walk);
	section = jf_code_map_enter();
	jf_walk_end(&walk);
	jf_walk_end(NULL);
	cr_assert(jf_code_map_in_section());
	jf_code_map_leave(section);
}

Test(walk_sections, sections_and_walks_nest)
{
	struct stack stack = good;
	struct jf_memory memory = memory_of(&stack);
	struct jf_regs regs = start_regs();
	unsigned int section = jf_code_map_enter();
	struct jf_walk inner;

	cr_assert_eq(start(&stack, 0x10c, true), JF_OK);
	cr_assert_eq(jf_walk_start(&inner, &toy_backend, &memory, &regs, 0x10c, true), JF_OK);
	jf_walk_end(&inner);
	cr_assert(jf_code_map_in_section());
	cr_assert_eq(jf_walk_step(&walk), JF_OK);
	cr_assert_eq(frame->range, &ranges[1]);
	jf_walk_end(&walk);
	cr_assert(jf_code_map_in_section());
	jf_code_map_leave(section);
	cr_assert_not(jf_code_map_in_section());
}

/* ---- starts that fail -------------------------------------------------------------------------------- */

static void check_refused(enum jf_status status, enum jf_status wanted)
{
	CHECK_STATUS(status, wanted, "start");
	cr_assert_not(jf_code_map_in_section());
	check_nothing_shown();
	cr_assert_eq(frame->size, sizeof(*frame));
	cr_assert_eq(jf_walk_step(&walk), JF_E_NO_ROW);
	jf_walk_end(&walk);
	cr_assert_not(jf_code_map_in_section());
}

Test(walk_sections, a_start_that_fails_leaves_none_open)
{
	static const struct jf_row rows[] = {{.cfa_reg = TOY_A3, .cfa_off = 8, .saved = 1}};
	static const struct jf_row unknown[] = {{.cfa_reg = TOY_SP, .flags = JF_ROW_UNKNOWN}};
	struct jf_range lost = RANGE(JF_RANGE_STUB, 0x500, 0x510, "by a3", rows, leaf_slots);
	struct jf_range none = RANGE(JF_RANGE_STUB, 0x600, 0x610, "unknown", unknown, leaf_slots);
	struct stack stack = good;

	cr_assert_eq(jf_code_map_add(&lost, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&none, NULL), JF_OK);
	check_refused(start(&stack, 0x99999, false), JF_E_NO_ROW);
	check_refused(start(&stack, 0x608, false), JF_E_NO_ROW);
	cr_assert_eq(frame->pc, 0x608);
	check_refused(start(&stack, 0x508, true), JF_E_LOST);
	cr_assert_eq(frame->pc, 0x508);
}

Test(walk_sections, a_start_that_is_refused_leaves_none_open)
{
	struct stack stack = good;
	struct jf_memory memory = memory_of(&stack);
	struct jf_regs regs = start_regs();
	struct jf_walk_opts by_record = {.size = sizeof(by_record), .by_record = true}, unset = {.size = 0};
	uint64_t value;

	check_refused(start_with(NULL, &memory, &regs, 0x10c, true), JF_E_INVAL);
	cr_assert_eq(jf_walk_sp(&walk), 0);
	cr_assert_eq(jf_walk_fp(&walk), 0);
	cr_assert_not(jf_walk_reg(&walk, TOY_SP, &value));
	check_refused(start_with(&toy_backend, NULL, &regs, 0x10c, true), JF_E_INVAL);
	check_refused(start_with(&toy_backend, &memory, NULL, 0x10c, true), JF_E_INVAL);
	memset(&walk, 0xee, sizeof(walk));
	check_refused(jf_walk_start_with(&walk, &toy_backend, &memory, &regs, 0x10c, true, &by_record), JF_E_INVAL);
	memset(&walk, 0xee, sizeof(walk));
	check_refused(jf_walk_start_with(&walk, &toy_backend, &memory, &regs, 0x10c, true, &unset), JF_E_INVAL);
	memset(&walk, 0xee, sizeof(walk));
	check_refused(jf_walk_context(&walk, NULL, NULL), JF_E_INVAL);
	if (!jf_backend_host())
		return;
	memset(&walk, 0xee, sizeof(walk));
	check_refused(jf_walk_here_from(&walk, NULL, &regs, 0x10c), JF_E_NO_THREAD);
}
