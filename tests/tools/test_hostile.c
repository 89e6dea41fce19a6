/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Object files that somebody damaged: each is either linked, to a bundle that opens, or refused with a
 * sentence. Under the address sanitizer nothing outside the file is read.
 */

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* Links bytes[0, size) out of memory of just that size. returns: whether it was taken. */
static bool try_object(const uint8_t *bytes, size_t size, const char *what, size_t at)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct jf_error error = {0};
	void *linked = NULL;
	size_t linked_size = 0;
	enum jf_status status;

	if (size > 0)
		memcpy(copy, bytes, size);
	status = link_object(copy, size, NULL, LINK_TO_RUN, &linked, &linked_size, &error);
	free(copy);
	if (status == JF_OK) {
		struct bundle bundle;

		if (bundle_open(&bundle, linked, linked_size, &error) != JF_OK)
			cr_assert_fail("%s %zu: linked to a bad bundle: %s", what, at, error.text);
		free(linked);
	} else if (status > 0 || linked || !error.text[0]) {
		cr_assert_fail("%s %zu: refused without a word", what, at);
	}
	return status == JF_OK;
}

Test(tools_hostile, every_truncation_of_an_object, .timeout = 300)
{
	size_t size;
	uint8_t *object = object_read("kinds", &size);

	for (size_t length = 0; length < size; length++)
		if (try_object(object, length, "cut at", length) && length < size / 2)
			cr_assert_fail("half an object was linked");
	cr_assert(try_object(object, size, "whole", size));
	free(object);
}

static void mutate_object(const char *name, unsigned int rounds, uint64_t seed)
{
	size_t size;
	uint8_t *object = object_read(name, &size);

	for (unsigned int i = 0; i < rounds; i++) {
		size_t at = random_next(&seed) % size;
		uint8_t old = object[at];

		object[at] ^= (uint8_t)(1u << random_next(&seed) % 8);
		if (i % 4 == 0)
			object[at] = (uint8_t)random_next(&seed);
		try_object(object, size, "changed byte", at);
		object[at] = old;
	}
	free(object);
}

Test(tools_hostile, changed_bytes_in_objects, .timeout = 300)
{
	mutate_object("kinds", 6000, 0x1234567);
	mutate_object("core_relocation", 1000, 0x89abcdef);
	mutate_object("struct_ops", 300, 0x4242);
	mutate_object("cleanup_shapes", 1500, 0xc1ea);
}

/* Single bytes seldom hit what matters: every field of every header, one after the other. */
Test(tools_hostile, extreme_words_in_elf_headers, .timeout = 300)
{
	static const uint64_t words[] = {
		0, 1, 7, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, UINT64_MAX, UINT64_MAX - 7};
	size_t size;
	uint8_t *object = object_read("kinds", &size);
	Elf64_Ehdr header;

	memcpy(&header, object, sizeof(header));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (size_t at = 0; at + 8 <= sizeof(Elf64_Ehdr) + header.e_shnum * sizeof(Elf64_Shdr); at += 4) {
			size_t where = at < sizeof(header) ? at : header.e_shoff + at - sizeof(header);
			uint8_t old[8];

			if (where + 8 > size)
				continue;
			memcpy(old, object + where, 8);
			memcpy(object + where, &words[i], at % 8 ? 4 : 8);
			try_object(object, size, "header word at", where);
			memcpy(object + where, old, 8);
		}
	}
	free(object);
}

/* The bytes of one section, by name. */
static void find_section(const uint8_t *object, const char *name, size_t *off, size_t *length)
{
	Elf64_Ehdr header;
	Elf64_Shdr names, section;

	memcpy(&header, object, sizeof(header));
	memcpy(&names, object + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
	for (unsigned int i = 0; i < header.e_shnum; i++) {
		memcpy(&section, object + header.e_shoff + i * sizeof(section), sizeof(section));
		if (strcmp((const char *)object + names.sh_offset + section.sh_name, name) != 0)
			continue;
		*off = section.sh_offset;
		*length = section.sh_size;
		return;
	}
	cr_assert_fail("no section %s", name);
}

/* Words of the tables that are linked from: symbols, relocations, types, code. */
static void mutate_section(const char *object_name, const char *section)
{
	static const uint32_t words[] = {0, 1, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
	size_t size, off = 0, length = 0;
	uint8_t *object = object_read(object_name, &size);

	find_section(object, section, &off, &length);
	for (size_t at = off; at + 4 <= off + length; at += 4) {
		uint8_t old[4];

		memcpy(old, object + at, 4);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			memcpy(object + at, &words[i], 4);
			try_object(object, size, section, at - off);
		}
		memcpy(object + at, old, 4);
	}
	free(object);
}

Test(tools_hostile, extreme_words_in_symbols, .timeout = 300)
{
	mutate_section("kinds", ".symtab");
}

Test(tools_hostile, extreme_words_in_relocations, .timeout = 300)
{
	mutate_section("kinds", ".rel.text");
	mutate_section("kinds", ".reltc");
	mutate_section("kinds", ".rel.maps");
	mutate_section("kinds", ".rel.data");
}

/* Records, their relocations, the code that they speak of; and distances of UNWIND. */
Test(tools_hostile, extreme_words_in_cleanups, .timeout = 300)
{
	mutate_section("cleanup_shapes", ".bpf_cleanup");
	mutate_section("cleanup_shapes", ".rel.bpf_cleanup");
	mutate_section("cleanup_shapes", "tc");
	mutate_section("cleanup_unwind", "tc");
}

Test(tools_hostile, extreme_words_in_code, .timeout = 300)
{
	mutate_section("kinds", ".text");
	mutate_section("kinds", "tc");
}

Test(tools_hostile, extreme_words_in_types, .timeout = 300)
{
	mutate_section("kinds", ".BTF");
	mutate_section("core_relocation", ".BTF.ext");
}
