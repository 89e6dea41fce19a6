/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Bundles that somebody damaged: opened, selected from and compiled for every convention, or refused with
 * a sentence. This is what the runner does with its input before it runs anything.
 */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

static void *bytes;
static struct bundle bundle;
static size_t size;

static void link_kinds(void)
{
	object_bundle("kinds", NULL, &bytes, &bundle);
	size = ((const struct bundle_header *)bytes)->total_bytes;
}

static void release(void)
{
	free(bytes);
}

TestSuite(tools_bundle, .init = link_kinds, .fini = release, .timeout = 300);

Test(tools_bundle, a_good_one_opens_and_compiles)
{
	cr_assert(bundle_exercise(bytes, size));
}

Test(tools_bundle, no_truncation_opens)
{
	for (size_t length = 0; length < size; length++)
		if (bundle_exercise(bytes, length))
			cr_assert_fail("%zu of %zu bytes were enough", length, size);
}

/* Shortened, and the header made to agree. */
Test(tools_bundle, truncations_that_say_so)
{
	struct bundle_header *header = bytes;

	for (size_t length = sizeof(*header); length < size; length++) {
		header->total_bytes = (uint32_t)length;
		if (bundle_exercise(bytes, length) && length + 8 <= size)
			cr_assert_fail("%zu of %zu bytes were enough", length, size);
	}
}

Test(tools_bundle, extreme_words_everywhere)
{
	static const uint32_t words[] = {0, 1, 8, 0x7fffffff, 0x80000000, 0xffffffff};
	uint8_t *base = bytes;

	for (size_t at = 0; at + 4 <= size; at += 4) {
		uint8_t old[4];

		memcpy(old, base + at, 4);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			memcpy(base + at, &words[i], 4);
			bundle_exercise(bytes, size);
		}
		memcpy(base + at, old, 4);
	}
}

static void change_bytes(uint64_t seed, unsigned int rounds)
{
	uint8_t *base = bytes;

	for (unsigned int i = 0; i < rounds; i++) {
		size_t at = random_next(&seed) % size;
		uint8_t old = base[at];

		base[at] = (uint8_t)random_next(&seed);
		bundle_exercise(bytes, size);
		base[at] = old;
	}
}

Test(tools_bundle, changed_bytes)
{
	change_bytes(0x5eed, 5000);
}

/* With clean-up records, which jf_compile() looks at. */
Test(tools_bundle, changed_bytes_with_cleanups)
{
	free(bytes);
	object_bundle("cleanup_shapes", NULL, &bytes, &bundle);
	size = ((const struct bundle_header *)bytes)->total_bytes;
	cr_assert(bundle_exercise(bytes, size));
	change_bytes(0xc1ea, 3000);
}

Test(tools_bundle, a_misaligned_one_is_refused)
{
	uint8_t *odd = malloc(size + 8);
	struct jf_error error;
	struct bundle other;

	memcpy(odd + 4, bytes, size);
	cr_assert_eq(bundle_open(&other, odd + 4, size, &error), JF_E_INVAL);
	free(odd);
}

Test(tools_bundle, errors_name_the_byte)
{
	struct bundle_header *header = bytes;
	struct bundle_program *programs = (void *)((char *)bytes + header->tables[BUNDLE_PROGRAMS].off);
	struct jf_error error = {0};
	struct bundle other;

	programs[1].main = 1000;
	cr_assert_eq(bundle_open(&other, bytes, size, &error), JF_E_BAD_IMAGE);
	cr_assert_str_eq(error.where, "bundle");
	cr_assert_eq((size_t)strtoul(error.text + strlen("byte "), NULL, 10), header->tables[BUNDLE_PROGRAMS].off + 16,
		     "%s", error.text);
}

Test(tools_bundle, finding_by_name)
{
	struct jf_error error = {0};
	uint32_t index = 77;

	cr_assert_eq(bundle_find(&bundle, NULL, &index, &error), JF_E_NOT_FOUND);
	cr_assert_str_eq(error.text, "which one? There are 4");
	cr_assert_eq(bundle_find(&bundle, "program_x", &index, &error), JF_E_NOT_FOUND);
	cr_assert_eq(index, 77);
	cr_assert_eq(bundle_find(&bundle, "program_b", &index, &error), JF_OK);
	cr_assert_str_eq(bundle.strings + bundle.programs[index].name, "program_b");
}
