/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#define DIGITS_MAX 20 /* of 64 bits, decimal */

struct text text_begin(char *at, size_t capacity)
{
	if (capacity)
		at[0] = '\0';
	return (struct text){.at = at, .capacity = capacity};
}

void text_char(struct text *text, char c)
{
	if (text->length + 1 < text->capacity) {
		text->at[text->length] = c;
		text->at[text->length + 1] = '\0';
	}
	text->length++;
}

void text_put(struct text *text, const char *string)
{
	while (*string)
		text_char(text, *string++);
}

void text_clean(struct text *text, const char *string)
{
	for (; *string; string++)
		text_char(text, (unsigned char)*string < ' ' || *string == 0x7f ? ' ' : *string);
}

static void put_digits(struct text *text, uint64_t value, unsigned int base)
{
	char digits[DIGITS_MAX];
	unsigned int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		text_char(text, digits[--count]);
}

void text_dec(struct text *text, uint64_t value)
{
	put_digits(text, value, 10);
}

void text_hex(struct text *text, uint64_t value)
{
	text_put(text, "0x");
	put_digits(text, value, 16);
}

void text_pad(struct text *text, size_t start, size_t columns)
{
	while (text->length - start < columns)
		text_char(text, ' ');
}
