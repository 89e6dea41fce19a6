/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/orc.h"

#include <jitframe/backend.h>
#include <stdio.h>
#include <string.h>

enum jf_status jf_orc_writer_init(struct jf_orc_writer *writer, const struct jf_orc_format *format, void *entries,
				  void *ips, size_t capacity, uint64_t ips_address)
{
	if (!writer || !format || (capacity && (!entries || !ips)))
		return JF_E_INVAL;
	*writer = (struct jf_orc_writer){
		.format = format,
		.entries = entries,
		.ips = ips,
		.capacity = capacity,
		.ips_address = ips_address,
	};
	return JF_OK;
}

void jf_orc_written(const struct jf_orc_writer *writer, struct jf_orc_table *table)
{
	*table = (struct jf_orc_table){
		.format = writer->format,
		.entries = writer->entries,
		.ips = writer->ips,
		.ips_address = writer->ips_address,
		.count = writer->count,
		.header = JF_ORC_HEADER_ABSENT,
	};
}

/* Whether `bytes` say what already holds behind the first `count` entries. */
static bool says_nothing_new(const struct jf_orc_writer *writer, size_t count, const struct jf_orc_entry *entry,
			     const uint8_t *bytes)
{
	size_t entry_bytes = writer->format->entry_bytes;

	if (count == 0)
		return entry->type == JF_ORC_UNDEFINED;
	return memcmp(writer->entries + (count - 1) * entry_bytes, bytes, entry_bytes) == 0;
}

enum jf_status jf_orc_write(struct jf_orc_writer *writer, uint64_t address, const struct jf_orc_entry *entry)
{
	uint8_t bytes[8];
	size_t count = writer->count, entry_bytes = writer->format->entry_bytes;
	struct jf_orc_table table;
	enum jf_status status;
	int64_t distance;

	if (entry_bytes > sizeof(bytes) || address < writer->last_address)
		return JF_E_INVAL;
	status = jf_orc_encode(writer->format, entry, bytes);
	if (status != JF_OK)
		return status;
	/* Nothing holds between two entries at one address: the later takes the earlier's place. */
	jf_orc_written(writer, &table);
	if (count && jf_orc_address(&table, count - 1) == address)
		count--;
	if (!says_nothing_new(writer, count, entry, bytes)) {
		distance = (int64_t)(address - (writer->ips_address + JF_ORC_IP_BYTES * (uint64_t)count));
		if (distance < INT32_MIN || distance > INT32_MAX)
			return JF_E_RANGE;
		if (count == writer->capacity)
			return JF_E_NOSPACE;
		memcpy(writer->entries + count * entry_bytes, bytes, entry_bytes);
		orc_put_ip(writer->ips + count * JF_ORC_IP_BYTES, (int32_t)distance);
		count++;
	}
	writer->count = count;
	writer->last_address = address;
	return JF_OK;
}

static enum jf_status write_row(struct jf_orc_writer *writer, uint64_t start, const struct jf_row *row,
				const struct jf_slot *slots, unsigned int slot_count, struct jf_error *error)
{
	struct jf_orc_entry entry;
	enum jf_status status = jf_orc_from_row(writer->format, row, slots, slot_count, &entry, error);

	if (status != JF_OK)
		return status;
	status = jf_orc_write(writer, start + row->code_off, &entry);
	return status == JF_OK ? JF_OK : jf_error_set(error, status, "", "%s", jf_status_text(status));
}

/* What the call may take back: the count, and the entry that a first one at its address replaces. */
struct undo {
	struct jf_orc_writer writer;
	uint8_t entry[8];
	uint8_t ip[JF_ORC_IP_BYTES];
};

static void remember(struct undo *undo, const struct jf_orc_writer *writer)
{
	undo->writer = *writer;
	if (writer->count == 0)
		return;
	memcpy(undo->entry, writer->entries + (writer->count - 1) * writer->format->entry_bytes,
	       writer->format->entry_bytes);
	memcpy(undo->ip, writer->ips + (writer->count - 1) * JF_ORC_IP_BYTES, JF_ORC_IP_BYTES);
}

static void take_back(const struct undo *undo, struct jf_orc_writer *writer)
{
	*writer = undo->writer;
	if (writer->count == 0)
		return;
	memcpy(writer->entries + (writer->count - 1) * writer->format->entry_bytes, undo->entry,
	       writer->format->entry_bytes);
	memcpy(writer->ips + (writer->count - 1) * JF_ORC_IP_BYTES, undo->ip, JF_ORC_IP_BYTES);
}

enum jf_status jf_orc_write_rows(struct jf_orc_writer *writer, uint64_t start, uint64_t end, const struct jf_row *rows,
				 size_t row_count, const struct jf_slot *slots, unsigned int slot_count,
				 struct jf_error *error)
{
	static const struct jf_orc_entry terminator = {.type = JF_ORC_UNDEFINED};
	struct jf_error inner = {0};
	enum jf_status status = JF_OK;
	struct undo undo;

	if (!writer || start >= end || (!rows && row_count) || (!slots && slot_count))
		return jf_error_set(error, JF_E_INVAL, "", "no rows, or no code");
	remember(&undo, writer);
	for (size_t i = 0; i < row_count && status == JF_OK; i++) {
		char where[32];

		snprintf(where, sizeof(where), "row %zu", i);
		if (rows[i].code_off >= end - start || (i > 0 && rows[i].code_off <= rows[i - 1].code_off))
			status = jf_error_set(error, JF_E_INVAL, where, "code offset %u is out of order",
					      rows[i].code_off);
		else
			status = write_row(writer, start, &rows[i], slots, slot_count, &inner);
		if (status != JF_OK && inner.status != JF_OK)
			(void)jf_error_set(error, status, where, "code offset %u: %s", rows[i].code_off, inner.text);
	}
	if (status == JF_OK) {
		status = jf_orc_write(writer, end, &terminator);
		if (status != JF_OK)
			(void)jf_error_set(error, status, "end", "%s", jf_status_text(status));
	}
	if (status != JF_OK)
		take_back(&undo, writer);
	return status;
}
