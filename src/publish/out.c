/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/out.h"

#include "base/memory.h"

#include <string.h>

#define LEAST_CAPACITY 256

bool jf_out_reserve(struct out *out, size_t bytes)
{
	size_t capacity = out->capacity ? out->capacity : LEAST_CAPACITY;
	uint8_t *grown;

	if (out->failed)
		return false;
	while (capacity - out->size < bytes)
		capacity *= 2;
	if (capacity == out->capacity)
		return true;
	grown = jf_realloc(out->bytes, capacity);
	if (!grown) {
		out->failed = true;
		return false;
	}
	out->bytes = grown;
	out->capacity = capacity;
	return true;
}

void jf_out_put(struct out *out, const void *from, size_t bytes)
{
	if (!bytes || !jf_out_reserve(out, bytes))
		return;
	memcpy(out->bytes + out->size, from, bytes);
	out->size += bytes;
}

void jf_out_number(struct out *out, uint64_t value, unsigned int bytes)
{
	if (!jf_out_reserve(out, bytes))
		return;
	for (unsigned int i = 0; i < bytes; i++)
		out->bytes[out->size++] = (uint8_t)(value >> 8 * i);
}

void jf_out_uleb(struct out *out, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		jf_out_number(out, value | 0x80, 1);
	jf_out_number(out, value, 1);
}

void jf_out_sleb(struct out *out, int64_t value)
{
	for (; value < -64 || value > 63; value >>= 7)
		jf_out_number(out, (uint64_t)(value & 0x7f) | 0x80, 1);
	jf_out_number(out, (uint64_t)value & 0x7f, 1);
}

void jf_out_string(struct out *out, const char *text)
{
	jf_out_put(out, text, strlen(text) + 1);
}

void jf_out_align(struct out *out, unsigned int align)
{
	while (out->size % align && !out->failed)
		jf_out_number(out, 0, 1);
}

void jf_out_patch(struct out *out, size_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes && !out->failed; i++)
		out->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

void jf_out_free(struct out *out)
{
	jf_free(out->bytes);
	*out = (struct out){.bytes = NULL};
}
