/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Writes what debuggers are told, as files: elf_files FOLDER. For each backend a program of three functions, compiled
 * for an address, its ELF file in FOLDER/ARCH.elf, and on standard output what readers of the file have to find:
 *
 *     ARCH function NAME START END
 *     ARCH line ADDRESS FILE LINE COLUMN
 */

#include "base/bytes.h"
#include "publish/elf.h"
#include "publish/places.h"

#include <inttypes.h>
#include <jitframe/compile.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/image_range.h"

#define ADDRESS UINT64_C(0x7f1234560000)

static const struct jf_insn calls[] = {
	{0x18, 0x01, 0, 5}, {0, 0, 0, 7}, /* r1 = a 64-bit number */
	{0x85, 0x10, 0, 1},               /* call function 1 */
	{0x07, 0x00, 0, 1}, {0x95, 0x00, 0, 0},
};
static const struct jf_insn adds[] = {
	{0xbf, 0x16, 0, 0}, {0x85, 0x10, 0, 2}, {0x0f, 0x60, 0, 0}, {0x7b, 0x0a, -300, 0}, {0x95, 0x00, 0, 0}};
static const struct jf_insn loops[] = {
	{0xbf, 0x10, 0, 0}, {0x07, 0x00, 0, -1}, {0x55, 0x00, -2, 0}, {0x95, 0x00, 0, 0}};

#define FUNCTION(name, insns)                   \
	{                                       \
		name, insns, JF_COUNT_OF(insns) \
	}
static const struct jf_function functions[] = {FUNCTION("first", calls), FUNCTION("second", adds),
					       FUNCTION("third", loops)};

/* The second function has lines of two files, one of them far up and of great numbers; the third has none. */
static const struct jf_source_line of_first[] = {
	{.insn = 0, .line = 10, .column = 3, .file = "/src/first.c"},
	{.insn = 2, .line = 12, .column = 1, .file = "/src/first.c"},
	{.insn = 4, .line = 11, .column = 0, .file = "/src/first.c"},
};
static const struct jf_source_line of_second[] = {
	{.insn = 0, .line = 70000, .column = 1023, .file = "/src/second.h"},
	{.insn = 1, .line = 1, .column = 9, .file = "/src/first.c"},
	{.insn = 2, .line = 70001, .column = 9, .file = "/src/second.h"},
};
static const struct jf_source_lines lines[] = {
	{of_first, JF_COUNT_OF(of_first)}, {of_second, JF_COUNT_OF(of_second)}, {NULL, 0}};

static const struct jf_program program = {
	.size = sizeof(program),
	.functions = functions,
	.function_count = JF_COUNT_OF(functions),
	.callback = -1,
	.lines = lines,
};

static void fail(const char *what)
{
	fprintf(stderr, "elf_files: %s\n", what);
	exit(1);
}

static void print_wanted(const struct jf_range *range)
{
	const struct jf_backend *backend = range->backend;
	struct place place;

	printf("%s function %s %" PRIx64 " %" PRIx64 "\n", backend->name, range->name, range->start, range->end);
	for (uint32_t next = 0; jf_place_next(range, &next, &place);)
		printf("%s line %" PRIx64 " %s %u %u\n", backend->name, place.address, place.line->file,
		       place.line->line, place.line->column);
}

static void write_file(const char *folder, const struct jf_backend *backend, const struct out *elf)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.elf", folder, backend->name);
	file = fopen(path, "wb");
	if (!file || fwrite(elf->bytes, 1, elf->size, file) != elf->size || fclose(file))
		fail(path);
}

static void of_backend(const char *folder, const struct jf_backend *backend)
{
	static uint8_t code[65536];
	struct jf_range ranges[JF_COUNT_OF(functions)];
	const struct jf_range *pointers[JF_COUNT_OF(functions)];
	struct jf_error error = {0};
	struct out elf = {.size = 0};
	struct jf_image *image;

	if (jf_compile(backend->conventions[0], &program, NULL, code, sizeof(code), ADDRESS, &image, &error) != JF_OK)
		fail(error.text);
	for (uint32_t i = 0; i < JF_COUNT_OF(functions); i++) {
		ranges[i] = image_range(image, i);
		pointers[i] = &ranges[i];
		print_wanted(&ranges[i]);
	}
	jf_elf_put(&elf, pointers, JF_COUNT_OF(functions), 0);
	if (elf.failed)
		fail("no memory");
	write_file(folder, backend, &elf);
	jf_out_free(&elf);
	jf_image_free(image);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		fail("usage: elf_files FOLDER");
	for (size_t i = 0; jf_backend_at(i); i++)
		of_backend(argv[1], jf_backend_at(i));
	return 0;
}
