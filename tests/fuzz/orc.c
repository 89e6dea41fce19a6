/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as the sections of an ORC table: relocated, read, sorted, indexed and turned into rows, which go back.
 *
 *     0      backend, of those that have ORC; bit 7: relocations are there
 *     1      format, of the backend's
 *     2      entries; what is left over is the relocations and, in the other half, their symbols
 *     3      .orc_header when bit 0 is set, 20 bytes
 */

#include <jitframe/jitframe.h>
#include <string.h>

#include "target.h"

#define IPS_ADDRESS UINT64_C(0xffffffff82000000)
#define START       UINT64_C(0xffffffff81000000)
#define END         UINT64_C(0xffffffff83000000)
#define ENTRIES_MAX 64
#define IP_BYTES    4

static const struct jf_orc_format *choose_format(struct fuzz_bytes *bytes, bool *has_relocs)
{
	uint64_t choice = fuzz_take(bytes, 1), older = fuzz_take(bytes, 1);
	const struct jf_orc_format *format = NULL;
	size_t backends = 0;

	*has_relocs = choice & 0x80;
	while (jf_backend_at(backends))
		backends++;
	for (size_t i = 0; i < backends && !format; i++)
		format = jf_backend_at((choice + i) % backends)->orc;
	for (older %= 4; older && format && format->older; older--)
		format = format->older;
	return format;
}

static void check_entry(const struct jf_orc_table *table, size_t index)
{
	const struct jf_orc_format *format = table->format;
	struct jf_orc_entry entry, again;
	struct jf_slot slots[JF_ORC_SLOTS];
	struct jf_row row;
	struct jf_error error;
	char text[200];
	size_t found;

	jf_orc_entry_at(table, index, &entry);
	(void)jf_orc_text(format, &entry, text, sizeof(text));
	MUST(memchr(text, 0, sizeof(text)));
	if (jf_orc_to_row(format, &entry, &row, slots) == JF_OK) {
		MUST(row.flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST) || row.cfa_reg < format->backend->reg_count);
		(void)(jf_orc_from_row(format, &row, slots, JF_ORC_SLOTS, &again, &error) == JF_OK);
	}
	if (jf_orc_search(table, jf_orc_address(table, index), &found) == JF_OK)
		MUST(found < table->count);
}

static void check_index(const struct jf_orc_table *table)
{
	struct jf_orc_index *index;

	if (jf_orc_index_new(table, START, END, &index) != JF_OK)
		return;
	for (size_t i = 0; i < table->count; i++) {
		uint64_t address = jf_orc_address(table, i);
		const struct jf_orc_entry *entry = jf_orc_index_find(index, address);

		MUST(entry || address < START || address >= END);
	}
	(void)jf_orc_index_find(index, START);
	(void)jf_orc_index_find(index, END - 1);
	MUST(!jf_orc_index_find(index, END));
	jf_orc_index_free(index);
}

static void relocate(const struct jf_orc_format *format, void *ips, size_t ips_bytes, const struct fuzz_bytes *bytes)
{
	static const uint64_t addresses[] = {0, START, START + 0x100000, IPS_ADDRESS, 0, UINT64_MAX};
	size_t half = bytes->left / 2;
	struct jf_orc_relocs relocs = {
		.size = sizeof(relocs),
		.rela = bytes->at,
		.rela_bytes = half < ips_bytes * 6 ? half : ips_bytes * 6,
		.symtab = bytes->at + half,
		.symtab_bytes = bytes->left - half,
		.section_addresses = addresses,
		.section_count = sizeof(addresses) / sizeof(addresses[0]),
	};
	struct jf_error error;

	(void)(jf_orc_relocate(format, &relocs, ips, ips_bytes, IPS_ADDRESS, &error) == JF_OK);
}

static void check_table(const struct jf_backend *backend, const struct jf_orc_sections *sections, void *unwind,
			void *ips)
{
	struct jf_orc_table table;
	struct jf_error error;

	if (jf_orc_table_init(&table, backend, sections, &error) != JF_OK) {
		MUST(memchr(error.text, 0, sizeof(error.text)));
		return;
	}
	for (size_t i = 0; i < table.count; i++)
		check_entry(&table, i);
	check_index(&table);
	if (jf_orc_sort(&table, unwind, ips) != JF_OK)
		return;
	MUST(jf_orc_is_sorted(&table));
	for (size_t i = 0; i < table.count; i++)
		check_entry(&table, i);
	check_index(&table);
}

/* A copy of its own size. */
static void *take(struct fuzz_bytes *bytes, size_t count)
{
	uint8_t *copy = malloc(count + !count);

	MUST(copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = (uint8_t)fuzz_take(bytes, 1);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = {data, size};
	bool has_relocs;
	const struct jf_orc_format *format = choose_format(&bytes, &has_relocs);
	struct jf_orc_sections sections = {
		.size = sizeof(sections), .unwind_ip_address = IPS_ADDRESS, .format = format};
	size_t count = fuzz_take(&bytes, 1) % (ENTRIES_MAX + 1);
	void *header = NULL, *unwind, *ips;

	if (fuzz_take(&bytes, 1) & 1) {
		sections.header = header = take(&bytes, JF_ORC_HEADER_BYTES);
		sections.header_bytes = JF_ORC_HEADER_BYTES;
		sections.format = NULL;
	}
	sections.unwind_bytes = count * format->entry_bytes;
	sections.unwind_ip_bytes = count * IP_BYTES;
	sections.unwind = unwind = take(&bytes, sections.unwind_bytes);
	sections.unwind_ip = ips = take(&bytes, sections.unwind_ip_bytes);
	if (has_relocs)
		relocate(format, ips, sections.unwind_ip_bytes, &bytes);
	check_table(format->backend, &sections, unwind, ips);
	free(header);
	free(unwind);
	free(ips);
	return 0;
}

/* ---- seeds ------------------------------------------------------------------------------------------------ */

static size_t put_relocs(const struct jf_orc_format *format, uint8_t *at, size_t count)
{
	uint64_t symbol[3] = {UINT64_C(1) << 48, 0x40, 0}; /* in section 1, value 0x40 */

	for (size_t i = 0; i < count; i++) {
		uint64_t rela[3] = {4 * i, UINT64_C(0) << 32 | format->ip_reloc, 16 * i};

		memcpy(at + i * sizeof(rela), rela, sizeof(rela));
		memcpy(at + (count + i) * sizeof(rela), symbol, sizeof(symbol));
	}
	return 2 * count * sizeof(symbol);
}

size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	static const uint8_t counts[] = {0, 1, 20, ENTRIES_MAX};
	struct jf_orc_writer writer;
	struct fuzz_bytes choice = {data, 2};
	const struct jf_orc_format *format;
	bool has_relocs;
	size_t used = 4;

	if (number >= 64 || capacity < 8192)
		return 0;
	data[0] = (uint8_t)(number % 4 | (number & 32 ? 0x80 : 0));
	data[1] = (uint8_t)(number / 4 % 2);
	data[2] = counts[number / 8 % 4];
	data[3] = 0;
	format = choose_format(&choice, &has_relocs);
	if (jf_orc_writer_init(&writer, format, data + used, data + used + data[2] * format->entry_bytes, data[2],
			       IPS_ADDRESS) != JF_OK)
		return 4;
	for (unsigned int i = 0; i < data[2]; i++) {
		struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 3, .sp_off = (int16_t)(8 + 8 * (i % 5))};

		if (i % 7 == 6)
			entry = (struct jf_orc_entry){.type = JF_ORC_UNDEFINED};
		if (jf_orc_write(&writer, START + 0x40 * (uint64_t)i, &entry) != JF_OK)
			break;
	}
	used += data[2] * (format->entry_bytes + (size_t)IP_BYTES);
	return used + (has_relocs ? put_relocs(format, data + used, data[2]) : 0);
}
