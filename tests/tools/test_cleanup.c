/* SPDX-License-Identifier: BSD-2-Clause */

/* Tables of clean-up pads in objects: what comes out of the linker, and what is refused, by the linker or by
 * jf_compile(). */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* As `jitframe compile` does with each program; the first error ends it. */
static enum jf_status compile_program(const struct bundle *bundle, const char *name, struct jf_error *error)
{
	static uint8_t code[65536];
	struct jf_import kfuncs[64];
	struct bundle_selection selection;
	struct jf_image *image;
	enum jf_status status;
	uint32_t index;

	cr_assert_eq(bundle_find(bundle, name, &index, error), JF_OK, "%s", error->text);
	cr_assert_eq(bundle_select(bundle, index, &selection, error), JF_OK, "%s", error->text);
	cr_assert_leq(bundle->count[BUNDLE_KFUNCS], sizeof(kfuncs) / sizeof(kfuncs[0]));
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++) {
		cr_assert(bundle_kfunc(bundle->strings + bundle->kfuncs[i].name, &kfuncs[i]) >= 0);
		kfuncs[i].address = 0x7f2000000000;
	}
	selection.program.kfuncs = kfuncs;
	selection.program.kfunc_count = bundle->count[BUNDLE_KFUNCS];
	status = jf_compile(jf_backend_at(0)->conventions[0], &selection.program, NULL, code, sizeof(code),
			    0x7f0000000000, &image, error);
	if (status == JF_OK)
		jf_image_free(image);
	bundle_selection_free(&selection);
	return status;
}

/* The records of one function, as text: "0-3>5 3-4>6". */
static void expect_records(const struct bundle *bundle, const char *function, const char *wanted)
{
	char text[256] = "";

	for (uint32_t i = 0; i < bundle->count[BUNDLE_FUNCTIONS]; i++) {
		const struct bundle_function *f = &bundle->functions[i];

		for (uint32_t k = 0; k < f->cleanup_count && !strcmp(bundle->strings + f->name, function); k++) {
			const struct jf_cleanup *record = &bundle->cleanups[f->cleanup_start + k];

			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u-%u>%u", k ? " " : "",
				 record->start, record->end, record->pad);
		}
	}
	cr_assert_str_eq(text, wanted, "%s", function);
}

static void compiles(const struct bundle *bundle, const char *program)
{
	struct jf_error error = {0};

	cr_assert_eq(compile_program(bundle, program, &error), JF_OK, "%s: %s", error.where, error.text);
}

/* ---- good tables ---------------------------------------------------------------------------------------- */

Test(tools_cleanup, records_come_to_their_functions_in_order)
{
	struct bundle bundle;
	void *bytes;

	object_bundle("cleanup_shapes", NULL, &bytes, &bundle);
	cr_assert_eq(bundle.count[BUNDLE_CLEANUPS], 6);
	expect_records(&bundle, "program", "0-3>5 3-4>6");
	expect_records(&bundle, "sub", "2-3>1");
	expect_records(&bundle, "by_name", "0-1>2");
	expect_records(&bundle, "other", "0-1>3 1-2>3");
	expect_records(&bundle, "quiet", "");
	compiles(&bundle, "program");
	compiles(&bundle, "other");
	free(bytes);
}

/* Of a pad that the compiler knows as a block of its own. */
Test(tools_cleanup, pads_of_asm_goto)
{
	struct bundle bundle;
	void *bytes;

	object_bundle("cleanup_asm_goto", NULL, &bytes, &bundle);
	cr_assert_eq(bundle.count[BUNDLE_CLEANUPS], 2);
	compiles(&bundle, "program");
	free(bytes);
}

Test(tools_cleanup, unwind_is_another_spelling)
{
	struct bundle bundle;
	void *bytes;

	object_bundle("cleanup_unwind", NULL, &bytes, &bundle);
	expect_records(&bundle, "program", "0-1>3");
	for (uint32_t i = 0; i < bundle.count[BUNDLE_INSNS]; i++)
		cr_assert_neq(bundle.insns[i].opcode, 0xfd);
	compiles(&bundle, "program");
	free(bytes);
}

/* Its neighbour has no pads. */
Test(tools_cleanup, programs_that_throw_past_pads)
{
	struct bundle bundle;
	void *bytes;

	object_bundle("cleanup_throws", NULL, &bytes, &bundle);
	compiles(&bundle, "program");
	compiles(&bundle, "without_pads");
	free(bytes);
}

/* ---- bad tables ----------------------------------------------------------------------------------------- */

static const struct refusal {
	const char *object; /* behind "cleanup_" */
	enum jf_status status;
	const char *where;
	const char *text;
} by_linker[] = {
	{"no_whole_records", JF_E_BAD_IMAGE, ".bpf_cleanup", "20 bytes are no whole records"},
	{"no_relocation", JF_E_BAD_IMAGE, ".bpf_cleanup", "byte 0x14: no relocation to code"},
	{"wide_relocation", JF_E_BAD_IMAGE, ".bpf_cleanup",
	 "byte 0x0: no relocation to code: its type is 2, not 3 or 4"},
	{"no_code", JF_E_BAD_IMAGE, ".bpf_cleanup", "byte 0x8: no relocation to code: variable is none"},
	{"undefined", JF_E_BAD_IMAGE, ".bpf_cleanup", "byte 0x8: no relocation to code: bpf_throw is none"},
	{"no_insn", JF_E_BAD_IMAGE, ".bpf_cleanup", "cleanup record 1: 0x1c is no instruction"},
	{"empty", JF_E_BAD_IMAGE, ".bpf_cleanup", "cleanup record 1: empty"},
	{"two_functions", JF_E_BAD_IMAGE, ".bpf_cleanup", "cleanup record 1: not in one function"},
	{"two_sections", JF_E_BAD_IMAGE, ".bpf_cleanup", "cleanup record 0: not in one function"},
	{"unwind_first", JF_E_BAD_IMAGE, "program", "instruction 0: unwind: it is not behind a call"},
	{"unwind_not_behind_call", JF_E_BAD_IMAGE, "program", "instruction 1: unwind: it is not behind a call"},
	{"unwind_behind_resume", JF_E_BAD_IMAGE, "program",
	 "instruction 2: unwind: it is behind a resume, which takes no pad"},
	{"unwind_out", JF_E_BAD_IMAGE, "program", "instruction 1: unwind: its pad, 3, is not in the function"},
	{"unwind_reserved", JF_E_BAD_IMAGE, "program", "instruction 1: unwind: a reserved field is not zero"},
};
static const struct refusal by_library[] = {
	{"overlap", JF_E_BAD_INSN, "program", "cleanup records 0 and 1 overlap at instruction 3"},
	{"pad_in_range", JF_E_BAD_INSN, "program", "cleanup record 0: pad 5 lies in the range of record 0"},
	{"second_half", JF_E_BAD_INSN, "program", "cleanup record 0: 2 is no instruction, but the second half of one"},
	{"catches", JF_E_BAD_INSN, "program", "cleanup pad 4: returns at instruction 4 (catching is not supported)"},
	{"resume_outside", JF_E_BAD_INSN, "program", "instruction 6: resume outside of a cleanup pad"},
};

Test(tools_cleanup, the_linker_says_what_is_wrong)
{
	for (size_t i = 0; i < sizeof(by_linker) / sizeof(by_linker[0]); i++) {
		const struct refusal *r = &by_linker[i];
		struct jf_error error = {0};
		char name[64];
		size_t object_size, size;
		uint8_t *object;
		void *bytes;

		snprintf(name, sizeof(name), "cleanup_%s", r->object);
		object = object_read(name, &object_size);
		cr_assert_eq(link_object(object, object_size, NULL, LINK_TO_RUN, &bytes, &size, &error), r->status,
			     "%s", name);
		cr_assert_str_eq(error.where, r->where, "%s", name);
		cr_assert_str_eq(error.text, r->text, "%s", name);
		free(object);
	}
}

Test(tools_cleanup, the_library_says_what_is_wrong)
{
	for (size_t i = 0; i < sizeof(by_library) / sizeof(by_library[0]); i++) {
		const struct refusal *r = &by_library[i];
		struct jf_error error = {0};
		struct bundle bundle;
		char name[64];
		void *bytes;

		snprintf(name, sizeof(name), "cleanup_%s", r->object);
		object_bundle(name, NULL, &bytes, &bundle);
		cr_assert_eq(compile_program(&bundle, "program", &error), r->status, "%s: %s", name, error.text);
		cr_assert_str_eq(error.where, r->where, "%s", name);
		cr_assert_str_eq(error.text, r->text, "%s", name);
		free(bytes);
	}
}
