/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_COLOR_H
#define JF_TOOLS_COLOR_H

#include <stdbool.h>
#include <stdio.h>

/* Colours of words: on a terminal, unless the environment has NO_COLOR or TERM is "dumb". */

enum color {
	COLOR_NONE,
	COLOR_GOOD,
	COLOR_BAD,
	COLOR_OPEN, /* undecided; warnings */
};

/* in: "auto", "always" or "never". returns: false for anything else. */
bool color_when(const char *when);

/* What to print in front of the word, and behind it: "" where `to` has no colours. */
const char *color_on(FILE *to, enum color color);
const char *color_off(FILE *to, enum color color);

#endif
