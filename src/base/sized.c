/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sized.h"

#include <string.h>

bool jf_sized_is_zero(const void *reserved, size_t bytes)
{
	const uint8_t *byte = reserved;

	for (size_t i = 0; i < bytes; i++)
		if (byte[i])
			return false;
	return true;
}

enum jf_status jf_sized_read(void *out, size_t known, size_t least, const void *in, const char *where,
			     struct jf_error *error)
{
	const uint8_t *bytes = in;
	uint32_t size;

	memcpy(&size, in, sizeof(size));
	if (size < least)
		return jf_error_set(error, JF_E_INVAL, where, "size is %u: set it to sizeof the struct", size);
	for (uint32_t i = (uint32_t)known; i < size; i++)
		if (bytes[i])
			return jf_error_set(error, JF_E_INVAL, where,
					    "byte %u is set, a field that this library does not know", i);
	memset(out, 0, known);
	memcpy(out, in, size < known ? size : known);
	size = (uint32_t)known;
	memcpy(out, &size, sizeof(size));
	return JF_OK;
}

void jf_sized_write(void *out, size_t known, const void *from)
{
	uint32_t size;

	memcpy(&size, out, sizeof(size));
	memcpy((uint8_t *)out + sizeof(size), (const uint8_t *)from + sizeof(size),
	       (size < known ? size : known) - sizeof(size));
}
