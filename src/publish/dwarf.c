/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/dwarf.h"

#include "base/bytes.h"
#include "publish/places.h"

/* Numbers of the DWARF 4 specification, sections 7.5 and 7.21 and below. */

#define DWARF_VERSION 4
#define ADDRESS_BYTES 8

enum {
	TAG_COMPILE_UNIT = 0x11,
	TAG_BASE_TYPE = 0x24,
	TAG_SUBPROGRAM = 0x2e,

	AT_NAME = 0x03,
	AT_BYTE_SIZE = 0x0b,
	AT_STMT_LIST = 0x10,
	AT_LOW_PC = 0x11,
	AT_HIGH_PC = 0x12,
	AT_LANGUAGE = 0x13,
	AT_PRODUCER = 0x25,
	AT_PROTOTYPED = 0x27,
	AT_ENCODING = 0x3e,
	AT_EXTERNAL = 0x3f,
	AT_TYPE = 0x49,

	FORM_ADDR = 0x01,
	FORM_DATA8 = 0x07,
	FORM_STRING = 0x08,
	FORM_DATA1 = 0x0b,
	FORM_REF4 = 0x13,
	FORM_SEC_OFFSET = 0x17,
	FORM_FLAG_PRESENT = 0x19,

	LANG_C99 = 0x0c,
	ATE_UNSIGNED = 0x07,

	LNS_COPY = 1,
	LNS_ADVANCE_PC = 2,
	LNS_ADVANCE_LINE = 3,
	LNS_SET_FILE = 4,
	LNS_SET_COLUMN = 5,
	LNS_SET_PROLOGUE_END = 10,
	LNE_END_SEQUENCE = 1,
	LNE_SET_ADDRESS = 2,
};

/* Abbreviations: numbers from 1 on, in this order. */
enum { ABBREV_UNIT = 1, ABBREV_TYPE, ABBREV_FUNCTION };

static const uint8_t abbrevs[] = {
	/* clang-format off */
	ABBREV_UNIT, TAG_COMPILE_UNIT, 1,
		AT_PRODUCER, FORM_STRING, AT_LANGUAGE, FORM_DATA1, AT_NAME, FORM_STRING,
		AT_LOW_PC, FORM_ADDR, AT_HIGH_PC, FORM_DATA8, AT_STMT_LIST, FORM_SEC_OFFSET, 0, 0,
	ABBREV_TYPE, TAG_BASE_TYPE, 0,
		AT_NAME, FORM_STRING, AT_BYTE_SIZE, FORM_DATA1, AT_ENCODING, FORM_DATA1, 0, 0,
	ABBREV_FUNCTION, TAG_SUBPROGRAM, 0,
		AT_NAME, FORM_STRING, AT_EXTERNAL, FORM_FLAG_PRESENT, AT_PROTOTYPED, FORM_FLAG_PRESENT,
		AT_TYPE, FORM_REF4, AT_LOW_PC, FORM_ADDR, AT_HIGH_PC, FORM_DATA8, 0, 0,
	0,
	/* clang-format on */
};

void jf_dwarf_abbrevs(struct out *abbrev)
{
	jf_out_put(abbrev, abbrevs, sizeof(abbrevs));
}

/* A length of 4 bytes, which end_length() fills in. returns: where what it counts begins. */
static size_t begin_length(struct out *out)
{
	jf_out_number(out, 0, 4);
	return out->size;
}

static void end_length(struct out *out, size_t begun)
{
	jf_out_patch(out, begun - 4, out->size - begun, 4);
}

/* ---- .debug_info ------------------------------------------------------------------------------------------ */

static void put_unit(struct out *info, const struct jf_range *range, size_t line_off)
{
	uint64_t bytes = range->end - range->start;
	size_t begun = begin_length(info), type;

	jf_out_number(info, DWARF_VERSION, 2);
	jf_out_number(info, 0, 4); /* of .debug_abbrev */
	jf_out_number(info, ADDRESS_BYTES, 1);

	jf_out_uleb(info, ABBREV_UNIT);
	jf_out_string(info, "jitframe");
	jf_out_number(info, LANG_C99, 1);
	jf_out_string(info, range->lines[0].file);
	jf_out_number(info, range->start, ADDRESS_BYTES);
	jf_out_number(info, bytes, 8);
	jf_out_number(info, line_off, 4);

	/* What R0 holds at the end, for a debugger that prints what a function returned. */
	type = info->size - (begun - 4);
	jf_out_uleb(info, ABBREV_TYPE);
	jf_out_string(info, "u64");
	jf_out_number(info, 8, 1);
	jf_out_number(info, ATE_UNSIGNED, 1);

	jf_out_uleb(info, ABBREV_FUNCTION);
	jf_out_string(info, range->name);
	jf_out_number(info, type, 4);
	jf_out_number(info, range->start, ADDRESS_BYTES);
	jf_out_number(info, bytes, 8);
	jf_out_uleb(info, 0); /* behind the unit's last child */
	end_length(info, begun);
}

/* ---- .debug_aranges: which unit an address is in ----------------------------------------------------------- */

#define ARANGES_VERSION 2

static void put_arange(struct out *aranges, const struct jf_range *range, size_t info_off)
{
	size_t begun = begin_length(aranges);

	jf_out_number(aranges, ARANGES_VERSION, 2);
	jf_out_number(aranges, info_off, 4);
	jf_out_number(aranges, ADDRESS_BYTES, 1);
	jf_out_number(aranges, 0, 1); /* segments: none */
	jf_out_number(aranges, 0, 4); /* pairs begin at a multiple of their size, counted from the length */
	jf_out_number(aranges, range->start, ADDRESS_BYTES);
	jf_out_number(aranges, range->end - range->start, ADDRESS_BYTES);
	jf_out_number(aranges, 0, ADDRESS_BYTES);
	jf_out_number(aranges, 0, ADDRESS_BYTES);
	end_length(aranges, begun);
}

/* ---- .debug_line ------------------------------------------------------------------------------------------ */

/* The files of a range, numbered from 1. */
struct files {
	struct out names; /* const char * */
	uint32_t last;    /* what was asked for last, as mostly again */
};

static const char *file_at(const struct files *files, uint32_t number)
{
	return ((const char *const *)(const void *)files->names.bytes)[number - 1];
}

/* returns: 0 without memory. */
static uint32_t file_number(struct files *files, const char *name)
{
	uint32_t count = (uint32_t)(files->names.size / sizeof(name)), number = 1;

	if (files->last && strcmp(file_at(files, files->last), name) == 0)
		return files->last;
	while (number <= count && strcmp(file_at(files, number), name) != 0)
		number++;
	if (number > count)
		jf_out_put(&files->names, &name, sizeof(name));
	files->last = files->names.failed ? 0 : number;
	return files->last;
}

static void put_header(struct out *line, const struct files *files)
{
	/* How many arguments the standard opcodes have, from 1 on. */
	static const uint8_t argument_counts[] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
	size_t begun;

	jf_out_number(line, DWARF_VERSION, 2);
	begun = begin_length(line);
	jf_out_number(line, 1, 1); /* bytes that LNS_ADVANCE_PC counts in */
	jf_out_number(line, 1, 1); /* operations of an instruction */
	jf_out_number(line, 1, 1); /* every row begins a statement */
	jf_out_number(line, 0, 1); /* special opcodes, which are not used: base and range of lines */
	jf_out_number(line, 1, 1);
	jf_out_number(line, sizeof(argument_counts) + 1, 1);
	jf_out_put(line, argument_counts, sizeof(argument_counts));
	jf_out_number(line, 0, 1); /* no folders: names are whole */
	for (uint32_t i = 1; i <= files->names.size / sizeof(char *); i++) {
		jf_out_string(line, file_at(files, i));
		jf_out_number(line, 0, 3); /* folder, time, length */
	}
	jf_out_number(line, 0, 1);
	end_length(line, begun);
}

/* The registers of the line program. */
struct state {
	uint64_t address;
	uint32_t file, line, column;
};

static void put_extended(struct out *line, uint8_t opcode, unsigned int bytes)
{
	jf_out_number(line, 0, 1);
	jf_out_uleb(line, 1 + bytes);
	jf_out_number(line, opcode, 1);
}

static void advance(struct out *line, struct state *state, uint64_t address)
{
	if (address <= state->address)
		return;
	jf_out_number(line, LNS_ADVANCE_PC, 1);
	jf_out_uleb(line, address - state->address);
	state->address = address;
}

static void put_place(struct out *line, struct state *state, const struct place *place, uint32_t file)
{
	advance(line, state, place->address);
	if (file != state->file) {
		jf_out_number(line, LNS_SET_FILE, 1);
		jf_out_uleb(line, file);
	}
	if (place->line->column != state->column) {
		jf_out_number(line, LNS_SET_COLUMN, 1);
		jf_out_uleb(line, place->line->column);
	}
	if (place->line->line != state->line) {
		jf_out_number(line, LNS_ADVANCE_LINE, 1);
		jf_out_sleb(line, (int64_t)place->line->line - state->line);
	}
	if (place->is_body)
		jf_out_number(line, LNS_SET_PROLOGUE_END, 1);
	jf_out_number(line, LNS_COPY, 1);
	state->file = file;
	state->line = place->line->line;
	state->column = place->line->column;
}

static void put_program(struct out *line, const struct jf_range *range, struct files *files)
{
	struct state state = {.address = range->start, .file = 1, .line = 1};
	struct place place;

	put_extended(line, LNE_SET_ADDRESS, ADDRESS_BYTES);
	jf_out_number(line, range->start, ADDRESS_BYTES);
	for (uint32_t next = 0; jf_place_next(range, &next, &place);)
		put_place(line, &state, &place, file_number(files, place.line->file));
	advance(line, &state, range->end);
	put_extended(line, LNE_END_SEQUENCE, 0);
}

void jf_dwarf_function(struct out *info, struct out *line, struct out *aranges, const struct jf_range *range)
{
	struct files files = {.last = 0};
	struct place place;
	size_t begun;

	if (!range->line_count || !range->insn_off)
		return;
	for (uint32_t next = 0; jf_place_next(range, &next, &place);)
		line->failed |= !file_number(&files, place.line->file);
	put_arange(aranges, range, info->size);
	put_unit(info, range, line->size);
	begun = begin_length(line);
	put_header(line, &files);
	put_program(line, range, &files);
	end_length(line, begun);
	jf_out_free(&files.names);
}
