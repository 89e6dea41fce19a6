/* SPDX-License-Identifier: BSD-2-Clause */

/* Code of another JIT in a bundle: each rule of the tables, broken once, is refused with a sentence of its own. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* What is put behind the tables of a linked object. */
struct tables {
	struct bundle_jit jit[2];
	struct bundle_image images[8];
	struct bundle_code codes[2];
	struct bundle_place places[16];
	uint32_t offsets[4];
	struct jf_fault faults[2];
	uint8_t bytes[16];
	uint32_t jit_count, image_count, place_count;
};

static void *linked;
static struct bundle bundle;

static void init(void)
{
	object_bundle("kinds", NULL, &linked, &bundle);
}

static void fini(void)
{
	free(linked);
}

TestSuite(tools_code, .init = init, .fini = fini, .timeout = 60);

/* Program 0 has a boundary and its callback, the others have no code. */
static struct tables good_tables(void)
{
	struct tables t = {
		.jit = {{.call_base = 0x1000, .array_programs_off = 16}},
		.codes = {{.address = 0x1000,
			   .function = bundle.programs[0].main,
			   .byte_count = 8,
			   .insn_count = 2,
			   .fault_count = 2,
			   .role = JF_ROLE_BOUNDARY},
			  {.address = 0x1008,
			   .function = BUNDLE_NO_FUNCTION,
			   .byte_start = 8,
			   .byte_count = 8,
			   .role = JF_ROLE_CALLBACK}},
		.offsets = {0, 4, 8},
		.faults = {{0, 1, 4, JF_REG_NONE}, {4, 5, 8, 1}},
		.jit_count = 1,
		.image_count = bundle.count[BUNDLE_PROGRAMS],
		.place_count = bundle.count[BUNDLE_MAPS],
	};

	cr_assert_leq(t.image_count, 8);
	cr_assert_leq(t.place_count, 16);
	for (uint32_t i = 0; i < t.image_count; i++)
		t.images[i].callback = -1;
	t.images[0] = (struct bundle_image){.code_count = 2, .callback = 1};
	return t;
}

static void append(uint8_t *bytes, enum bundle_table table, const void *records, uint32_t count)
{
	struct bundle_header *header = (struct bundle_header *)(void *)bytes;
	uint32_t size = count * bundle_record_bytes(table);

	header->tables[table] = (struct bundle_extent){header->total_bytes, count};
	memcpy(bytes + header->total_bytes, records, size);
	header->total_bytes += (size + 7) & ~7u;
}

/* returns: what bundle_open() says, without the number of the byte; "": it is a good one. */
static const char *open_with(const struct tables *t)
{
	static struct jf_error error;
	const struct bundle_header *old = linked;
	uint8_t *bytes = calloc(1, old->total_bytes + sizeof(*t) + 64);
	enum jf_status status;
	struct bundle opened;
	const char *colon;

	memcpy(bytes, linked, old->total_bytes);
	append(bytes, BUNDLE_JITS, t->jit, t->jit_count);
	append(bytes, BUNDLE_IMAGES, t->images, t->image_count);
	append(bytes, BUNDLE_CODES, t->codes, 2);
	append(bytes, BUNDLE_PLACES, t->places, t->place_count);
	append(bytes, BUNDLE_OFFSETS, t->offsets, 3);
	append(bytes, BUNDLE_FAULTS, t->faults, 2);
	append(bytes, BUNDLE_BYTES, t->bytes, 16);
	status = bundle_open(&opened, bytes, ((struct bundle_header *)(void *)bytes)->total_bytes, &error);
	free(bytes);
	if (status == JF_OK)
		return "";
	colon = strchr(error.text, ':');
	return colon ? colon + 2 : error.text;
}

Test(tools_code, good_tables_open)
{
	struct tables t = good_tables();

	cr_assert_str_eq(open_with(&t), "");
}

#define BROKEN(name, change, says)                     \
	Test(tools_code, name)                         \
	{                                              \
		struct tables t = good_tables();       \
                                                       \
		change;                                \
		cr_assert_str_eq(open_with(&t), says); \
	}

BROKEN(code_without_a_jit, t.jit_count = 0, "code of a JIT that is not there")
BROKEN(two_jits, t.jit_count = 2, "not one image for every program and one place for every map, of one JIT")
BROKEN(an_image_too_few, t.image_count--, "not one image for every program and one place for every map, of one JIT")
BROKEN(a_place_too_few, t.place_count--, "not one image for every program and one place for every map, of one JIT")
BROKEN(a_layout_without_room, t.jit[0].array_count_off = 13,
       "no structure of a kernel has members so far behind its start, or so aligned")
BROKEN(a_large_layout, t.jit[0].program_code_off = 8192,
       "no structure of a kernel has members so far behind its start, or so aligned")
BROKEN(a_function_that_is_not_there, t.codes[1].function = 1000, "code is of a function that is not in the table")
BROKEN(no_bytes, t.codes[0].byte_count = 0, "code's bytes are not in the table")
BROKEN(bytes_too_far, t.codes[1].byte_start = 9, "code's bytes are not in the table")
BROKEN(an_address_too_high, t.codes[0].address = UINT64_MAX - 7, "code's address is too high")
BROKEN(offsets_too_far, t.codes[0].offset_start = 1, "code's offsets are not in the table, or not ascending")
BROKEN(offsets_that_fall, t.offsets[1] = 9, "code's offsets are not in the table, or not ascending")
BROKEN(faults_too_far, t.codes[0].fault_start = 1, "code's faults are not in the table, or not sorted")
BROKEN(faults_that_overlap, t.faults[0].end_off = 5, "code's faults are not in the table, or not sorted")
BROKEN(a_fault_that_goes_out, t.faults[1].resume_off = 9, "code's faults are not in the table, or not sorted")
BROKEN(a_private_stack_too_far, t.codes[0].flags = BUNDLE_CODE_PRIVATE_STACK,
       "code's private stack is not one of the JIT's")
BROKEN(an_unknown_role, t.codes[1].role = JF_ROLE__COUNT, "code has an unknown role")
BROKEN(an_image_too_far, t.images[0].code_count = 3, "image's code is not in the table")
BROKEN(another_main, t.images[0].code_start = 1; t.images[0].code_count = 1;
       t.images[0].callback = -1, "image does not begin with its program's main function")
BROKEN(a_callback_that_is_main, t.images[0].callback = 0, "image's callback is none of its functions")
BROKEN(a_boundary_without_callback, t.images[0].callback = -1, "image has a boundary and no callback")
