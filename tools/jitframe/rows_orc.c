/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_file.h"

#include <stdlib.h>

#include "cli.h"
#include "orc_file.h"

/* ORC says of each address what holds there; functions are the symbols'. */

struct rows_orc {
	struct orc_file file;
	struct jf_row *rows;
	struct jf_slot *slots;
};

static int slot_for(struct jf_cfi_function *function, struct jf_slot *slots, const struct jf_slot *slot)
{
	for (int i = 0; i < function->slot_count; i++)
		if (slots[i].reg == slot->reg && slots[i].off_from_cfa == slot->off_from_cfa)
			return i;
	if (function->slot_count == JF_FRAME_SLOTS_MAX)
		return -1;
	slots[function->slot_count] = *slot;
	return function->slot_count++;
}

/* The entry as a row of this function, whose slots it shares. */
static void make_row(const struct jf_orc_table *table, size_t index, struct jf_cfi_function *function,
		     struct jf_slot *slots, struct jf_row *row)
{
	struct jf_slot own[JF_ORC_SLOTS];
	struct jf_orc_entry entry;
	uint64_t address = jf_orc_address(table, index);
	enum jf_status status;
	struct jf_row got;

	jf_orc_entry_at(table, index, &entry);
	*row = (struct jf_row){.code_off = address > function->start ? (uint32_t)(address - function->start) : 0};
	status = jf_orc_to_row(table->format, &entry, &got, own);
	if (status != JF_OK) {
		row->flags = status == JF_END ? JF_ROW_OUTERMOST : JF_ROW_UNKNOWN;
		return;
	}
	got.code_off = row->code_off;
	row->cfa_reg = got.cfa_reg;
	row->cfa_off = got.cfa_off;
	row->flags = got.flags;
	for (unsigned int i = 0; i < JF_ORC_SLOTS; i++) {
		int slot = got.saved >> i & 1 ? slot_for(function, slots, &own[i]) : 0;

		if (slot < 0)
			row->flags = JF_ROW_UNKNOWN;
		else if (got.saved >> i & 1)
			row->saved |= UINT32_C(1) << slot;
	}
}

/* The entries in force in [start, end): the rows from rows[*at] on. */
static void make_rows(const struct jf_orc_table *table, struct jf_cfi_function *function, struct jf_row *rows,
		      struct jf_slot *slots)
{
	size_t index;

	function->rows = rows;
	function->slots = slots;
	if (jf_orc_search(table, function->start, &index) != JF_OK)
		return;
	for (; index < table->count && jf_orc_address(table, index) < function->end; index++)
		make_row(table, index, function, slots, &rows[function->row_count++]);
}

static int add_functions(struct rows_file *file, struct rows_orc *orc)
{
	size_t rows_used = 0, slots_used = 0;
	uint64_t last = 0;

	for (size_t i = 0; i < file->symbol_count; i++) {
		const struct rows_symbol *symbol = &file->symbols[i];
		struct jf_cfi_function function = {.start = symbol->address, .end = symbol->address + symbol->size};

		/* Of several names for one place the last is the longest. */
		if (!symbol->size || function.start < last || !rows_file_code(file, function.start, function.end) ||
		    (i + 1 < file->symbol_count && symbol[1].address == symbol->address))
			continue;
		last = function.end;
		make_rows(&orc->file.table, &function, orc->rows + rows_used, orc->slots + slots_used);
		rows_used += function.row_count;
		slots_used += function.slot_count;
		if (!rows_file_add(file, &function))
			return cli_failed("no memory");
	}
	return 0;
}

int rows_orc_read(struct rows_file *file)
{
	struct rows_orc *orc = calloc(1, sizeof(*orc));
	size_t most;
	int status;

	if (!orc)
		return cli_failed("no memory");
	file->orc = orc;
	status = orc_file_open(&orc->file, file->path, NULL);
	if (status == 0)
		status = orc_file_sort(&orc->file);
	if (status != 0)
		return status;
	/* Each entry is in force in one function, and one more at the start of each. */
	most = orc->file.table.count + file->symbol_count + JF_FRAME_SLOTS_MAX;
	orc->rows = calloc(most, sizeof(*orc->rows));
	orc->slots = calloc(JF_ORC_SLOTS * most, sizeof(*orc->slots));
	if (!orc->rows || !orc->slots)
		return cli_failed("no memory");
	return add_functions(file, orc);
}

void rows_orc_free(struct rows_orc *orc)
{
	if (!orc)
		return;
	orc_file_close(&orc->file);
	free(orc->rows);
	free(orc->slots);
	free(orc);
}
