/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"

#include <stdio.h>
#include <string.h>

/* ---- CIE --------------------------------------------------------------------------------------------- */

/* The augmentation data of a CIE, letter by letter behind the 'z'. */
static enum jf_status read_letters(struct cfi_converter *converter, struct cfi_cie *cie, const char *letters,
				   struct cfi_reader *data)
{
	const uint8_t *at = data->at;
	uint64_t personality;
	uint8_t encoding;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R': cie->pointer_encoding = (uint8_t)jf_cfi_read(data, 1); break;
		case 'L': jf_cfi_read(data, 1); break;
		case 'S': cie->is_signal = true; break;
		case 'B':
		case 'G': break; /* the other signing key; tagged stacks: neither moves anything */
		case 'P':
			encoding = (uint8_t)jf_cfi_read(data, 1);
			if (encoding == CFI_PTR_ALIGNED)
				jf_cfi_skip(data, -(data->address + (uint64_t)(data->at - data->start)) & 7);
			if (!jf_cfi_pointer_raw(data, encoding, &personality))
				return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at,
						   "a pointer encoding that is not known");
			break;
		default: return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at, "an augmentation that is not known");
		}
	}
	return JF_OK;
}

static enum jf_status parse_cie(struct cfi_converter *converter, struct cfi_cie *cie, struct cfi_reader entry)
{
	const uint8_t *at = entry.at;
	uint64_t version = jf_cfi_read(&entry, 1);
	const char *letters = (const char *)entry.at;
	const uint8_t *nul = memchr(entry.at, 0, (size_t)(entry.end - entry.at));
	struct cfi_reader data;
	uint64_t ra;
	enum jf_status status = JF_OK;

	if (version != 1 && version != 3)
		return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at, "a CIE of a version other than 1 and 3");
	if (!nul)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "an augmentation without an end");
	jf_cfi_skip(&entry, (uint64_t)(nul + 1 - entry.at));
	cie->code_align = jf_cfi_uleb(&entry);
	cie->data_align = jf_cfi_sleb(&entry);
	ra = version == 1 ? jf_cfi_read(&entry, 1) : jf_cfi_uleb(&entry);
	cie->ra = ra < sizeof(converter->regs->of_dw) ? converter->regs->of_dw[ra] : JF_REG_NONE;
	cie->pointer_encoding = CFI_PTR_ABS;
	cie->is_signal = false;
	cie->has_data = *letters == 'z';
	if (*letters && !cie->has_data)
		return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at, "an augmentation that is not known");
	if (cie->has_data) {
		data = jf_cfi_sub(&entry, jf_cfi_uleb(&entry));
		status = read_letters(converter, cie, letters + 1, &data);
		entry.bad |= data.bad;
	}
	if (status == JF_OK && entry.bad)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "a truncated CIE");
	return status != JF_OK ? status : jf_cfi_run_cie(converter, cie, entry);
}

/*
 * The entry at the reader, which moves behind it: its bytes from the CIE pointer on.
 * returns: JF_END at the zero word.
 */
static enum jf_status read_entry(struct cfi_converter *converter, struct cfi_reader *section, struct cfi_reader *entry)
{
	const uint8_t *at = section->at;
	uint64_t length = jf_cfi_read(section, 4);

	if (!section->bad && !length)
		return JF_END;
	if (length == UINT32_MAX)
		return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at, "an entry in the 64-bit format");
	*entry = jf_cfi_sub(section, length);
	if (section->bad || length < 4)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "an entry that is too short or too long");
	return JF_OK;
}

/* The CIE at that offset, in *cie unless it is the one already there. */
static enum jf_status find_cie(struct cfi_converter *converter, struct cfi_cie *cie, const uint8_t *at, uint64_t back)
{
	struct cfi_reader section = converter->section, entry;
	enum jf_status status;

	if (back > (uint64_t)(at - section.start))
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "a CIE before the section");
	if (cie->offset == (size_t)(at - section.start) - (size_t)back)
		return JF_OK;
	section.at = at - back;
	status = read_entry(converter, &section, &entry);
	if (status != JF_OK)
		return status == JF_END ? jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "no CIE there") : status;
	if (jf_cfi_read(&entry, 4))
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "no CIE there");
	cie->offset = SIZE_MAX;
	status = parse_cie(converter, cie, entry);
	if (status == JF_OK)
		cie->offset = (size_t)(at - back - section.start);
	return status;
}

/* ---- FDE --------------------------------------------------------------------------------------------- */

/* The reader goes from the CIE pointer's end to the instructions. returns: JF_END for a removed function. */
static enum jf_status parse_head(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader *entry,
				 struct cfi_draft *draft)
{
	const uint8_t *at = entry->at;
	uint64_t raw, size;

	if (!jf_cfi_pointer(entry, cie->pointer_encoding, &draft->start, &raw) ||
	    !jf_cfi_pointer_raw(entry, cie->pointer_encoding, &size))
		return jf_cfi_fail(converter, JF_E_UNSUPPORTED, at, "a pointer encoding that is not known");
	if (cie->has_data)
		jf_cfi_skip(entry, jf_cfi_uleb(entry));
	if (entry->bad)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "a truncated FDE");
	/* The linker zeroes the start of functions that it has thrown out. */
	if (!raw || !size)
		return JF_END;
	if (size > UINT32_MAX || draft->start + size < draft->start)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "a function of 4 GiB or more");
	draft->end = draft->start + size;
	draft->flags = cie->is_signal ? JF_CFI_SIGNAL : 0;
	return JF_OK;
}

enum jf_status jf_cfi_read_fde(struct cfi_converter *converter, const uint8_t *at, struct cfi_cie *cie,
			       struct cfi_draft *draft, struct cfi_reader *program)
{
	struct cfi_reader section = converter->section;
	uint64_t back;
	enum jf_status status;

	section.at = at;
	status = read_entry(converter, &section, program);
	if (status != JF_OK)
		return status == JF_END ? jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "no FDE there") : status;
	at = program->at;
	back = jf_cfi_read(program, 4);
	if (!back)
		return jf_cfi_fail(converter, JF_E_BAD_IMAGE, at, "a CIE in an FDE's place");
	cie->offset = SIZE_MAX;
	status = find_cie(converter, cie, at, back);
	return status == JF_OK ? parse_head(converter, cie, program, draft) : status;
}

static enum jf_status parse_fde(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader entry)
{
	struct cfi_draft draft = {0}, *place;
	enum jf_status status = parse_head(converter, cie, &entry, &draft);

	if (status == JF_END)
		converter->counts.functions_skipped++;
	if (status != JF_OK)
		return status == JF_END ? JF_OK : status;
	draft.order = (uint32_t)converter->functions.count;
	status = jf_cfi_run_fde(converter, cie, entry, &draft);
	if (status != JF_OK)
		return status;
	place = jf_cfi_list_add(&converter->functions, sizeof(draft));
	if (!place)
		return JF_E_NO_MEMORY;
	*place = draft;
	return JF_OK;
}

enum jf_status jf_cfi_parse(struct cfi_converter *converter, uint32_t fde_count)
{
	struct cfi_reader section = converter->section, entry;
	struct cfi_cie cie = {.offset = SIZE_MAX};

	while (section.at < section.end) {
		const uint8_t *at;
		uint64_t back;
		enum jf_status status = read_entry(converter, &section, &entry);

		if (status == JF_OK) {
			at = entry.at;
			back = jf_cfi_read(&entry, 4);
			if (!back)
				continue; /* a CIE: read when an FDE needs it */
			status = find_cie(converter, &cie, at, back);
			if (status == JF_OK)
				status = parse_fde(converter, &cie, entry);
		}
		if (status == JF_E_NO_MEMORY)
			return status;
		/* Whatever follows the last entry, where the section's size is not known. */
		if (status == JF_END || (status != JF_OK && fde_count && converter->functions.count >= fde_count))
			return JF_OK;
		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}
