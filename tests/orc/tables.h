/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_ORC_TABLES_H
#define JF_TESTS_ORC_TABLES_H

#include "check.h"

#include <jitframe/jitframe.h>

/* A table in memory of exactly its size, so that the address sanitizer sees what is read beside it. */
struct memory_table {
	uint8_t *entries;
	uint8_t *ips;
	struct jf_orc_table table;
};

#define TABLE_ADDRESS UINT64_C(0xffffffff82000000)

/* A format of each architecture that has any, oldest ones too. returns: NULL at the end. */
const struct jf_orc_format *orc_format_at(size_t index);

/* An entry of the format with any value in any field. */
struct jf_orc_entry orc_random_entry(const struct jf_orc_format *format, struct rng *rng);
/* One like those of a kernel: few different ones, UNDEFINED now and then. */
struct jf_orc_entry orc_likely_entry(struct rng *rng);

bool orc_same_entry(const struct jf_orc_entry *a, const struct jf_orc_entry *b);

void orc_memory_new(struct memory_table *m, const struct jf_orc_format *format, size_t count);
void orc_memory_set(struct memory_table *m, size_t index, uint64_t address, const struct jf_orc_entry *entry);
void orc_memory_free(struct memory_table *m);

#endif
