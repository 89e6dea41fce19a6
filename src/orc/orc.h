/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SRC_ORC_H
#define JF_SRC_ORC_H

/* What the files of ORC share. */

#include <jitframe/orc.h>

#define JF_ORC_IP_BYTES 4

static inline unsigned int orc_get16(const uint8_t *bytes)
{
	return bytes[0] | (unsigned int)bytes[1] << 8;
}

static inline uint32_t orc_get32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline uint64_t orc_get64(const uint8_t *bytes)
{
	return orc_get32(bytes) | (uint64_t)orc_get32(bytes + 4) << 32;
}

static inline int32_t orc_get_ip(const uint8_t *bytes)
{
	return (int32_t)orc_get32(bytes);
}

static inline void orc_put_ip(uint8_t *bytes, int32_t value)
{
	for (unsigned int i = 0; i < JF_ORC_IP_BYTES; i++)
		bytes[i] = (uint8_t)((uint32_t)value >> 8 * i);
}

/* Whether an entry is one that gives way to others at its address. */
bool orc_is_weak(const struct jf_orc_table *table, size_t index);

/* An entry's place in the order. */
struct orc_key {
	uint64_t address;
	uint32_t index; /* in the table */
	uint32_t strong;
};

/* The table's entries in order; *keys is the caller's, free(). returns: JF_E_NO_MEMORY. */
enum jf_status orc_sorted_keys(const struct jf_orc_table *table, struct orc_key **keys);

/* What jf_backend_check() has to say of a backend's formats: JF_E_BAD_DESC, with a sentence. */
enum jf_status jf_orc_check(const struct jf_backend *backend, struct jf_error *error);

#endif
