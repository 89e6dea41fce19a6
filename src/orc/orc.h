/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ORC_ORC_H
#define JF_ORC_ORC_H

/* What the files of ORC share. */

#include "base/bytes.h"

#include <jitframe/orc.h>

#define JF_ORC_IP_BYTES 4 /* jf_get_le32() */

static inline int32_t orc_get_ip(const uint8_t *bytes)
{
	return (int32_t)jf_get_le32(bytes);
}

static inline void orc_put_ip(uint8_t *bytes, int32_t value)
{
	jf_put_le32(bytes, (uint32_t)value);
}

/* As jf_orc_step(), of arguments that are known to be good. */
enum jf_status jf_orc_step_in(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
			      const struct jf_memory *memory, struct jf_orc_frame *frame);

/* Whether an entry (UNDEFINED) gives way to other entries at the same address. */
bool orc_is_weak(const struct jf_orc_table *table, size_t index);

/* An entry's place in the order. */
struct orc_key {
	uint64_t address;
	uint32_t index; /* in the table */
	uint32_t strong;
};

/* The table's entries in order; *keys is the caller's, jf_free(). returns: JF_E_NO_MEMORY. */
enum jf_status orc_sorted_keys(const struct jf_orc_table *table, struct orc_key **keys);

#endif
