/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#define IMPORTS_MAX 16
#define HELPERS     16
#define RECORDS_MAX 3

struct input {
	const struct jf_convention *conv;
	struct jf_compile_opts opts;
	struct jf_program program;
	struct jf_function functions[INPUT_FUNCTIONS_MAX];
	struct jf_import helpers[HELPERS];
	struct jf_import kfuncs[IMPORTS_MAX];
	struct jf_map_ref maps[IMPORTS_MAX];
	struct jf_cleanups cleanups[INPUT_FUNCTIONS_MAX];
	struct jf_cleanup records[INPUT_FUNCTIONS_MAX][RECORDS_MAX];
	bool short_of_room;
	uint64_t address;
};

#define CHECK(condition) ((condition) ? (void)0 : broken(#condition, __LINE__))

static void broken(const char *condition, int line)
{
	fprintf(stderr, "input.c:%d: not true: %s\n", line, condition);
	abort();
}

static const struct jf_convention *find_convention(unsigned int number)
{
	unsigned int count = 0;

	for (size_t i = 0; jf_backend_at(i); i++)
		count += jf_backend_at(i)->convention_count;
	number %= count;
	for (size_t i = 0;; i++) {
		const struct jf_backend *backend = jf_backend_at(i);

		if (number < backend->convention_count)
			return backend->conventions[number];
		number -= backend->convention_count;
	}
}

/* All that there are, and two that are none. 0 and 0 in the input: whole registers. */
static struct jf_c_value choose_type(const uint8_t *data, unsigned int *number)
{
	static const uint8_t bytes[] = {0, 8, 4, 2, 1, 3, 16};
	struct jf_c_value value = {bytes[*number / 2 % sizeof(bytes)], *number % 2};

	*number += data[7];
	return value;
}

static void fill_types(struct jf_import *import, const uint8_t *data, unsigned int number)
{
	import->result = choose_type(data, &number);
	for (unsigned int i = 0; i < JF_ARGS_MAX; i++)
		import->args[i] = choose_type(data, &number);
}

static void fill_imports(struct input *in, const uint8_t *data)
{
	static const char *const names[] = {"a", "b", NULL};

	for (unsigned int i = 0; i < IMPORTS_MAX; i++) {
		bool missing = data[1] & 16 && i % 3 == 0;
		uint64_t address = missing ? 0 : UINT64_C(0x555500000000) + 4096 * i;

		in->helpers[i] = (struct jf_import){.name = names[i % 3], .address = address, .throws = i == 7};
		fill_types(&in->helpers[i], data, data[6] + i * data[7]);
		in->kfuncs[i] = in->helpers[i];
		in->kfuncs[i].arg_count = i % 2 ? data[5] >> 4 : data[5] & 15;
		in->maps[i] = (struct jf_map_ref){.object = address, .value = i % 2 ? address + 64 : 0};
	}
}

static void fill_program(struct input *in, const uint8_t *data)
{
	in->program = (struct jf_program){
		.size = sizeof(in->program),
		.functions = in->functions,
		.function_count = data[2] % INPUT_FUNCTIONS_MAX + 1u,
		.callback = (int8_t)data[3],
		.helpers = in->helpers,
		.helper_count = data[1] & 64 ? 0 : HELPERS,
		.kfuncs = in->kfuncs,
		.kfunc_count = data[4] & 15,
		.maps = in->maps,
		.map_count = data[4] >> 4,
		.arena_user_base = UINT64_C(0x7f0000000000),
		.call_register = in->helpers[data[5] & 15],
	};
	in->opts = (struct jf_compile_opts){
		.size = sizeof(in->opts),
		.landing_pads = data[1] & 1,
		.sign_return = data[1] & 2,
		.private_stack = data[1] & 4,
		.values = {.arena_base = UINT64_C(0x100000000), .private_stack = 0x1234560},
	};
	in->short_of_room = data[1] & 8;
	in->address = data[1] & 32 ? UINT64_C(0x7fff12340000) : UINT64_C(0x555510000000);
}

/* Instructions in memory of their own, so that a sanitizer sees who reads behind their end. */
static bool fill_functions(struct input *in, const uint8_t *data, size_t size)
{
	uint32_t count = in->program.function_count;
	const uint8_t *lengths = data + INPUT_HEADER, *insns = lengths + 2 * (size_t)(count - 1);
	size_t left;

	if (size < INPUT_HEADER + 2 * (size_t)(count - 1))
		return false;
	left = (size_t)(data + size - insns) / 8;
	for (uint32_t i = 0; i < count; i++) {
		size_t length = left;
		struct jf_insn *copy;

		if (i + 1 < count && (size_t)(lengths[2 * i] | lengths[2 * i + 1] << 8) < left)
			length = (size_t)(lengths[2 * i] | lengths[2 * i + 1] << 8);
		copy = malloc(length * sizeof(*copy) + !length);
		CHECK(copy);
		memcpy(copy, insns, length * sizeof(*copy));
		in->functions[i] = (struct jf_function){"function", copy, (uint32_t)length};
		insns += 8 * length;
		left -= length;
	}
	return true;
}

/* Most tables are nearly good ones: a wrong one is refused before anything looks at the pads. */
static void fill_cleanups(struct input *in, const uint8_t *data)
{
	if (!(data[1] & 128))
		return;
	in->program.cleanups = in->cleanups;
	in->kfuncs[1].resumes = true;
	for (uint32_t i = 0; i < in->program.function_count; i++) {
		uint32_t number = in->functions[i].insn_count ? (uint32_t)in->functions[i].insns[0].imm : 0, at = 0;

		in->cleanups[i] = (struct jf_cleanups){in->records[i], number % (RECORDS_MAX + 1)};
		for (uint32_t k = 0; k < in->cleanups[i].count; k++) {
			struct jf_cleanup *record = &in->records[i][k];

			number = number * 1664525 + 1013904223;
			record->start = at + number / 65536 % 5;
			record->end = record->start + 1 + number / 524288 % 3;
			record->pad = number / 4194304 % (in->functions[i].insn_count + 1);
			at = record->end;
		}
	}
}

/* ---- what has to hold afterwards ---------------------------------------------------------------- */

static void check_function(const struct jf_image *image, const struct jf_image_function *f)
{
	const struct jf_row *rows = f->rows;

	CHECK(f->name && f->start <= image->size_bytes && f->size_bytes <= image->size_bytes - f->start);
	CHECK(f->size_bytes && f->row_count && rows[0].code_off == 0);
	CHECK(f->fault_count <= image->fault_count && !f->fault_count == !f->faults);
	for (uint32_t i = 0; i < f->row_count; i++)
		CHECK(rows[i].code_off <= f->size_bytes && (i == 0 || rows[i - 1].code_off < rows[i].code_off));
	for (uint32_t i = 0; f->insn_off && i < f->insn_count; i++)
		CHECK(f->insn_off[i] <= f->insn_off[i + 1] && f->insn_off[i + 1] <= f->size_bytes);
	for (uint32_t i = 0; i < f->fault_count; i++) {
		const struct jf_fault *fault = &f->faults[i];

		CHECK(fault->start_off < fault->end_off && fault->end_off <= fault->resume_off);
		CHECK(fault->resume_off <= f->size_bytes);
		CHECK(i == 0 || fault[-1].end_off <= fault->start_off);
	}
	CHECK(!f->cleanup_count == !f->cleanups);
	for (uint32_t i = 0; i < f->cleanup_count; i++) {
		const struct jf_cleanup_code *record = &f->cleanups[i];

		CHECK(record->start_off < record->end_off && record->end_off <= f->size_bytes);
		CHECK(record->pad_off == JF_CLEANUP_IN_PAD || record->pad_off < f->size_bytes);
		CHECK(i == 0 || record[-1].end_off <= record->start_off);
	}
}

static void check_image(const struct input *in, const struct jf_image *image, size_t capacity)
{
	CHECK(image->conv == in->conv && image->address == in->address && image->size_bytes <= capacity);
	CHECK(image->function_count >= in->program.function_count);
	CHECK(image->callback < (int64_t)image->function_count);
	for (uint32_t i = 0; i < image->function_count; i++)
		check_function(image, jf_image_function_at(image, i));
}

static void check_stack(const struct jf_function *function)
{
	uint32_t bytes = 0;
	enum jf_status status = jf_function_stack(function, 4096, &bytes);

	CHECK(status <= JF_OK && bytes <= 4096);
}

static enum jf_status compile(const struct input *in)
{
	size_t bound = jf_compile_bound(in->conv, &in->program), capacity = in->short_of_room ? bound / 64 : bound;
	uint8_t *bytes = malloc(capacity);
	struct jf_image *image = NULL;
	struct jf_error error = {0};
	enum jf_status status;

	CHECK(bytes);
	status = jf_compile(in->conv, &in->program, &in->opts, bytes, capacity, in->address, &image, &error);
	if (status == JF_OK) {
		check_image(in, image, capacity);
		jf_image_free(image);
	} else {
		CHECK(status < JF_OK && !image && error.status == status && error.text[0]);
		CHECK(status != JF_E_NOSPACE || in->short_of_room);
		CHECK(status != JF_E_BAD_DESC && status != JF_E_NO_MEMORY);
	}
	free(bytes);
	return status;
}

enum jf_status input_compile(const uint8_t *data, size_t size)
{
	enum jf_status status = JF_E_INVAL;
	struct input in;

	if (size < INPUT_HEADER)
		return JF_E_INVAL;
	memset(&in, 0, sizeof(in));
	in.conv = find_convention(data[0]);
	fill_imports(&in, data);
	fill_program(&in, data);
	if (fill_functions(&in, data, size)) {
		fill_cleanups(&in, data);
		status = compile(&in);
		for (uint32_t i = 0; i < in.program.function_count; i++)
			check_stack(&in.functions[i]);
	}
	for (uint32_t i = 0; i < INPUT_FUNCTIONS_MAX; i++)
		free((void *)(uintptr_t)in.functions[i].insns);
	return status;
}

/* ---- and back ----------------------------------------------------------------------------------- */

size_t input_from_program(uint8_t *data, size_t capacity, const struct jf_program *program, uint8_t convention,
			  uint8_t options)
{
	uint32_t count = program->function_count;
	size_t size = INPUT_HEADER + 2 * (size_t)(count - 1);

	for (uint32_t i = 0; i < count; i++)
		size += 8 * (size_t)program->functions[i].insn_count;
	if (size > capacity || count > INPUT_FUNCTIONS_MAX)
		return 0;
	memcpy(data, (const uint8_t[INPUT_HEADER]){convention, options, (uint8_t)(count - 1), 0xff, 0xff, 0x67, 0, 0},
	       INPUT_HEADER);
	size = INPUT_HEADER;
	for (uint32_t i = 0; i + 1 < count; i++) {
		data[size++] = (uint8_t)program->functions[i].insn_count;
		data[size++] = (uint8_t)(program->functions[i].insn_count >> 8);
	}
	for (uint32_t i = 0; i < count; i++) {
		memcpy(data + size, program->functions[i].insns, 8 * (size_t)program->functions[i].insn_count);
		size += 8 * (size_t)program->functions[i].insn_count;
	}
	return size;
}
