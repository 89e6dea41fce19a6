/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

static const struct jf_backend *x86, *la;

static void set_up(void)
{
	x86 = jf_backend_find("x86_64");
	la = jf_backend_find("loongarch64");
}

TestSuite(orc_table, .init = set_up);

Test(orc_table, sections_have_to_go_together)
{
	static const uint8_t bytes[64];
	struct jf_orc_sections sections = {.size = sizeof(sections),
					   .unwind = bytes,
					   .unwind_bytes = 18,
					   .unwind_ip = bytes,
					   .unwind_ip_bytes = 12};
	struct jf_error error = {0};
	struct jf_orc_table table;

	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, &error), JF_OK);
	cr_assert_eq(table.count, 3);
	cr_assert_eq(table.header, JF_ORC_HEADER_ABSENT);
	sections.unwind_bytes = 17;
	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, &error), JF_E_BAD_IMAGE);
	cr_assert_str_eq(error.where, ".orc_unwind");
	sections.unwind_bytes = 24;
	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, &error), JF_E_BAD_IMAGE);
	cr_assert_str_eq(error.where, ".orc_unwind_ip");
	cr_assert_eq(jf_orc_table_init(&table, la, &sections, NULL), JF_OK);
	sections.unwind_ip_bytes = 13;
	cr_assert_eq(jf_orc_table_init(&table, la, &sections, &error), JF_E_BAD_IMAGE);
	cr_assert_eq(jf_orc_table_init(&table, jf_backend_find("arm64"), &sections, &error), JF_E_UNSUPPORTED);
	sections.unwind_ip = NULL;
	cr_assert_eq(jf_orc_table_init(&table, la, &sections, NULL), JF_E_INVAL);
	cr_assert_eq(jf_orc_table_init(NULL, la, &sections, NULL), JF_E_INVAL);
	cr_assert_eq(jf_orc_table_init(&table, NULL, &sections, NULL), JF_E_INVAL);
	cr_assert_eq(jf_orc_table_init(&table, la, NULL, NULL), JF_E_INVAL);
	sections = (struct jf_orc_sections){.size = sizeof(struct jf_orc_sections)};
	cr_assert_eq(jf_orc_table_init(&table, la, &sections, NULL), JF_OK);
	cr_assert_eq(table.count, 0);
}

Test(orc_table, the_header_tells_the_format)
{
	uint8_t header[JF_ORC_HEADER_BYTES];
	struct jf_orc_sections sections = {.size = sizeof(sections), .header = header, .header_bytes = sizeof(header)};
	struct jf_orc_table table;

	for (size_t i = 0; orc_format_at(i); i++) {
		const struct jf_orc_format *f = orc_format_at(i);

		for (unsigned int k = 0; k < f->header_count; k++) {
			memcpy(header, f->headers[k], sizeof(header));
			cr_assert_eq(jf_orc_table_init(&table, f->backend, &sections, NULL), JF_OK);
			cr_assert_eq(table.format, f);
			cr_assert_eq(table.header, JF_ORC_HEADER_KNOWN);
		}
	}
	header[7] ^= 1;
	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, NULL), JF_OK);
	cr_assert_eq(table.header, JF_ORC_HEADER_UNKNOWN);
	cr_assert_eq(table.format, jf_orc_format_find(x86, NULL));
	sections.format = jf_orc_format_find(x86, "linux-6.4");
	memcpy(header, jf_orc_format_find(x86, "linux-7")->headers[0], sizeof(header));
	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, NULL), JF_OK);
	cr_assert_eq(table.header, JF_ORC_HEADER_UNKNOWN);
	cr_assert_eq(table.format, sections.format);
	sections.format = NULL;
	sections.header_bytes = 19;
	cr_assert_eq(jf_orc_table_init(&table, x86, &sections, NULL), JF_OK);
	cr_assert_eq(table.header, JF_ORC_HEADER_UNKNOWN);
}

/* ---- search ---- */

static void check_search(const struct jf_orc_table *table, uint64_t address)
{
	size_t wanted = 0, found = 999;

	for (size_t i = 0; i < table->count; i++)
		if (jf_orc_address(table, i) <= address)
			wanted = i;
	CHECK_STATUS(jf_orc_search(table, address, &found), JF_OK, "%zu entries", table->count);
	CHECK(found == wanted, "%zu entries, address %#llx: %zu, not %zu", table->count, (unsigned long long)address,
	      found, wanted);
}

Test(orc_table, search_finds_the_last_of_those_not_above)
{
	struct rng rng = {1};
	size_t index;

	for (size_t count = 1; count < 60; count++) {
		uint64_t address = TABLE_ADDRESS - 5000;
		struct memory_table m;

		orc_memory_new(&m, orc_format_at(count % 3), count);
		for (size_t i = 0; i < count; i++) {
			struct jf_orc_entry entry = orc_likely_entry(&rng);

			address += rng_below(&rng, 3);
			orc_memory_set(&m, i, address, &entry);
		}
		for (uint64_t at = TABLE_ADDRESS - 5003; at < address + 4; at++)
			check_search(&m.table, at);
		check_search(&m.table, 0);
		check_search(&m.table, UINT64_MAX);
		orc_memory_free(&m);
	}
	cr_assert_eq(jf_orc_search(&(struct jf_orc_table){.count = 0}, 5, &index), JF_E_NO_ROW);
}

/* ---- order ---- */

Test(orc_table, a_terminator_gives_way_to_the_entry_at_its_address)
{
	const struct jf_orc_entry real = {.type = JF_ORC_CALL, .sp_off = 8, .sp_reg = 3}, none = {0};
	struct memory_table m;
	struct jf_orc_entry entry;
	size_t index;

	orc_memory_new(&m, jf_orc_format_find(x86, NULL), 4);
	orc_memory_set(&m, 0, TABLE_ADDRESS + 0x200, &real);
	orc_memory_set(&m, 1, TABLE_ADDRESS + 0x300, &none);
	orc_memory_set(&m, 2, TABLE_ADDRESS + 0x100, &real);
	orc_memory_set(&m, 3, TABLE_ADDRESS + 0x200, &none);
	cr_assert_not(jf_orc_is_sorted(&m.table));
	cr_assert_eq(jf_orc_sort(&m.table, m.entries, m.ips), JF_OK);
	cr_assert(jf_orc_is_sorted(&m.table));
	cr_assert_eq(jf_orc_address(&m.table, 0), TABLE_ADDRESS + 0x100);
	cr_assert_eq(jf_orc_address(&m.table, 1), TABLE_ADDRESS + 0x200);
	cr_assert_eq(jf_orc_address(&m.table, 2), TABLE_ADDRESS + 0x200);
	cr_assert_eq(jf_orc_address(&m.table, 3), TABLE_ADDRESS + 0x300);
	jf_orc_entry_at(&m.table, 1, &entry);
	cr_assert_eq(entry.type, JF_ORC_UNDEFINED);
	cr_assert_eq(jf_orc_search(&m.table, TABLE_ADDRESS + 0x200, &index), JF_OK);
	cr_assert_eq(index, 2);
	orc_memory_free(&m);
}

/* Entries that carry their number: after sorting, those of one address are in their old order, weak ones first. */
Test(orc_table, sorting_keeps_what_belongs_together)
{
	struct rng rng = {2};

	for (unsigned int round = 0; round < 300; round++) {
		size_t count = rng_below(&rng, 200);
		uint64_t *addresses = calloc(count + 1, sizeof(*addresses));
		struct memory_table m;

		orc_memory_new(&m, orc_format_at(round % 3), count);
		for (size_t i = 0; i < count; i++) {
			struct jf_orc_entry entry = {.sp_off = (int16_t)i, .type = (uint8_t)(2 * rng_below(&rng, 2))};

			addresses[i] = TABLE_ADDRESS - 100 + rng_below(&rng, 80);
			orc_memory_set(&m, i, addresses[i], &entry);
		}
		cr_assert_eq(jf_orc_sort(&m.table, m.entries, m.ips), JF_OK);
		CHECK(jf_orc_is_sorted(&m.table), "round %u", round);
		for (size_t i = 0; i < count; i++) {
			struct jf_orc_entry entry, next;

			jf_orc_entry_at(&m.table, i, &entry);
			CHECK(jf_orc_address(&m.table, i) == addresses[entry.sp_off], "round %u", round);
			addresses[entry.sp_off] = jf_orc_address(&m.table, i);
			if (i + 1 == count)
				break;
			jf_orc_entry_at(&m.table, i + 1, &next);
			CHECK(jf_orc_address(&m.table, i) != jf_orc_address(&m.table, i + 1) ||
				      entry.type < next.type || entry.sp_off < next.sp_off,
			      "round %u: entry %zu", round, i);
		}
		free(addresses);
		orc_memory_free(&m);
	}
}

Test(orc_table, a_word_that_would_leave_its_range_is_not_moved)
{
	const struct jf_orc_entry real = {.type = JF_ORC_CALL};
	struct memory_table m;
	uint8_t before[8];

	orc_memory_new(&m, jf_orc_format_find(x86, NULL), 2);
	orc_memory_set(&m, 0, TABLE_ADDRESS + INT32_MAX - 2, &real);
	orc_memory_set(&m, 1, TABLE_ADDRESS, &real);
	memcpy(before, m.ips, sizeof(before));
	cr_assert_eq(jf_orc_sort(&m.table, m.entries, m.ips), JF_E_RANGE);
	cr_assert_arr_eq(m.ips, before, sizeof(before));
	cr_assert_eq(jf_orc_sort(&m.table, m.ips, m.ips), JF_E_INVAL);
	cr_assert_eq(jf_orc_sort(NULL, NULL, NULL), JF_E_INVAL);
	orc_memory_free(&m);
}

/* ---- relocation ---- */

#define WORDS 3

struct object {
	uint8_t rela[WORDS * 24], symtab[3 * 24];
	uint64_t addresses[4];
	struct jf_orc_relocs relocs;
	uint8_t ips[WORDS * 4];
};

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void put_rela(struct object *o, size_t index, uint64_t off, uint32_t symbol, uint32_t type, int64_t addend)
{
	put(o->rela + 24 * index, off, 8);
	put(o->rela + 24 * index + 8, (uint64_t)symbol << 32 | type, 8);
	put(o->rela + 24 * index + 16, (uint64_t)addend, 8);
}

/* Symbol 1 is section 1, symbol 2 lies at 0x40 of section 3. */
static void make_object(struct object *o, uint32_t type)
{
	memset(o, 0, sizeof(*o));
	put(o->symtab + 24 + 6, 1, 2);
	put(o->symtab + 48 + 6, 3, 2);
	put(o->symtab + 48 + 8, 0x40, 8);
	put_rela(o, 0, 0, 1, type, 0);
	put_rela(o, 1, 4, 1, type, 0x123);
	put_rela(o, 2, 8, 2, type, -8);
	o->addresses[1] = TABLE_ADDRESS - 0x10000;
	o->addresses[3] = TABLE_ADDRESS + 0x10000;
	o->relocs = (struct jf_orc_relocs){sizeof(o->relocs), o->rela, sizeof(o->rela), o->symtab, sizeof(o->symtab),
					   o->addresses,      4};
	memset(o->ips, 0xee, sizeof(o->ips));
}

static enum jf_status apply(struct object *o, const struct jf_backend *backend, struct jf_error *error)
{
	return jf_orc_relocate(backend->orc, &o->relocs, o->ips, sizeof(o->ips), TABLE_ADDRESS, error);
}

Test(orc_table, relocation_gives_run_time_addresses)
{
	static const uint8_t entries[WORDS * 8];
	struct jf_orc_sections sections = {
		.size = sizeof(sections), .unwind = entries, .unwind_ip_address = TABLE_ADDRESS};
	const struct jf_backend *const backends[] = {x86, la};

	for (unsigned int i = 0; i < 2; i++) {
		struct jf_orc_table table;
		struct object o;

		make_object(&o, backends[i]->orc->ip_reloc);
		cr_assert_eq(apply(&o, backends[i], NULL), JF_OK);
		sections.unwind_bytes = WORDS * backends[i]->orc->entry_bytes;
		sections.unwind_ip = o.ips;
		sections.unwind_ip_bytes = sizeof(o.ips);
		cr_assert_eq(jf_orc_table_init(&table, backends[i], &sections, NULL), JF_OK);
		cr_assert_eq(jf_orc_address(&table, 0), TABLE_ADDRESS - 0x10000);
		cr_assert_eq(jf_orc_address(&table, 1), TABLE_ADDRESS - 0x10000 + 0x123);
		cr_assert_eq(jf_orc_address(&table, 2), TABLE_ADDRESS + 0x10000 + 0x40 - 8);
	}
}

static void refuse(struct object *o, enum jf_status wanted, const char *text)
{
	struct jf_error error = {0};

	cr_assert_eq(apply(o, x86, &error), wanted, "%s: %s", text, error.text);
	cr_assert_not_null(strstr(error.text, text), "\"%s\", not \"%s\"", error.text, text);
	for (size_t i = 0; i < sizeof(o->ips); i++)
		cr_assert_eq(o->ips[i], 0xee);
	make_object(o, x86->orc->ip_reloc);
}

Test(orc_table, relocations_that_make_no_sense_are_refused)
{
	uint32_t type = x86->orc->ip_reloc;
	struct object o;

	make_object(&o, type);
	put_rela(&o, 1, 8, 1, type, 0);
	refuse(&o, JF_E_BAD_IMAGE, "not for word 1");
	put_rela(&o, 1, 4, 1, 1, 0);
	refuse(&o, JF_E_BAD_IMAGE, "type 1, not 2");
	put_rela(&o, 1, 4, 3, type, 0);
	refuse(&o, JF_E_BAD_IMAGE, "no symbol 3");
	put_rela(&o, 2, 8, 0, type, 0);
	refuse(&o, JF_E_BAD_IMAGE, "in no section");
	put(o.symtab + 48 + 6, 4, 2);
	refuse(&o, JF_E_BAD_IMAGE, "in no section");
	put(o.symtab + 48 + 6, 0xfff1, 2);
	refuse(&o, JF_E_BAD_IMAGE, "in no section");
	put_rela(&o, 2, 8, 2, type, INT64_C(0x80000000));
	refuse(&o, JF_E_RANGE, "too far");
	put_rela(&o, 2, 8, 2, type, INT64_MIN);
	refuse(&o, JF_E_RANGE, "too far");
	o.relocs.rela_bytes -= 24;
	refuse(&o, JF_E_BAD_IMAGE, "2 relocations for 3 words");
	o.relocs.rela_bytes -= 1;
	refuse(&o, JF_E_BAD_IMAGE, "relocations for 3 words");
	o.relocs.symtab_bytes = 47;
	refuse(&o, JF_E_BAD_IMAGE, "no symbol 1");
	o.relocs.rela = NULL;
	refuse(&o, JF_E_INVAL, "no table");
}
