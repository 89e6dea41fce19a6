/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "loads.h"
#include "publish/section.h"
#include "toy.h"

#include <limits.h>
#include <string.h>

/* Who is told of what. What unwinders make of it is in tests/publish. */

static struct jf_publish_counts count_of(enum jf_publish consumer)
{
	struct jf_publish_counts counts = {.size = sizeof(counts)};

	CHECK_STATUS(jf_publish_count(consumer, &counts), JF_OK, "%s", jf_publish_name(consumer));
	return counts;
}

static void check_counts(uint64_t ranges, uint64_t refused)
{
	struct jf_publish_counts counts = count_of(JF_PUBLISH_CFI);

	CHECK(counts.ranges == ranges && counts.refused == refused, "%llu ranges, %llu refused",
	      (unsigned long long)counts.ranges, (unsigned long long)counts.refused);
}

static void start(void)
{
	struct jf_error error = {0};

	if (!jf_backend_host())
		cr_skip_test("this host has no backend");
	CHECK_STATUS(jf_publish_start(JF_PUBLISH_CFI, &error), JF_OK, "%s: %s", error.where, error.text);
}

static void stop(void)
{
	CHECK_STATUS(jf_publish_stop(JF_PUBLISH_CFI), JF_OK, "stop");
}

/* ---- names and arguments ---------------------------------------------------------------------------------- */

Test(publish, lists_of_names)
{
	struct jf_error error = {0};
	uint32_t consumers = 77;

	cr_expect_eq(jf_publish_parse("cfi", &consumers, NULL), JF_OK);
	cr_expect_eq(consumers, JF_PUBLISH_CFI);
	cr_expect_eq(jf_publish_parse("perf,cfi", &consumers, NULL), JF_OK);
	cr_expect_eq(consumers, JF_PUBLISH_CFI | JF_PUBLISH_PERF_MAP | JF_PUBLISH_PERF_DUMP);
	cr_expect_eq(jf_publish_parse("perf-dump,gdb,gdb", &consumers, NULL), JF_OK);
	cr_expect_eq(consumers, JF_PUBLISH_GDB | JF_PUBLISH_PERF_DUMP);
	cr_expect_eq(jf_publish_parse("cfi,perf-", &consumers, &error), JF_E_NOT_FOUND);
	cr_expect_str_eq(error.where, "perf-");
	cr_expect_str_eq(error.text, "it is none of cfi, gdb, perf-map, perf-dump, libunwind, perf");
	cr_expect_eq(jf_publish_parse("cfi,", &consumers, NULL), JF_E_NOT_FOUND);
	cr_expect_eq(jf_publish_parse("", &consumers, NULL), JF_E_INVAL);
	cr_expect_eq(jf_publish_parse(NULL, &consumers, NULL), JF_E_INVAL);
	cr_expect_eq(consumers, JF_PUBLISH_GDB | JF_PUBLISH_PERF_DUMP, "untouched");
}

Test(publish, names_and_bits)
{
	for (uint32_t bit = 1; bit <= JF_PUBLISH_LIBUNWIND; bit <<= 1) {
		uint32_t consumers = 0;

		cr_expect_eq(jf_publish_parse(jf_publish_name((enum jf_publish)bit), &consumers, NULL), JF_OK);
		cr_expect_eq(consumers, bit);
	}
	cr_expect_str_eq(jf_publish_name((enum jf_publish)0), "?");
	cr_expect_str_eq(jf_publish_name((enum jf_publish)3), "?");
	cr_expect_str_eq(jf_publish_name((enum jf_publish)0x80000000u), "?");
}

Test(publish, wrong_arguments)
{
	struct jf_publish_counts counts = {.size = 1};

	cr_expect_eq(jf_publish_start(0, NULL), JF_E_INVAL);
	cr_expect_eq(jf_publish_start(UINT32_C(1) << 31 | JF_PUBLISH_CFI, NULL), JF_E_INVAL);
	cr_expect_eq(jf_publish_stop(0), JF_E_INVAL);
	cr_expect_eq(jf_publish_stop(JF_PUBLISH_CFI), JF_E_NOT_FOUND);
	cr_expect_eq(jf_publish_count(JF_PUBLISH_CFI, NULL), JF_E_INVAL);
	cr_expect_eq(jf_publish_count(JF_PUBLISH_CFI, &counts), JF_E_INVAL);
	counts.size = sizeof(counts);
	cr_expect_eq(jf_publish_count((enum jf_publish)(JF_PUBLISH_CFI | JF_PUBLISH_GDB), &counts), JF_E_INVAL);
}

Test(publish, not_in_a_reader_section)
{
	unsigned int section = jf_code_map_enter();

	cr_expect_eq(jf_publish_start(JF_PUBLISH_CFI, NULL), JF_E_IN_SECTION);
	cr_expect_eq(jf_publish_stop(JF_PUBLISH_CFI), JF_E_IN_SECTION);
	jf_code_map_leave(section);
	cr_expect_eq(count_of(JF_PUBLISH_CFI).starts, 0);
}

/* ---- what is told of ---------------------------------------------------------------------------------------- */

static struct jf_row row; /* CFA = sp + 0 */
static struct jf_row unknown = {.flags = JF_ROW_UNKNOWN};

static struct jf_range range_of(uint64_t begin, uint64_t end)
{
	row.cfa_reg = jf_backend_host()->sp;
	return (struct jf_range){.size = sizeof(struct jf_range),
				 .kind = JF_RANGE_MAIN,
				 .start = begin,
				 .end = end,
				 .name = "range",
				 .backend = jf_backend_host(),
				 .rows = &row,
				 .row_count = 1};
}

static void add(const struct jf_range *ranges, size_t count)
{
	CHECK_STATUS(jf_code_map_add_all(ranges, count, NULL), JF_OK, "add");
}

static void take(const struct jf_range *ranges, size_t count)
{
	CHECK_STATUS(jf_code_map_remove_all(ranges, count), JF_OK, "remove");
}

Test(publish, starts_are_counted)
{
	struct jf_range range;

	start();
	range = range_of(0x1000, 0x2000);
	start();
	cr_expect_eq(count_of(JF_PUBLISH_CFI).starts, 2);
	add(&range, 1);
	check_counts(1, 0);
	stop();
	check_counts(1, 0);
	stop();
	check_counts(0, 0);
	cr_expect_eq(jf_publish_stop(JF_PUBLISH_CFI), JF_E_NOT_FOUND);
	take(&range, 1);
}

/* In the map's words for a part of a block, a block, a region, and for all of these together. */
Test(publish, each_range_is_found_once)
{
	static const uint64_t extents[][2] = {
		{0x10000001, 0x10000002}, {0x10000010, 0x10000020}, {0x10000400, 0x10000800}, {0x10040000, 0x10080000},
		{0x10080123, 0x10200456}, {0x10200456, 0x10200457}, {0x103ffc00, 0x10400001}, {0x20000000, 0x30000000},
	};
	struct jf_range ranges[COUNT_OF(extents)];

	start();
	stop();
	for (unsigned int i = 0; i < COUNT_OF(extents); i++)
		ranges[i] = range_of(extents[i][0], extents[i][1]);
	add(ranges, COUNT_OF(ranges));
	start();
	check_counts(COUNT_OF(ranges), 0);
	take(ranges + 2, 3);
	check_counts(COUNT_OF(ranges) - 3, 0);
	take(ranges, 2);
	take(ranges + 5, 3);
	check_counts(0, 0);
	stop();
}

Test(publish, foreign_and_empty_ranges_are_not_told_of)
{
	struct jf_range ranges[4];

	start();
	for (unsigned int i = 0; i < COUNT_OF(ranges); i++)
		ranges[i] = range_of(0x1000 * (i + 1), 0x1000 * (i + 1) + 16);
	ranges[0].backend = &toy_backend;
	ranges[2].kind = JF_RANGE_ENTRY;
	ranges[2].rows = NULL;
	ranges[2].row_count = 0;
	ranges[3].rows = &unknown;
	add(ranges, COUNT_OF(ranges));
	check_counts(1, 1);
	take(ranges, COUNT_OF(ranges));
	check_counts(0, 1);
	stop();
}

static const struct jf_range_rows *ask(void *arg, const struct jf_range *range)
{
	(void)range;
	return arg;
}

/* Asked for at the registration: an answer of NULL, and rows. */
Test(publish, lazy_ranges_are_told_of_when_they_answer)
{
	struct jf_range_rows answer = {.rows = &row, .row_count = 1};
	struct jf_lazy_rows lazy[2] = {{ask, NULL, NULL}, {ask, &answer, NULL}};
	struct jf_range ranges[2];

	start();
	for (unsigned int i = 0; i < COUNT_OF(ranges); i++) {
		ranges[i] = range_of(0x1000 * (i + 1), 0x1000 * (i + 1) + 16);
		ranges[i].lazy = &lazy[i];
		ranges[i].rows = NULL;
		ranges[i].row_count = 0;
	}
	add(ranges, COUNT_OF(ranges));
	check_counts(1, 1);
	take(ranges, COUNT_OF(ranges));
	check_counts(0, 1);
	stop();
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

static long events_left, blocks;

static bool on_event(enum jf_memory_event event, size_t bytes)
{
	(void)bytes;
	if (event == JF_MEMORY_FREE) {
		blocks--;
		return true;
	}
	if (events_left-- <= 0)
		return false;
	blocks += event == JF_MEMORY_ALLOC;
	return true;
}

/* The range is in the map, and refused; and the next one is told of, or refused as well. */
Test(publish, without_memory_ranges_are_refused)
{
	uint64_t refused = 1;
	struct jf_range ranges[2];

	start();
	ranges[0] = range_of(0x1000, 0x1010);
	ranges[1] = range_of(0x9000000, 0x9000010);
	jf_memory_hook = on_event;
	for (long at = 0; refused; at++) {
		cr_assert(at < 100);
		events_left = LONG_MAX;
		start();
		blocks = 0;
		events_left = at;
		if (jf_code_map_add_all(ranges, 2, NULL) == JF_OK) {
			refused = count_of(JF_PUBLISH_CFI).refused;
			check_counts(2 - refused, refused);
			take(ranges, 2); /* there is no memory for this */
			check_counts(0, refused);
		}
		events_left = LONG_MAX;
		stop();
		stop();
		start();
	}
	jf_memory_hook = NULL;
}

Test(publish, stop_gives_all_memory_back)
{
	struct jf_loaded *loaded[8];

	start();
	stop();
	for (unsigned int i = 0; i < COUNT_OF(loaded); i++)
		loaded[i] = load_number((int32_t)i);
	events_left = LONG_MAX;
	jf_memory_hook = on_event;
	start();
	cr_expect_gt(blocks, 0);
	stop();
	cr_expect_eq(blocks, 0);
	jf_memory_hook = NULL;
	for (unsigned int i = 0; i < COUNT_OF(loaded); i++)
		unload(loaded[i]);
}

/* ---- what is said ------------------------------------------------------------------------------------------- */

#define NOT_SAVED INT32_MAX

static int32_t saved_at(const struct jf_row *of, const struct jf_slot *slots, unsigned int reg)
{
	for (uint32_t left = of->saved; left; left &= left - 1)
		if (slots[__builtin_ctz(left)].reg == reg)
			return slots[__builtin_ctz(left)].off_from_cfa;
	return NOT_SAVED;
}

static void check_row(const struct jf_range *range, const struct jf_row *said, const struct jf_cfi_function *read)
{
	const struct jf_row *found = jf_row_find(read->rows, read->row_count, said->code_off);

	CHECK(found && found->cfa_reg == said->cfa_reg && found->cfa_off == said->cfa_off &&
		      found->flags == said->flags,
	      "%s+%u", range->name, said->code_off);
	for (unsigned int reg = 0; reg < range->backend->reg_count; reg++)
		CHECK(range->backend->regs[reg].cls == JF_REG_CONTROL ||
			      saved_at(found, read->slots, reg) == saved_at(said, range->slots, reg),
		      "%s+%u: %s", range->name, said->code_off, range->backend->regs[reg].name);
}

static void check_section(const struct jf_range *range)
{
	struct section *section = jf_section_new(range);
	struct jf_cfi_section cfi = {.size = sizeof(cfi)};
	const struct jf_cfi_function *read;
	struct jf_cfi_table *table;

	CHECK(section, "%s", range->name);
	cfi.bytes = section->bytes;
	cfi.size_bytes = section->size;
	cfi.address = (uintptr_t)section->bytes;
	CHECK_STATUS(jf_cfi_convert(range->backend, &cfi, "", &table, NULL), JF_OK, "%s", range->name);
	read = jf_cfi_table_at(table, 0);
	CHECK(read && read->start == range->start && read->end == range->end && !jf_cfi_table_at(table, 1), "%s",
	      range->name);
	for (size_t i = 0; i < range->row_count; i++)
		check_row(range, &range->rows[i], read);
	jf_cfi_table_free(table);
	jf_free(section);
}

/* The reader of .eh_frame finds the rows in the section again; its own tests hold it to readelf. */
Test(publish, sections_say_what_the_rows_say)
{
	static const struct jf_insn insns[] = {MOV_K(6, 1), MOV_K(9, 1), CALL_HELPER(0), EXIT};
	static const struct jf_function functions[] = {FUNCTION("main", insns), FUNCTION("callback", insns)};
	const struct jf_import helper = {.name = "throw", .address = (uintptr_t)jf_throw, .throws = true};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = functions,
					   .function_count = 2,
					   .callback = 1,
					   .helpers = &helper,
					   .helper_count = 1};
	struct jf_compile_opts opts = {.size = sizeof(opts)};
	const struct jf_convention *conv = user_convention();

	for (unsigned int i = 0; i < 2; i++) {
		const struct jf_image *image;
		struct jf_loaded *loaded;

		opts.sign_return = i && jf_convention_supports(conv, JF_CAP_SIGN_RETURN);
		CHECK_STATUS(jf_load(conv, &program, &opts, NULL, &loaded, NULL), JF_OK, "load");
		image = jf_loaded_image(loaded);
		for (uint32_t n = 0; n < image->function_count; n++)
			check_section(jf_code_map_find(image->address + jf_image_function_at(image, n)->start));
		unload(loaded);
	}
}
