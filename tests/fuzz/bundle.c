/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a bundle, as the side that runs programs opens it: checked, and each of its programs selected. */

#include "bundle.h"
#include "target.h"

#include <string.h>

static void check_lines(const struct bundle_selection *selection, uint32_t function)
{
	const struct jf_source_lines *table = &selection->tables[function];

	for (uint32_t i = 0; i < table->count; i++) {
		MUST(table->lines[i].insn < selection->functions[function].insn_count);
		MUST(!i || table->lines[i].insn > table->lines[i - 1].insn);
		MUST(table->lines[i].file);
	}
}

/* What they say is jf_compile()'s to look at; but they are there. */
static uint64_t add_cleanups(const struct bundle *bundle, const struct jf_cleanups *table)
{
	uint64_t sum = 0;

	MUST(!table->count || (table->list >= bundle->cleanups && table->count <= bundle->count[BUNDLE_CLEANUPS]));
	for (uint32_t i = 0; i < table->count; i++)
		sum += (uint64_t)table->list[i].start + table->list[i].end + table->list[i].pad;
	return sum;
}

static void select_program(const struct bundle *bundle, uint32_t index)
{
	static volatile uint64_t sink; /* every record is read */
	struct bundle_selection selection;
	struct jf_error error;

	if (bundle_select(bundle, index, &selection, &error) != JF_OK)
		return;
	MUST(selection.program.function_count > 0);
	for (uint32_t i = 0; i < selection.program.function_count; i++) {
		MUST(selection.bundle_function[i] < bundle->count[BUNDLE_FUNCTIONS]);
		MUST(memchr(selection.functions[i].name, 0,
			    (size_t)(bundle->strings + bundle->count[BUNDLE_STRINGS] - selection.functions[i].name)));
		check_lines(&selection, i);
		sink += add_cleanups(bundle, &selection.cleanups[i]);
	}
	MUST(selection.program.callback < (int64_t)selection.program.function_count);
	bundle_selection_free(&selection);
}

/* 8-byte aligned, as bundle.h asks for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *bytes = malloc(size + !size);
	struct bundle bundle;
	struct jf_error error;
	uint32_t found;

	MUST(bytes);
	memcpy(bytes, data, size);
	if (bundle_open(&bundle, bytes, size, &error) == JF_OK) {
		for (uint32_t i = 0; i < bundle.count[BUNDLE_PROGRAMS] && i < 16; i++)
			select_program(&bundle, i);
		for (uint32_t i = 0; i < bundle.count[BUNDLE_MAPS]; i++)
			(void)bundle_map_has_address(&bundle.maps[i]);
		if (bundle_find(&bundle, NULL, &found, &error) == JF_OK)
			MUST(found < bundle.count[BUNDLE_PROGRAMS]);
	}
	free(bytes);
	return 0;
}

/* Behind what is there, at a multiple of 8. */
static void put(uint8_t *data, size_t *used, enum bundle_table table, const void *records, uint32_t count, size_t bytes)
{
	struct bundle_header *header = (struct bundle_header *)(void *)data;

	*used = (*used + 7) / 8 * 8;
	header->tables[table] = (struct bundle_extent){.off = (uint32_t)*used, .count = count};
	memcpy(data + *used, records, bytes);
	*used += bytes;
}

size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	static const char strings[] = "\0main\0sub\0tc\0map\0kfunc";
	const struct bundle_program programs[] = {{1, 10, 0, -1}, {6, 10, 1, 0}};
	const struct jf_insn insns[] = {
		{0x85, 0x10, 0, 1},                     /* call function 1 */
		{0x18, 0x21, 0, 0},                     /* r1 = map 0's value */
		{0x00, 0x00, 0, 4}, {0x95, 0x00, 0, 0}, /* exit */
		{0x85, 0x20, 0, 0},                     /* call kfunc 0 */
		{0x95, 0x00, 0, 0},                     /* exit */
	};
	const struct bundle_function functions[] = {{.name = 1,
						     .insn_start = 0,
						     .insn_count = 4,
						     .flags = BUNDLE_FUNCTION_GLOBAL,
						     .line_count = 2,
						     .cleanup_count = 1},
						    {.name = 6,
						     .insn_start = 4,
						     .insn_count = 2,
						     .line_start = 2,
						     .line_count = 1,
						     .cleanup_start = 1,
						     .cleanup_count = 1}};
	const struct jf_cleanup cleanups[] = {{0, 1, 3}, {0, 1, 1}};
	const struct bundle_line lines[] = {{.insn = 0, .file = 13, .line = 3},
					    {.insn = 3, .file = 13, .text = 17, .line = 4, .column = 5},
					    {.insn = 0, .file = 13, .line = 8}};
	const struct bundle_map maps[] = {
		{.name = 13,
		 .type = 2,
		 .key_bytes = 4,
		 .value_bytes = 16,
		 .max_entries = 1,
		 .flags = BUNDLE_MAP_DATA,
		 .data_bytes = 8},
		{.name = 13, .type = BUNDLE_TYPE_PROG_ARRAY, .key_bytes = 4, .value_bytes = 4, .max_entries = 2}};
	const struct bundle_kfunc kfuncs[] = {{.name = 17}};
	const struct bundle_init inits[] = {{.map = 0, .kind = BUNDLE_INIT_VALUE_ADDRESS, .addend = 4},
					    {.map = 1, .key = 1, .kind = BUNDLE_INIT_PROGRAM_SLOT, .target = 1}};
	static const uint8_t bytes[8] = {1, 2, 3};
	struct bundle_header *header = (struct bundle_header *)(void *)data;
	size_t used = sizeof(*header);

	if (number >= 4 || capacity < 2048)
		return 0;
	memset(data, 0, 2048);
	memcpy(header->magic, BUNDLE_MAGIC, sizeof(header->magic));
	put(data, &used, BUNDLE_PROGRAMS, programs, number & 1 ? 2 : 1, sizeof(programs));
	put(data, &used, BUNDLE_FUNCTIONS, functions, 2, sizeof(functions));
	put(data, &used, BUNDLE_INSNS, insns, 6, sizeof(insns));
	put(data, &used, BUNDLE_MAPS, maps, 2, sizeof(maps));
	put(data, &used, BUNDLE_KFUNCS, kfuncs, 1, sizeof(kfuncs));
	put(data, &used, BUNDLE_INITS, inits, number & 2 ? 2 : 0, sizeof(inits));
	put(data, &used, BUNDLE_LINES, lines, 3, sizeof(lines));
	put(data, &used, BUNDLE_CLEANUPS, cleanups, 2, sizeof(cleanups));
	put(data, &used, BUNDLE_DATA, bytes, sizeof(bytes), sizeof(bytes));
	put(data, &used, BUNDLE_STRINGS, strings, sizeof(strings), sizeof(strings));
	header->total_bytes = (uint32_t)used;
	return used;
}
