/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TEXT_H
#define JF_TESTS_TEXT_H

#include <jitframe/export.h>

#include <stdbool.h>
#include <stddef.h>

/* Text that grows. Free with text_free(). */
struct text {
	char *chars; /* always terminated, never NULL once something was added */
	size_t length;
	size_t capacity;
};

void text_add(struct text *text, const char *format, ...) JF_PRINTF(2, 3);
/* Takes blanks off the end. */
void text_trim(struct text *text);
void text_free(struct text *text);

/* The whole file at `path`. returns: whether it could be read. */
bool text_read(struct text *text, const char *path);
/* returns: whether it could be written. */
bool text_write(const struct text *text, const char *path);

/*
 * The first place where two texts differ, as a unified diff shows it: "-" lines are the old text's. Adds
 * nothing when they are the same. `most` lines of either side are shown.
 */
void text_diff(struct text *diff, const char *before, const char *after, size_t most);

#endif
