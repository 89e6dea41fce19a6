/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

const struct jf_orc_format *orc_format_at(size_t index)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		for (const struct jf_orc_format *f = jf_orc_format_find(backend, NULL); f; f = f->older)
			if (index-- == 0)
				return f;
	return NULL;
}

struct jf_orc_entry orc_random_entry(const struct jf_orc_format *format, struct rng *rng)
{
	uint8_t bytes[8];
	uint64_t word = rng_next(rng);
	struct jf_orc_entry entry;

	memcpy(bytes, &word, sizeof(bytes));
	jf_orc_decode(format, bytes, &entry);
	return entry;
}

struct jf_orc_entry orc_likely_entry(struct rng *rng)
{
	struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 2};

	if (rng_below(rng, 8) == 0)
		return (struct jf_orc_entry){.type = JF_ORC_UNDEFINED};
	entry.sp_off = (int16_t)(8 * rng_below(rng, 30));
	if (rng_below(rng, 2))
		entry.fp_off = -16;
	return entry;
}

bool orc_same_entry(const struct jf_orc_entry *a, const struct jf_orc_entry *b)
{
	return a->sp_off == b->sp_off && a->fp_off == b->fp_off && a->ra_off == b->ra_off && a->sp_reg == b->sp_reg &&
	       a->fp_reg == b->fp_reg && a->ra_reg == b->ra_reg && a->type == b->type && a->signal == b->signal;
}

void orc_memory_new(struct memory_table *m, const struct jf_orc_format *format, size_t count)
{
	struct jf_orc_sections sections = {
		.size = sizeof(sections), .unwind_ip_address = TABLE_ADDRESS, .format = format};

	sections.unwind_bytes = count * format->entry_bytes;
	sections.unwind_ip_bytes = count * 4;
	m->entries = calloc(1, sections.unwind_bytes ? sections.unwind_bytes : 1);
	m->ips = calloc(1, sections.unwind_ip_bytes ? sections.unwind_ip_bytes : 1);
	sections.unwind = m->entries;
	sections.unwind_ip = m->ips;
	CHECK_STATUS(jf_orc_table_init(&m->table, format->backend, &sections, NULL), JF_OK, "%zu entries", count);
}

void orc_memory_set(struct memory_table *m, size_t index, uint64_t address, const struct jf_orc_entry *entry)
{
	const struct jf_orc_format *format = m->table.format;
	uint32_t value = (uint32_t)(address - (TABLE_ADDRESS + 4 * index));

	for (unsigned int i = 0; i < 4; i++)
		m->ips[4 * index + i] = (uint8_t)(value >> 8 * i);
	CHECK_STATUS(jf_orc_encode(format, entry, m->entries + index * format->entry_bytes), JF_OK, "entry %zu", index);
}

void orc_memory_free(struct memory_table *m)
{
	free(m->entries);
	free(m->ips);
}
