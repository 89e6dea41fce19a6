/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BASE_TEXT_H
#define JF_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * A text that grows in memory of the caller's, in signal handlers too: snprintf(3) is not async-signal-safe. The text
 * is terminated when capacity > 0, and cut where the memory ends; `length` counts on.
 */
struct text {
	char *at;
	size_t capacity;
	size_t length; /* without the terminator, as if there were room */
};

struct text text_begin(char *at, size_t capacity);
void text_char(struct text *text, char c);
/* A string, as it is. */
void text_put(struct text *text, const char *string);
/* A string of others: a control character becomes a blank, so that a line stays one line. */
void text_clean(struct text *text, const char *string);
void text_dec(struct text *text, uint64_t value);
/* With 0x in front. */
void text_hex(struct text *text, uint64_t value);
/* Blanks until `columns` bytes have been put behind `start`, a length of before. */
void text_pad(struct text *text, size_t start, size_t columns);

#endif
