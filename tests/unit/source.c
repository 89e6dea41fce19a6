/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy_run.h"

#include <jitframe/codemap.h>
#include <string.h>

/* From code addresses to instructions and lines: jf_range_source(), and how a program's lines come into images. */

/* Instruction 1 is the second half of instruction 0; instruction 3 has no code. The epilogue begins at 28. */
static const uint32_t offs[] = {4, 20, 20, 24, 24, 28};
static const struct jf_source_line lines[] = {{.insn = 0, .line = 7, .column = 2, .file = "a.c", .text = "\tx = 5;"},
					      {.insn = 4, .line = 9, .file = "b.h"}};
static const struct jf_row one_row = {.cfa_reg = TOY_SP};

static struct jf_range with_lines(void)
{
	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = JF_RANGE_MAIN,
		.start = 1000,
		.end = 1040,
		.name = "range",
		.backend = &toy_backend,
		.rows = &one_row,
		.row_count = 1,
		.insn_off = offs,
		.insn_count = 5,
		.lines = lines,
		.line_count = 2,
	};
}

Test(source, from_every_address_to_its_instruction)
{
	const struct jf_range range = with_lines();

	for (uint32_t off = 0; off < 40; off++) {
		uint32_t insn = off < 20 ? 0 : off < 24 ? 2 : off < 28 ? 4 : 5;
		struct jf_source source;

		cr_assert_eq(jf_range_source(&range, 1000 + off, &source), JF_OK);
		CHECK(source.insn == insn, "byte %u: instruction %u, not %u", off, source.insn, insn);
		CHECK(source.line == &lines[insn >= 4], "byte %u: line %u", off, source.line->line);
	}
}

Test(source, code_before_the_first_line_belongs_to_it)
{
	struct jf_range range = with_lines();
	struct jf_source source;

	range.lines = &lines[1];
	range.line_count = 1;
	cr_assert_eq(jf_range_source(&range, 1004, &source), JF_OK);
	cr_assert_eq(source.insn, 0);
	cr_assert_eq(source.line, &lines[1]);
}

Test(source, instructions_without_lines)
{
	struct jf_range range = with_lines();
	struct jf_source source;

	range.lines = NULL;
	range.line_count = 0;
	cr_assert_eq(jf_range_source(&range, 1024, &source), JF_OK);
	cr_assert_eq(source.insn, 4);
	cr_assert_null(source.line);
}

Test(source, refusals_leave_the_output_alone)
{
	struct jf_range range = with_lines();
	struct jf_source source = {.insn = 77}, *none = NULL;

	cr_assert_eq(jf_range_source(NULL, 1000, &source), JF_E_INVAL);
	cr_assert_eq(jf_range_source(&range, 1000, none), JF_E_INVAL);
	cr_assert_eq(jf_range_source(&range, 999, &source), JF_E_INVAL);
	cr_assert_eq(jf_range_source(&range, 1040, &source), JF_E_INVAL);
	range.insn_off = NULL;
	range.insn_count = 0;
	cr_assert_eq(jf_range_source(&range, 1000, &source), JF_E_NOT_FOUND);
	cr_assert_eq(source.insn, 77);
}

/* ---- tables that are wrong -------------------------------------------------------------------------------- */

static const struct jf_source_line wrong[][2] = {
	{{.insn = 0}, {.insn = 1, .file = "a.c"}},
	{{.insn = 1, .file = "a.c"}, {.insn = 1, .file = "a.c"}},
	{{.insn = 2, .file = "a.c"}, {.insn = 1, .file = "a.c"}},
	{{.insn = 0, .file = "a.c"}, {.insn = 5, .file = "a.c"}},
};

static void check_refused(const struct jf_range *range, const char *where)
{
	struct jf_error error = {0};

	cr_assert_eq(jf_code_map_add(range, &error), JF_E_INVAL);
	cr_assert_str_eq(error.where, where);
	cr_assert(strstr(error.text, "\"range\": "), "%s", error.text);
}

Test(source, the_code_map_refuses_wrong_tables)
{
	struct jf_range range = with_lines();

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		range.lines = wrong[i];
		check_refused(&range, "lines");
	}
	range.lines = NULL;
	check_refused(&range, "lines");
	range = with_lines();
	range.insn_off = NULL;
	check_refused(&range, "insn_off");
	range = with_lines();
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
}

Test(source, compiling_refuses_wrong_tables)
{
	static const struct jf_insn insns[] = {MOV_K(0, 0), MOV_K(0, 1), MOV_K(0, 2), MOV_K(0, 3), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	struct jf_program program = run_program(functions, 1, -1);
	static uint8_t code[RUN_CODE_BYTES];
	struct jf_image *image = NULL;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const struct jf_source_lines tables[] = {{wrong[i], 2}};
		struct jf_error error = {0};

		program.lines = tables;
		cr_assert_eq(jf_compile(&toy_plain, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, &error),
			     JF_E_INVAL);
		cr_assert_str_eq(error.where, "lines");
		cr_assert_null(image);
	}
}

/* ---- in images -------------------------------------------------------------------------------------------- */

Test(source, an_image_has_its_programs_lines)
{
	static const struct jf_insn calls[] = {CALL_FUNCTION(1), MOV_K(0, 0), MOV_K(0, 0), MOV_K(0, 0), EXIT};
	static const struct jf_insn throws[] = {CALL_KFUNC(IMPORT_THROW)};
	const struct jf_function functions[] = {FUNCTION("main", calls), FUNCTION("one", throws)};
	const struct jf_source_lines tables[] = {{lines, 2}, {NULL, 0}};
	struct jf_program program = run_program(functions, 2, -1);
	static uint8_t code[RUN_CODE_BYTES];
	struct jf_image *image = NULL;

	program.lines = tables;
	cr_assert_eq(jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, NULL), JF_OK);
	cr_assert_eq(image->function_count, 3, "the default callback too");
	for (uint32_t i = 0; i < 3; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		cr_assert_eq(f->lines, i ? NULL : lines);
		cr_assert_eq(f->line_count, i ? 0 : 2);
	}
	jf_image_free(image);
}
