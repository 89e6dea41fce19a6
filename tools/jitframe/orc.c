/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "orc_file.h"

/* jitframe orc */

#define NAME_TEXT_MAX  512
#define ENTRY_TEXT_MAX 256

struct args {
	enum { COMMAND_NONE, COMMAND_DUMP, COMMAND_FIND } command;
	const char *path;
	const char *format;
	char **addresses; /* of argv */
	int address_count;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 'j': args->json = true; return 0;
	case 'f': args->format = arg; return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 && strcmp(arg, "dump") == 0)
			args->command = COMMAND_DUMP;
		else if (state->arg_num == 0 && strcmp(arg, "find") == 0)
			args->command = COMMAND_FIND;
		else if (state->arg_num == 0)
			argp_error(state, "%s: neither dump nor find", arg);
		else if (state->arg_num == 1)
			args->path = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_ARGS:
		args->addresses = state->argv + state->next;
		args->address_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!args->path)
			argp_usage(state);
		if (args->command == COMMAND_DUMP && args->address_count)
			argp_error(state, "unexpected argument %s", args->addresses[0]);
		if (args->command == COMMAND_FIND && !args->address_count)
			argp_error(state, "find needs an address");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

/* CFA and saved registers, or null where a row cannot say it. */
static json_t *json_row(const struct jf_orc_format *format, const struct jf_orc_entry *entry)
{
	const struct jf_backend *backend = format->backend;
	struct jf_slot slots[JF_ORC_SLOTS];
	struct jf_row row;
	json_t *saved;

	if (jf_orc_to_row(format, entry, &row, slots) != JF_OK || row.flags & JF_ROW_UNKNOWN)
		return json_null();
	saved = json_object();
	for (unsigned int i = 0; i < JF_ORC_SLOTS; i++)
		if (row.saved & UINT32_C(1) << i)
			json_object_set_new(saved, backend->regs[slots[i].reg].name,
					    json_integer(slots[i].off_from_cfa));
	return json_pack("{s:s, s:i, s:o}", "cfa_register", backend->regs[row.cfa_reg].name, "cfa_off",
			 (int)row.cfa_off, "saved_off_from_cfa", saved);
}

/* An entry's own fields by their names, and what they come to. */
static json_t *json_entry(const struct orc_file *file, const struct jf_orc_entry *entry)
{
	const struct jf_orc_format *format = file->table.format;
	char text[ENTRY_TEXT_MAX];
	json_t *all;

	jf_orc_text(format, entry, text, sizeof(text));
	all = json_pack("{s:s, s:i, s:b, s:i, s:i, s:i, s:i}", "text", text, "type", (int)entry->type, "signal",
			entry->signal != 0, "sp_reg", (int)entry->sp_reg, "sp_offset", (int)entry->sp_off, "fp_reg",
			(int)entry->fp_reg, "fp_offset", (int)entry->fp_off);
	if (all && format->ra_off_at != JF_ORC_NO_FIELD) {
		json_object_set_new(all, "ra_reg", json_integer(entry->ra_reg));
		json_object_set_new(all, "ra_offset", json_integer(entry->ra_off));
	}
	json_object_set_new(all, "row", json_row(format, entry));
	return all;
}

/* ---- dump ------------------------------------------------------------------------------------------- */

/* A kernel's table is too long to be held as JSON: entry by entry. */
static int print_json_entry(const struct orc_file *file, size_t index, const char *name,
			    const struct jf_orc_entry *entry)
{
	json_t *value = json_entry(file, entry);
	char *line;

	json_object_set_new(value, "at", json_text(name));
	line = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	if (!line)
		return cli_failed("cannot write JSON");
	printf("%s\n    %s", index ? "," : "", line);
	free(line);
	return 0;
}

static int dump(struct orc_file *file, bool json)
{
	int status = 0;

	if (json)
		printf("{\n  \"arch\": \"%s\",\n  \"entries\": [", file->backend->name);
	for (size_t i = 0; status == 0 && i < file->table.count; i++) {
		struct jf_orc_entry entry;
		char name[NAME_TEXT_MAX], text[ENTRY_TEXT_MAX];

		jf_orc_entry_at(&file->table, i, &entry);
		if (!orc_file_entry_name(file, i, name, sizeof(name)))
			return cli_bad_input("%s: .rela.orc_unwind_ip: relocation %zu has no name", file->path, i);
		if (json) {
			status = print_json_entry(file, i, name, &entry);
			continue;
		}
		jf_orc_text(file->table.format, &entry, text, sizeof(text));
		printf("%s:%s\n", name, text);
	}
	if (json)
		puts("\n  ]\n}");
	return status;
}

/* ---- find ------------------------------------------------------------------------------------------- */

static int find_one(struct orc_file *file, const char *address_text, json_t *found)
{
	char name[NAME_TEXT_MAX], start[NAME_TEXT_MAX], text[ENTRY_TEXT_MAX];
	struct jf_orc_entry entry;
	uint64_t address = 0;
	size_t index;
	int status = orc_file_parse(file, address_text, &address);

	if (status != 0)
		return status;
	if (jf_orc_search(&file->table, address, &index) != JF_OK)
		return cli_bad_input("%s: its table is empty", file->path);
	jf_orc_entry_at(&file->table, index, &entry);
	orc_file_address_name(file, address, name, sizeof(name));
	orc_file_address_name(file, jf_orc_address(&file->table, index), start, sizeof(start));
	if (found)
		return json_array_append_new(found, json_pack("{s:o, s:o, s:o}", "address", json_text(name), "from",
							      json_text(start), "entry", json_entry(file, &entry)));
	jf_orc_text(file->table.format, &entry, text, sizeof(text));
	printf("%s: %s:%s\n", name, start, text);
	return 0;
}

static int find(struct orc_file *file, const struct args *args)
{
	json_t *found = args->json ? json_array() : NULL;
	int status = orc_file_sort(file);

	for (int i = 0; status == 0 && i < args->address_count; i++)
		status = find_one(file, args->addresses[i], found);
	if (status == 0 && args->json)
		return json_print(json_pack("{s:s, s:o}", "arch", file->backend->name, "found", found));
	json_decref(found);
	return status;
}

/* ---- both ------------------------------------------------------------------------------------------- */

/* What says that entries may not mean what is printed. */
static void check_header(const struct orc_file *file)
{
	if (file->table.header == JF_ORC_HEADER_UNKNOWN)
		cli_warn("%s: its .orc_header is of no format that is known here; entries may mean something else",
			 file->path);
	else if (file->table.header == JF_ORC_HEADER_ABSENT && file->whole)
		cli_warn("%s: it has no .orc_header; before Linux 6.4 entries were encoded differently", file->path);
}

int cmd_orc(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"format", 'f', "NAME", 0,
		 "how entries are encoded, for files without .orc_header: linux-7 or linux-6.4", 0},
		{"json", 'j', NULL, 0, "print JSON", 0},
		{0},
	};
	static const struct argp argp = {
		options,
		parse,
		"dump FILE\nfind FILE ADDRESS...",
		"Shows the ORC unwind tables of a Linux kernel, a module or an object file: all entries, as "
		"`objtool --dump=orc` does, or those that hold at addresses."
		"\v"
		"An ADDRESS is a hexadecimal number, SECTION+OFFSET in modules and object files, or SYMBOL+OFFSET; "
		"for a return address give the byte before it. What is found is printed as the address, where the "
		"entry begins, and the entry.",
		NULL,
		NULL,
		NULL,
	};
	struct args args = {0};
	struct orc_file file;
	int status;

	cli_parse(&argp, argc, argv, &args);
	status = orc_file_open(&file, args.path, args.format);
	if (status == 0) {
		check_header(&file);
		status = args.command == COMMAND_DUMP ? dump(&file, args.json) : find(&file, &args);
	}
	orc_file_close(&file);
	return status;
}
