/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine_code.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char *const format_names[] = {
	[CODE_DETECT] = "auto", [CODE_RAW] = "raw",         [CODE_HEX] = "hex",
	[CODE_ELF] = "elf",     [CODE_BPFTOOL] = "bpftool", [CODE_BPFTOOL_JSON] = "bpftool-json",
};

bool code_format_parse(const char *name, enum code_format *format)
{
	for (unsigned int i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (strcmp(format_names[i], name) == 0) {
			*format = (enum code_format)i;
			return true;
		}
	}
	return false;
}

const char *code_format_name(enum code_format format)
{
	return format_names[format];
}

/* ---- functions -------------------------------------------------------------------------------------- */

struct code_function *code_add(struct machine_code *code, const char *name, size_t length)
{
	struct code_function *function;

	if (code->count == code->capacity) {
		size_t capacity = code->capacity ? 2 * code->capacity : 16;
		struct code_function *larger = realloc(code->functions, capacity * sizeof(*larger));

		if (!larger)
			return NULL;
		code->functions = larger;
		code->capacity = capacity;
	}
	function = &code->functions[code->count];
	*function = (struct code_function){.name = strndup(name, length)};
	if (!function->name)
		return NULL;
	code->count++;
	return function;
}

bool code_append(struct code_function *function, const uint8_t *bytes, size_t count)
{
	if (function->capacity - function->size < count) {
		size_t capacity = 2 * (function->size + count) + 64;
		uint8_t *larger = realloc(function->bytes, capacity);

		if (!larger)
			return false;
		function->bytes = larger;
		function->capacity = capacity;
	}
	if (count)
		memcpy(function->bytes + function->size, bytes, count);
	function->size += count;
	return true;
}

static void function_free(struct code_function *function)
{
	free(function->name);
	free(function->bytes);
}

void code_free(struct machine_code *code)
{
	for (size_t i = 0; i < code->count; i++)
		function_free(&code->functions[i]);
	free(code->functions);
	*code = (struct machine_code){0};
}

/* ---- what it is -------------------------------------------------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!isprint((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
			return false;
	return size > 0;
}

/* Offsets and function names are what a dump has and hex text has not: both end with a colon. */
static bool has_colon(const char *text, size_t size)
{
	bool comment = false;

	for (size_t i = 0; i < size; i++) {
		comment = text[i] != '\n' && (comment || text[i] == '#');
		if (text[i] == ':' && !comment)
			return true;
	}
	return false;
}

static enum code_format detect(const char *bytes, size_t size)
{
	size_t at = 0;

	if (size >= 4 && memcmp(bytes, "\177ELF", 4) == 0)
		return CODE_ELF;
	if (!is_text(bytes, size))
		return CODE_RAW;
	while (at < size && isspace((unsigned char)bytes[at]))
		at++;
	if (at < size && (bytes[at] == '[' || bytes[at] == '{'))
		return CODE_BPFTOOL_JSON;
	return has_colon(bytes, size) ? CODE_BPFTOOL : CODE_HEX;
}

static int read_raw(struct machine_code *code, const uint8_t *bytes, size_t size)
{
	struct code_function *function = code_add(code, "code", 4);

	return function && code_append(function, bytes, size) ? 0 : cli_failed("no memory");
}

static int read_bytes(struct machine_code *code, const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;

	switch (code->format) {
	case CODE_HEX: return code_read_hex(code, text, size);
	case CODE_ELF: return code_read_elf(code, bytes, size);
	case CODE_BPFTOOL: return code_read_bpftool(code, text, size);
	case CODE_BPFTOOL_JSON: return code_read_bpftool_json(code, text, size);
	default: return read_raw(code, bytes, size);
	}
}

/* The one function that is wanted; the others say what it is to them. A kernel's name is "bpf_prog_TAG_name": "name" is
 * enough. */
static int choose(struct machine_code *code, const char *symbol)
{
	bool found = false;

	for (size_t i = 0; i < code->count; i++) {
		struct code_function *function = &code->functions[i];
		const char *name = function->name, *tail = NULL;

		if (strncmp(name, "bpf_prog_", 9) == 0)
			tail = strchr(name + 9, '_');
		function->is_context = found || (strcmp(name, symbol) != 0 && (!tail || strcmp(tail + 1, symbol) != 0));
		found |= !function->is_context;
	}
	return found ? 0 : cli_bad_input("%s: it has no function %s", code->path, symbol);
}

static int check_functions(const struct machine_code *code)
{
	if (!code->count)
		return cli_bad_input("%s: it has no functions", code->path);
	for (size_t i = 0; i < code->count; i++)
		if (!code->functions[i].size)
			return cli_bad_input("%s: function %s has no bytes", code->path, code->functions[i].name);
	return 0;
}

int code_read(struct machine_code *code, const char *path, enum code_format format, const char *symbol)
{
	bool is_stdin = strcmp(path, "-") == 0;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int status;

	*code = (struct machine_code){.path = is_stdin ? "standard input" : path};
	status = cli_read_file(is_stdin ? "/dev/stdin" : path, &bytes, &size);
	if (status == 0 && !size)
		status = cli_bad_input("%s: it is empty", code->path);
	if (status == 0) {
		code->format = format == CODE_DETECT ? detect((const char *)bytes, size) : format;
		status = read_bytes(code, bytes, size);
	}
	free(bytes);
	if (status == 0)
		status = check_functions(code);
	return status == 0 && symbol ? choose(code, symbol) : status;
}
