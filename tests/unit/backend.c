/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"
#include "toy_copy.h"

#include <string.h>

/* The registry, and what jf_backend_check() finds in a copy of the toy that has one thing wrong. */

static void check_bad(const struct copy *copy, const char *where, const char *words)
{
	struct jf_error error = {0};

	CHECK_STATUS(jf_backend_check(&copy->backend, &error), JF_E_BAD_DESC, "%s", words);
	CHECK(!strcmp(error.where, where), "'%s', not '%s': %s", error.where, where, error.text);
	CHECK(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
	CHECK_STATUS(jf_backend_check(&copy->backend, NULL), JF_E_BAD_DESC, "without an error");
	CHECK_STATUS(jf_backend_register(&copy->backend, NULL), JF_E_BAD_DESC, "%s", words);
}

Test(backend, the_toy_and_its_copies_are_sound)
{
	struct copy copy;
	struct jf_error error = {0};

	CHECK_STATUS(jf_backend_check(&toy_backend, &error), JF_OK, "%s: %s", error.where, error.text);
	copy_init(&copy, &toy_adopt);
	CHECK_STATUS(jf_backend_check(&copy.backend, &error), JF_OK, "%s: %s", error.where, error.text);
	copy_init(&copy, &toy_restore);
	CHECK_STATUS(jf_backend_check(&copy.backend, &error), JF_OK, "%s: %s", error.where, error.text);
	copy_init(&copy, &toy_plain);
	CHECK_STATUS(jf_backend_check(&copy.backend, &error), JF_OK, "%s: %s", error.where, error.text);
}

Test(backend, tables_and_hooks_must_be_there)
{
	struct copy copy;

	cr_assert_eq(jf_backend_check(NULL, NULL), JF_E_BAD_DESC);
	copy_init(&copy, &toy_adopt);
	copy.backend.emit_prologue = NULL;
	check_bad(&copy, "toy", "emit_prologue is NULL");
	copy_init(&copy, &toy_adopt);
	copy.backend.emit_epilogue = NULL;
	check_bad(&copy, "toy", "emit_epilogue is NULL");
	copy_init(&copy, &toy_adopt);
	copy.backend.emit_tail_exit = NULL;
	check_bad(&copy, "toy", "emit_tail_exit is NULL");
	copy_init(&copy, &toy_adopt);
	copy.backend.regs = NULL;
	check_bad(&copy, "toy", "regs is NULL");
	copy_init(&copy, &toy_adopt);
	copy.backend.conventions = NULL;
	check_bad(&copy, "toy", "conventions is NULL");
	copy_init(&copy, &toy_adopt);
	copy.backend.bounds.insn_bytes = 0;
	check_bad(&copy, "toy", "bounds.insn_bytes is 0");
	copy_init(&copy, &toy_adopt);
	copy.backend.bounds.stub_bytes = 0;
	check_bad(&copy, "toy", "bounds.stub_bytes is 0");
	copy_init(&copy, &toy_adopt);
	copy.backend.bounds.function_bytes = JF_FUNCTION_BYTES_MAX + 1;
	check_bad(&copy, "toy", "bounds.function_bytes is larger");
	copy_init(&copy, &toy_adopt);
	copy.backend.body.extend = NULL;
	check_bad(&copy, "toy", "extend");
	copy_init(&copy, &toy_adopt);
	copy.backend.c_args.extended_bytes = 2;
	check_bad(&copy, "toy", "c_args");
}

Test(backend, every_form_of_a_branch_is_longer_than_the_one_before)
{
	const struct jf_branches sound = {{
		[JF_BRANCH_IF] = {{2, 100}, {6, 1000}, {8, 10000}},
		[JF_BRANCH_ALWAYS] = {{2, 1000}},
	}};
	struct jf_branches branches = sound;
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.backend.branches = &branches;
	cr_assert_eq(jf_backend_check(&copy.backend, NULL), JF_OK);
	for (unsigned int kind = 0; kind < JF_BRANCH__COUNT; kind++) {
		branches = sound;
		branches.forms[kind][0].bytes = 0;
		check_bad(&copy, "toy", "branch");
	}
	for (unsigned int form = 1; form < 3; form++) {
		branches = sound;
		branches.forms[JF_BRANCH_IF][form].bytes = branches.forms[JF_BRANCH_IF][form - 1].bytes;
		check_bad(&copy, "toy", "branch");
	}
	branches = sound;
	branches.forms[JF_BRANCH_IF][2].bytes = JF_INSN_BYTES_MAX + 1;
	check_bad(&copy, "toy", "branch");
	branches = sound;
	branches.forms[JF_BRANCH_IF][2].reach = 1000;
	check_bad(&copy, "toy", "branch");
	copy_init(&copy, &toy_adopt);
	copy.backend.body.put_branch = NULL;
	check_bad(&copy, "toy", "put_branch");
}

Test(backend, a_registers_id_is_its_index)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.regs[5].id = 6;
	check_bad(&copy, "toy", "id is not its index");
}

Test(backend, register_numbers_are_in_the_table)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.backend.sp = TOY_REG__COUNT;
	check_bad(&copy, "toy", "sp is no register of the table");
	copy_init(&copy, &toy_adopt);
	copy.backend.fp = JF_REG_NONE;
	check_bad(&copy, "toy", "fp is no register of the table");
	copy_init(&copy, &toy_adopt);
	copy.backend.ra = TOY_REG__COUNT;
	check_bad(&copy, "toy", "ra is no register of the table");
	copy_init(&copy, &toy_adopt);
	copy.backend.reg_count = JF_REGS_MAX + 1;
	check_bad(&copy, "toy", "JF_REGS_MAX");
	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_reg[JF_BPF_R7] = TOY_REG__COUNT;
	check_bad(&copy, "adopt", "bpf_reg: R7 has no machine register");
	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_reg[JF_BPF_AX] = JF_REG_NONE;
	check_bad(&copy, "adopt", "bpf_reg: R11 has no machine register");
	copy_init(&copy, &toy_adopt);
	copy.conv.bpf_fp_private = JF_REG_NONE;
	check_bad(&copy, "adopt", "bpf_fp_private is no register");
	copy_init(&copy, &toy_adopt);
	copy.conv.arena_reg = TOY_REG__COUNT;
	check_bad(&copy, "adopt", "arena_reg is no register");
}

/* Where there is neither, the registers do not matter. */
Test(backend, registers_of_missing_options_are_not_looked_at)
{
	struct copy copy;

	copy_init(&copy, &toy_plain);
	copy.conv.bpf_fp_private = JF_REG_NONE;
	copy.conv.arena_reg = JF_REG_NONE;
	cr_assert_eq(jf_backend_check(&copy.backend, NULL), JF_OK);
}

Test(backend, a_slot_that_keeps_a_register_names_one)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.rules[3] = (struct jf_slot_rule){JF_SLOT_SAVE, JF_REG_NONE, JF_WHEN_ALWAYS};
	copy.areas[0].rule_count = 4;
	check_bad(&copy, "adopt", "areas[0].rules[3], of kind save, names no register");
	copy.rules[3].reg = TOY_REG__COUNT;
	check_bad(&copy, "adopt", "of kind save, names no register");
	copy.rules[3].kind = JF_SLOT_SPILL;
	check_bad(&copy, "adopt", "of kind spill, names no register");
}

Test(backend, slots_come_alone_or_in_pairs)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.areas[1].group = 0;
	check_bad(&copy, "adopt", "group");
	copy_init(&copy, &toy_adopt);
	copy.areas[1].group = 3;
	check_bad(&copy, "adopt", "group");
}

Test(backend, callbacks_take_three_arguments)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.backend.arg_count = 2;
	check_bad(&copy, "adopt", "argument");
	copy_init(&copy, &toy_plain);
	copy.backend.arg_count = 2;
	cr_assert_eq(jf_backend_check(&copy.backend, NULL), JF_OK);
}

Test(backend, the_frame_record_is_in_the_same_place_in_all_frames)
{
	struct copy copy;

	/* The slot between the two is there in main programs alone: others have the return address higher up. */
	copy_init(&copy, &toy_adopt);
	copy.rules[1].when = JF_WHEN_MAIN;
	check_bad(&copy, "adopt", "return address at CFA-24, as a main has (R1)");
	/* The same with the slot above both. */
	copy_init(&copy, &toy_adopt);
	copy.rules[1] = copy.rules[0];
	copy.rules[0] = (struct jf_slot_rule){JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_MAIN};
	check_bad(&copy, "adopt", "R1");
	copy_init(&copy, &toy_adopt);
	copy.rules[0].when = JF_WHEN_EXCEPTION;
	check_bad(&copy, "adopt", "a main has no slot");
	/* Here the callback alone has no record. */
	copy_init(&copy, &toy_adopt);
	copy.rules[2].when = JF_WHEN_MAIN | JF_WHEN_SUBPROGRAM;
	check_bad(&copy, "adopt", "R1");
}

Test(backend, frames_have_a_largest_number_of_slots)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	for (unsigned int i = 3; i < 40; i++)
		copy.rules[i] = (struct jf_slot_rule){JF_SLOT_PAD, JF_REG_NONE, JF_WHEN_ALWAYS};
	copy.areas[0].rule_count = 33;
	check_bad(&copy, "adopt", "slots");
	copy.areas[0].rule_count = 20;
	copy.areas[0].group = 1;
	cr_assert_eq(jf_backend_check(&copy.backend, NULL), JF_OK);
}

Test(backend, conventions_belong_to_the_backend)
{
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.conv.backend = &toy_backend;
	check_bad(&copy, "toy", "convention");
	copy_init(&copy, &toy_adopt);
	copy.conv.name = NULL;
	check_bad(&copy, "toy", "convention");
	copy_init(&copy, &toy_adopt);
	copy.conv.size--;
	check_bad(&copy, "toy", "convention");
	copy_init(&copy, &toy_adopt);
	copy.conventions[0] = NULL;
	check_bad(&copy, "toy", "convention");
}

/* ---- the registry ----------------------------------------------------------------------------------- */

static size_t backend_count(void)
{
	size_t count = 0;

	while (jf_backend_at(count))
		count++;
	return count;
}

Test(registry, a_backend_from_outside_joins_the_others)
{
	size_t builtin = backend_count();

	cr_assert_null(jf_backend_find("toy"));
	cr_assert_eq(jf_backend_register(&toy_backend, NULL), JF_OK);
	cr_assert_eq(backend_count(), builtin + 1);
	cr_assert_eq(jf_backend_at(builtin), &toy_backend);
	cr_assert_eq(jf_backend_find("toy"), &toy_backend);
	cr_assert_null(jf_backend_at(SIZE_MAX));
}

Test(registry, names_are_taken_once)
{
	struct jf_backend twin = toy_backend;
	struct jf_convention conv = toy_adopt;
	const struct jf_convention *conventions[] = {&conv};
	struct jf_error error = {0};

	conv.backend = &twin;
	twin.conventions = conventions;
	twin.convention_count = 1;
	cr_assert_eq(jf_backend_register(&toy_backend, NULL), JF_OK);
	cr_assert_eq(jf_backend_register(&twin, &error), JF_E_OVERLAP);
	cr_assert_str_eq(error.where, "toy");
	twin.name = jf_backend_at(0)->name;
	cr_assert_eq(jf_backend_register(&twin, NULL), JF_E_OVERLAP);
	cr_assert_eq(jf_backend_find("toy"), &toy_backend);
}

Test(registry, arguments)
{
	struct jf_backend old = toy_backend;

	cr_assert_eq(jf_backend_register(NULL, NULL), JF_E_INVAL);
	old.size--;
	cr_assert_eq(jf_backend_register(&old, NULL), JF_E_INVAL);
	old.size++;
	old.name = NULL;
	cr_assert_eq(jf_backend_register(&old, NULL), JF_E_INVAL);
	cr_assert_null(jf_backend_find(NULL));
	cr_assert_null(jf_backend_find(""));
}

Test(registry, there_is_room_for_sixteen)
{
	static struct copy copies[17];
	static char names[17][8];
	size_t builtin = backend_count();

	for (unsigned int i = 0; i < 17; i++) {
		copy_init(&copies[i], &toy_adopt);
		snprintf(names[i], sizeof(names[i]), "toy%u", i);
		copies[i].backend.name = names[i];
		CHECK_STATUS(jf_backend_register(&copies[i].backend, NULL), i < 16 ? JF_OK : JF_E_NOSPACE, "number %u",
			     i);
	}
	cr_assert_eq(backend_count(), builtin + 16);
	cr_assert_eq(jf_backend_find("toy15"), &copies[15].backend);
	cr_assert_null(jf_backend_find("toy16"));
}

Test(registry, conventions_are_found_by_target)
{
	const struct jf_convention *conv = NULL;

	cr_assert_eq(jf_backend_register(&toy_backend, NULL), JF_OK);
	cr_assert_eq(jf_convention_find("toy/restore", &conv, NULL), JF_OK);
	cr_assert_eq(conv, &toy_restore);
	cr_assert_eq(jf_convention_find("toy/adopt", &conv, NULL), JF_OK);
	cr_assert_eq(conv, &toy_adopt);
	for (size_t i = 0; jf_backend_at(i); i++) {
		const struct jf_backend *backend = jf_backend_at(i);

		for (unsigned int k = 0; k < backend->convention_count; k++) {
			char target[64];

			snprintf(target, sizeof(target), "%s/%s", backend->name, backend->conventions[k]->name);
			CHECK_STATUS(jf_convention_find(target, &conv, NULL), JF_OK, "%s", target);
			CHECK(conv == backend->conventions[k], "%s", target);
		}
	}
}

Test(registry, other_targets_are_not)
{
	static const struct {
		const char *target;
		enum jf_status status;
		const char *words;
	} cases[] = {
		{"toy", JF_E_INVAL, "ARCH/CONVENTION"},
		{"", JF_E_INVAL, "ARCH/CONVENTION"},
		{"toy/", JF_E_NOT_FOUND, "no convention ''"},
		{"/adopt", JF_E_NOT_FOUND, "no architecture ''"},
		{"toy/adopt/", JF_E_NOT_FOUND, "adopt/"},
		{"toy/Adopt", JF_E_NOT_FOUND, "Adopt"},
		{"toys/adopt", JF_E_NOT_FOUND, "no architecture 'toys'"},
		{"to/adopt", JF_E_NOT_FOUND, "no architecture 'to'"},
	};
	const struct jf_convention *conv = &toy_plain;

	cr_assert_eq(jf_backend_register(&toy_backend, NULL), JF_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jf_error error = {0};

		CHECK_STATUS(jf_convention_find(cases[i].target, &conv, &error), cases[i].status, "%s",
			     cases[i].target);
		CHECK(strstr(error.text, cases[i].words), "%s: %s", cases[i].target, error.text);
		CHECK(conv == &toy_plain, "%s wrote", cases[i].target);
	}
	cr_assert_eq(jf_convention_find(NULL, &conv, NULL), JF_E_INVAL);
	cr_assert_eq(jf_convention_find("toy/adopt", NULL, NULL), JF_E_INVAL);
}

/* An architecture's name is compared whole, however long what was asked for. */
Test(registry, a_long_name_is_not_cut_into_one_that_is_there)
{
	struct copy copy;
	const struct jf_convention *conv = NULL;
	static const char name[] = "a234567890123456789012345678901";

	copy_init(&copy, &toy_adopt);
	copy.backend.name = name;
	cr_assert_eq(jf_backend_register(&copy.backend, NULL), JF_OK);
	cr_assert_eq(jf_convention_find("a234567890123456789012345678901/adopt", &conv, NULL), JF_OK);
	cr_assert_eq(jf_convention_find("a2345678901234567890123456789012/adopt", &conv, NULL), JF_E_NOT_FOUND);
}
