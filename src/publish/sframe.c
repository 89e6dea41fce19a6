/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sized.h"

#include <jitframe/sframe.h>

#include <stdio.h>

/*
 *     header | function entries, by address | rows of all functions
 *
 * Everything is written twice: the first time to count.
 */

#define MAGIC     0xdee2
#define VERSION   2
#define IS_SORTED 1 /* of the header's flags */

#define HEADER_BYTES   28
#define FUNCTION_BYTES 20

/* The header says these of all rows. 0: rows say it themselves. */
static int8_t fixed_ra_off(const struct jf_backend *backend)
{
	return backend->ra_pushed ? (int8_t)-backend->cfa_sp_off_at_entry : 0;
}

struct out {
	const struct jf_backend *backend;
	uint64_t address;
	uint8_t *bytes;   /* NULL: counting */
	size_t functions; /* written so far */
	size_t rows, row_bytes;
	size_t row_at; /* where rows begin */
	size_t gaps;
};

static void put_at(struct out *out, size_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; out->bytes && i < bytes; i++)
		out->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_row_part(struct out *out, uint64_t value, unsigned int bytes)
{
	put_at(out, out->row_at + out->row_bytes, value, bytes);
	out->row_bytes += bytes;
}

/* ---- a row ---------------------------------------------------------------------------------------------------- */

/* What SFrame says of a row: offsets of the CFA from its register, and of slots from the CFA. */
struct said {
	bool by_sp, is_signed;
	unsigned int count;
	int32_t offs[3];
};

static bool find_slot(const struct jf_row *row, const struct jf_slot *slots, unsigned int reg, int32_t *off)
{
	for (uint32_t left = row->saved; left; left &= left - 1) {
		const struct jf_slot *slot = &slots[__builtin_ctz(left)];

		if (slot->reg != reg)
			continue;
		*off = slot->off_from_cfa;
		return true;
	}
	return false;
}

/* returns: whether SFrame can say it. */
static bool say(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
		struct said *said)
{
	int32_t ra_off = 0, fp_off = 0;
	bool has_ra = find_slot(row, slots, backend->ra, &ra_off), has_fp = find_slot(row, slots, backend->fp, &fp_off);

	*said = (struct said){.by_sp = row->cfa_reg == backend->sp, .is_signed = row->flags & JF_ROW_RA_SIGNED};
	if (row->flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST) ||
	    (row->cfa_reg != backend->sp && row->cfa_reg != backend->fp))
		return false;
	if (!has_fp && row->flags & JF_ROW_REGS_LOST && !(row->flags & JF_ROW_FP_KEPT))
		return false;
	said->offs[said->count++] = row->cfa_off;
	if (fixed_ra_off(backend)) {
		if (!has_ra || ra_off != fixed_ra_off(backend))
			return false;
	} else if (has_ra) {
		said->offs[said->count++] = ra_off;
	} else if (has_fp) {
		return false;
	}
	if (has_fp)
		said->offs[said->count++] = fp_off;
	return true;
}

/* log2 of the bytes that hold every offset. */
static unsigned int offset_size(const struct said *said)
{
	unsigned int size = 0;

	for (unsigned int i = 0; i < said->count; i++) {
		if (said->offs[i] != (int8_t)said->offs[i] && size < 1)
			size = 1;
		if (said->offs[i] != (int16_t)said->offs[i])
			size = 2;
	}
	return size;
}

static void put_row(struct out *out, const struct said *said, uint32_t off, unsigned int off_size)
{
	unsigned int size = offset_size(said);

	put_row_part(out, off, 1u << off_size);
	put_row_part(out, said->by_sp | said->count << 1 | size << 5 | (unsigned int)said->is_signed << 7, 1);
	for (unsigned int i = 0; i < said->count; i++)
		put_row_part(out, (uint64_t)(int64_t)said->offs[i], 1u << size);
	out->rows++;
}

/* ---- a function ----------------------------------------------------------------------------------------------- */

/* log2 of the bytes that hold every row's place. */
static unsigned int place_size(uint64_t bytes)
{
	return bytes <= 0x100 ? 0 : bytes <= 0x10000 ? 1 : 2;
}

/* rows[0, count), all of which can be said, hold at [start, end); base is what their code_off counts from. */
static bool put_stretch(struct out *out, const struct jf_cfi_function *f, const struct jf_row *rows, size_t count,
			uint64_t start, uint64_t end)
{
	int64_t distance = (int64_t)(start - out->address);
	size_t at = HEADER_BYTES + FUNCTION_BYTES * out->functions;
	unsigned int size = place_size(end - start);
	struct said said;

	if (distance != (int32_t)distance)
		return false;
	put_at(out, at, (uint64_t)distance, 4);
	put_at(out, at + 4, end - start, 4);
	put_at(out, at + 8, out->row_bytes, 4);
	put_at(out, at + 12, count, 4);
	put_at(out, at + 16, size, 4); /* rows by their first byte; signed by key A */
	for (size_t i = 0; i < count; i++) {
		say(out->backend, &rows[i], f->slots, &said);
		put_row(out, &said, (uint32_t)(f->start + rows[i].code_off - start), size);
	}
	out->functions++;
	return true;
}

/* returns: JF_E_RANGE. */
static bool put_function(struct out *out, const struct jf_cfi_function *f)
{
	struct said said;

	for (size_t i = 0, next; i < f->row_count; i = next) {
		for (next = i; next < f->row_count && say(out->backend, &f->rows[next], f->slots, &said); next++)
			;
		if (next == i) {
			out->gaps++;
			next++;
		} else if (!put_stretch(out, f, f->rows + i, next - i, f->start + f->rows[i].code_off,
					next < f->row_count ? f->start + f->rows[next].code_off : f->end)) {
			return false;
		}
	}
	return true;
}

static bool function_is_right(const struct jf_backend *backend, const struct jf_cfi_function *f)
{
	if (f->start >= f->end || f->end - f->start > INT32_MAX || (!f->rows && f->row_count) ||
	    (!f->slots && f->slot_count) || f->slot_count > 32)
		return false;
	for (size_t i = 0; i < f->row_count; i++) {
		const struct jf_row *row = &f->rows[i];

		if (row->code_off >= f->end - f->start || (i && row->code_off <= row[-1].code_off) ||
		    row->cfa_reg >= backend->reg_count || (f->slot_count < 32 && row->saved >> f->slot_count))
			return false;
	}
	return true;
}

/* ---- the section ---------------------------------------------------------------------------------------------- */

static enum jf_status fail(struct jf_error *error, enum jf_status status, size_t index, const char *text)
{
	char where[32];

	snprintf(where, sizeof(where), "function %zu", index);
	return jf_error_set(error, status, where, "%s", text);
}

static enum jf_status check(const struct jf_backend *backend, const struct jf_cfi_function *functions, size_t count,
			    struct jf_error *error)
{
	if (!backend)
		return jf_error_set(error, JF_E_INVAL, "backend", "it is NULL");
	if (!functions && count)
		return jf_error_set(error, JF_E_INVAL, "functions", "it is NULL, and count is %zu", count);
	if (count > INT32_MAX)
		return jf_error_set(error, JF_E_INVAL, "count", "%zu functions, the limit is %d", count, INT32_MAX);
	if (!backend->sframe_abi)
		return jf_error_set(error, JF_E_UNSUPPORTED, backend->name, "SFrame 2 has no code for %s",
				    backend->name);
	for (size_t i = 0; i < count; i++)
		if (!function_is_right(backend, &functions[i]) || (i && functions[i].start < functions[i - 1].end))
			return fail(error, JF_E_INVAL, i, "it goes down, or a row of it does, or is not of it");
	return JF_OK;
}

static enum jf_status put_all(struct out *out, const struct jf_cfi_function *functions, size_t count,
			      struct jf_error *error)
{
	out->functions = out->rows = out->row_bytes = out->gaps = 0;
	for (size_t i = 0; i < count; i++)
		if (!put_function(out, &functions[i]))
			return fail(error, JF_E_RANGE, i, "the section is 2 GiB away, or more");
	return JF_OK;
}

/* Behind a count of all. */
static void put_header(struct out *out)
{
	const struct jf_backend *backend = out->backend;

	put_at(out, 0, MAGIC, 2);
	put_at(out, 2, VERSION, 1);
	put_at(out, 3, IS_SORTED, 1);
	put_at(out, 4, backend->sframe_abi, 1);
	put_at(out, 5, 0, 1); /* the frame pointer has no place for all */
	put_at(out, 6, (uint8_t)fixed_ra_off(backend), 1);
	put_at(out, 7, 0, 1); /* nothing between header and functions */
	put_at(out, 8, out->functions, 4);
	put_at(out, 12, out->rows, 4);
	put_at(out, 16, out->row_bytes, 4);
	put_at(out, 20, 0, 4); /* functions begin behind the header, rows behind the functions */
	put_at(out, 24, FUNCTION_BYTES * out->functions, 4);
}

enum jf_status jf_sframe_write(const struct jf_backend *backend, const struct jf_cfi_function *functions, size_t count,
			       uint64_t address, void *bytes, size_t *size, struct jf_sframe_counts *counts,
			       struct jf_error *error)
{
	struct out out = {.backend = backend, .address = address};
	struct jf_sframe_counts made = {.size = sizeof(made)};
	enum jf_status status;
	size_t needed;

	if (!size)
		return jf_error_set(error, JF_E_INVAL, "size", "it is NULL");
	if (!bytes && *size)
		return jf_error_set(error, JF_E_INVAL, "bytes", "it is NULL, and *size is %zu", *size);
	status = check(backend, functions, count, error);
	if (status == JF_OK && counts)
		status = jf_sized_read(&made, sizeof(made), sizeof(made.size), counts, "counts", error);
	if (status == JF_OK)
		status = put_all(&out, functions, count, error);
	if (status != JF_OK)
		return status;
	out.row_at = HEADER_BYTES + FUNCTION_BYTES * out.functions;
	needed = out.row_at + out.row_bytes;
	if (*size < needed) {
		status =
			jf_error_set(error, JF_E_NOSPACE, "size", "%zu bytes are there, %zu are needed", *size, needed);
		*size = needed;
		return status;
	}
	out.bytes = bytes;
	put_header(&out);
	*size = needed;
	made.functions = (uint32_t)out.functions;
	made.rows = (uint32_t)out.rows;
	made.gaps = (uint32_t)out.gaps;
	if (counts)
		jf_sized_write(counts, sizeof(made), &made);
	return put_all(&out, functions, count, error);
}
