/* SPDX-License-Identifier: BSD-2-Clause */
#include "color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const codes[] = {
	[COLOR_GOOD] = "\033[32m",
	[COLOR_BAD] = "\033[1;31m",
	[COLOR_OPEN] = "\033[33m",
};

static enum { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER } wanted;

bool color_when(const char *when)
{
	static const char *const names[] = {"auto", "always", "never"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(when, names[i]) != 0)
			continue;
		wanted = i;
		return true;
	}
	return false;
}

static bool has_colors(FILE *to)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (wanted != WHEN_AUTO)
		return wanted == WHEN_ALWAYS;
	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 && isatty(fileno(to));
}

const char *color_on(FILE *to, enum color color)
{
	return color != COLOR_NONE && has_colors(to) ? codes[color] : "";
}

const char *color_off(FILE *to, enum color color)
{
	return color != COLOR_NONE && has_colors(to) ? "\033[0m" : "";
}
