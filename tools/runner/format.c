/* SPDX-License-Identifier: BSD-2-Clause */
#include "format.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define STRING_MAX 512
#define WIDTH_MAX  256

struct output {
	char *text;
	size_t capacity;
	size_t length;
};

struct spec {
	char flags[8];
	int width;
	unsigned int longs; /* how often l stands before the conversion */
	char conversion;
};

static void put(struct output *out, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++, out->length++) {
		if (out->length + 1 < out->capacity)
			out->text[out->length] = bytes[i];
	}
}

/* in: fmt behind the '%'. returns: the place behind the conversion, or NULL. */
static const char *parse_spec(const char *fmt, struct spec *spec)
{
	size_t flags = 0;

	memset(spec, 0, sizeof(*spec));
	while (*fmt != '\0' && strchr("-+ 0#", *fmt) != NULL) {
		if (flags < sizeof(spec->flags) - 1)
			spec->flags[flags++] = *fmt;
		fmt++;
	}
	for (; isdigit((unsigned char)*fmt); fmt++) {
		spec->width = spec->width * 10 + (*fmt - '0');
		if (spec->width > WIDTH_MAX)
			return NULL;
	}
	for (; *fmt == 'l' && spec->longs < 2; fmt++)
		spec->longs++;
	spec->conversion = *fmt;
	if (*fmt == '\0' || strchr("cdiuxXps", *fmt) == NULL)
		return NULL;
	if (spec->longs > 0 && strchr("cps", *fmt) != NULL)
		return NULL;
	fmt++;
	/* %px, %pK, %pB, %ps, %pS: addresses all the same here, where there is nothing to hide. */
	if (spec->conversion == 'p' && *fmt != '\0' && strchr("xKBsS", *fmt) != NULL)
		fmt++;
	return fmt;
}

static void put_string(struct output *out, const char *fmt, int width, uint64_t address)
{
	char string[STRING_MAX], text[STRING_MAX + WIDTH_MAX];

	if (probe_read_string(string, sizeof(string), address) < 0)
		string[0] = '\0';
	snprintf(text, sizeof(text), fmt, width, string);
	put(out, text, strlen(text));
}

static void put_number(struct output *out, const char *fmt, int width, const struct spec *spec, uint64_t value)
{
	char text[WIDTH_MAX + 32];

	if (spec->conversion == 'c') {
		snprintf(text, sizeof(text), fmt, width, (int)(unsigned char)value);
		/* A NUL is a character too. */
		put(out, text, (unsigned char)value == 0 ? 1 : strlen(text));
		return;
	}
	if (spec->longs == 0 && spec->conversion != 'p') {
		if (spec->conversion == 'd' || spec->conversion == 'i')
			value = (uint64_t)(int64_t)(int32_t)value;
		else
			value = (uint32_t)value;
	}
	snprintf(text, sizeof(text), fmt, width, (unsigned long long)value);
	put(out, text, strlen(text));
}

/* The same conversion for the C library, which takes every number as a long long. */
static void put_value(struct output *out, const struct spec *spec, uint64_t value)
{
	char fmt[24];

	if (spec->conversion == 's' || spec->conversion == 'c')
		snprintf(fmt, sizeof(fmt), "%%%s*%c", spec->flags, spec->conversion);
	else if (spec->conversion == 'p')
		snprintf(fmt, sizeof(fmt), "%%0*llx");
	else
		snprintf(fmt, sizeof(fmt), "%%%s*ll%c", spec->flags, spec->conversion);
	if (spec->conversion == 's')
		put_string(out, fmt, spec->width, value);
	else
		put_number(out, fmt, spec->conversion == 'p' ? 16 : spec->width, spec, value);
}

static bool printable(const char *fmt)
{
	for (; *fmt != '\0'; fmt++) {
		unsigned char c = (unsigned char)*fmt;

		if (c > 126 || (!isprint(c) && !isspace(c)))
			return false;
	}
	return true;
}

int64_t format_text(char *text, size_t capacity, const char *fmt, size_t fmt_bytes, const uint64_t *args, size_t count)
{
	struct output out = {text, capacity, 0};
	size_t used = 0;

	if (memchr(fmt, '\0', fmt_bytes) == NULL || !printable(fmt))
		return -EINVAL;
	while (*fmt != '\0') {
		struct spec spec;

		if (*fmt != '%') {
			put(&out, fmt++, 1);
		} else if (fmt[1] == '%') {
			put(&out, fmt, 1);
			fmt += 2;
		} else {
			fmt = parse_spec(fmt + 1, &spec);
			if (fmt == NULL || used == count)
				return -EINVAL;
			put_value(&out, &spec, args[used++]);
		}
	}
	if (capacity > 0)
		text[out.length < capacity ? out.length : capacity - 1] = '\0';
	return (int64_t)out.length;
}
