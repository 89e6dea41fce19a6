/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The table of docs/isa.md: each instruction in a program of its own, compiled for every convention.
 *
 *     isa_table          prints it
 *     isa_table FILE     says in TAP whether FILE is that, and where it differs
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>
#include <jitframe/compile.h>

#include "isa.h"
#include "rows.h"

#define BACKENDS_MAX 16

static const char head[] =
	"# Instructions\n"
	"\n"
	"Made by `scripts/gen-isa-docs`, which compiles a program of each instruction for every convention;\n"
	"`meson test -C build/native isa` holds this file to the compiler. `yes`: every convention of the\n"
	"architecture has the instruction. Where only some conventions have the instruction, the cell names\n"
	"the conventions. `no`: a program with the instruction is refused before the program runs, with\n"
	"function, index and opcode.\n"
	"\n"
	"An opcode outside of these tables is no instruction, and is refused too; the same test shows this.\n";

struct table {
	FILE *file;
	const struct jf_backend *backends[BACKENDS_MAX];
	size_t backend_count;
	bool listed[256]; /* opcodes with a row */
};

/* ---- one instruction ---------------------------------------------------------------------------- */

#define CODE_BYTES 32768

/* Programs are only looked at: any address does. */
static const struct jf_import imports[] = {
	{.name = "zero", .address = 0x10000},
	{.name = "one", .address = 0x20000},
};
static const struct jf_map_ref maps[] = {{.object = 0x30000, .value = 0x40000}};

static enum jf_status compile(const struct jf_convention *conv, const struct jf_function *functions)
{
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = 2,
		.callback = -1,
		.helpers = imports,
		.helper_count = 2,
		.kfuncs = imports,
		.kfunc_count = 2,
		.maps = maps,
		.map_count = 1,
		.call_register = imports[0],
	};
	static uint8_t code[CODE_BYTES];
	struct jf_image *image = NULL;
	enum jf_status status =
		jf_compile(conv, &program, NULL, code, sizeof(code), UINT64_C(0x10000000), &image, NULL);

	if (status == JF_OK)
		jf_image_free(image);
	return status;
}

/* Between a setting of registers and what jumps may go to; a second function is there to be called. */
static bool is_supported(const struct jf_convention *conv, struct jf_insn insn)
{
	const struct jf_insn second_half = {0};
	const struct jf_insn exit_insn = {JMP | EXIT, 0, 0, 0};
	const struct jf_insn zero = {ALU64 | MOV | K, R0, 0, 0};
	struct jf_insn main_insns[8] = {zero, {ALU64 | MOV | K, R1, 0, 1}, {ALU64 | MOV | K, R2, 0, 2}, insn};
	const struct jf_insn other_insns[] = {zero, exit_insn};
	uint32_t count = 4;
	bool is_wide = insn.opcode == (LD | IMM | DW);

	if (is_wide)
		main_insns[count++] = second_half;
	main_insns[count++] = zero;
	main_insns[count++] = exit_insn;
	return compile(conv, (const struct jf_function[]){{"main", main_insns, count}, {"other", other_insns, 2}}) ==
	       JF_OK;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static void add_cell(struct table *table, const struct jf_backend *backend, struct jf_insn insn)
{
	unsigned int yes = 0;
	char names[256] = "";

	for (unsigned int i = 0; i < backend->convention_count; i++) {
		if (!is_supported(backend->conventions[i], insn))
			continue;
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", yes++ ? ", " : "",
			 backend->conventions[i]->name);
	}
	fprintf(table->file, " %s |", !yes ? "no" : yes == backend->convention_count ? "yes" : names);
}

static void add_row(void *to, const struct isa_row *row)
{
	struct table *table = to;

	table->listed[row->insn.opcode] = true;
	fprintf(table->file, "| `%02x` | %s | %s |", row->insn.opcode, row->text, row->fields);
	for (size_t i = 0; i < table->backend_count; i++)
		add_cell(table, table->backends[i], row->insn);
	fputc('\n', table->file);
}

static void add_section(void *to, const char *title)
{
	struct table *table = to;

	fprintf(table->file, "\n## %s\n\n| opcode | instruction | fields |", title);
	for (size_t i = 0; i < table->backend_count; i++)
		fprintf(table->file, " %s |", table->backends[i]->name);
	fprintf(table->file, "\n|---|---|---|");
	for (size_t i = 0; i < table->backend_count; i++)
		fprintf(table->file, "---|");
	fputc('\n', table->file);
}

static void make_table(struct table *table)
{
	fputs(head, table->file);
	while (table->backend_count < BACKENDS_MAX && jf_backend_at(table->backend_count)) {
		table->backends[table->backend_count] = jf_backend_at(table->backend_count);
		table->backend_count++;
	}
	isa_rows(add_section, add_row, table);
}

/* ---- as a test ---------------------------------------------------------------------------------- */

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t capacity = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &capacity, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static bool check_text(const char *path, const char *want)
{
	char *got = read_whole(path);
	unsigned int line = 1;
	bool same = got && strcmp(got, want) == 0;

	for (size_t i = 0; !same && got && got[i] && got[i] == want[i]; i++)
		line += got[i] == '\n';
	printf("%s 1 - %s is up to date\n", same ? "ok" : "not ok", path);
	if (!same)
		printf("# differs at line %u; scripts/gen-isa-docs writes it anew\n", got ? line : 0);
	free(got);
	return same;
}

/* What has no row is no instruction, whatever its fields. */
static bool check_others(const struct table *table)
{
	bool all = true;

	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		for (size_t i = 0; !table->listed[opcode] && i < table->backend_count; i++) {
			const struct jf_backend *backend = table->backends[i];

			for (unsigned int c = 0; c < backend->convention_count; c++) {
				if (!is_supported(backend->conventions[c], (struct jf_insn){(uint8_t)opcode, 0, 0, 0}))
					continue;
				printf("# %s/%s compiles opcode 0x%02x\n", backend->name, backend->conventions[c]->name,
				       opcode);
				all = false;
			}
		}
	}
	printf("%s 2 - opcodes without a row are refused\n", all ? "ok" : "not ok");
	return all;
}

int main(int argc, char **argv)
{
	struct table table = {.file = stdout};
	char *text = NULL;
	size_t size = 0;
	bool good = true;

	if (argc > 1)
		table.file = open_memstream(&text, &size);
	if (!table.file)
		return 2;
	make_table(&table);
	if (argc > 1) {
		fclose(table.file);
		printf("1..2\n");
		good = check_text(argv[1], text);
		good &= check_others(&table);
	}
	free(text);
	return good ? 0 : 1;
}
