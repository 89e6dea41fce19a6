/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as an .eh_frame section: converted, and every row of what comes out looked at.
 *
 *     0      backend
 *     1      FDEs, as .eh_frame_hdr would say
 *     2      address of the section, in units of 4 GiB
 *     3      bytes of code behind the section, in units of 16
 *     4      the section, then the code
 */

#include "cfi/objects.h"
#include "target.h"

#include <link.h>
#include <string.h>

#define HEADER     4
#define SEEDS      24
#define SEED_BYTES 700

static void check_row(const struct jf_backend *backend, const struct jf_cfi_function *function,
		      const struct jf_row *row)
{
	MUST(row->flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST) || row->cfa_reg < backend->reg_count);
	MUST(function->slot_count == 32 || row->saved >> function->slot_count == 0);
	for (unsigned int i = 0; i < function->slot_count; i++)
		MUST(!(row->saved >> i & 1) || function->slots[i].reg < backend->reg_count);
}

static void check_function(const struct jf_backend *backend, const struct jf_cfi_table *table, size_t index)
{
	const struct jf_cfi_function *function = jf_cfi_table_at(table, index), *before;

	MUST(function->start < function->end);
	MUST(function->row_count && function->rows[0].code_off == 0 && function->slot_count <= JF_FRAME_SLOTS_MAX);
	for (uint32_t i = 0; i < function->row_count; i++) {
		MUST(!i || function->rows[i].code_off > function->rows[i - 1].code_off);
		check_row(backend, function, &function->rows[i]);
	}
	MUST(jf_cfi_table_find(table, function->start) == function);
	before = index ? jf_cfi_table_at(table, index - 1) : NULL;
	MUST(!before || before->start < function->start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = {data, size};
	size_t backends = 0;
	const struct jf_backend *backend;
	struct jf_cfi_section section = {.size = sizeof(section), .bytes = NULL};
	struct jf_cfi_table *table;
	size_t code_bytes;
	struct jf_error error;

	while (jf_backend_at(backends))
		backends++;
	backend = jf_backend_at(fuzz_take(&bytes, 1) % backends);
	section.fde_count = (uint32_t)fuzz_take(&bytes, 1);
	section.address = fuzz_take(&bytes, 1) << 32;
	code_bytes = 16 * (size_t)fuzz_take(&bytes, 1);
	section.bytes = bytes.at;
	section.size_bytes = bytes.left > code_bytes ? bytes.left - code_bytes : 0;
	section.code = bytes.at + section.size_bytes;
	section.code_bytes = bytes.left - section.size_bytes;
	section.code_address = section.address + section.size_bytes;
	if (jf_cfi_convert(backend, &section, "input", &table, &error) != JF_OK) {
		MUST(error.status < 0 && memchr(error.text, 0, sizeof(error.text)));
		return 0;
	}
	for (size_t i = 0; jf_cfi_table_at(table, i); i++)
		check_function(backend, table, i);
	/* Rows of a linkage table are many, from one entry of at least 24 bytes. */
	MUST(jf_cfi_table_bytes(table) < 200 * (size + 1000) + (size / 24 + 1) * (3 << 20));
	jf_cfi_table_free(table);
	return 0;
}

/* The first loaded object with an .eh_frame, and that in pieces. */
static int find_section(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct jf_cfi_section *section = arg, found;

	(void)bytes;
	if (jf_cfi_object_section(info, &found) && found.size_bytes > section->size_bytes)
		*section = found;
	return 0;
}

/* A CIE, and as many entries behind it as fit. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	struct jf_cfi_section section = {.size = sizeof(section), .bytes = NULL};
	const uint8_t *start;
	size_t at = 0, used = HEADER;

	if (number >= SEEDS || capacity < HEADER + SEED_BYTES + 4)
		return 0;
	dl_iterate_phdr(find_section, &section);
	start = section.bytes;
	data[0] = (uint8_t)number;
	data[1] = 0;
	data[2] = 1;
	data[3] = 0;
	for (uint64_t skipped = 0; at + 8 < section.size_bytes && used < SEED_BYTES;) {
		uint32_t length, back;

		memcpy(&length, start + at, 4);
		memcpy(&back, start + at + 4, 4);
		if (!length || length > section.size_bytes - at - 4)
			break;
		/* Behind the first CIE, others of the object's than the seed before had. */
		if (used == HEADER || (back && skipped++ >= number * 40 && used + length + 4 <= SEED_BYTES)) {
			uint32_t here = (uint32_t)(used - HEADER + 4);

			memcpy(data + used, start + at, length + 4);
			if (used > HEADER)
				memcpy(data + used + 4, &here, 4);
			used += length + 4;
		}
		at += length + 4;
		if (skipped > number * 40 + 30)
			break;
	}
	memset(data + used, 0, 4);
	return used > HEADER ? used + 4 : 0;
}
