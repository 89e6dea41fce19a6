/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/orc.h"

#include "base/sized.h"

#include <jitframe/backend.h>
#include <stdio.h>
#include <string.h>

const struct jf_orc_format *jf_orc_format_find(const struct jf_backend *backend, const char *name)
{
	const struct jf_orc_format *format = backend ? backend->orc : NULL;

	while (format && name && strcmp(format->name, name) != 0)
		format = format->older;
	return format;
}

/* ---- one entry ------------------------------------------------------------------------------------- */

static int16_t get_off(const uint8_t *bytes, uint8_t at)
{
	return at == JF_ORC_NO_FIELD ? 0 : (int16_t)(uint16_t)(bytes[at] | bytes[at + 1] << 8);
}

static uint8_t get_reg(unsigned int flags, uint8_t bit)
{
	return bit == JF_ORC_NO_FIELD ? 0 : (uint8_t)(flags >> bit & 0xf);
}

void jf_orc_decode(const struct jf_orc_format *format, const void *bytes, struct jf_orc_entry *entry)
{
	const uint8_t *b = bytes;
	unsigned int flags = b[format->flags_at] | (unsigned int)b[format->flags_at + 1] << 8;

	entry->sp_off = get_off(b, format->sp_off_at);
	entry->fp_off = get_off(b, format->fp_off_at);
	entry->ra_off = get_off(b, format->ra_off_at);
	entry->sp_reg = get_reg(flags, format->sp_reg_bit);
	entry->fp_reg = get_reg(flags, format->fp_reg_bit);
	entry->ra_reg = get_reg(flags, format->ra_reg_bit);
	entry->type = flags >> format->type_bit & 0x7;
	entry->signal = flags >> format->signal_bit & 0x1;
}

static void put_off(uint8_t *bytes, uint8_t at, int16_t value)
{
	if (at == JF_ORC_NO_FIELD)
		return;
	bytes[at] = (uint8_t)value;
	bytes[at + 1] = (uint8_t)((uint16_t)value >> 8);
}

static unsigned int put_reg(uint8_t reg, uint8_t bit)
{
	return bit == JF_ORC_NO_FIELD ? 0 : (unsigned int)reg << bit;
}

enum jf_status jf_orc_encode(const struct jf_orc_format *format, const struct jf_orc_entry *entry, void *bytes)
{
	uint8_t *b = bytes;
	unsigned int flags;

	if (entry->sp_reg >= JF_ORC_CODES || entry->fp_reg >= JF_ORC_CODES || entry->ra_reg >= JF_ORC_CODES ||
	    entry->type >= JF_ORC_TYPE__COUNT || entry->signal > 1)
		return JF_E_RANGE;
	if (format->ra_off_at == JF_ORC_NO_FIELD && (entry->ra_off || entry->ra_reg))
		return JF_E_RANGE;
	flags = put_reg(entry->sp_reg, format->sp_reg_bit) | put_reg(entry->fp_reg, format->fp_reg_bit) |
		put_reg(entry->ra_reg, format->ra_reg_bit) | (unsigned int)entry->type << format->type_bit |
		(unsigned int)entry->signal << format->signal_bit;
	put_off(b, format->sp_off_at, entry->sp_off);
	put_off(b, format->fp_off_at, entry->fp_off);
	put_off(b, format->ra_off_at, entry->ra_off);
	b[format->flags_at] = (uint8_t)flags;
	b[format->flags_at + 1] = (uint8_t)(flags >> 8);
	return JF_OK;
}

/* ---- text ------------------------------------------------------------------------------------------ */

#define PLACE_TEXT_MAX 320

static void place_text(const struct jf_orc_format *format, uint8_t reg, int off, char text[PLACE_TEXT_MAX])
{
	static const struct jf_orc_code none;
	const struct jf_orc_code *code = reg < JF_ORC_CODES ? &format->codes[reg] : &none;
	const char *before = code->before ? code->before : format->unknown_code;
	const char *after = code->after ? code->after : "";

	if (code->no_off)
		snprintf(text, PLACE_TEXT_MAX, "%s", before);
	else if (format->dump_off_width)
		snprintf(text, PLACE_TEXT_MAX, "%s%*d%s", before, format->dump_off_width, off, after);
	else
		snprintf(text, PLACE_TEXT_MAX, "%s%+d%s", before, off, after);
}

int jf_orc_text(const struct jf_orc_format *format, const struct jf_orc_entry *entry, char *text, size_t capacity)
{
	char sp[PLACE_TEXT_MAX], fp[PLACE_TEXT_MAX], ra[PLACE_TEXT_MAX] = "";
	bool has_ra = format->ra_off_at != JF_ORC_NO_FIELD;
	const char *type = entry->type < JF_ORC_TYPE__COUNT ? format->type_names[entry->type] : NULL;

	place_text(format, entry->sp_reg, entry->sp_off, sp);
	place_text(format, entry->fp_reg, entry->fp_off, fp);
	if (has_ra)
		place_text(format, entry->ra_reg, entry->ra_off, ra);
	return snprintf(text, capacity, "type:%s sp:%s %s:%s%s%s signal:%u", type ? type : "?", sp, format->fp_name, fp,
			has_ra ? " ra:" : "", ra, entry->signal);
}

/* ---- a table --------------------------------------------------------------------------------------- */

static bool is_header_of(const struct jf_orc_format *format, const struct jf_orc_sections *sections)
{
	for (unsigned int i = 0; i < format->header_count; i++)
		if (memcmp(sections->header, format->headers[i], JF_ORC_HEADER_BYTES) == 0)
			return true;
	return false;
}

static enum jf_orc_header choose_format(const struct jf_backend *backend, const struct jf_orc_sections *sections,
					const struct jf_orc_format **format)
{
	*format = sections->format ? sections->format : backend->orc;
	if (!sections->header || sections->header_bytes == 0)
		return JF_ORC_HEADER_ABSENT;
	if (sections->header_bytes != JF_ORC_HEADER_BYTES)
		return JF_ORC_HEADER_UNKNOWN;
	if (sections->format)
		return is_header_of(*format, sections) ? JF_ORC_HEADER_KNOWN : JF_ORC_HEADER_UNKNOWN;
	for (const struct jf_orc_format *f = backend->orc; f; f = f->older) {
		if (is_header_of(f, sections)) {
			*format = f;
			return JF_ORC_HEADER_KNOWN;
		}
	}
	return JF_ORC_HEADER_UNKNOWN;
}

/* How many entries there are. */
static enum jf_status count_entries(const struct jf_orc_format *format, const struct jf_orc_sections *sections,
				    size_t *count, struct jf_error *error)
{
	size_t words = sections->unwind_ip_bytes / JF_ORC_IP_BYTES;

	if (sections->unwind_bytes % format->entry_bytes)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".orc_unwind", "%zu bytes are no array of %u-byte entries",
				    sections->unwind_bytes, format->entry_bytes);
	if (sections->unwind_ip_bytes % JF_ORC_IP_BYTES)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".orc_unwind_ip", "%zu bytes are no array of words",
				    sections->unwind_ip_bytes);
	*count = sections->unwind_bytes / format->entry_bytes;
	if (*count != words)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".orc_unwind_ip", "%zu addresses for %zu entries", words,
				    *count);
	if (*count > UINT32_MAX)
		return jf_error_set(error, JF_E_RANGE, ".orc_unwind", "%zu entries are too many", *count);
	return JF_OK;
}

enum jf_status jf_orc_table_init(struct jf_orc_table *table, const struct jf_backend *backend,
				 const struct jf_orc_sections *in, struct jf_error *error)
{
	struct jf_orc_sections read;
	const struct jf_orc_sections *sections = &read;
	const struct jf_orc_format *format;
	enum jf_orc_header header;
	enum jf_status status;
	size_t count = 0;

	if (!table || !backend || !in)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = jf_sized_read(&read, sizeof(read), offsetof(struct jf_orc_sections, header), in, "sections", error);
	if (status != JF_OK)
		return status;
	if ((!sections->unwind && sections->unwind_bytes) || (!sections->unwind_ip && sections->unwind_ip_bytes))
		return jf_error_set(error, JF_E_INVAL, "", "no table");
	if (!backend->orc)
		return jf_error_set(error, JF_E_UNSUPPORTED, backend->name, "the architecture has no ORC");
	header = choose_format(backend, sections, &format);
	status = count_entries(format, sections, &count, error);
	if (status != JF_OK)
		return status;
	*table = (struct jf_orc_table){
		.format = format,
		.entries = sections->unwind,
		.ips = sections->unwind_ip,
		.ips_address = sections->unwind_ip_address,
		.count = count,
		.header = (uint8_t)header,
	};
	return JF_OK;
}

uint64_t jf_orc_address(const struct jf_orc_table *table, size_t index)
{
	return table->ips_address + JF_ORC_IP_BYTES * (uint64_t)index +
	       (uint64_t)(int64_t)orc_get_ip(table->ips + JF_ORC_IP_BYTES * index);
}

void jf_orc_entry_at(const struct jf_orc_table *table, size_t index, struct jf_orc_entry *entry)
{
	jf_orc_decode(table->format, table->entries + index * table->format->entry_bytes, entry);
}

bool orc_is_weak(const struct jf_orc_table *table, size_t index)
{
	struct jf_orc_entry entry;

	jf_orc_entry_at(table, index, &entry);
	return entry.type == JF_ORC_UNDEFINED;
}

bool jf_orc_is_sorted(const struct jf_orc_table *table)
{
	uint64_t last = table->count ? jf_orc_address(table, 0) : 0;

	for (size_t i = 1; i < table->count; i++) {
		uint64_t address = jf_orc_address(table, i);

		if (address < last || (address == last && orc_is_weak(table, i) && !orc_is_weak(table, i - 1)))
			return false;
		last = address;
	}
	return true;
}

enum jf_status jf_orc_search(const struct jf_orc_table *table, uint64_t address, size_t *index)
{
	size_t low = 0, high = table->count;

	if (high == 0)
		return JF_E_NO_ROW;
	/* Invariant: entries before low are at or below the address, entries from high on above it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (jf_orc_address(table, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low ? low - 1 : 0;
	return JF_OK;
}
