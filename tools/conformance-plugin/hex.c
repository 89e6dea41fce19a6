/* SPDX-License-Identifier: BSD-2-Clause */
#include "hex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static unsigned int digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned int)(c - '0') :
					   (unsigned int)(tolower((unsigned char)c) - 'a' + 10);
}

bool hex_bytes(const char *text, uint8_t **bytes, size_t *count)
{
	uint8_t *out = malloc(strlen(text) + 1);
	size_t n = 0;

	while (out && *text) {
		if (isspace((unsigned char)*text)) {
			text++;
		} else if (!isxdigit((unsigned char)*text)) {
			free(out);
			return false;
		} else if (isxdigit((unsigned char)text[1])) {
			out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
			text += 2;
		} else {
			out[n++] = (uint8_t)digit(*text++);
		}
	}
	if (!n) {
		free(out);
		out = NULL;
	}
	*bytes = out;
	*count = n;
	return true;
}
