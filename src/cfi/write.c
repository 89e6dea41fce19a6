/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"
#include "cfi/opcodes.h"

#include <assert.h>
#include <stdio.h>

/* Rows as the programs of FDEs. Offsets are written in bytes (data alignment -1), so that every one can be said. */

#define DATA_ALIGN_SLEB 0x7f /* -1 */
#define WORD            8    /* entries are padded to so many bytes */

/* Like emission: sticky. */
struct out {
	uint8_t *bytes;
	size_t capacity, size;
	bool full;
};

static void put(struct out *out, uint64_t value, unsigned int bytes)
{
	if (out->capacity - out->size < bytes) {
		out->full = true;
		return;
	}
	for (unsigned int i = 0; i < bytes; i++)
		out->bytes[out->size++] = (uint8_t)(value >> 8 * i);
}

static void put_uleb(struct out *out, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		put(out, value | 0x80, 1);
	put(out, value, 1);
}

static void put_sleb(struct out *out, int64_t value)
{
	for (; value < -64 || value > 63; value >>= 7)
		put(out, (uint64_t)(value & 0x7f) | 0x80, 1);
	put(out, (uint64_t)value & 0x7f, 1);
}

/* Room for the length, which end_entry() fills in. returns: where it is. */
static size_t begin_entry(struct out *out)
{
	put(out, 0, 4);
	return out->size;
}

static void end_entry(struct out *out, size_t begun)
{
	while ((out->size - begun + 4) % WORD && !out->full)
		put(out, CFA_NOP, 1);
	for (unsigned int i = 0; i < 4 && !out->full; i++)
		out->bytes[begun - 4 + i] = (uint8_t)((out->size - begun) >> 8 * i);
}

/* ---- rules ------------------------------------------------------------------------------------------------- */

static uint64_t dw(const struct jf_backend *backend, unsigned int reg)
{
	return backend->regs[reg].dw;
}

static void put_offset(struct out *out, const struct jf_backend *backend, unsigned int reg, int32_t off)
{
	if (off <= 0 && dw(backend, reg) < 0x40) {
		put(out, CFA_OFFSET | dw(backend, reg), 1);
		put_uleb(out, (uint64_t) - (int64_t)off);
		return;
	}
	put(out, CFA_OFFSET_EXTENDED_SF, 1);
	put_uleb(out, dw(backend, reg));
	put_sleb(out, -(int64_t)off);
}

static void put_simple(struct out *out, uint8_t op, const struct jf_backend *backend, unsigned int reg)
{
	put(out, op, 1);
	put_uleb(out, dw(backend, reg));
}

/* What a row says of one register; OFF_NONE where it is no slot. */
#define OFF_NONE INT32_MAX

struct said {
	int32_t off[JF_REGS_MAX];
	bool lost[JF_REGS_MAX];
	uint8_t cfa_reg;
	int32_t cfa_off;
	bool is_signed;
};

static void said_at_start(const struct jf_backend *backend, struct said *said)
{
	for (unsigned int reg = 0; reg < JF_REGS_MAX; reg++) {
		said->off[reg] = OFF_NONE;
		said->lost[reg] = false;
	}
	if (backend->ra_pushed)
		said->off[backend->ra] = -backend->cfa_sp_off_at_entry;
	said->cfa_reg = backend->sp;
	said->cfa_off = backend->cfa_sp_off_at_entry;
	said->is_signed = false;
}

static bool is_lost(const struct jf_backend *backend, const struct jf_row *row, unsigned int reg)
{
	if (reg == backend->ra)
		return row->flags & JF_ROW_OUTERMOST;
	return row->flags & JF_ROW_REGS_LOST && backend->regs[reg].flags & JF_REG_CALLEE_SAVED &&
	       backend->regs[reg].cls != JF_REG_CONTROL && !(reg == backend->fp && row->flags & JF_ROW_FP_KEPT);
}

static void read_row(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
		     struct said *said)
{
	for (unsigned int reg = 0; reg < backend->reg_count; reg++) {
		said->off[reg] = OFF_NONE;
		said->lost[reg] = is_lost(backend, row, reg);
	}
	for (uint32_t left = row->saved; left; left &= left - 1) {
		const struct jf_slot *slot = &slots[__builtin_ctz(left)];

		/* Narrower than a column, and none that unwinders know. */
		if (backend->regs[slot->reg].cls == JF_REG_CONTROL)
			continue;
		said->off[slot->reg] = slot->off_from_cfa;
		said->lost[slot->reg] = false;
	}
	said->cfa_reg = row->flags & JF_ROW_OUTERMOST ? backend->sp : row->cfa_reg;
	said->cfa_off = row->flags & JF_ROW_OUTERMOST ? 0 : row->cfa_off;
	said->is_signed = row->flags & JF_ROW_RA_SIGNED;
}

/* From what was said to what is to be said. */
static void put_changes(struct out *out, const struct jf_backend *backend, const struct said *old,
			const struct said *now)
{
	if (old->cfa_reg != now->cfa_reg || old->cfa_off != now->cfa_off) {
		put(out, now->cfa_off < 0 ? CFA_DEF_CFA_SF : CFA_DEF_CFA, 1);
		put_uleb(out, dw(backend, now->cfa_reg));
		if (now->cfa_off < 0)
			put_sleb(out, -(int64_t)now->cfa_off);
		else
			put_uleb(out, (uint64_t)now->cfa_off);
	}
	for (unsigned int reg = 0; reg < backend->reg_count; reg++) {
		if (old->off[reg] == now->off[reg] && old->lost[reg] == now->lost[reg])
			continue;
		if (now->off[reg] != OFF_NONE)
			put_offset(out, backend, reg, now->off[reg]);
		else
			put_simple(out, now->lost[reg] ? CFA_UNDEFINED : CFA_SAME_VALUE, backend, reg);
	}
	if (old->is_signed != now->is_signed)
		put(out, CFA_NEGATE_RA_STATE, 1);
}

/* In units of the code's alignment. */
static void put_advance(struct out *out, const struct jf_backend *backend, uint32_t bytes)
{
	uint32_t units = bytes / backend->insn_align;

	if (units < 0x40) {
		put(out, CFA_ADVANCE_LOC | units, 1);
	} else if (units < 0x100) {
		put(out, CFA_ADVANCE_LOC1, 1);
		put(out, units, 1);
	} else {
		put(out, CFA_ADVANCE_LOC4, 1);
		put(out, units, 4);
	}
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

/* Where the CIE, which is the section's first entry, has the encoding of addresses: behind length, id, version, "zR",
 * both alignments, the column of the return address and the augmentation's length, each of one byte from the version
 * on. */
#define CIE_ENCODING_AT 16

static enum jf_status begin_section(struct jf_cfi_writer *writer, const struct jf_backend *backend, void *bytes,
				    size_t capacity, uint64_t address, uint8_t encoding)
{
	struct out out = {.bytes = bytes, .capacity = capacity};
	size_t begun;

	if (!writer || !backend || !bytes)
		return JF_E_INVAL;
	begun = begin_entry(&out);
	put(&out, 0, 4); /* a CIE */
	put(&out, 1, 1);
	put(&out, 'z', 1);
	put(&out, 'R', 1);
	put(&out, 0, 1);
	put_uleb(&out, backend->insn_align);
	put(&out, DATA_ALIGN_SLEB, 1);
	put(&out, dw(backend, backend->ra), 1);
	put_uleb(&out, 1);
	assert(out.full || out.size == CIE_ENCODING_AT);
	put(&out, encoding, 1);
	put(&out, CFA_DEF_CFA, 1);
	put_uleb(&out, dw(backend, backend->sp));
	put_uleb(&out, (uint64_t)backend->cfa_sp_off_at_entry);
	if (backend->ra_pushed)
		put_offset(&out, backend, backend->ra, -backend->cfa_sp_off_at_entry);
	end_entry(&out, begun);
	if (out.full)
		return JF_E_NOSPACE;
	*writer = (struct jf_cfi_writer){backend, bytes, capacity, out.size, address};
	return JF_OK;
}

enum jf_status jf_cfi_writer_init(struct jf_cfi_writer *writer, const struct jf_backend *backend, void *bytes,
				  size_t capacity, uint64_t address)
{
	return begin_section(writer, backend, bytes, capacity, address, CFI_PTR_PCREL | CFI_PTR_SDATA4);
}

enum jf_status jf_cfi_writer_init_far(struct jf_cfi_writer *writer, const struct jf_backend *backend, void *bytes,
				      size_t capacity)
{
	return begin_section(writer, backend, bytes, capacity, 0, CFI_PTR_ABS);
}

/* returns: false when the section is too far away. */
static bool put_extent(struct out *out, const struct jf_cfi_writer *writer, uint64_t start, uint64_t end)
{
	int64_t distance = (int64_t)(start - (writer->address + out->size));

	if (writer->bytes[CIE_ENCODING_AT] == CFI_PTR_ABS) {
		put(out, start, 8);
		put(out, end - start, 8);
		return true;
	}
	if (distance != (int32_t)distance || end - start > INT32_MAX)
		return false;
	put(out, (uint64_t)distance, 4);
	put(out, end - start, 4);
	return true;
}

/* rows[0, count) hold at [start, end), the first from start on. returns: JF_E_RANGE. */
static enum jf_status put_fde(struct out *out, const struct jf_cfi_writer *writer, uint64_t base, uint64_t start,
			      uint64_t end, const struct jf_row *rows, size_t count, const struct jf_slot *slots)
{
	size_t begun = begin_entry(out);
	struct said old, now;

	put(out, out->size, 4); /* back to the CIE at 0 */
	if (!put_extent(out, writer, start, end))
		return JF_E_RANGE;
	put_uleb(out, 0);
	said_at_start(writer->backend, &old);
	for (size_t i = 0; i < count; i++) {
		if (i)
			put_advance(out, writer->backend, (uint32_t)(base + rows[i].code_off - start));
		read_row(writer->backend, &rows[i], slots, &now);
		put_changes(out, writer->backend, &old, &now);
		old = now;
		start = i ? base + rows[i].code_off : start;
	}
	end_entry(out, begun);
	return JF_OK;
}

static bool row_is_right(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
			 unsigned int slot_count)
{
	if (row->flags & JF_ROW_UNKNOWN)
		return true;
	if ((slot_count < 32 && row->saved >> slot_count) || row->cfa_reg >= backend->reg_count ||
	    row->code_off % backend->insn_align)
		return false;
	for (uint32_t left = row->saved; left; left &= left - 1)
		if (slots[__builtin_ctz(left)].reg >= backend->reg_count)
			return false;
	return true;
}

static enum jf_status bad_row(struct jf_error *error, enum jf_status status, size_t index, const char *text)
{
	char where[32];

	snprintf(where, sizeof(where), "row %zu", index);
	return jf_error_set(error, status, where, "%s", text);
}

enum jf_status jf_cfi_write_rows(struct jf_cfi_writer *writer, uint64_t start, uint64_t end, const struct jf_row *rows,
				 size_t row_count, const struct jf_slot *slots, unsigned int slot_count,
				 struct jf_error *error)
{
	struct out out;

	if (!writer || (!rows && row_count) || (!slots && slot_count) || start >= end || slot_count > 32)
		return jf_error_set(error, JF_E_INVAL, "", "NULL, no code, or more than 32 slots");
	for (size_t i = 0; i < row_count; i++) {
		if (rows[i].code_off >= end - start || (i && rows[i].code_off <= rows[i - 1].code_off))
			return bad_row(error, JF_E_INVAL, i, "it goes down, or lies past the end");
		if (!row_is_right(writer->backend, &rows[i], slots, slot_count))
			return bad_row(error, JF_E_INVAL, i, "a register, a slot or a place that is not there");
	}
	out = (struct out){.bytes = writer->bytes, .capacity = writer->capacity, .size = writer->size};
	for (size_t i = 0, next; i < row_count; i = next) {
		for (next = i; next < row_count && !(rows[next].flags & JF_ROW_UNKNOWN); next++)
			;
		if (next == i) {
			next++;
			continue;
		}
		if (put_fde(&out, writer, start, start + rows[i].code_off,
			    next < row_count ? start + rows[next].code_off : end, rows + i, next - i, slots) != JF_OK)
			return bad_row(error, JF_E_RANGE, i, "the section is 2 GiB away, or more");
	}
	if (out.full)
		return jf_error_set(error, JF_E_NOSPACE, "", "%s", jf_status_text(JF_E_NOSPACE));
	writer->size = out.size;
	return JF_OK;
}

enum jf_status jf_cfi_write_end(struct jf_cfi_writer *writer)
{
	if (!writer)
		return JF_E_INVAL;
	if (writer->capacity - writer->size < 4)
		return JF_E_NOSPACE;
	for (unsigned int i = 0; i < 4; i++)
		writer->bytes[writer->size++] = 0;
	return JF_OK;
}
