/* SPDX-License-Identifier: BSD-2-Clause */
#include "texts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

#define TEXT_BYTES_MAX 65536 /* XATTR_SIZE_MAX of the kernel */
#define LOWEST_ADDRESS 65536 /* a kernel calls what is below a user's, and so do we: nothing is ever mapped there */

/* A string as far as it can be read. */
struct text {
	uint8_t *bytes;
	size_t count;
	int32_t end; /* what is behind the last character: 0 for a NUL, else the error of who goes there */
};

/* What is asked of one or two strings. */
struct question {
	struct text a, b;
	size_t count;
	uint8_t wanted;
	bool folded, accepts;
};
typedef int32_t (*answering)(const struct question *q);

static int32_t read_text(struct text *text, uint64_t address)
{
	bool is_whole;

	if (address < LOWEST_ADDRESS)
		return -ERANGE;
	text->bytes = malloc(TEXT_BYTES_MAX);
	if (text->bytes == NULL)
		return -ENOMEM;
	text->count = probe_text(text->bytes, TEXT_BYTES_MAX, address, &is_whole);
	if (!is_whole)
		text->end = -EFAULT;
	else if (text->count == TEXT_BYTES_MAX)
		text->end = -E2BIG;
	return 0;
}

static int32_t ask_one(struct question *q, uint64_t s, answering answer)
{
	int32_t status = read_text(&q->a, s);

	if (status == 0)
		status = answer(q);
	free(q->a.bytes);
	return status;
}

static int32_t ask_two(struct question *q, uint64_t a, uint64_t b, answering answer)
{
	int32_t status = read_text(&q->b, b);

	if (status == 0)
		status = ask_one(q, a, answer);
	else if (a < LOWEST_ADDRESS)
		status = -ERANGE;
	free(q->b.bytes);
	return status;
}

/* returns: the character, 0 for the end, or what is in the way of reading it. */
static int32_t at(const struct text *text, size_t i)
{
	return i < text->count ? text->bytes[i] : text->end;
}

static int32_t fold(const struct question *q, int32_t c)
{
	return q->folded && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* ---- comparing ----------------------------------------------------------------------------------- */

static int32_t compare(const struct question *q)
{
	for (size_t i = 0; i < q->count; i++) {
		int32_t a = at(&q->a, i), b = at(&q->b, i);

		if (a < 0 || b < 0)
			return a < 0 ? a : b;
		if (fold(q, a) != fold(q, b))
			return fold(q, a) < fold(q, b) ? -1 : 1;
		if (a == 0)
			return 0;
	}
	return 0;
}

int32_t string_compare(uint64_t a, uint64_t b)
{
	struct question q = {.count = SIZE_MAX};

	return ask_two(&q, a, b, compare);
}

int32_t string_compare_folded(uint64_t a, uint64_t b)
{
	return string_compare_count_folded(a, b, UINT64_MAX);
}

int32_t string_compare_count_folded(uint64_t a, uint64_t b, uint64_t count)
{
	struct question q = {.count = count, .folded = true};

	return ask_two(&q, a, b, compare);
}

/* ---- looking for a character ---------------------------------------------------------------------- */

static int32_t find(const struct question *q)
{
	for (size_t i = 0; i < q->count; i++) {
		int32_t c = at(&q->a, i);

		if (c < 0)
			return c;
		if (c == q->wanted)
			return (int32_t)i;
		if (c == 0)
			break;
	}
	return -ENOENT;
}

static int32_t find_or_end(const struct question *q)
{
	int32_t found = find(q);

	return found == -ENOENT ? (int32_t)q->a.count : found;
}

static int32_t find_last(const struct question *q)
{
	int32_t last = -ENOENT;

	for (size_t i = 0; i < q->a.count; i++)
		if (q->a.bytes[i] == q->wanted)
			last = (int32_t)i;
	if (q->a.end != 0)
		return q->a.end;
	return q->wanted == 0 ? (int32_t)q->a.count : last;
}

int32_t string_find(uint64_t s, int8_t c)
{
	return string_find_count(s, UINT64_MAX, c);
}

int32_t string_find_or_end(uint64_t s, int8_t c)
{
	struct question q = {.count = SIZE_MAX, .wanted = (uint8_t)c};

	return ask_one(&q, s, find_or_end);
}

int32_t string_find_count(uint64_t s, uint64_t count, int8_t c)
{
	struct question q = {.count = count, .wanted = (uint8_t)c};

	return ask_one(&q, s, find);
}

int32_t string_find_last(uint64_t s, int32_t c)
{
	struct question q = {.wanted = (uint8_t)c};

	return ask_one(&q, s, find_last);
}

/* ---- lengths --------------------------------------------------------------------------------------- */

static int32_t length(const struct question *q)
{
	if (q->count <= q->a.count && q->count < TEXT_BYTES_MAX)
		return (int32_t)q->count;
	return q->a.end != 0 ? q->a.end : (int32_t)q->a.count;
}

static bool is_member(const struct text *set, int32_t c)
{
	return memchr(set->bytes, c, set->count) != NULL;
}

static int32_t span(const struct question *q)
{
	for (size_t i = 0; i < q->a.count; i++) {
		bool is_in = is_member(&q->b, q->a.bytes[i]);

		if (!is_in && q->b.end != 0)
			return q->b.end;
		if (is_in != q->accepts)
			return (int32_t)i;
	}
	return q->a.end != 0 ? q->a.end : (int32_t)q->a.count;
}

int32_t string_length(uint64_t s)
{
	return string_length_count(s, UINT64_MAX);
}

int32_t string_length_count(uint64_t s, uint64_t count)
{
	struct question q = {.count = count};

	return ask_one(&q, s, length);
}

int32_t string_span(uint64_t s, uint64_t accept)
{
	struct question q = {.accepts = true};

	return ask_two(&q, s, accept, span);
}

int32_t string_span_not(uint64_t s, uint64_t reject)
{
	struct question q = {.accepts = false};

	return ask_two(&q, s, reject, span);
}

/* ---- looking for a string ------------------------------------------------------------------------ */

/* Whether the wanted string is at `start`. returns: 1, 0, -ENOENT when it cannot come any more, or an error. */
static int32_t is_at(const struct question *q, size_t start)
{
	for (size_t i = 0;; i++) {
		int32_t wanted = at(&q->b, i), c;

		if (wanted <= 0)
			return wanted < 0 ? wanted : 1;
		if (start + i >= q->count)
			return -ENOENT;
		c = at(&q->a, start + i);
		if (c <= 0)
			return c < 0 ? c : -ENOENT;
		if (fold(q, c) != fold(q, wanted))
			return 0;
	}
}

static int32_t search(const struct question *q)
{
	for (size_t start = 0; start < TEXT_BYTES_MAX; start++) {
		int32_t found = is_at(q, start);

		if (found != 0)
			return found > 0 ? (int32_t)start : found;
	}
	return -E2BIG;
}

int32_t string_search(uint64_t s, uint64_t wanted)
{
	return string_search_count(s, wanted, UINT64_MAX);
}

int32_t string_search_folded(uint64_t s, uint64_t wanted)
{
	return string_search_count_folded(s, wanted, UINT64_MAX);
}

int32_t string_search_count(uint64_t s, uint64_t wanted, uint64_t count)
{
	struct question q = {.count = count};

	return ask_two(&q, s, wanted, search);
}

int32_t string_search_count_folded(uint64_t s, uint64_t wanted, uint64_t count)
{
	struct question q = {.count = count, .folded = true};

	return ask_two(&q, s, wanted, search);
}
