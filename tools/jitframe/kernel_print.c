/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/describe.h>

#include "kernel_jit.h"

/* Code of a tree's JIT as text, JSON or hexadecimal digits, as listing.c prints ours. */

json_t *kernel_jit_json(const struct kernel_jit *jit)
{
	return json_pack("{s:s, s:b}", "tree", jit->tree, "exceptions", jit->exceptions);
}

static const char *role_name(const struct kernel_function *function)
{
	return jf_role_name((enum jf_role)function->spec.role);
}

static size_t disassemble(const struct listing *listing, const struct kernel_function *function, size_t off, char *text,
			  size_t capacity)
{
	return disasm_insn(listing->disasm, function->bytes + off, function->size - off, function->address + off, text,
			   capacity);
}

static void print_function(const struct listing *listing, const struct kernel_function *function, bool opcodes)
{
	char text[160], bytes[64];

	printf("%s %s, %zu bytes at 0x%" PRIx64 ":\n", role_name(function), function->name, function->size,
	       function->address);
	for (size_t off = 0, length; off < function->size; off += length) {
		length = disassemble(listing, function, off, text, sizeof(text));
		printf("%4zx:\t%s\n", off, text);
		if (opcodes) {
			disasm_bytes(function->bytes + off, length, bytes, sizeof(bytes));
			printf("\t%s\n", bytes);
		}
	}
}

static json_t *function_json(const struct listing *listing, const struct kernel_function *function)
{
	json_t *insns = json_array();
	char text[160];

	for (size_t off = 0, length; off < function->size; off += length) {
		length = disassemble(listing, function, off, text, sizeof(text));
		json_array_append_new(insns, json_pack("{s:I, s:o, s:s}", "offset", (json_int_t)off, "bytes",
						       json_bytes(function->bytes + off, length), "text", text));
	}
	return json_pack("{s:o, s:s, s:o, s:I, s:o, s:o}", "name", json_text(function->name), "role",
			 role_name(function), "address", json_hex(function->address), "size_bytes",
			 (json_int_t)function->size, "code", json_bytes(function->bytes, function->size),
			 "instructions", insns);
}

static json_t *program_json(const struct listing *listing, const struct kernel_code *code)
{
	const char *strings = listing->bundle->strings;
	json_t *functions = json_array();

	for (uint32_t i = 0; i < code->count; i++)
		json_array_append_new(functions, function_json(listing, &code->functions[i]));
	return json_pack("{s:o, s:s, s:o}", "name", json_text(strings + listing->program->name), "section",
			 strings + listing->program->section, "functions", functions);
}

int kernel_print(const struct kernel_jit *jit, const struct listing *listing, const struct kernel_code *code,
		 const struct kernel_shown *shown)
{
	const char *strings = listing->bundle->strings;
	uint32_t differences = 0;

	if (shown->programs) {
		json_array_append_new(shown->programs, program_json(listing, code));
		return 0;
	}
	if (!shown->hex)
		printf("program %s, section %s, %s of Linux %s\n", strings + listing->program->name,
		       strings + listing->program->section, jit->arch, jit->tree);
	for (uint32_t i = 0; i < code->count; i++) {
		const struct kernel_function *function = &code->functions[i];

		if (shown->diff) {
			differences += kernel_print_diff(listing, code, i);
		} else if (shown->hex) {
			printf("%s ", function->name);
			cli_print_hex(function->bytes, function->size);
		} else {
			print_function(listing, function, shown->opcodes);
		}
	}
	return differences ? CLI_FAILED : 0;
}
