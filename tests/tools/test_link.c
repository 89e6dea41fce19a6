/* SPDX-License-Identifier: BSD-2-Clause */

/* What the linker makes of good objects, and why it refuses the others. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

static void *bytes;
static struct bundle bundle;

static void link_kinds(void)
{
	object_bundle("kinds", NULL, &bytes, &bundle);
}

static void release(void)
{
	free(bytes);
}

TestSuite(tools_link, .init = link_kinds, .fini = release);

/* ---- looking things up -------------------------------------------------------------------------- */

static const char *text(uint32_t off)
{
	return bundle.strings + off;
}

static uint32_t function_index(const char *name)
{
	for (uint32_t i = 0; i < bundle.count[BUNDLE_FUNCTIONS]; i++)
		if (strcmp(text(bundle.functions[i].name), name) == 0)
			return i;
	cr_assert_fail("no function %s", name);
	return 0;
}

static uint32_t map_index(const char *name)
{
	for (uint32_t i = 0; i < bundle.count[BUNDLE_MAPS]; i++)
		if (strcmp(text(bundle.maps[i].name), name) == 0)
			return i;
	cr_assert_fail("no map %s", name);
	return 0;
}

static uint32_t program_index(const char *name)
{
	struct jf_error error;
	uint32_t index = 0;

	cr_assert_eq(bundle_find(&bundle, name, &index, &error), JF_OK, "no program %s", name);
	return index;
}

/* How many instructions of the function have this opcode and src, and imm where that is not -1. */
static unsigned int count_insns(const char *function, uint8_t opcode, unsigned int src, int64_t imm)
{
	const struct bundle_function *f = &bundle.functions[function_index(function)];
	unsigned int count = 0;

	for (uint32_t i = 0; i < f->insn_count; i++) {
		const struct jf_insn *insn = &bundle.insns[f->insn_start + i];

		count += insn->opcode == opcode && insn->regs >> 4 == src && (imm == -1 || insn->imm == imm);
	}
	return count;
}

/* Whether the function has "lddw of the byte `off` of map `map`". */
static bool addresses(const char *function, const char *map, int32_t off)
{
	const struct bundle_function *f = &bundle.functions[function_index(function)];

	for (uint32_t i = 0; i + 1 < f->insn_count; i++) {
		const struct jf_insn *insn = &bundle.insns[f->insn_start + i];

		if (insn->opcode == 0x18 && insn->regs >> 4 == 2 && insn->imm == (int32_t)map_index(map) &&
		    insn[1].imm == off)
			return true;
	}
	return false;
}

static const struct bundle_init *find_init(const char *map, uint32_t key)
{
	for (uint32_t i = 0; i < bundle.count[BUNDLE_INITS]; i++)
		if (bundle.inits[i].map == map_index(map) && bundle.inits[i].key == key)
			return &bundle.inits[i];
	cr_assert_fail("map %s has no initialiser at %u", map, key);
	return NULL;
}

/* The line table's entry for an instruction of the function. */
static const struct bundle_line *find_line(const char *function, uint32_t insn)
{
	const struct bundle_function *f = &bundle.functions[function_index(function)];
	const struct bundle_line *found = NULL;

	for (uint32_t i = 0; i < f->line_count && bundle.lines[f->line_start + i].insn <= insn; i++)
		found = &bundle.lines[f->line_start + i];
	cr_assert_not_null(found, "%s has no line for instruction %u", function, insn);
	return found;
}

/* ---- good objects ------------------------------------------------------------------------------- */

Test(tools_link, programs_are_global_functions_outside_text)
{
	cr_assert_eq(bundle.count[BUNDLE_PROGRAMS], 4);
	cr_assert_str_eq(text(bundle.programs[program_index("program_a")].section), "tc");
	cr_assert_str_eq(text(bundle.programs[program_index("program_c")].section), "?xdp");
	cr_assert_eq(bundle.programs[program_index("program_a")].main, function_index("program_a"));
}

/* Against the source itself: the compiler's text, and the file's line of that number. */
static void check_text(const struct bundle_line *line)
{
	FILE *file = fopen(text(line->file), "r");
	char read[256] = "";

	cr_assert_not_null(file, "%s: cannot be read", text(line->file));
	for (uint32_t i = 0; i < line->line; i++)
		cr_assert_not_null(fgets(read, sizeof(read), file), "line %u of %u", i, line->line);
	fclose(file);
	read[strcspn(read, "\n")] = '\0';
	cr_assert_str_eq(text(line->text), read);
}

Test(tools_link, lines_come_from_the_source)
{
	cr_assert_gt(bundle.count[BUNDLE_LINES], 20);
	for (uint32_t i = 0; i < bundle.count[BUNDLE_LINES]; i++)
		check_text(&bundle.lines[i]);
	cr_assert(strstr(text(find_line("static_sub", 0)->file), "bpf/kinds.bpf.c"), "%s",
		  text(find_line("static_sub", 0)->file));
}

/* The call of bpf_throw() is in the line that says so. */
Test(tools_link, each_instruction_has_its_own_line)
{
	const struct bundle_function *f = &bundle.functions[function_index("static_sub")];
	const struct jf_insn *insns = bundle.insns + f->insn_start;
	uint32_t call = 0;

	while (call < f->insn_count && insns[call].opcode != 0x85)
		call++;
	cr_assert_lt(call, f->insn_count);
	cr_assert_str_eq(text(find_line("static_sub", call)->text), "\t\tbpf_throw(x);");
	cr_assert_eq(find_line("static_sub", call)->column, 3);
}

Test(tools_link, a_selection_has_its_functions_lines)
{
	struct bundle_selection selection;
	uint32_t index = program_index("program_a");

	cr_assert_eq(bundle_select(&bundle, index, &selection, NULL), JF_OK);
	for (uint32_t i = 0; i < selection.program.function_count; i++) {
		const struct bundle_function *f = &bundle.functions[selection.bundle_function[i]];
		const struct jf_source_lines *table = &selection.program.lines[i];

		cr_assert_eq(table->count, f->line_count);
		for (uint32_t k = 0; k < table->count; k++) {
			cr_assert_eq(table->lines[k].line, bundle.lines[f->line_start + k].line);
			cr_assert_eq(table->lines[k].text, text(bundle.lines[f->line_start + k].text));
		}
	}
	bundle_selection_free(&selection);
}

Test(tools_link, exception_callback_comes_from_the_tag)
{
	cr_assert_eq(bundle.programs[program_index("program_a")].callback, (int32_t)function_index("callback"));
	cr_assert_eq(bundle.programs[program_index("program_b")].callback, -1);
}

Test(tools_link, a_callback_s_callees_are_selected)
{
	struct bundle_selection selection;
	struct jf_error error;

	cr_assert_eq(bundle_select(&bundle, program_index("program_d"), &selection, &error), JF_OK);
	cr_assert_eq(selection.program.function_count, 3);
	cr_assert_eq(selection.program.callback, 1);
	cr_assert_str_eq(selection.functions[2].name, "half");
	bundle_selection_free(&selection);
}

Test(tools_link, calls_name_functions)
{
	cr_assert_eq(count_insns("program_a", 0x85, 1, function_index("global_sub")), 1);
	cr_assert_eq(count_insns("global_sub", 0x85, 1, function_index("static_sub")), 1);
}

Test(tools_link, function_pointers_name_functions)
{
	cr_assert_eq(count_insns("program_a", 0x18, 4, function_index("each")), 1);
}

Test(tools_link, kfuncs_are_indexes)
{
	cr_assert_eq(bundle.count[BUNDLE_KFUNCS], 2);
	cr_assert_eq(count_insns("static_sub", 0x85, 2, -1), 1);
	cr_assert_eq(count_insns("program_b", 0x85, 2, -1), 1);
}

Test(tools_link, absent_weak_externs_are_null)
{
	cr_assert_eq(count_insns("program_b", 0x18, 0, 0), 2, "kfunc_of_tomorrow and variable_of_tomorrow");
	cr_assert_eq(count_insns("program_b", 0x18, 0, 1), 1, "bpf_preempt_disable is there");
	cr_assert_eq(count_insns("program_b", 0x85, 1, -1), 0, "no call of what is not there");
}

Test(tools_link, maps_have_their_definitions)
{
	const struct bundle_map *hash = &bundle.maps[map_index("hash")];
	const struct bundle_map *inner = &bundle.maps[map_index("inner")];

	cr_assert_eq(hash->type, 1);
	cr_assert_eq(hash->key_bytes, 4);
	cr_assert_eq(hash->value_bytes, 8);
	cr_assert_eq(hash->max_entries, 10);
	cr_assert_eq(hash->map_flags, 1);
	cr_assert_eq(inner->value_bytes, 24);
	cr_assert_eq(count_insns("program_a", 0x18, 1, map_index("hash")), 1);
}

Test(tools_link, variables_are_maps)
{
	const struct bundle_map *data = &bundle.maps[map_index(".data")];
	const struct bundle_map *bss = &bundle.maps[map_index(".bss")];

	cr_assert_eq(data->flags, BUNDLE_MAP_DATA);
	cr_assert_eq(data->data_bytes, data->value_bytes);
	cr_assert_eq(bss->data_bytes, 0);
	cr_assert_eq(bss->value_bytes, 16);
	cr_assert_eq(bundle.maps[map_index(".rodata")].flags, BUNDLE_MAP_DATA | BUNDLE_MAP_READ_ONLY);
	cr_assert_eq(bundle.maps[map_index(".data.own")].value_bytes, 4);
	cr_assert(addresses("global_sub", ".bss", 0) || addresses("global_sub", ".bss", 4));
	cr_assert(addresses("global_sub", ".data.own", 0));
}

Test(tools_link, strings_are_in_rodata)
{
	const struct bundle_map *rodata = &bundle.maps[map_index(".rodata")];
	const char *found = memmem(bundle.data + rodata->data_off, rodata->data_bytes, "hello %d", 9);

	cr_assert_not_null(found);
	cr_assert(addresses("program_a", ".rodata", (int32_t)(found - (const char *)bundle.data - rodata->data_off)));
}

Test(tools_link, pointers_in_variables_are_initialisers)
{
	unsigned int to_bss = 0, to_data = 0;

	for (uint32_t i = 0; i < bundle.count[BUNDLE_INITS]; i++) {
		const struct bundle_init *init = &bundle.inits[i];

		if (init->kind != BUNDLE_INIT_VALUE_ADDRESS)
			continue;
		to_bss += init->target == map_index(".bss") && init->addend == 12;
		to_data += init->target == map_index(".data");
	}
	cr_assert_eq(to_bss, 1);
	cr_assert_eq(to_data, 1);
}

Test(tools_link, slots_are_initialisers)
{
	cr_assert_eq(find_init("programs", 3)->kind, BUNDLE_INIT_PROGRAM_SLOT);
	cr_assert_eq(find_init("programs", 3)->target, program_index("program_b"));
	cr_assert_eq(find_init("outer", 2)->kind, BUNDLE_INIT_MAP_SLOT);
	cr_assert_eq(find_init("outer", 2)->target, map_index("inner"));
}

Test(tools_link, what_nobody_needs_may_be_refused)
{
	cr_assert_eq(bundle.functions[function_index("unreached")].flags,
		     BUNDLE_FUNCTION_GLOBAL | BUNDLE_FUNCTION_REFUSED);
	cr_assert_eq(bundle.functions[function_index("unreached")].insn_count, 0);
	cr_assert_eq(bundle.functions[function_index("program_c")].insn_count, 0);
}

Test(tools_link, selection_starts_with_main_and_holds_what_is_reached)
{
	struct bundle_selection selection;
	struct jf_error error;

	cr_assert_eq(bundle_select(&bundle, program_index("program_a"), &selection, &error), JF_OK);
	cr_assert_eq(selection.program.function_count, 5);
	cr_assert_str_eq(selection.functions[0].name, "program_a");
	cr_assert_str_eq(selection.functions[selection.program.callback].name, "callback");
	for (uint32_t f = 0; f < selection.program.function_count; f++)
		for (uint32_t i = 0; i < selection.functions[f].insn_count; i++) {
			const struct jf_insn *insn = &selection.functions[f].insns[i];

			if (insn->opcode == 0x85 && insn->regs >> 4 == 1)
				cr_assert_lt(insn->imm, 5);
		}
	bundle_selection_free(&selection);
}

/* ---- refused ------------------------------------------------------------------------------------ */

static const struct refusal {
	const char *object;
	const char *program;
	enum jf_status status;
	const char *where;
	const char *text; /* a part of it */
} refusals[] = {
	{"unknown_helper", NULL, JF_E_UNSUPPORTED, "program", "helper bpf_get_current_task (35) is not there"},
	{"unknown_helper", NULL, JF_E_UNSUPPORTED, "program", "instruction "},
	{"helper_without_name", NULL, JF_E_UNSUPPORTED, "program", "instruction 0: helper 9999 is not there"},
	{"unknown_kfunc", NULL, JF_E_UNSUPPORTED, "sub", "instruction 0: kfunc kfunc_of_tomorrow is not there"},
	{"kfunc_argument", NULL, JF_E_BAD_IMAGE, "program",
	 "instruction 1: kfunc jf_seventh is declared with argument 1 of 4 bytes, not 4, signed"},
	{"kfunc_result", NULL, JF_E_BAD_IMAGE, "program",
	 "instruction 1: kfunc jf_seventh is declared with a result of 8 bytes, not 4, signed"},
	{"kfunc_too_many", NULL, JF_E_BAD_IMAGE, "program",
	 "instruction 2: kfunc jf_seventh is declared with 2 arguments, not 1"},
	{"weak_kfunc_untested", NULL, JF_E_UNSUPPORTED, "program", "instruction 0: kfunc kfunc_of_tomorrow"},
	{"kernel_variable", NULL, JF_E_UNSUPPORTED, "program", "instruction 0: extern kernel_variable is not there"},
	{"kernel_config", NULL, JF_E_UNSUPPORTED, "program", "instruction 0: extern LINUX_KERNEL_VERSION"},
	{"core_relocation", NULL, JF_E_UNSUPPORTED, "program", "CO-RE asks what a kernel has"},
	{"legacy_maps", NULL, JF_E_UNSUPPORTED, "maps", "legacy map definitions"},
	{"static_map", NULL, JF_E_UNSUPPORTED, "map", "a map has to be global"},
	{"map_member", NULL, JF_E_UNSUPPORTED, "map", "member colour is not supported"},
	{"static_program", NULL, JF_E_UNSUPPORTED, "program", "a program has to be global"},
	{"static_callback", NULL, JF_E_BAD_IMAGE, "program", "callback has to be a global function"},
	{"missing_callback", NULL, JF_E_BAD_IMAGE, "program", "there is no function callback"},
	{"two_callbacks", NULL, JF_E_BAD_IMAGE, "program", "two exception callbacks"},
	{"odd_section", NULL, JF_E_UNSUPPORTED, "program", "section odd (variable), which holds no map and no data"},
	{"no_program", NULL, JF_E_BAD_IMAGE, "file", "no functions"},
	{"big_endian", NULL, JF_E_BAD_IMAGE, "ELF header", "byte 5: big-endian"},
	{"kinds", "program_c", JF_E_UNSUPPORTED, "program_c", "instruction 0: helper bpf_get_current_task (35)"},
};

Test(tools_link, refusals_say_why)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct jf_error error = {0};
		size_t object_size, size;
		uint8_t *object = object_read(r->object, &object_size);
		void *linked = NULL;

		cr_expect_eq(link_object(object, object_size, r->program, LINK_TO_RUN, &linked, &size, &error),
			     r->status, "%s: %s", r->object, error.text);
		cr_expect_null(linked);
		cr_expect_str_eq(error.where, r->where, "%s: %s", r->object, error.where);
		cr_expect(strstr(error.text, r->text), "%s: %s", r->object, error.text);
		free(object);
	}
}

/* ---- seen only ---------------------------------------------------------------------------------- */

/* What `run` refuses because of what a program calls or addresses is linked for a look at the code. */
Test(tools_link, any_import_is_linked_to_be_seen)
{
	static const char *const objects[] = {
		"unknown_helper", "unknown_kfunc",   "weak_kfunc_untested", "kernel_variable",
		"kernel_config",  "core_relocation", "struct_ops",
	};

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		struct jf_error error = {0};
		size_t object_size, size;
		uint8_t *object = object_read(objects[i], &object_size);
		void *linked = NULL;

		cr_expect_eq(link_object(object, object_size, NULL, LINK_TO_SEE, &linked, &size, &error), JF_OK,
			     "%s: %s: %s", objects[i], error.where, error.text);
		cr_expect(linked && bundle_exercise(linked, size), "%s", objects[i]);
		free(linked);
		free(object);
	}
}

static void see(const char *name, struct bundle *seen, void **linked)
{
	struct jf_error error = {0};
	size_t object_size, size;
	uint8_t *object = object_read(name, &object_size);

	cr_assert_eq(link_object(object, object_size, "", LINK_TO_SEE, linked, &size, &error), JF_OK, "%s", error.text);
	cr_assert_eq(bundle_open(seen, *linked, size, &error), JF_OK, "%s", error.text);
	free(object);
}

static const struct bundle_function *function_of(const struct bundle *seen, const char *name)
{
	for (uint32_t i = 0; i < seen->count[BUNDLE_FUNCTIONS]; i++)
		if (strcmp(seen->strings + seen->functions[i].name, name) == 0)
			return &seen->functions[i];
	cr_assert_fail("no function %s", name);
	return NULL;
}

Test(tools_link, a_kfunc_of_btf_has_the_declared_types)
{
	struct jf_import import;
	struct bundle seen;
	void *linked;

	see("seen", &seen, &linked);
	cr_assert_eq(seen.count[BUNDLE_KFUNCS], 1);
	cr_assert_str_eq(seen.strings + seen.kfuncs[0].name, "kfunc_of_tomorrow");
	bundle_kfunc_get(&seen.kfuncs[0], &import);
	cr_expect_eq(import.arg_count, 3);
	cr_expect(import.result.bytes == 2 && import.result.is_signed);
	cr_expect(import.args[0].bytes == 8);
	cr_expect(import.args[1].bytes == 1 && !import.args[1].is_signed);
	cr_expect(import.args[2].bytes == 4 && import.args[2].is_signed);
	free(linked);
}

static unsigned int jumps_to_themselves(const struct bundle *from, const struct bundle_function *function)
{
	static const struct jf_insn to_itself = {.opcode = 0x05, .off = -1};
	unsigned int count = 0;

	for (uint32_t i = 0; i < function->insn_count; i++)
		count += memcmp(&from->insns[function->insn_start + i], &to_itself, sizeof(to_itself)) == 0;
	return count;
}

/* A write to R10, an unknown call and a 16-byte instruction behind a jump: jumps to themselves stand there. What values
 * alone make unreachable is still there, to be refused. */
Test(tools_link, code_that_no_path_reaches_is_not_judged)
{
	const struct bundle_function *dead;
	struct bundle seen;
	void *linked;

	see("seen", &seen, &linked);
	dead = function_of(&seen, "dead");
	cr_assert_eq(dead->flags & BUNDLE_FUNCTION_REFUSED, 0);
	cr_expect_eq(dead->insn_count, 10);
	cr_expect_eq(jumps_to_themselves(&seen, dead), 4);
	cr_expect_eq(jumps_to_themselves(&seen, function_of(&seen, "writes_r10")), 0);
	cr_expect(bundle_exercise(linked, *(uint32_t *)((uint8_t *)linked + 8)));
	free(linked);
}

Test(tools_link, helpers_have_the_kernel_s_names)
{
	cr_assert_str_eq(link_helper_name(1), "map_lookup_elem");
	cr_assert_str_eq(link_helper_name(181), "loop");
	cr_assert_null(link_helper_name(0));
	cr_assert_null(link_helper_name(UINT32_MAX));
}
