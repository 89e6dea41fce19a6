/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "cfi/index.h"
#include "cfi_bytes.h"
#include "check.h"

/* Linkage tables and signal trampolines: rows from nothing but the instructions. */

static struct cfi_reader reader_of(const struct bytes *b, uint64_t address)
{
	return (struct cfi_reader){.start = b->at, .at = b->at, .end = b->at + b->count, .address = address};
}

/* The row that a walk asks for is the one that the conversion of everything makes. */
static void check_same_row(const struct cfi_index *index, const struct jf_cfi_table *table, uint64_t address)
{
	const struct jf_cfi_function *f = jf_cfi_table_find(table, address);
	const struct jf_row *row = f ? jf_row_find(f->rows, f->row_count, (uint32_t)(address - f->start)) : NULL;
	struct jf_cfi_room room;
	struct cfi_regs regs;
	enum jf_status status;

	jf_cfi_regs_fill(&regs, index->backend);
	status = jf_cfi_index_find(index, &regs, address, &room);
	CHECK(status == (f ? JF_OK : JF_E_NOT_FOUND), "%#llx: %s", (unsigned long long)address, jf_status_name(status));
	CHECK(!f || (room.function.start == f->start && room.function.end == f->end &&
		     room.function.flags == f->flags && jf_row_same(&room.row, row)),
	      "%#llx", (unsigned long long)address);
	for (unsigned int i = 0; f && i < room.function.slot_count; i++)
		CHECK(memcmp(&room.slots[i], &f->slots[i], sizeof(room.slots[i])) == 0, "slot %u", i);
}

/* wanted: as struct arch_known_code has it. */
static void check_known(const struct jf_backend *backend, const uint32_t *words, size_t count, const char *wanted)
{
	const unsigned char nop = 0;
	struct jf_cfi_table *table = NULL;
	struct jf_cfi_section section;
	struct bytes b = {.count = 0}, hdr;
	struct cfi_index index;
	struct cfi_regs regs;

	cie_usual(&b, backend);
	hdr_begin(&hdr, 1);
	hdr_pair(&hdr, CODE - 64, SECTION + b.count);
	fde_begin(&b, 0, CODE - 64, 64);
	put_bytes(&b, &nop, 1);
	entry_end(&b);
	section = (struct jf_cfi_section){
		.size = sizeof(struct jf_cfi_section),
		.bytes = b.at,
		.size_bytes = b.count,
		.address = SECTION,
		.code = words,
		.code_bytes = 4 * count,
		.code_address = CODE,
	};
	cr_assert_eq(jf_cfi_convert(backend, &section, "by hand", &table, NULL), JF_OK);
	jf_cfi_regs_fill(&regs, backend);
	cr_assert(jf_cfi_index_open(&index, backend, &section, reader_of(&hdr, HDR), &regs));
	for (uint64_t address = CODE - 70; address < CODE + 4 * count + 8; address++)
		check_same_row(&index, table, address);
	for (size_t i = 0; i < count; i++) {
		const struct jf_cfi_function *f = jf_cfi_table_find(table, CODE + 4 * i);
		const struct jf_row *row =
			f ? jf_row_find(f->rows, f->row_count, (uint32_t)(CODE + 4 * i - f->start)) : NULL;
		char got = !row ? '-' : f->flags & JF_CFI_SIGNAL ? 's' : row->saved ? 'p' : '0';

		cr_assert_eq(got, wanted[i], "%s: instruction %zu: %c", backend->name, i, got);
		if (got == 'p')
			cr_assert(row->cfa_off == 16 && f->slots[0].off_from_cfa == -8 &&
				  f->slots[0].reg == backend->ra);
		else if (row)
			cr_assert(row->cfa_off == 0 && row->cfa_reg == backend->sp);
	}
	cr_assert_null(jf_cfi_table_find(table, CODE + 4 * count));
	jf_cfi_table_free(table);
}

Test(cfi_linkage, known_code)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		const struct arch_known_code *known = &arch_named(backend->name)->known_code;

		if (!known->words)
			continue;
		check_known(backend, known->words, known->count, known->rows);
		check_known(backend, known->words, known->cut_count, known->cut_rows);
	}
}

/* What has an entry in .eh_frame keeps it. */
static void check_with_an_entry(const struct jf_backend *backend, const struct arch_known_code *known)
{
	struct jf_cfi_section section;
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table = NULL;

	cie_usual(&b, backend);
	fde_begin(&b, 0, CODE, (uint32_t)(4 * known->count));
	entry_end(&b);
	section = (struct jf_cfi_section){.size = sizeof(struct jf_cfi_section),
					  .bytes = b.at,
					  .size_bytes = b.count,
					  .address = SECTION,
					  .code = known->words,
					  .code_bytes = 4 * known->count,
					  .code_address = CODE};
	cr_assert_eq(jf_cfi_convert(backend, &section, "by hand", &table, NULL), JF_OK);
	cr_assert_eq(jf_cfi_table_counts(table)->functions, 1);
	jf_cfi_table_free(table);
}

Test(cfi_linkage, known_code_with_an_entry)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (arch_named(backend->name)->known_code.words)
			check_with_an_entry(backend, &arch_named(backend->name)->known_code);
}
