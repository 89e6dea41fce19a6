/* SPDX-License-Identifier: BSD-2-Clause */
#include "numbers.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

/* Numbers of text, and numbers one after the other, as a kernel's helpers and kfuncs have them. */

#define ITERATIONS_MAX (8 << 20)
#define BASE_BITS      0x1f
#define BITS_WORDS_MAX 511 /* as a kernel has it */

/* What is left of a text that need not end with a NUL. */
struct text {
	const char *at, *end;
};

static int peek(const struct text *text, unsigned int ahead)
{
	return text->at + ahead < text->end ? (unsigned char)text->at[ahead] : 0;
}

static int digit_of(int c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : 16;
}

/* "0x" tells of base 16 and stands before it, "0" tells of base 8. */
static unsigned int find_base(struct text *text, unsigned int base)
{
	bool hex = peek(text, 0) == '0' && tolower(peek(text, 1)) == 'x' && isxdigit(peek(text, 2));

	if (base == 0)
		base = hex ? 16 : peek(text, 0) == '0' ? 8 : 10;
	if (base == 16 && hex)
		text->at += 2;
	return base;
}

static int64_t parse(struct text *text, uint64_t flags, bool *negative, uint64_t *value)
{
	unsigned int base = flags & BASE_BITS;
	const char *start;

	if ((flags & ~(uint64_t)BASE_BITS) || (base != 0 && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (text->at < text->end && isspace(peek(text, 0)))
		text->at++;
	*negative = peek(text, 0) == '-';
	text->at += *negative;
	base = find_base(text, base);
	start = text->at;
	*value = 0;
	for (; digit_of(peek(text, 0)) < (int)base; text->at++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, (unsigned int)digit_of(peek(text, 0)), value))
			return -ERANGE;
	return text->at == start ? -EINVAL : 0;
}

int64_t number_signed(const char *text, uint64_t bytes, uint64_t flags, int64_t *value)
{
	struct text left = {text, text + (uint32_t)bytes};
	uint64_t size;
	bool negative;
	int64_t status = parse(&left, flags, &negative, &size);

	if (status != 0)
		return status;
	if (size > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*value = (int64_t)(negative ? 0 - size : size);
	return left.at - text;
}

int64_t number_unsigned(const char *text, uint64_t bytes, uint64_t flags, uint64_t *value)
{
	struct text left = {text, text + (uint32_t)bytes};
	uint64_t size;
	bool negative;
	int64_t status = parse(&left, flags, &negative, &size);

	if (status != 0)
		return status;
	if (negative)
		return -EINVAL;
	*value = size;
	return left.at - text;
}

int32_t iter_num_new(struct iter_num *it, int32_t start, int32_t end)
{
	int32_t status = start > end ? -EINVAL : (int64_t)end - start > ITERATIONS_MAX ? -E2BIG : 0;

	memset(it, 0, sizeof(*it));
	if (status != 0)
		return status;
	/* One before the first; the first is what next() comes to. */
	it->current = (int32_t)((uint32_t)start - 1);
	it->end = end;
	return 0;
}

int32_t *iter_num_next(struct iter_num *it)
{
	if ((int32_t)((uint32_t)it->current + 1) >= it->end) {
		memset(it, 0, sizeof(*it));
		return NULL;
	}
	it->current = (int32_t)((uint32_t)it->current + 1);
	return &it->current;
}

void iter_num_destroy(struct iter_num *it)
{
	memset(it, 0, sizeof(*it));
}

int32_t iter_bits_new(struct iter_bits *it, uint64_t address, uint32_t words)
{
	memset(it, 0, sizeof(*it));
	it->bit = -1;
	if (address == 0 || words == 0)
		return -EINVAL;
	if (words > BITS_WORDS_MAX)
		return -E2BIG;
	it->words = calloc(words, sizeof(*it->words));
	if (it->words == NULL)
		return -ENOMEM;
	if (probe_memory(it->words, words * sizeof(*it->words), address) != 0) {
		iter_bits_destroy(it);
		return -EFAULT;
	}
	it->bit_count = words * 64;
	return 0;
}

int32_t *iter_bits_next(struct iter_bits *it)
{
	for (uint32_t bit = (uint32_t)(it->bit + 1); bit < it->bit_count; bit++) {
		it->bit = (int32_t)bit;
		if (it->words[bit / 64] >> bit % 64 & 1)
			return &it->bit;
	}
	it->bit_count = 0;
	return NULL;
}

void iter_bits_destroy(struct iter_bits *it)
{
	free(it->words);
	memset(it, 0, sizeof(*it));
}
