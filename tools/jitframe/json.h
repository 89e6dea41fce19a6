/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_JSON_H
#define JF_TOOLS_JSON_H

#include <jansson.h>
#include <stdint.h>

/* JSON as the tool writes it: numbers are plain, addresses and register values strings ("0x1f"). */

json_t *json_hex(uint64_t value);
/* bytes as pairs of hexadecimal digits */
json_t *json_bytes(const uint8_t *bytes, size_t count);
/* A string whose bytes need not be UTF-8. */
json_t *json_text(const char *text);
/* Prints to standard output and releases. returns: the exit status. */
int json_print(json_t *value);

#endif
