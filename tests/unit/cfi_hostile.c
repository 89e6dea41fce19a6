/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"
#include "elf_file.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * Sections of real libraries with bytes changed: converted or refused, never read past their end (each lies
 * in an allocation of its own, for the address sanitizer), and what is converted is fit to walk by.
 */

#define ROUNDS 400
#define PIECE  24576 /* bytes of a section that are taken; what is cut off at its end is hostile enough */

static void check_function(const struct jf_backend *backend, const struct jf_cfi_function *function)
{
	uint32_t restorable = function->slot_count == 32 ? UINT32_MAX : (UINT32_C(1) << function->slot_count) - 1;

	CHECK(function->start < function->end && function->row_count && !function->rows[0].code_off &&
		      function->slot_count <= JF_FRAME_SLOTS_MAX,
	      "%" PRIx64, function->start);
	for (unsigned int i = 0; i < function->slot_count; i++)
		CHECK(function->slots[i].reg < backend->reg_count, "%" PRIx64, function->start);
	for (uint32_t i = 0; i < function->row_count; i++) {
		const struct jf_row *row = &function->rows[i];

		CHECK(row->cfa_reg < backend->reg_count && !(row->saved & ~restorable), "%" PRIx64, function->start);
		CHECK(!i || (row->code_off > row[-1].code_off && row->code_off < function->end - function->start),
		      "%" PRIx64, function->start);
	}
}

static void check_table(const struct jf_backend *backend, const struct jf_cfi_table *table)
{
	const struct jf_cfi_function *function, *last = NULL;

	for (size_t i = 0; (function = jf_cfi_table_at(table, i)) != NULL; i++) {
		check_function(backend, function);
		CHECK(!last || last->start < function->start, "%" PRIx64, function->start);
		CHECK(jf_cfi_table_find(table, function->start) == function, "%" PRIx64, function->start);
		last = function;
	}
}

static void try_bytes(const struct elf_file *file, const unsigned char *bytes, size_t count, uint32_t fde_count)
{
	struct jf_cfi_section section = {.size = sizeof(section),
					 .bytes = bytes,
					 .size_bytes = count,
					 .address = file->section.address,
					 .fde_count = fde_count};
	struct jf_cfi_table *table = NULL;
	struct jf_error error = {0};
	unsigned long long offset;
	enum jf_status status = jf_cfi_convert(file->backend, &section, "", &table, &error);

	if (status == JF_OK) {
		CHECK(!error.where[0], "%s", error.where);
		check_table(file->backend, table);
		jf_cfi_table_free(table);
		return;
	}
	CHECK(!table && (status == JF_E_BAD_IMAGE || status == JF_E_UNSUPPORTED || status == JF_E_RANGE), "%s",
	      jf_status_name(status));
	CHECK(sscanf(error.where, ".eh_frame+0x%llx", &offset) == 1 && offset <= count, "%s", error.where);
}

static void damage(unsigned char *bytes, size_t count, struct rng *rng)
{
	static const unsigned char edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0f, 0x10, 0x2d};

	for (uint64_t changes = 1 + rng_next(rng) % 8; changes-- > 0;) {
		size_t at = rng_next(rng) % count;

		switch (rng_next(rng) % 3) {
		case 0: bytes[at] ^= (unsigned char)(1u << rng_next(rng) % 8); break;
		case 1: bytes[at] = edges[rng_next(rng) % sizeof(edges)]; break;
		default: bytes[at] = (unsigned char)rng_next(rng); break;
		}
	}
}

static void damage_file(const struct elf_file *file, struct rng *rng)
{
	size_t whole = file->section.size_bytes < PIECE ? file->section.size_bytes : PIECE;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		size_t count = round % 4 ? whole : rng_next(rng) % whole + 1;
		unsigned char *bytes = malloc(count);

		memcpy(bytes, file->section.bytes, count);
		if (round)
			damage(bytes, count, rng);
		try_bytes(file, bytes, count, round % 8 == 5 ? 1 + (uint32_t)(rng_next(rng) % 100) : 0);
		free(bytes);
	}
}

Test(cfi_hostile, damaged_libraries, .timeout = 250)
{
	struct rng rng = {1};
	const char *path;

	for (size_t i = 0; (path = elf_library(i)) != NULL; i++) {
		struct elf_file file;

		CHECK(elf_file_read(&file, path), "%s", path);
		if (file.backend && file.section.size_bytes)
			damage_file(&file, &rng);
		elf_file_free(&file);
	}
}

/* Every cut of a small section. */
Test(cfi_hostile, truncated)
{
	const struct jf_backend *backend = jf_backend_at(0);
	struct elf_file file = {.backend = backend, .section = {.address = SECTION}};
	struct bytes b = {.count = 0};

	cie_usual(&b, backend);
	fde_begin(&b, 0, CODE, 64);
	put_bytes(&b, (const unsigned char *)"\x44\x0e\x10\x0a\x03\x01\x00\x0b\x0f\x02\x01\x02", 12);
	entry_end(&b);
	for (size_t count = 1; count <= b.count; count++) {
		unsigned char *bytes = malloc(count);

		memcpy(bytes, b.at, count);
		try_bytes(&file, bytes, count, 0);
		free(bytes);
	}
}

/* A length of its own for each entry, at the edges. */
Test(cfi_hostile, lengths)
{
	static const uint32_t lengths[] = {1, 2, 3, 4, 5, 0x17, 0x19, 0x7fffffff, 0xfffffffe, 0xffffffff};
	const struct jf_backend *backend = jf_backend_at(0);
	struct elf_file file = {.backend = backend, .section = {.address = SECTION}};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (unsigned int which = 0; which < 2; which++) {
			struct bytes b = {.count = 0};

			cie_usual(&b, backend);
			fde_begin(&b, 0, CODE, 64);
			entry_end(&b);
			memcpy(b.at + (which ? b.entry : 0), &lengths[i], 4);
			try_bytes(&file, b.at, b.count, 0);
		}
	}
}

Test(cfi_hostile, arguments)
{
	struct jf_cfi_section section = {.size = sizeof(section), .bytes = "", .size_bytes = 0};
	struct jf_cfi_table *table;

	CHECK_STATUS(jf_cfi_convert(NULL, &section, "", &table, NULL), JF_E_INVAL, "backend");
	CHECK_STATUS(jf_cfi_convert(jf_backend_at(0), NULL, "", &table, NULL), JF_E_INVAL, "section");
	CHECK_STATUS(jf_cfi_convert(jf_backend_at(0), &section, NULL, &table, NULL), JF_E_INVAL, "name");
	CHECK_STATUS(jf_cfi_convert(jf_backend_at(0), &section, "", NULL, NULL), JF_E_INVAL, "table");
	CHECK_STATUS(jf_cfi_convert(jf_backend_at(0), &section, "", &table, NULL), JF_OK, "empty");
	cr_assert_null(jf_cfi_table_find(table, 0));
	cr_assert_null(jf_cfi_table_at(table, 0));
	jf_cfi_table_free(table);
}

/* A factor of 0 makes all rows begin where the function does: the last one holds. */
Test(cfi_hostile, advances_by_nothing_make_no_rows)
{
	const struct jf_backend *backend = jf_backend_at(0);
	struct jf_cfi_table *table = NULL;
	struct jf_error error = {0};
	struct bytes b = {.count = 0};

	cie_usual(&b, backend);
	b.at[12] = 0; /* the code alignment factor */
	fde_begin(&b, 0, CODE, 64);
	for (unsigned int i = 2; i < 6; i++) {
		put(&b, 0x41, 1); /* advance_loc 1 */
		put(&b, 0x0e, 1); /* def_cfa_offset */
		put(&b, 8 * i, 1);
	}
	entry_end(&b);
	cr_assert_eq(convert(backend, &b, &table, &error), JF_OK, "%s", error.text);
	check_table(backend, table);
	cr_assert_eq(jf_cfi_table_at(table, 0)->row_count, 1);
	cr_assert_eq(jf_cfi_table_at(table, 0)->rows[0].cfa_off, 40);
	jf_cfi_table_free(table);
}
