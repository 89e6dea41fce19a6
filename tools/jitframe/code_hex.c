/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>

#include "cli.h"
#include "machine_code.h"

/*
 * Hex text: bytes in the order of memory as pairs of digits, with any white space or commas between pairs, with
 * 0x or \x in front of one or many pairs, with # comments. A word that cannot be hex at the start of a line
 * names the function that begins there, as `jitframe compile --hex` prints them.
 */
struct reader {
	struct machine_code *code;
	struct code_function *function;
	const char *at, *end, *line_start;
	size_t line;
};

static int bad_text(const struct reader *r, const char *at, const char *what)
{
	return cli_bad_input("%s: line %zu, column %zu: %s", r->code->path, r->line, (size_t)(at - r->line_start) + 1,
			     what);
}

static bool separates(char c)
{
	return isspace((unsigned char)c) || c == ',' || c == '#';
}

/* Skips what separates words. returns: false at the end. */
static bool next_word(struct reader *r)
{
	for (bool comment = false; r->at < r->end; r->at++) {
		if (*r->at == '\n') {
			r->line++;
			r->line_start = r->at + 1;
			comment = false;
		} else if (*r->at == '#') {
			comment = true;
		} else if (!comment && !separates(*r->at)) {
			return true;
		}
	}
	return false;
}

static bool starts_line(const struct reader *r)
{
	for (const char *c = r->line_start; c < r->at; c++)
		if (!isspace((unsigned char)*c))
			return false;
	return true;
}

static unsigned int digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned int)(c - '0') :
					   (unsigned int)(tolower((unsigned char)c) - 'a') + 10;
}

static bool has_prefix(const char *at, const char *end)
{
	return end - at >= 2 && (*at == '0' || *at == '\\') && (at[1] == 'x' || at[1] == 'X');
}

/* The word [at, end) as bytes. */
static int read_pairs(struct reader *r, const char *end)
{
	while (r->at < end) {
		uint8_t byte;

		if (has_prefix(r->at, end))
			r->at += 2;
		if (r->at == end || !isxdigit((unsigned char)*r->at))
			return bad_text(r, r->at, "not a hexadecimal digit");
		if (r->at + 1 == end || !isxdigit((unsigned char)r->at[1]))
			return bad_text(r, r->at, "half a byte: digits come in pairs");
		byte = (uint8_t)(digit(r->at[0]) << 4 | digit(r->at[1]));
		if (!r->function)
			r->function = code_add(r->code, "code", 4);
		if (!r->function || !code_append(r->function, &byte, 1))
			return cli_failed("no memory");
		r->at += 2;
	}
	return 0;
}

static bool is_name(const char *at, const char *end)
{
	if (has_prefix(at, end))
		return false;
	for (const char *c = at; c < end; c++)
		if (!isxdigit((unsigned char)*c))
			return isalpha((unsigned char)*at) || *at == '_';
	return false;
}

int code_read_hex(struct machine_code *code, const char *text, size_t size)
{
	struct reader r = {.code = code, .at = text, .end = text + size, .line_start = text, .line = 1};

	while (next_word(&r)) {
		const char *end = r.at;
		int status;

		while (end < r.end && !separates(*end))
			end++;
		if (starts_line(&r) && is_name(r.at, end)) {
			r.function = code_add(code, r.at, (size_t)(end - r.at));
			if (!r.function)
				return cli_failed("no memory");
			r.at = end;
			continue;
		}
		status = read_pairs(&r, end);
		if (status != 0)
			return status;
	}
	return 0;
}
