/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <jitframe/backtrace.h>
#include <jitframe/check.h>
#include <jitframe/compile.h>
#include <jitframe/orc.h>
#include <jitframe/walk.h>
#include <string.h>

/*
 * The structs that callers fill and that may grow, each as callers built with three headers have it:
 *
 *     older      `least` bytes; what lies behind is the caller's, neither read nor written
 *     this one   sizeof the struct
 *     newer      16 bytes more, which must be 0
 */

#define ROOM   256
#define BEHIND 0xee

union caller {
	uint32_t size;
	uint8_t bytes[ROOM];
	uint64_t aligned;
};

/* ---- one call for each struct: the struct is good but for its size ---------------------------------------- */

static const struct jf_backend *any_backend(void)
{
	return jf_backend_at(0);
}

static enum jf_status with_memory(void *memory)
{
	struct jf_regs regs = {.value = {0}};
	struct jf_walk walk;
	enum jf_status status = jf_walk_start(&walk, any_backend(), memory, &regs, 0x10, false);

	jf_walk_end(&walk);
	return status == JF_E_NO_ROW ? JF_OK : status;
}

static const struct jf_backend *backend_with_orc(void)
{
	for (size_t i = 0; jf_backend_at(i); i++)
		if (jf_backend_at(i)->orc)
			return jf_backend_at(i);
	cr_skip_test("no backend has ORC");
}

static enum jf_status with_memory_of_orc(void *memory)
{
	const struct jf_orc_entry end = {.type = JF_ORC_END_OF_STACK};
	struct jf_orc_frame frame = {.pc = 0x10};
	enum jf_status status = jf_orc_step(backend_with_orc()->orc, &end, memory, &frame);

	return status == JF_END ? JF_OK : status;
}

static enum jf_status with_section(void *section)
{
	struct jf_cfi_table *table = NULL;
	enum jf_status status = jf_cfi_convert(any_backend(), section, "empty", &table, NULL);

	jf_cfi_table_free(table);
	return status;
}

static enum jf_status with_counts(void *counts)
{
	return jf_cfi_load_objects(counts);
}

static enum jf_status with_sections(void *sections)
{
	struct jf_orc_table table;

	return jf_orc_table_init(&table, backend_with_orc(), sections, NULL);
}

static enum jf_status with_relocs(void *relocs)
{
	return jf_orc_relocate(backend_with_orc()->orc, relocs, NULL, 0, 0, NULL);
}

static struct jf_check_input any_input(void)
{
	static uint8_t code[16];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;

	input.conv = any_backend()->conventions[0];
	input.bytes = code;
	input.byte_count = sizeof(code);
	return input;
}

static enum jf_status with_report(void *report)
{
	struct jf_check_input input = any_input();

	return jf_check(&input, report, NULL);
}

static enum jf_status with_inferred(void *inferred)
{
	struct jf_check_input input = any_input();
	enum jf_status status = jf_check_infer(&input, JF_INFER_ANY_ROLE, inferred);

	return status == JF_E_UNSUPPORTED ? JF_OK : status;
}

/* Without jf_thread_init() there is nothing to print. */
static enum jf_status with_backtrace_opts(void *opts)
{
	enum jf_status status = jf_backtrace_print(-1, opts);

	return status == JF_E_INVAL ? status : JF_OK;
}

static enum jf_status with_backtrace_frame(void *frame)
{
	struct jf_memory memory = {.size = sizeof(memory)};
	struct jf_regs regs = {.value = {0}};
	struct jf_walk walk;

	cr_assert_eq(jf_walk_start(&walk, any_backend(), &memory, &regs, 0x10, false), JF_E_NO_ROW);
	return jf_backtrace_describe(&walk, 0, NULL, frame);
}

static const struct {
	const char *name;
	uint32_t known, least;
	enum jf_status (*call)(void *in);
} structs[] = {
	{"jf_memory", sizeof(struct jf_memory), offsetof(struct jf_memory, read), with_memory},
	{"jf_memory of ORC", sizeof(struct jf_memory), offsetof(struct jf_memory, read), with_memory_of_orc},
	{"jf_cfi_section", sizeof(struct jf_cfi_section), offsetof(struct jf_cfi_section, fde_count), with_section},
	{"jf_cfi_counts", sizeof(struct jf_cfi_counts), offsetof(struct jf_cfi_counts, functions), with_counts},
	{"jf_orc_sections", sizeof(struct jf_orc_sections), offsetof(struct jf_orc_sections, header), with_sections},
	{"jf_orc_relocs", sizeof(struct jf_orc_relocs), sizeof(struct jf_orc_relocs), with_relocs},
	{"jf_check_report", sizeof(struct jf_check_report), offsetof(struct jf_check_report, insn_count), with_report},
	{"jf_backtrace_opts", sizeof(struct jf_backtrace_opts), offsetof(struct jf_backtrace_opts, flags),
	 with_backtrace_opts},
	{"jf_backtrace_frame", sizeof(struct jf_backtrace_frame), offsetof(struct jf_backtrace_frame, guessed),
	 with_backtrace_frame},
	{"jf_inferred", sizeof(struct jf_inferred), offsetof(struct jf_inferred, insns), with_inferred},
};
#define STRUCTS (sizeof(structs) / sizeof(structs[0]))

/* A struct of `size` bytes that says so, all else 0; BEHIND behind it. */
static union caller of_size(uint32_t size)
{
	union caller in;

	cr_assert_leq(size, sizeof(in));
	memset(&in, BEHIND, sizeof(in));
	memset(&in, 0, size);
	in.size = size;
	return in;
}

static void check_behind(const union caller *in, uint32_t size, const char *name)
{
	CHECK(in->size == size, "%s: size is written", name);
	for (uint32_t i = size; i < ROOM; i++)
		CHECK(in->bytes[i] == BEHIND, "%s: byte %u of %u is written", name, i, size);
}

Test(sized, of_this_header_and_of_older_ones)
{
	for (size_t i = 0; i < STRUCTS; i++)
		for (uint32_t size = structs[i].least; size <= structs[i].known; size++) {
			union caller in = of_size(size);

			CHECK_STATUS(structs[i].call(&in), JF_OK, "%s, %u bytes", structs[i].name, size);
			check_behind(&in, size, structs[i].name);
		}
}

Test(sized, without_a_size)
{
	for (size_t i = 0; i < STRUCTS; i++)
		for (uint32_t size = 0; size < structs[i].least; size += 4) {
			union caller in = of_size(structs[i].known);

			in.size = size;
			CHECK_STATUS(structs[i].call(&in), JF_E_INVAL, "%s, %u bytes", structs[i].name, size);
		}
}

Test(sized, of_a_newer_header)
{
	for (size_t i = 0; i < STRUCTS; i++)
		for (uint32_t set = structs[i].known; set <= structs[i].known + 16; set++) {
			uint32_t size = structs[i].known + 16;
			union caller in = of_size(size);

			if (set < size)
				in.bytes[set] = 1;
			CHECK_STATUS(structs[i].call(&in), set < size ? JF_E_INVAL : JF_OK, "%s, byte %u",
				     structs[i].name, set);
			check_behind(&in, size, structs[i].name);
		}
}

/* ---- structs that other structs hold ----------------------------------------------------------------------- */

Test(sized, reserved_room_is_0)
{
	const struct jf_convention *conv = any_backend()->conventions[0];
	static const struct jf_insn insns[] = {{0x95, 0, 0, 0}};
	const struct jf_function function = {"main", insns, 1};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_compile_opts opts = {.size = sizeof(opts)};
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	static uint8_t bytes[4096];
	struct jf_row rows[64];
	struct jf_image *image;
	struct jf_frame frame;
	struct jf_code code;

	cr_assert_eq(jf_frame_solve(conv, &spec, &frame, NULL), JF_OK);
	spec.reserved[sizeof(spec.reserved) - 1] = 1;
	cr_assert_eq(jf_frame_solve(conv, &spec, &frame, NULL), JF_E_INVAL);
	opts.values.reserved[4] = 1;
	cr_assert_eq(jf_compile(conv, &program, &opts, bytes, sizeof(bytes), 0, &image, NULL), JF_E_INVAL);
	jf_code_init(&code, bytes, sizeof(bytes), 0, rows, 64);
	cr_assert_eq(jf_frame_emit(&code, &frame, JF_PART_ALL, &opts.values), JF_E_INVAL);
	opts.values.reserved[4] = 0;
	cr_assert_eq(jf_frame_emit(&code, &frame, JF_PART_ALL, &opts.values), JF_OK);
}
