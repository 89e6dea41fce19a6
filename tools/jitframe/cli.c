/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "color.h"
#include "link.h"

/* ---- messages ----------------------------------------------------------------------------------- */

static FILE *messages; /* NULL: standard error */

void cli_messages_to(FILE *file)
{
	messages = file;
}

static void print_message(const char *kind, enum color color, const char *fmt, va_list args)
{
	FILE *to = messages ? messages : stderr;
	char *text = NULL;

	fflush(stdout);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	fprintf(to, "%s%s:%s %s\n", color_on(to, color), kind, color_off(to, color), text ? text : "no memory");
	free(text);
}

void cli_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message("jitframe: warning", COLOR_OPEN, fmt, args);
	va_end(args);
}

int cli_bad_input(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message("jitframe", COLOR_BAD, fmt, args);
	va_end(args);
	return CLI_BAD_INPUT;
}

int cli_failed(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message("jitframe", COLOR_BAD, fmt, args);
	va_end(args);
	return CLI_FAILED;
}

int cli_error(const char *context, const char *kind, const struct jf_error *error)
{
	const char *text = error->text[0] ? error->text : jf_status_text(error->status);

	cli_bad_input("%s%s%s%s%s%s%s", context ? context : "", context ? ": " : "",
		      kind && error->where[0] ? kind : "", kind && error->where[0] ? " " : "", error->where,
		      error->where[0] ? ": " : "", text);
	return error->status == JF_E_NO_MEMORY ? CLI_FAILED : CLI_BAD_INPUT;
}

/* ---- input -------------------------------------------------------------------------------------- */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool cli_number(const char *text, unsigned int base, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (base == 16 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)digit_value(*text);

		if (digit >= base || digit > max || number > (max - digit) / base)
			return false;
		number = number * base + digit;
	}
	*value = number;
	return true;
}

/* What is read of one file; more is no object file. */
#define FILE_BYTES_MAX (UINT32_C(1) << 28)

static int read_stream(FILE *file, const char *path, uint8_t **bytes, size_t *size)
{
	size_t capacity = 0, used = 0;
	uint8_t *buffer = NULL;

	do {
		uint8_t *larger;

		capacity = capacity ? capacity * 2 : 65536;
		larger = capacity <= FILE_BYTES_MAX ? realloc(buffer, capacity) : NULL;
		if (!larger) {
			free(buffer);
			return cli_failed("%s: too large", path);
		}
		buffer = larger;
		used += fread(buffer + used, 1, capacity - used, file);
	} while (used == capacity);
	if (ferror(file)) {
		free(buffer);
		return cli_bad_input("%s: %s", path, strerror(errno));
	}
	*bytes = buffer;
	*size = used;
	return 0;
}

int cli_read_file(const char *path, uint8_t **bytes, size_t *size)
{
	FILE *file = fopen(path, "rb");
	int status;

	if (!file)
		return cli_bad_input("%s: %s", path, strerror(errno));
	status = read_stream(file, path, bytes, size);
	fclose(file);
	return status;
}

/* What a linker's error is about is either a function, with an instruction, or a part of the file. */
static const char *error_kind(const struct jf_error *error)
{
	return strncmp(error->text, "instruction ", 12) == 0 ? "function" : NULL;
}

static int link_for(enum link_use use, const char *path, const char *program, void **bundle, size_t *size)
{
	struct jf_error error = {0};
	size_t object_size = 0;
	uint8_t *object = NULL;
	enum jf_status linked;
	int status = cli_read_file(path, &object, &object_size);

	if (status != 0)
		return status;
	linked = link_object(object, object_size, program, use, bundle, size, &error);
	free(object);
	return linked == JF_OK ? 0 : cli_error(path, error_kind(&error), &error);
}

int cli_link(const char *path, const char *program, void **bundle, size_t *size)
{
	return link_for(LINK_TO_RUN, path, program, bundle, size);
}

int cli_link_to_see(const char *path, const char *program, void **bundle, size_t *size)
{
	return link_for(LINK_TO_SEE, path, program, bundle, size);
}

static const char *program_name_at(const void *bundle, size_t i)
{
	const struct bundle *b = bundle;

	return i < b->count[BUNDLE_PROGRAMS] ? b->strings + b->programs[i].name : NULL;
}

/* All of them: an error's text has no room for many. */
static int list_programs(const char *path, const struct bundle *bundle, const char *name)
{
	const char *nearest = name ? cli_nearest(name, program_name_at, bundle) : NULL, *one;
	size_t size = 0;
	char *list = NULL;
	FILE *text = open_memstream(&list, &size);

	for (size_t i = 0; text && (one = program_name_at(bundle, i)); i++)
		fprintf(text, " %s", one);
	if (!text || fclose(text) != 0)
		return cli_failed("no memory");
	if (!name)
		cli_bad_input("%s: program: which one? There are:%s", path, list);
	else if (nearest)
		cli_bad_input("%s: %s: no such program; did you mean %s? There are:%s", path, name, nearest, list);
	else
		cli_bad_input("%s: %s: no such program; there are:%s", path, name, list);
	free(list);
	return CLI_BAD_INPUT;
}

int cli_program(const char *path, const struct bundle *bundle, const char *name, uint32_t *program)
{
	struct jf_error error = {0};

	if (bundle_find(bundle, name, program, &error) == JF_OK)
		return 0;
	if (bundle->count[BUNDLE_PROGRAMS] > 0)
		return list_programs(path, bundle, name);
	return cli_error(path, NULL, &error);
}

int cli_convention(const char *target, const struct jf_convention **conv)
{
	struct jf_error error = {0};
	char host[64];

	if (!target) {
		if (!jf_backend_host())
			return cli_bad_input("this processor is none that jitframe has; give --target ARCH/CONVENTION");
		snprintf(host, sizeof(host), "%s/user", jf_backend_host()->name);
		target = host;
	}
	if (jf_convention_find(target, conv, &error) == JF_OK)
		return 0;
	return cli_bad_input("target %s: %s (`jitframe archs` lists them)", target, error.text);
}

void cli_print_hex(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}
