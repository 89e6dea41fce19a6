/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

json_t *json_hex(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

json_t *json_bytes(const uint8_t *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * count + 1);
	json_t *value;

	if (!text)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * count] = '\0';
	value = json_string(text);
	free(text);
	return value;
}

json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	char *plain;

	if (value || !(plain = strdup(text)))
		return value;
	/* Names out of a damaged object: what is not ASCII goes. */
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c > 0x7e)
			*c = '?';
	value = json_string(plain);
	free(plain);
	return value;
}

int json_print(json_t *value)
{
	int failed = !value || json_dumpf(value, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;

	json_decref(value);
	return failed ? cli_failed("cannot write JSON") : 0;
}
