/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Tables that somebody damaged: whatever is in them, reading, sorting, indexing and converting ends with a
 * status, and under the address sanitizer nothing beside them is read.
 */

#include "tables.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 64

static struct memory_table good_table(const struct jf_orc_format *format, struct rng *rng)
{
	struct memory_table m;

	orc_memory_new(&m, format, ENTRIES);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct jf_orc_entry entry = orc_likely_entry(rng);

		orc_memory_set(&m, i, TABLE_ADDRESS - 8000 + 40 * i, &entry);
	}
	return m;
}

/* Single bits, whole bytes, words of extreme value, and stretches of noise. */
static void damage(uint8_t *bytes, size_t size, struct rng *rng)
{
	static const uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffff00, 0x80000100};
	unsigned int changes = 1 + rng_below(rng, 8);

	while (changes--) {
		size_t at = rng_below(rng, (uint32_t)size);
		uint32_t word = words[rng_below(rng, 7)];

		switch (rng_below(rng, 4)) {
		case 0: bytes[at] ^= (uint8_t)(1u << rng_below(rng, 8)); break;
		case 1: bytes[at] = (uint8_t)rng_next(rng); break;
		case 2: memcpy(bytes + at / 4 * 4, &word, size - at / 4 * 4 < 4 ? size - at / 4 * 4 : 4); break;
		default:
			for (size_t i = at; i < size && i < at + 40; i++)
				bytes[i] = (uint8_t)rng_next(rng);
		}
	}
}

static unsigned int rows_made;

static void use_entry(const struct jf_orc_format *format, const struct jf_orc_entry *entry)
{
	struct jf_slot slots[JF_ORC_SLOTS];
	struct jf_orc_entry again;
	struct jf_row row;
	char text[200];

	CHECK(jf_orc_text(format, entry, text, sizeof(text)) > 20, "%s", text);
	if (jf_orc_to_row(format, entry, &row, slots) != JF_OK)
		return;
	rows_made++;
	(void)!jf_orc_from_row(format, &row, slots, JF_ORC_SLOTS, &again, NULL);
}

static void use_index(const struct jf_orc_table *table, struct rng *rng)
{
	uint64_t start = rng_below(rng, 2) ? TABLE_ADDRESS - 8000 : TABLE_ADDRESS - (rng_next(rng) & 0xffffffff);
	uint64_t length = 1 + (rng_below(rng, 8) ? rng_below(rng, 100000) : rng_next(rng) & 0x1ffffff);
	struct jf_orc_index *index;

	if (start + length < start || jf_orc_index_new(table, start, start + length, &index) != JF_OK)
		return;
	for (unsigned int i = 0; i < 200; i++)
		CHECK(jf_orc_index_find(index, start + rng_next(rng) % length), "nothing was found");
	CHECK(!jf_orc_index_find(index, start + length), "something was found");
	jf_orc_index_free(index);
}

static void use(struct memory_table *m, struct rng *rng)
{
	size_t index;

	for (size_t i = 0; i < m->table.count; i++) {
		struct jf_orc_entry entry;

		jf_orc_entry_at(&m->table, i, &entry);
		use_entry(m->table.format, &entry);
	}
	for (unsigned int i = 0; i < 50; i++)
		CHECK_STATUS(jf_orc_search(&m->table, rng_next(rng) >> rng_below(rng, 40), &index), JF_OK, "unsorted");
	use_index(&m->table, rng);
	if (jf_orc_sort(&m->table, m->entries, m->ips) != JF_OK)
		return;
	CHECK(jf_orc_is_sorted(&m->table), "it is not sorted");
	use_index(&m->table, rng);
}

Test(orc_hostile, damaged_tables, .timeout = 300)
{
	struct rng rng = {9};

	for (size_t f = 0; orc_format_at(f); f++) {
		rows_made = 0;
		for (unsigned int round = 0; round < 4000; round++) {
			struct memory_table m = good_table(orc_format_at(f), &rng);

			if (rng_below(&rng, 2))
				damage(m.entries, ENTRIES * orc_format_at(f)->entry_bytes, &rng);
			damage(m.ips, (size_t)ENTRIES * 4, &rng);
			use(&m, &rng);
			orc_memory_free(&m);
		}
		CHECK(rows_made > 100000, "%u", rows_made);
	}
}

Test(orc_hostile, sections_of_any_size)
{
	struct rng rng = {10};

	for (unsigned int round = 0; round < 20000; round++) {
		const struct jf_orc_format *format = orc_format_at(rng_below(&rng, 3));
		size_t sizes[3] = {rng_below(&rng, 100), rng_below(&rng, 70), rng_below(&rng, 30)};
		uint8_t *bytes[3];
		struct memory_table m;
		struct jf_orc_sections sections;
		struct jf_error error = {0};

		for (unsigned int i = 0; i < 3; i++) {
			bytes[i] = malloc(sizes[i] ? sizes[i] : 1);
			for (size_t k = 0; k < sizes[i]; k++)
				bytes[i][k] = (uint8_t)rng_next(&rng);
		}
		sections = (struct jf_orc_sections){sizeof(sections), bytes[0], sizes[0], bytes[1], sizes[1],
						    rng_next(&rng),   bytes[2], sizes[2], NULL};
		if (jf_orc_table_init(&m.table, format->backend, &sections, &error) == JF_OK) {
			m.entries = bytes[0];
			m.ips = bytes[1];
			if (m.table.count)
				use(&m, &rng);
		} else {
			CHECK(error.status == JF_E_BAD_IMAGE && error.text[0], "round %u", round);
		}
		for (unsigned int i = 0; i < 3; i++)
			free(bytes[i]);
	}
}

Test(orc_hostile, damaged_relocations)
{
	enum { WORDS = 16, SYMBOLS = 4, SECTIONS = 3 };
	const uint64_t addresses[SECTIONS] = {0, TABLE_ADDRESS - 0x1000, TABLE_ADDRESS + 0x1000};
	struct rng rng = {11};
	unsigned int taken = 0;

	for (unsigned int round = 0; round < 20000; round++) {
		const struct jf_orc_format *format = orc_format_at(rng_below(&rng, 3));
		uint8_t *rela = calloc(WORDS, 24), *symtab = calloc(SYMBOLS, 24), *ips = calloc(WORDS, 4);
		uint64_t *where = malloc(sizeof(addresses));
		struct jf_orc_relocs relocs = {
			sizeof(relocs), rela, (size_t)WORDS * 24, symtab, (size_t)SYMBOLS * 24, where, SECTIONS};

		memcpy(where, addresses, sizeof(addresses));
		symtab[24 + 6] = 1;
		symtab[48 + 6] = 2;
		for (unsigned int i = 0; i < WORDS; i++) {
			rela[24 * i] = (uint8_t)(4 * i);
			rela[24 * i + 8] = (uint8_t)format->ip_reloc;
			rela[24 * i + 12] = (uint8_t)(1 + i % 2);
			rela[24 * i + 16] = (uint8_t)i;
		}
		if (rng_below(&rng, 10))
			damage(rela, relocs.rela_bytes, &rng);
		if (rng_below(&rng, 4) == 0)
			damage(symtab, relocs.symtab_bytes, &rng);
		if (rng_below(&rng, 8) == 0)
			relocs.symtab_bytes = rng_below(&rng, (uint32_t)relocs.symtab_bytes);
		taken += jf_orc_relocate(format, &relocs, ips, (size_t)WORDS * 4, TABLE_ADDRESS, NULL) == JF_OK;
		free(rela);
		free(symtab);
		free(ips);
		free(where);
	}
	CHECK(taken > 500 && taken < 19000, "%u were taken", taken);
}
