/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_run.h"

#include <string.h>

/* Clean-up pads: tables and pads that are refused, each with its sentence, and where records lie in code. */

#define RESUME    CALL_KFUNC(0)
#define THROW     CALL_KFUNC(1)
#define MAY_THROW CALL_KFUNC(2)
#define QUIET     CALL_KFUNC(3)

static const struct jf_import kfuncs[] = {
	{.name = "resume", .address = IMPORT(IMPORT_WALK), .resumes = true},
	{.name = "throw", .address = IMPORT(IMPORT_THROW), .throws = true, .never_returns = true},
	{.name = "may_throw", .address = IMPORT(IMPORT_THROW), .throws = true},
	{.name = "quiet", .address = IMPORT(IMPORT_WALK)},
};
static uint8_t code[RUN_CODE_BYTES];

/* Compiles with a table for function 0. out: *image, on JF_OK. */
static enum jf_status compile(struct jf_program program, const struct jf_cleanup *list, uint32_t count,
			      struct jf_image **image, struct jf_error *error)
{
	struct jf_cleanups tables[4] = {{list, count}};

	program.kfuncs = kfuncs;
	program.kfunc_count = COUNT_OF(kfuncs);
	program.cleanups = tables;
	return jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), RUN_ADDRESS, image, error);
}

static void refused(const struct jf_function *functions, uint32_t function_count, const struct jf_cleanup *list,
		    uint32_t count, enum jf_status wanted, const char *sentence)
{
	struct jf_image *image;
	struct jf_error error = {0};

	CHECK_STATUS(compile(run_program(functions, function_count, -1), list, count, &image, &error), wanted, "%s: %s",
		     error.where, error.text);
	CHECK(!strcmp(error.where, "main"), "'%s' is named", error.where);
	CHECK(!strcmp(error.text, sentence), "'%s', not '%s'", error.text, sentence);
	CHECK_STATUS(compile(run_program(functions, function_count, -1), list, count, &image, NULL), wanted,
		     "without an error");
}

static void accepted(const struct jf_function *functions, uint32_t function_count, const struct jf_cleanup *list,
		     uint32_t count)
{
	struct jf_image *image;
	struct jf_error error = {0};

	CHECK_STATUS(compile(run_program(functions, function_count, -1), list, count, &image, &error), JF_OK, "%s: %s",
		     error.where, error.text);
	jf_image_free(image);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

/* 0 call, 1-2 lddw, 3 call, 4 exit, 5 pad, 6 resume. */
static const struct jf_insn shape[] = {QUIET, LDDW(1, 0, 7, 0), QUIET, EXIT, MOV_K(0, 0), RESUME};
static const struct jf_function shape_functions[] = {FUNCTION("main", shape)};

static const struct bad_table {
	struct jf_cleanup list[3];
	uint32_t count;
	const char *sentence;
} bad_tables[] = {
	{{{2, 2, 5}}, 1, "cleanup record 0: empty, from instruction 2 to 2"},
	{{{3, 0, 5}}, 1, "cleanup record 0: empty, from instruction 3 to 0"},
	{{{0, 1, 5}, {3, 8, 5}}, 2, "cleanup record 1: instruction 8 is not in the function, which has 7"},
	{{{0, 1, 7}}, 1, "cleanup record 0: instruction 7 is not in the function, which has 7"},
	{{{0, 1, UINT32_MAX}}, 1, "cleanup record 0: instruction 4294967295 is not in the function, which has 7"},
	{{{2, 4, 5}}, 1, "cleanup record 0: 2 is no instruction, but the second half of one"},
	{{{0, 2, 5}}, 1, "cleanup record 0: 2 is no instruction, but the second half of one"},
	{{{0, 1, 2}}, 1, "cleanup record 0: 2 is no instruction, but the second half of one"},
	{{{3, 4, 5}, {0, 1, 5}}, 2, "cleanup record 1: not sorted, instruction 0 comes behind 3"},
	{{{0, 3, 5}, {1, 4, 5}}, 2, "cleanup records 0 and 1 overlap at instruction 1"},
	{{{0, 1, 5}, {0, 1, 5}}, 2, "cleanup records 0 and 1 overlap at instruction 0"},
	{{{0, 1, 5}, {5, 6, 5}}, 2, "cleanup record 0: pad 5 lies in the range of record 1"},
	{{{3, 6, 5}}, 1, "cleanup record 0: pad 5 lies in the range of record 0"},
	{{{0, 1, 5}, {1, 3, 5}, {3, 4, 3}}, 3, "cleanup record 2: pad 3 lies in the range of record 2"},
};

Test(cleanup, bad_tables_have_a_sentence_each)
{
	for (unsigned int i = 0; i < COUNT_OF(bad_tables); i++)
		refused(shape_functions, 1, bad_tables[i].list, bad_tables[i].count, JF_E_BAD_INSN,
			bad_tables[i].sentence);
	refused(shape_functions, 1, NULL, 2, JF_E_BAD_INSN, "cleanup record 0: the table is NULL, and its count 2");
}

Test(cleanup, good_tables)
{
	static const struct jf_cleanup one[] = {{0, 1, 5}};
	static const struct jf_cleanup shared[] = {{0, 1, 5}, {1, 3, 5}, {3, 4, 5}};
	static const struct jf_cleanup inside[] = {{0, 1, 5}, {3, 4, 6}};     /* a pad in another one's body */
	static const struct jf_cleanup to_the_end[] = {{0, 4, 5}, {6, 7, 5}}; /* the end is the function's */

	accepted(shape_functions, 1, one, 1);
	accepted(shape_functions, 1, shared, 3);
	accepted(shape_functions, 1, inside, 2);
	accepted(shape_functions, 1, to_the_end, 2);
}

/* ---- pads ------------------------------------------------------------------------------------------------ */

static const struct jf_insn exits[] = {EXIT};
static const struct jf_insn throws[] = {THROW};
static const struct jf_insn throws_deep[] = {CALL_FUNCTION(2), EXIT};
static const struct jf_insn loops[] = {JA(-1)};
static const struct jf_insn quiet[] = {QUIET, EXIT};

/* Main with a pad from instruction `pad` on, covered call at 0. */
static void pad_refused(const struct jf_insn *insns, uint32_t count, uint32_t pad, const char *sentence)
{
	const struct jf_function functions[] = {{"main", insns, count},
						FUNCTION("deep", throws_deep),
						FUNCTION("throws", throws),
						FUNCTION("loops", loops)};
	const struct jf_cleanup record = {0, 1, pad};

	refused(functions, 4, &record, 1, JF_E_BAD_INSN, sentence);
}

#define PAD_REFUSED(pad, sentence, ...)                              \
	do {                                                         \
		static const struct jf_insn insns[] = {__VA_ARGS__}; \
		pad_refused(insns, COUNT_OF(insns), pad, sentence);  \
	} while (0)

Test(cleanup, what_pads_may_not_do)
{
	PAD_REFUSED(2, "cleanup pad 2: returns at instruction 2 (catching is not supported)", QUIET, EXIT, EXIT);
	/* Both ways out. */
	PAD_REFUSED(2, "cleanup pad 2: returns at instruction 4 (catching is not supported)", QUIET, EXIT,
		    J_K(JEQ, 6, 0, 1), RESUME, EXIT);
	PAD_REFUSED(2, "cleanup pad 2: tail call at instruction 3", QUIET, EXIT, MOV_K(3, 0), CALL_HELPER(12), RESUME);
	PAD_REFUSED(2, "cleanup pad 2: may throw at instruction 2", QUIET, EXIT, THROW);
	PAD_REFUSED(2, "cleanup pad 2: may throw at instruction 3", QUIET, EXIT, MOV_K(6, 0), MAY_THROW, RESUME);
	PAD_REFUSED(2, "cleanup pad 2: may throw at instruction 2", QUIET, EXIT, CALL_FUNCTION(1), RESUME);
	/* A helper that is given the function may call it. */
	PAD_REFUSED(2, "cleanup pad 2: may throw at instruction 2", QUIET, EXIT, LDDW(2, 4, 1, 0), QUIET, RESUME);
	PAD_REFUSED(2, "cleanup pad 2: runs off the end of the function at instruction 2", QUIET, EXIT, QUIET);
	PAD_REFUSED(2, "cleanup pad 2: never resumes", QUIET, EXIT, JA(-1));
	PAD_REFUSED(2, "cleanup pad 2: never resumes", QUIET, EXIT, CALL_FUNCTION(3), RESUME, QUIET, EXIT);
	PAD_REFUSED(2, "instruction 4: it is reached from a cleanup pad, and never resumes", QUIET, EXIT,
		    J_K(JEQ, 6, 0, 1), RESUME, JA(-1));
}

Test(cleanup, resumes_belong_into_pads)
{
	/* Fallen into, jumped to, behind a call that comes back, in dead code. */
	PAD_REFUSED(1, "instruction 2: resume outside of a cleanup pad", QUIET, MOV_K(0, 0), RESUME);
	PAD_REFUSED(3, "instruction 4: resume outside of a cleanup pad", QUIET, J_K(JEQ, 0, 0, 2), EXIT, MOV_K(1, 0),
		    RESUME);
	PAD_REFUSED(1, "instruction 1: resume outside of a cleanup pad", MAY_THROW, RESUME);
	PAD_REFUSED(2, "instruction 3: resume outside of a cleanup pad", QUIET, EXIT, RESUME, RESUME);
}

/* Also in a function without a table: what a pad calls runs outside of it. */
Test(cleanup, resume_in_a_function_without_pads)
{
	static const struct jf_insn main_insns[] = {MOV_K(0, 0), RESUME};
	static const struct jf_function functions[] = {FUNCTION("main", main_insns)};

	refused(functions, 1, NULL, 0, JF_E_BAD_INSN, "instruction 1: resume outside of a cleanup pad");
}

Test(cleanup, good_pads)
{
	static const struct jf_insn loop[] = {QUIET, EXIT, J_K(JEQ, 6, 0, 1), JA(-2), CALL_FUNCTION(1), RESUME};
	static const struct jf_insn at_once[] = {CALL_FUNCTION(2), RESUME}; /* behind a call that never returns */
	static const struct jf_cleanup record[] = {{0, 1, 2}}, record_at_once[] = {{0, 1, 1}};
	/* Its callee returns, so it does. */
	static const struct jf_insn calls[] = {CALL_FUNCTION(2), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", loop), FUNCTION("calls", calls),
						FUNCTION("quiet", quiet)};
	const struct jf_function more[] = {FUNCTION("main", at_once), FUNCTION("exits", exits),
					   FUNCTION("loops", loops)};

	accepted(functions, 3, record, 1);
	accepted(more, 3, record_at_once, 1);
}

/* ---- programs that can throw ------------------------------------------------------------------------------- */

/* No pad runs, so that nothing may rely on it: but a bad table has its own sentence first. */
Test(cleanup, programs_that_throw_are_refused)
{
	static const struct jf_insn main_insns[] = {THROW, RESUME};
	static const struct jf_function functions[] = {FUNCTION("main", main_insns)};
	static const struct jf_cleanup good[] = {{0, 1, 1}}, bad[] = {{0, 1, 0}};

	refused(functions, 1, good, 1, JF_E_UNSUPPORTED,
		"cleanup pad 1: the program can throw, and toy/adopt does not run cleanup pads");
	refused(functions, 1, bad, 1, JF_E_BAD_INSN, "cleanup record 0: pad 0 lies in the range of record 0");
}

/* A program as built with a header that had no tables. */
Test(cleanup, older_programs_have_no_tables)
{
	struct jf_program program = run_program(shape_functions, 1, -1);
	static const struct jf_cleanups garbage[] = {{NULL, 7}};
	struct jf_image *image;

	program.size = offsetof(struct jf_program, cleanups);
	program.cleanups = garbage;
	program.kfuncs = kfuncs + 3;
	program.kfunc_count = 1;
	/* Its resume is kfunc 0: an import like any other here. */
	CHECK_STATUS(jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, NULL),
		     JF_E_UNSUPPORTED, "kfunc 3 is not there");
	program.kfunc_count = 0;
	program.functions = (const struct jf_function[]){FUNCTION("main", exits)};
	CHECK_STATUS(jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), RUN_ADDRESS, &image, NULL), JF_OK,
		     "no table");
	cr_assert_null(jf_image_function_at(image, 0)->cleanups);
	jf_image_free(image);
}

/* ---- in code ------------------------------------------------------------------------------------------------ */

Test(cleanup, records_of_an_image_are_in_bytes)
{
	/* Instruction 6 is a pad's: no record holds it in code. */
	static const struct jf_cleanup list[] = {{0, 1, 5}, {3, 4, 6}, {6, 7, 5}};
	static const struct jf_cleanup in_code[] = {{0, 1, 5}, {3, 4, 6}, {5, 7, 0}};
	const struct jf_image_function *f;
	struct jf_image *image;

	cr_assert_eq(compile(run_program(shape_functions, 1, -1), list, 2, &image, NULL), JF_OK);
	f = jf_image_function_at(image, 0);
	cr_assert_eq(f->cleanup_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(f->cleanups[i].start_off, f->insn_off[in_code[i].start]);
		cr_assert_eq(f->cleanups[i].end_off, f->insn_off[in_code[i].end]);
		cr_assert_eq(f->cleanups[i].pad_off, i < 2 ? f->insn_off[in_code[i].pad] : JF_CLEANUP_IN_PAD);
	}
	/* The last one's end is the epilogue's start: that of the function's last instruction. */
	cr_assert_eq(f->cleanups[2].end_off, f->marks[JF_MARK_EPILOGUE]);
	jf_image_free(image);
	/* A record of a call in a pad. */
	cr_assert_eq(compile(run_program(shape_functions, 1, -1), (const struct jf_cleanup[]){list[0], list[2]}, 2,
			     &image, NULL),
		     JF_OK);
	f = jf_image_function_at(image, 0);
	cr_assert_eq(f->cleanup_count, 2);
	cr_assert_eq(f->cleanups[1].pad_off, JF_CLEANUP_IN_PAD);
	jf_image_free(image);
}

/* An instruction without code, alone and beside a call. */
Test(cleanup, records_without_code_are_left_out)
{
	static const struct jf_insn insns[] = {QUIET, JA(0), JA(0), EXIT, RESUME};
	static const struct jf_function functions[] = {FUNCTION("main", insns)};
	static const struct jf_cleanup list[] = {{0, 2, 4}, {2, 3, 4}};
	const struct jf_image_function *f;
	struct jf_image *image;

	cr_assert_eq(compile(run_program(functions, 1, -1), list, 2, &image, NULL), JF_OK);
	f = jf_image_function_at(image, 0);
	for (uint32_t i = 0; i < f->cleanup_count; i++)
		cr_assert_lt(f->cleanups[i].start_off, f->cleanups[i].end_off);
	/* One pad's records with no code between them are one; the other is the pad's. */
	cr_assert_eq(f->cleanup_count, 2);
	cr_assert_eq(f->cleanups[0].end_off, f->insn_off[2]);
	jf_image_free(image);
}

/* ---- in frames and code maps ---------------------------------------------------------------------------------- */

static void add_refused(struct jf_range range, const struct jf_cleanup_code *list, uint32_t count, const char *words)
{
	struct jf_error error = {0};

	range.cleanups = list;
	range.cleanup_count = count;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_E_INVAL, "%s", words);
	CHECK(!strcmp(error.where, "cleanups"), "'%s' is named", error.where);
	CHECK(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
}

/* A function of 32 bytes, with such records. */
static struct jf_range recorded(const struct jf_row *row, const struct jf_cleanup_code *list, uint32_t count)
{
	return (struct jf_range){.size = sizeof(struct jf_range),
				 .kind = JF_RANGE_SUBPROGRAM,
				 .start = RUN_ADDRESS,
				 .end = RUN_ADDRESS + 32,
				 .name = "f",
				 .backend = &toy_backend,
				 .rows = row,
				 .row_count = 1,
				 .cleanups = list,
				 .cleanup_count = count};
}

Test(cleanup, the_code_map_looks_at_records)
{
	static const struct jf_cleanup_code good[] = {{0, 8, 24}, {8, 16, 24}, {24, 32, JF_CLEANUP_IN_PAD}};
	static const struct jf_cleanup_code empty[] = {{8, 8, 24}}, outside[] = {{0, 33, 4}}, far[] = {{0, 8, 32}},
					    unsorted[] = {{8, 16, 24}, {0, 8, 24}},
					    overlap[] = {{0, 9, 24}, {8, 16, 24}};
	static const struct jf_row row = {.cfa_reg = TOY_SP};
	struct jf_range range = recorded(&row, good, 3);

	CHECK_STATUS(jf_code_map_add(&range, NULL), JF_OK, "good records");
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	add_refused(range, NULL, 1, "it is NULL, and cleanup_count is 1");
	add_refused(range, empty, 1, "cleanups[0] is empty, or outside of the range");
	add_refused(range, outside, 1, "cleanups[0] is empty, or outside of the range");
	add_refused(range, far, 1, "cleanups[0] is empty, or outside of the range");
	add_refused(range, unsorted, 2, "cleanups[1] is not above the one before");
	add_refused(range, overlap, 2, "cleanups[1] is not above the one before");
}

Test(cleanup, the_code_map_wants_slots_of_pads_that_are_resumed)
{
	static const struct jf_cleanup_code list[] = {{0, 8, 24}};
	static const struct jf_row row = {.cfa_reg = TOY_SP};
	static const struct jf_slot slots[] = {
		{.kind = JF_SLOT_CLEANUP, .reg = JF_REG_NONE, .off_from_cfa = -24, .size_bytes = 8},
		{.kind = JF_SLOT_CLEANUP, .reg = JF_REG_NONE, .off_from_cfa = -32, .size_bytes = 8}};
	struct jf_range range = recorded(&row, list, 1);
	struct jf_error error = {0};

	range.slots = slots;
	range.slot_count = 2;
	range.cleanup_entry = JF_CLEANUP_RESUMED;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_OK, "two slots: %s", error.text);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	range.slot_count = 1;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_E_INVAL, "one slot");
	CHECK(strstr(error.text, "not two slots of kind JF_SLOT_CLEANUP"), "'%s'", error.text);
	range.cleanup_count = 0;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_OK, "no records: %s", error.text);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	range.cleanup_entry = JF_CLEANUP__COUNT;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_E_INVAL, "no such entry");
	CHECK(!strcmp(error.where, "cleanup_entry"), "'%s' is named", error.where);
}

Test(cleanup, the_code_map_wants_a_way_back_of_pads_that_are_called)
{
	static const struct jf_cleanup_code list[] = {{0, 8, 24}};
	static const struct jf_row row = {.cfa_reg = TOY_FP};
	static const uint8_t bad[] = {TOY_A1, TOY_F0, TOY_FP, TOY_REG__COUNT, JF_REG_NONE};
	struct jf_range range = recorded(&row, list, 1);
	struct jf_error error = {0};

	range.cleanup_entry = JF_CLEANUP_CALLED;
	range.cleanup_back = TOY_S5;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_OK, "s5: %s", error.text);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	for (unsigned int i = 0; i < COUNT_OF(bad); i++) {
		range.cleanup_back = bad[i];
		CHECK_STATUS(jf_code_map_add(&range, &error), JF_E_INVAL, "register %u", bad[i]);
		CHECK(!strcmp(error.where, "cleanup_back"), "'%s' is named", error.where);
	}
	range.cleanup_entry = JF_CLEANUP_NONE;
	CHECK_STATUS(jf_code_map_add(&range, &error), JF_OK, "pads that do not run: %s", error.text);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
}

/* A frame is made ready for pads where the convention runs them. */
Test(cleanup, frames_with_pads_by_convention)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;
	struct jf_error error = {0};

	spec.cleanups = true;
	CHECK_STATUS(jf_frame_solve(&toy_adopt, &spec, &frame, &error), JF_E_UNSUPPORTED, "none");
	CHECK(!strcmp(error.where, "cleanups"), "'%s' is named", error.where);
	CHECK(!strcmp(error.text, "toy/adopt does not run cleanup pads"), "'%s'", error.text);
}

/* Descriptions that contradict themselves. */
static void contradicts(const struct jf_convention *conv, const char *words)
{
	struct jf_finding findings[16];
	int count = jf_convention_check(conv, findings, COUNT_OF(findings));
	bool found = false;

	for (int i = 0; i < count && i < (int)COUNT_OF(findings); i++)
		found |= strstr(findings[i].text, words) != NULL;
	CHECK(found, "none of %d findings says '%s'", count, words);
}

Test(cleanup, conventions_say_how_pads_run)
{
	struct jf_convention copy = toy_adopt;
	struct jf_area areas[8];
	struct jf_slot_rule rules[32];

	cr_assert_leq(copy.area_count, COUNT_OF(areas));
	cr_assert_leq(copy.areas[0].rule_count, COUNT_OF(rules));
	memcpy(areas, copy.areas, copy.area_count * sizeof(areas[0]));
	memcpy(rules, areas[0].rules, areas[0].rule_count * sizeof(rules[0]));
	areas[0].rules = rules;
	copy.cleanup_entry = JF_CLEANUP_RESUMED;
	contradicts(&copy, "with cleanup pads has 0 slots for a throw, not 2");
	copy.caps &= ~(uint32_t)JF_CAP_EXCEPTIONS;
	contradicts(&copy, "cleanup_entry: there are cleanup pads, but no exceptions");
	copy = toy_adopt;
	copy.areas = areas;
	rules[0].when |= JF_WHEN_CLEANUPS;
	contradicts(&copy, "cleanup_entry is JF_CLEANUP_NONE, but there are slots");
}
