/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/index.h"

#include "base/bytes.h"

/*
 * One function at a time, found by the search table that linkers write beside .eh_frame:
 *
 *     .eh_frame_hdr   version 1, three encodings, pointer to .eh_frame, number of FDEs, then for each FDE
 *                     start of the function | place of the FDE      both from the first byte of .eh_frame_hdr
 *
 * Source: the Linux Standard Base, "Exception Frames", "The .eh_frame_hdr section". Linkers write 4-byte entries;
 * where a table has another form, its section is converted as a whole.
 */
#define PAIR_BYTES     8
#define PAIRS_ENCODING 0x3b /* relative to .eh_frame_hdr, 4 bytes, signed */

static uint64_t from_header(const struct cfi_index *index, uint32_t pair, unsigned int which)
{
	return index->base + (uint64_t)(int64_t)(int32_t)jf_get_le32(index->pairs + PAIR_BYTES * pair + 4 * which);
}

static uint64_t start_of(const struct cfi_index *index, uint32_t pair)
{
	return from_header(index, pair, 0);
}

/* ---- one function ----------------------------------------------------------------------------------------- */

struct entry {
	struct cfi_converter converter;
	struct cfi_cie cie;
	struct cfi_draft draft;
	struct cfi_reader program;
};

/* The FDE of that pair. returns: JF_E_BAD_IMAGE also for a pair that contradicts its FDE. */
static enum jf_status read_pair(const struct cfi_index *index, const struct cfi_regs *regs, uint32_t pair,
				struct entry *entry)
{
	uint64_t off = from_header(index, pair, 1) - index->section.address;
	enum jf_status status;

	entry->converter = (struct cfi_converter){.backend = index->backend, .regs = regs};
	entry->converter.section.start = entry->converter.section.at = index->section.bytes;
	entry->converter.section.end = entry->converter.section.start + index->section.size_bytes;
	entry->converter.section.address = index->section.address;
	if (off >= index->section.size_bytes)
		return JF_E_BAD_IMAGE;
	status = jf_cfi_read_fde(&entry->converter, entry->converter.section.start + off, &entry->cie, &entry->draft,
				 &entry->program);
	if (status == JF_OK && entry->draft.start == start_of(index, pair))
		return JF_OK;
	return status < 0 ? status : JF_E_BAD_IMAGE;
}

/* The last pair that starts at or before the address; UINT32_MAX: none. */
static uint32_t search(const struct cfi_index *index, uint64_t address)
{
	uint32_t low = 0, high = index->count;

	/* Invariant: pairs before low start at or before address, pairs from high on after it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (start_of(index, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

static void take_row(struct jf_cfi_room *room, const struct cfi_draft *draft)
{
	room->function = (struct jf_cfi_function){
		.start = draft->start,
		.end = draft->end,
		.rows = &room->row,
		.slots = room->slots,
		.row_count = 1,
		.slot_count = draft->slot_count,
		.flags = draft->flags,
	};
}

/* ---- code between functions ------------------------------------------------------------------------------- */

/* Known code that holds the address, in a gap [from, to): the first to begin there. */
static enum jf_status find_known(const struct cfi_index *index, uint64_t address, uint64_t from, uint64_t to,
				 struct jf_cfi_room *room)
{
	const struct jf_cfi_section *section = &index->section;
	uint64_t end = section->code_address + section->code_bytes, start = address & ~UINT64_C(3), back = 0;

	from = from < section->code_address ? section->code_address : from;
	to = to > end ? end : to;
	if (!section->code || address < from || address >= to)
		return JF_E_NOT_FOUND;
	for (unsigned int i = 0; i < index->backend->known_code_count; i++)
		if (back < 4u * index->backend->known_code[i].insn_count)
			back = 4u * index->backend->known_code[i].insn_count;
	start = start - from > back ? start - back : (from + 3) & ~UINT64_C(3);
	for (; start <= address && start < to; start += 4) {
		const uint8_t *code = (const uint8_t *)section->code + (start - section->code_address);
		const struct jf_known_code *known = jf_cfi_known_find(index->backend, code, to - start);

		if (!known || address - start >= 4u * known->insn_count)
			continue;
		room->function = (struct jf_cfi_function){
			.start = start,
			.end = start + 4u * known->insn_count,
			.rows = &room->row,
			.slots = room->slots,
			.row_count = 1,
			.slot_count = known->slot_count,
			.flags = known->is_trampoline ? JF_CFI_SIGNAL : 0,
		};
		room->row = *jf_row_find(known->rows, known->row_count, (uint32_t)(address - start));
		for (unsigned int i = 0; i < known->slot_count; i++)
			room->slots[i] = known->slots[i];
		return JF_OK;
	}
	return JF_E_NOT_FOUND;
}

enum jf_status jf_cfi_index_find(const struct cfi_index *index, const struct cfi_regs *regs, uint64_t address,
				 struct jf_cfi_room *room)
{
	uint32_t pair = search(index, address);
	uint64_t from = 0, to = pair + 1 < index->count ? start_of(index, pair + 1) : UINT64_MAX;
	struct entry entry;
	enum jf_status status;

	if (pair != UINT32_MAX) {
		status = read_pair(index, regs, pair, &entry);
		if (status != JF_OK)
			return status;
		from = entry.draft.end;
		if (address < from) {
			status = jf_cfi_run_row(&entry.converter, &entry.cie, entry.program, &entry.draft,
						(uint32_t)(address - entry.draft.start), room);
			if (status == JF_OK)
				take_row(room, &entry.draft);
			return status;
		}
	}
	return find_known(index, address, from, to, room);
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

/* The table's place and number of pairs. */
static bool read_header(struct cfi_index *index, struct cfi_reader hdr)
{
	uint64_t eh_frame, raw, count;
	uint8_t eh_frame_encoding, count_encoding;

	if (jf_cfi_read(&hdr, 1) != 1)
		return false;
	eh_frame_encoding = (uint8_t)jf_cfi_read(&hdr, 1);
	count_encoding = (uint8_t)jf_cfi_read(&hdr, 1);
	if (jf_cfi_read(&hdr, 1) != PAIRS_ENCODING || count_encoding == CFI_PTR_OMIT ||
	    !jf_cfi_pointer(&hdr, eh_frame_encoding, &eh_frame, &raw) ||
	    !jf_cfi_pointer_raw(&hdr, count_encoding, &count) || hdr.bad)
		return false;
	index->pairs = hdr.at;
	index->count = (uint32_t)count;
	return count && count <= (size_t)(hdr.end - hdr.at) / PAIR_BYTES && count < UINT32_MAX;
}

/*
 * A look at both ends: whether the table agrees with its FDEs and is sorted. More would bring in more pages of a file
 * than the rest of the work; the other pairs are looked at when they are met.
 */
bool jf_cfi_index_open(struct cfi_index *index, const struct jf_backend *backend, const struct jf_cfi_section *section,
		       struct cfi_reader hdr, const struct cfi_regs *regs)
{
	uint64_t code_end = section->code ? section->code_address + section->code_bytes : 0, last;
	struct entry entry;

	*index = (struct cfi_index){.backend = backend, .section = *section, .base = hdr.address};
	if (!read_header(index, hdr) || read_pair(index, regs, 0, &entry) != JF_OK)
		return false;
	index->start = entry.draft.start;
	index->end = code_end;
	last = start_of(index, index->count - 1);
	if (last < index->start)
		return false;
	if (last >= code_end) {
		if (read_pair(index, regs, index->count - 1, &entry) != JF_OK)
			return false;
		index->end = entry.draft.end;
	}
	if (section->code && section->code_address < index->start)
		index->start = section->code_address;
	return true;
}
