/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "machine_code.h"

/*
 * What `bpftool prog dump jited PROG opcodes` prints, as text:
 *
 *     bpf_prog_6deef7357e7b4530_name:      a function; with kallsyms off its address, 0xffffffffc02c7000:
 *     ; return 0;                          source lines, with BTF
 *        0:  push   %rbp                   offset in hexadecimal, text
 *            55                            its bytes, in the order of memory
 *
 * and with --json an array of {"name", "insns": [{"pc", "operation", "operands", "opcodes": ["0x55"]}]}, or of
 * instructions alone where the kernel does not tell functions apart.
 */
struct reader {
	struct machine_code *code;
	struct code_function *function;
	size_t line;
	bool wants_bytes; /* the line before was an instruction */
};

static int bad_line(const struct reader *r, const char *what)
{
	return cli_bad_input("%s: line %zu: %s", r->code->path, r->line, what);
}

static int no_opcodes(const struct reader *r)
{
	return bad_line(
		r, "an instruction without its bytes: `bpftool prog dump jited` needs the word `opcodes` at its end");
}

static int add_function(struct reader *r, const char *name, size_t length)
{
	r->function = code_add(r->code, name, length);
	if (!r->function)
		return cli_failed("no memory");
	/* An address for a name. */
	if (length > 2 && length < 19 && strncmp(name, "0x", 2) == 0)
		(void)cli_number(r->function->name, 16, UINT64_MAX, &r->function->address);
	return 0;
}

/* The instruction at `off` begins: everything before it has to be there. */
static int begin_insn(struct reader *r, uint64_t off)
{
	if (!r->function) {
		int status = add_function(r, "code", 4);

		if (status != 0)
			return status;
	}
	if (off == r->function->size)
		return 0;
	return cli_bad_input("%s: line %zu: offset 0x%llx where 0x%zx is next: bytes are missing, or lines are",
			     r->code->path, r->line, (unsigned long long)off, r->function->size);
}

static int add_byte(struct reader *r, const char *text, size_t length)
{
	char digits[8];
	uint64_t value;
	uint8_t byte;

	if (length >= sizeof(digits))
		return bad_line(r, "bytes are two hexadecimal digits each");
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (length < 2 || !cli_number(digits, 16, UINT8_MAX, &value))
		return bad_line(r, "bytes are two hexadecimal digits each");
	byte = (uint8_t)value;
	return code_append(r->function, &byte, 1) ? 0 : cli_failed("no memory");
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* "  1f:\tmov ...": white space, digits, colon, white space. */
static bool is_insn(const char *line, const char *end, uint64_t *off)
{
	const char *at = line;
	char digits[17];

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	line = at;
	while (at < end && isxdigit((unsigned char)*at))
		at++;
	if (at == line || (size_t)(at - line) >= sizeof(digits) || at + 1 >= end || *at != ':' ||
	    !isspace((unsigned char)at[1]))
		return false;
	memcpy(digits, line, (size_t)(at - line));
	digits[at - line] = '\0';
	return cli_number(digits, 16, UINT64_MAX, off);
}

static int read_bytes(struct reader *r, const char *at, const char *end)
{
	while (at < end) {
		const char *word = at;
		int status;

		while (at < end && !isspace((unsigned char)*at))
			at++;
		if (at > word) {
			status = add_byte(r, word, (size_t)(at - word));
			if (status != 0)
				return status;
		}
		at += at < end;
	}
	return 0;
}

static int read_line(struct reader *r, const char *line, const char *end)
{
	const char *first = line;
	uint64_t off;

	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	while (first < end && isspace((unsigned char)*first))
		first++;
	if (first == end || *first == ';')
		return 0;
	if (is_insn(line, end, &off)) {
		if (r->wants_bytes)
			return no_opcodes(r);
		r->wants_bytes = true;
		return begin_insn(r, off);
	}
	if (r->wants_bytes) {
		r->wants_bytes = false;
		return first > line ? read_bytes(r, first, end) : no_opcodes(r);
	}
	if (end[-1] == ':')
		return add_function(r, first, (size_t)(end - 1 - first));
	return bad_line(r, "neither a function's name, nor an instruction, nor its bytes");
}

int code_read_bpftool(struct machine_code *code, const char *text, size_t size)
{
	struct reader r = {.code = code};
	const char *end = text + size;
	int status = 0;

	while (status == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		r.line++;
		status = read_line(&r, text, line_end);
		text = newline ? newline + 1 : end;
	}
	return status == 0 && r.wants_bytes ? no_opcodes(&r) : status;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

/* Lines mean little here: places are named by function and instruction. */
static int bad_item(const struct reader *r, size_t insn, const char *what)
{
	return cli_bad_input("%s: function %s, instruction %zu: %s", r->code->path,
			     r->function ? r->function->name : "0", insn, what);
}

static int read_insn(struct reader *r, size_t index, const json_t *insn)
{
	const char *pc = json_string_value(json_object_get(insn, "pc"));
	const json_t *opcodes = json_object_get(insn, "opcodes");
	uint64_t off;

	if (!pc || !cli_number(pc, 16, UINT64_MAX, &off))
		return bad_item(r, index, "no \"pc\"");
	if (off != r->function->size)
		return bad_item(r, index, "its \"pc\" is not where the one before ends");
	if (!json_is_array(opcodes) || !json_array_size(opcodes))
		return bad_item(r, index,
				"no \"opcodes\": `bpftool prog dump jited` needs the word `opcodes` at its end");
	for (size_t i = 0; i < json_array_size(opcodes); i++) {
		const char *byte = json_string_value(json_array_get(opcodes, i));
		uint64_t value;

		if (!byte || !cli_number(byte, 16, UINT8_MAX, &value))
			return bad_item(r, index, "an \"opcodes\" member is not \"0x\" and two digits");
		if (!code_append(r->function, &(uint8_t){(uint8_t)value}, 1))
			return cli_failed("no memory");
	}
	return 0;
}

static int read_insns(struct reader *r, const json_t *insns)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < json_array_size(insns); i++)
		status = read_insn(r, i, json_array_get(insns, i));
	return status;
}

static int read_functions(struct reader *r, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(item, "name"));
		const json_t *insns = json_object_get(item, "insns");
		int status;

		if (!name || !json_is_array(insns))
			return cli_bad_input("%s: item %zu has no \"name\" or no \"insns\"", r->code->path, i);
		status = add_function(r, name, strlen(name));
		if (status == 0)
			status = read_insns(r, insns);
		if (status != 0)
			return status;
	}
	return 0;
}

int code_read_bpftool_json(struct machine_code *code, const char *text, size_t size)
{
	struct reader r = {.code = code};
	json_error_t error;
	json_t *list = json_loadb(text, size, 0, &error);
	int status;

	if (!list)
		return cli_bad_input("%s: line %d, column %d: %s", code->path, error.line, error.column, error.text);
	if (!json_is_array(list)) {
		status = cli_bad_input("%s: the JSON is not an array of functions or instructions", code->path);
	} else if (json_object_get(json_array_get(list, 0), "pc")) {
		status = add_function(&r, "code", 4);
		if (status == 0)
			status = read_insns(&r, list);
	} else {
		status = read_functions(&r, list);
	}
	json_decref(list);
	return status;
}
