/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* What .BTF.ext says about instructions: which of them need CO-RE, and the source lines they come from. */

/* The head of .BTF.ext up to what CO-RE has; libbpf keeps its own to itself. */
struct ext_header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t hdr_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len;
};

/* One section's part of a .BTF.ext table; records of record_bytes each follow. */
struct ext_block {
	uint32_t section_name;
	uint32_t count;
};

struct ext_line;

/* A table of .BTF.ext, and what is done with each of its records. */
struct ext_table {
	struct link *link;
	const char *name; /* for messages */
	uint32_t least_bytes;
	void (*take)(struct ext_table *table, uint32_t section, const uint8_t *record);
	uint32_t line_count; /* of take_line(): so far */
	struct ext_line *lines;
};

static enum jf_status bad_table(const struct ext_table *table, const uint8_t *at)
{
	struct link *link = table->link;
	const struct section *section = &link->object.sections[object_section(&link->object, ".BTF.ext")];

	return link_fail(link, JF_E_BAD_IMAGE, ".BTF.ext", "byte %td: %s do not fit their section", at - section->bytes,
			 table->name);
}

/* [at, end): the table, its first word being the size of a record. */
static enum jf_status read_table(struct ext_table *table, const uint8_t *at, const uint8_t *end)
{
	struct link *link = table->link;
	uint32_t record_bytes;

	if (end - at < 4)
		return bad_table(table, at);
	memcpy(&record_bytes, at, 4);
	at += 4;
	if (record_bytes < table->least_bytes)
		return bad_table(table, at);

	while (at < end) {
		struct ext_block block;
		uint32_t section;

		if ((size_t)(end - at) < sizeof(block))
			return bad_table(table, at);
		memcpy(&block, at, sizeof(block));
		at += sizeof(block);
		if (block.count > (size_t)(end - at) / record_bytes)
			return bad_table(table, at);
		section = object_section(&link->object, link_btf_name(link->btf, block.section_name));
		for (uint32_t i = 0; i < block.count; i++, at += record_bytes)
			table->take(table, section, at);
	}
	return JF_OK;
}

/* Fields that an older section does not have are 0. returns: false when there is no section. */
static bool read_header(const struct link *link, struct ext_header *header, const struct section **section)
{
	uint32_t index = object_section(&link->object, ".BTF.ext");

	*section = &link->object.sections[index];
	memset(header, 0, sizeof(*header));
	if (index == 0 || !(*section)->bytes || (*section)->size < offsetof(struct ext_header, core_relo_off))
		return false;
	memcpy(header, (*section)->bytes,
	       (*section)->size < sizeof(*header) ? (size_t)(*section)->size : sizeof(*header));
	if (header->hdr_len < sizeof(*header)) /* from before CO-RE */
		header->core_relo_off = header->core_relo_len = 0;
	return true;
}

/* in: off, bytes: of the table, as the header has them. */
static enum jf_status open_table(struct ext_table *table, const struct ext_header *header,
				 const struct section *section, uint32_t off, uint32_t bytes)
{
	if (!bytes)
		return JF_OK;
	if (header->magic != BTF_MAGIC || (uint64_t)header->hdr_len + off > section->size ||
	    bytes > section->size - header->hdr_len - off)
		return bad_table(table, section->bytes);
	return read_table(table, section->bytes + header->hdr_len + off,
			  section->bytes + header->hdr_len + off + bytes);
}

/* ---- CO-RE -------------------------------------------------------------------------------------- */

static void take_core(struct ext_table *table, uint32_t section, const uint8_t *bytes)
{
	if (table->link->use != LINK_TO_SEE)
		link_core_record(table->link, section, bytes);
}

enum jf_status link_btf_core(struct link *link)
{
	struct ext_table table = {
		.link = link, .name = "CO-RE relocations", .least_bytes = LINK_CORE_BYTES, .take = take_core};
	const struct section *section;
	struct ext_header header;

	if (!read_header(link, &header, &section))
		return JF_OK;
	return open_table(&table, &header, section, header.core_relo_off, header.core_relo_len);
}

/* ---- lines -------------------------------------------------------------------------------------- */

/* A record as it was found. */
struct ext_line {
	uint32_t function, insn; /* insn counts in the function */
	uint32_t order;          /* among all records; of two for one instruction the first one counts */
	struct bpf_line_info info;
};

/* The strings of the lines that are kept, each once. */
struct line_strings {
	struct link *link;
	uint32_t *placed; /* by offset in .BTF: where it is, 0 for nowhere yet */
};

static void take_line(struct ext_table *table, uint32_t section, const uint8_t *bytes)
{
	struct ext_line *line = &table->lines[table->line_count];
	int32_t function;

	memcpy(&line->info, bytes, sizeof(line->info));
	function = link_function_around(table->link, section, line->info.insn_off / 8);
	if (function < 0 || !BPF_LINE_INFO_LINE_NUM(line->info.line_col) ||
	    !link_btf_name(table->link->btf, line->info.file_name_off)[0])
		return; /* code that comes from no line */
	line->function = (uint32_t)function;
	line->insn = line->info.insn_off / 8 - table->link->functions[function].first;
	line->order = table->line_count++;
}

static int compare_lines(const void *a, const void *b)
{
	const struct ext_line *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (x->insn != y->insn)
		return x->insn < y->insn ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* returns: offset in link->line_strings, which has room. */
static uint32_t place_string(struct line_strings *strings, uint32_t off)
{
	struct link *link = strings->link;
	const char *text = link_btf_name(link->btf, off);
	size_t bytes = strlen(text) + 1;

	if (!text[0])
		return 0;
	if (!strings->placed[off]) {
		memcpy(link->line_strings + link->line_string_bytes, text, bytes);
		strings->placed[off] = link->line_string_bytes;
		link->line_string_bytes += (uint32_t)bytes;
	}
	return strings->placed[off];
}

static void add_line(struct line_strings *strings, const struct ext_line *line)
{
	struct link *link = strings->link;

	link->functions[line->function].line_count++;
	link->lines[link->line_count++] = (struct bundle_line){
		.insn = line->insn,
		.file = place_string(strings, line->info.file_name_off),
		.text = place_string(strings, line->info.line_off),
		.line = BPF_LINE_INFO_LINE_NUM(line->info.line_col),
		.column = BPF_LINE_INFO_LINE_COL(line->info.line_col),
	};
}

/* Of a string and of its tails, which .BTF may name too: no more than the section squared, so the size is summed up. */
static size_t string_bytes(const struct ext_table *table, uint8_t *seen)
{
	size_t bytes = 1;

	for (uint32_t i = 0; i < table->line_count; i++) {
		const uint32_t offs[] = {table->lines[i].info.file_name_off, table->lines[i].info.line_off};

		for (size_t k = 0; k < 2; k++) {
			const char *text = link_btf_name(table->link->btf, offs[k]);

			if (text[0] && !seen[offs[k]]) {
				seen[offs[k]] = 1;
				bytes += strlen(text) + 1;
			}
		}
	}
	return bytes;
}

static enum jf_status keep_lines(struct ext_table *table)
{
	struct link *link = table->link;
	size_t off_limit = (size_t)link->object.sections[object_section(&link->object, ".BTF")].size;
	struct line_strings strings = {link, calloc(off_limit + 1, sizeof(*strings.placed))};
	uint8_t *seen = calloc(off_limit + 1, 1);
	size_t bytes = seen ? string_bytes(table, seen) : 0;
	bool fits = bytes <= INT32_MAX;

	free(seen);
	link->lines = calloc((size_t)table->line_count + 1, sizeof(*link->lines));
	link->line_strings = fits ? calloc(1, bytes + 1) : NULL;
	if (!strings.placed || !link->lines || !link->line_strings) {
		free(strings.placed);
		return link_fail(link, JF_E_NO_MEMORY, "lines", "no memory");
	}
	link->line_string_bytes = 1;
	for (uint32_t i = 0; i < table->line_count; i++) {
		const struct ext_line *line = &table->lines[i];

		if (!i || line->function != line[-1].function || line->insn != line[-1].insn)
			add_line(&strings, line);
	}
	free(strings.placed);
	return JF_OK;
}

enum jf_status link_btf_lines(struct link *link)
{
	struct ext_table table = {
		.link = link, .name = "lines", .least_bytes = sizeof(struct bpf_line_info), .take = take_line};
	const struct section *section;
	struct ext_header header;
	enum jf_status status;

	if (!link->btf || !read_header(link, &header, &section))
		return JF_OK;
	/* No table has more records than fit in its section. */
	table.lines = calloc((size_t)(section->size / sizeof(struct bpf_line_info)) + 1, sizeof(*table.lines));
	if (!table.lines)
		return link_fail(link, JF_E_NO_MEMORY, "lines", "no memory");
	status = open_table(&table, &header, section, header.line_info_off, header.line_info_len);
	if (status == JF_OK && table.line_count) {
		qsort(table.lines, table.line_count, sizeof(*table.lines), compare_lines);
		status = keep_lines(&table);
	}
	free(table.lines);
	return status;
}

void link_btf_lines_close(struct link *link)
{
	free(link->lines);
	free(link->line_strings);
}
