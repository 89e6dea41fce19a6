/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CONFORMANCE_HEX_H
#define JF_CONFORMANCE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two digits a byte, white space between bytes or not; a digit alone is a byte too. out: *bytes, to be
 * freed, NULL when there are none. returns: false for anything else. */
bool hex_bytes(const char *text, uint8_t **bytes, size_t *count);

#endif
