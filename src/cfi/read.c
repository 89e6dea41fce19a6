/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"

#include "base/bytes.h"

#include <stdio.h>

enum jf_status jf_cfi_fail(struct cfi_converter *converter, enum jf_status status, const uint8_t *at, const char *text)
{
	char where[40];

	if (!converter->error)
		return status;
	snprintf(where, sizeof(where), ".eh_frame+0x%zx", (size_t)(at - converter->section.start));
	return jf_error_set(converter->error, status, where, "%s", text);
}

uint64_t jf_cfi_read(struct cfi_reader *reader, unsigned int bytes)
{
	uint64_t value;

	if (reader->bad || (size_t)(reader->end - reader->at) < bytes) {
		reader->bad = true;
		return 0;
	}
	value = jf_get_le(reader->at, bytes);
	reader->at += bytes;
	return value;
}

/* The 7-bit groups of either LEB128; *bits = how many they are in all. */
static uint64_t leb_groups(struct cfi_reader *reader, unsigned int *bits, uint8_t *last)
{
	uint64_t value = 0;

	*bits = 0;
	do {
		*last = (uint8_t)jf_cfi_read(reader, 1);
		if (*bits > 63) { /* nobody needs more; endless padding would be read for ever */
			reader->bad = true;
			return 0;
		}
		value |= (uint64_t)(*last & 0x7f) << *bits;
		*bits += 7;
	} while (*last & 0x80);
	return value;
}

uint64_t jf_cfi_uleb(struct cfi_reader *reader)
{
	unsigned int bits;
	uint8_t last;

	return leb_groups(reader, &bits, &last);
}

int64_t jf_cfi_sleb(struct cfi_reader *reader)
{
	unsigned int bits;
	uint8_t last;
	uint64_t value = leb_groups(reader, &bits, &last);

	if (last & 0x40 && bits < 64)
		value |= UINT64_MAX << bits;
	return (int64_t)value;
}

void jf_cfi_skip(struct cfi_reader *reader, uint64_t bytes)
{
	if (reader->bad || (uint64_t)(reader->end - reader->at) < bytes)
		reader->bad = true;
	else
		reader->at += bytes;
}

struct cfi_reader jf_cfi_sub(struct cfi_reader *reader, uint64_t bytes)
{
	struct cfi_reader sub = *reader;

	jf_cfi_skip(reader, bytes);
	sub.bad = reader->bad;
	sub.end = reader->bad ? sub.at : reader->at;
	return sub;
}

bool jf_cfi_pointer_raw(struct cfi_reader *reader, uint8_t encoding, uint64_t *value)
{
	switch (encoding & CFI_PTR_FORMAT) {
	case CFI_PTR_ABS:
	case CFI_PTR_UDATA8:
	case CFI_PTR_SDATA8: *value = jf_cfi_read(reader, 8); return true;
	case CFI_PTR_UDATA2: *value = jf_cfi_read(reader, 2); return true;
	case CFI_PTR_UDATA4: *value = jf_cfi_read(reader, 4); return true;
	case CFI_PTR_SDATA2: *value = (uint64_t)(int64_t)(int16_t)jf_cfi_read(reader, 2); return true;
	case CFI_PTR_SDATA4: *value = (uint64_t)(int64_t)(int32_t)jf_cfi_read(reader, 4); return true;
	case CFI_PTR_ULEB: *value = jf_cfi_uleb(reader); return true;
	case CFI_PTR_SLEB: *value = (uint64_t)jf_cfi_sleb(reader); return true;
	default: return false;
	}
}

bool jf_cfi_pointer(struct cfi_reader *reader, uint8_t encoding, uint64_t *address, uint64_t *raw)
{
	uint64_t own = reader->address + (uint64_t)(reader->at - reader->start);

	if (encoding & CFI_PTR_INDIRECT || !jf_cfi_pointer_raw(reader, encoding, raw))
		return false;
	switch (encoding & CFI_PTR_RELATIVE) {
	case 0: *address = *raw; return true;
	case CFI_PTR_PCREL: *address = own + *raw; return true;
	default: return false;
	}
}
