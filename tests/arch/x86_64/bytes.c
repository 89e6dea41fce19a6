/* SPDX-License-Identifier: BSD-2-Clause */
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t x86_64_number_of(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

const char *x86_64_hex(const uint8_t *bytes, size_t count)
{
	static char text[3 * BYTES + 1];

	for (size_t i = 0; i < count && i < BYTES; i++)
		snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
	return text;
}

static uint8_t *put_prefixes(struct random *r, uint8_t *p)
{
	static const uint8_t prefixes[] = {0x66, 0x66, 0x66, 0xf2, 0xf2, 0xf3, 0xf3, 0xf0,
					   0x67, 0x64, 0x65, 0x2e, 0x3e, 0x26, 0x36};

	while (random_below(r, 3) == 0)
		*p++ = prefixes[random_below(r, sizeof(prefixes))];
	return p;
}

/* VEX and EVEX with the bits that have to be so mostly so. */
static uint8_t *put_vex(struct random *r, uint8_t *p)
{
	uint8_t any = (uint8_t)random_next(r), payload = (uint8_t)random_next(r);

	if (random_below(r, 2))
		payload |= 0x78; /* no vvvv */
	switch (random_below(r, 3)) {
	case 0:
		*p++ = 0xc5;
		*p++ = payload;
		break;
	case 1:
		*p++ = 0xc4;
		*p++ = (any & 0xe0) | (uint8_t)(random_below(r, 16) ? 1 + random_below(r, 3) : any & 31);
		*p++ = payload;
		break;
	default:
		*p++ = 0x62;
		*p++ = (any & 0xf0) | (uint8_t)(random_below(r, 16) ? 1 + random_below(r, 3) : any & 15);
		*p++ = payload | (random_below(r, 16) ? 4 : 0);
		*p++ = (uint8_t)random_next(r) & (random_below(r, 2) ? 0x68 : 0xff);
		break;
	}
	return p;
}

static uint8_t *put_legacy(struct random *r, uint8_t *p)
{
	if (random_below(r, 2))
		*p++ = 0x40 | (random_next(r) & 15);
	switch (random_below(r, 6)) {
	case 0:
	case 1: break;
	case 2:
	case 3: *p++ = 0x0f; break;
	case 4:
		*p++ = 0x0f;
		*p++ = 0x38;
		break;
	default:
		*p++ = 0x0f;
		*p++ = 0x3a;
		break;
	}
	return p;
}

void x86_64_random_bytes(struct random *r, uint8_t bytes[BYTES])
{
	uint8_t *p = bytes;

	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)random_next(r);
	if (random_below(r, 4) == 0)
		return;
	p = put_prefixes(r, p);
	if (p - bytes > 6)
		p = bytes + 6;
	p = random_below(r, 3) ? put_legacy(r, p) : put_vex(r, p);
	p++; /* the opcode: any */
	if (random_below(r, 2))
		*p |= 0xc0;
	p += 1 + random_below(r, 5);
	if (random_below(r, 4) == 0 && p < bytes + BYTES)
		*p = random_below(r, 2) ? 0 : 0xff;
}
