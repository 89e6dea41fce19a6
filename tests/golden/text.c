/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (text->length + (size_t)length + 1 > text->capacity) {
		text->capacity = 2 * (text->length + (size_t)length + 1);
		text->chars = realloc(text->chars, text->capacity);
		if (!text->chars)
			abort();
	}
	va_start(args, format);
	vsnprintf(text->chars + text->length, text->capacity - text->length, format, args);
	va_end(args);
	text->length += (size_t)length;
}

void text_trim(struct text *text)
{
	while (text->length && text->chars[text->length - 1] == ' ')
		text->chars[--text->length] = '\0';
}

void text_free(struct text *text)
{
	free(text->chars);
	*text = (struct text){0};
}

bool text_read(struct text *text, const char *path)
{
	FILE *file = fopen(path, "r");
	char buffer[4096];

	text_add(text, "%s", "");
	if (!file)
		return false;
	while (fgets(buffer, sizeof(buffer), file))
		text_add(text, "%s", buffer);
	fclose(file);
	return true;
}

bool text_write(const struct text *text, const char *path)
{
	FILE *file = fopen(path, "w");
	bool ok;

	if (!file)
		return false;
	ok = fwrite(text->chars, 1, text->length, file) == text->length;
	return fclose(file) == 0 && ok;
}

/* ---- differences ---------------------------------------------------------------------------------------- */

struct lines {
	const char **start; /* count + 1; the last one is the text's end */
	size_t count;
};

static struct lines split(const char *text)
{
	size_t capacity = strlen(text) + 1;
	struct lines lines = {calloc(capacity, sizeof(*lines.start)), 0};

	if (!lines.start)
		abort();
	lines.start[0] = text;
	while (*text) {
		const char *end = strchr(text, '\n');

		text = end ? end + 1 : text + strlen(text);
		lines.start[++lines.count] = text;
	}
	return lines;
}

static size_t length_of(const struct lines *lines, size_t i)
{
	return (size_t)(lines->start[i + 1] - lines->start[i]);
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
	return length_of(a, i) == length_of(b, k) && !memcmp(a->start[i], b->start[k], length_of(a, i));
}

static void add_lines(struct text *diff, char sign, const struct lines *lines, size_t from, size_t end, size_t most)
{
	for (size_t i = from; i < end && i < from + most; i++)
		text_add(diff, "%c%.*s", sign, (int)length_of(lines, i), lines->start[i]);
	if (end > from + most)
		text_add(diff, "%c...\n", sign);
}

void text_diff(struct text *diff, const char *before, const char *after, size_t most)
{
	struct lines a = split(before), b = split(after);
	size_t start = 0, end = 0;

	while (start < a.count && start < b.count && same(&a, start, &b, start))
		start++;
	while (end < a.count - start && end < b.count - start && same(&a, a.count - 1 - end, &b, b.count - 1 - end))
		end++;
	if (start < a.count || start < b.count) {
		text_add(diff, "@@ line %zu @@\n", start + 1);
		add_lines(diff, ' ', &a, start < CONTEXT ? 0 : start - CONTEXT, start, CONTEXT);
		add_lines(diff, '-', &a, start, a.count - end, most);
		add_lines(diff, '+', &b, start, b.count - end, most);
	}
	free(a.start);
	free(b.start);
}
