/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

/*
 * Rows as ORC and back. What ORC can say (CFA, return address, frame pointer) has to come back the same;
 * what it cannot say has to be refused, by the number of the row.
 */

#define CODE UINT64_C(0xffffffff81234560)

enum { ROWS = 512, CODE_BYTES = 8192 };

/* The part of a row that ORC has: where the three are. */
struct view {
	bool unknown;
	uint8_t cfa_reg;
	int32_t cfa_off;
	bool ra_saved, fp_saved;
	int32_t ra_off, fp_off;
};

static struct view view_of(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
			   unsigned int slot_count)
{
	struct view view = {.unknown = row->flags & JF_ROW_UNKNOWN};

	if (view.unknown)
		return view;
	view.cfa_reg = row->cfa_reg;
	view.cfa_off = row->cfa_off;
	for (unsigned int i = 0; i < slot_count; i++) {
		if (!(row->saved & UINT32_C(1) << i))
			continue;
		if (slots[i].reg == backend->ra) {
			view.ra_saved = true;
			view.ra_off = slots[i].off_from_cfa;
		} else if (slots[i].reg == backend->fp) {
			view.fp_saved = true;
			view.fp_off = slots[i].off_from_cfa;
		}
	}
	return view;
}

static bool same_view(const struct view *a, const struct view *b)
{
	return a->unknown == b->unknown && a->cfa_reg == b->cfa_reg && a->cfa_off == b->cfa_off &&
	       a->ra_saved == b->ra_saved && a->fp_saved == b->fp_saved && a->ra_off == b->ra_off &&
	       a->fp_off == b->fp_off;
}

/* Whether a row of our frames can be said: with CFA = sp + n anything, fp + n where that n counts, else fp. */
static bool can_be_said(const struct jf_orc_format *format, const struct jf_row *row, const struct view *view)
{
	bool fp_lost = row->flags & JF_ROW_REGS_LOST && !view->fp_saved;

	if (view->unknown)
		return true;
	if (fp_lost || row->flags & JF_ROW_RA_SIGNED)
		return false;
	if (view->cfa_reg == format->backend->sp)
		return true;
	return view->cfa_reg == format->backend->fp && (format->backend->ra_pushed || view->cfa_off == 0);
}

static struct {
	unsigned int frames, refused, rows;
} count;

static void check_offsets(const struct jf_orc_table *table, const struct jf_code *code, const struct jf_frame *frame,
			  uint64_t size)
{
	const struct jf_orc_format *format = table->format;

	for (uint32_t off = 0; off < size; off++) {
		const struct jf_row *row = jf_row_find(code->rows, code->row_count, off);
		struct jf_slot slots[JF_ORC_SLOTS];
		struct jf_orc_entry entry;
		struct jf_row back;
		struct view wanted, found;
		size_t index;

		CHECK_STATUS(jf_orc_search(table, CODE + off, &index), JF_OK, "%u", off);
		jf_orc_entry_at(table, index, &entry);
		CHECK_STATUS(jf_orc_to_row(format, &entry, &back, slots), JF_OK, "%u", off);
		wanted = view_of(format->backend, row, frame->slots, frame->slot_count);
		found = view_of(format->backend, &back, slots, JF_ORC_SLOTS);
		CHECK(same_view(&wanted, &found), "%s: offset %u", frame->conv->name, off);
		CHECK(back.flags & JF_ROW_UNKNOWN || found.fp_saved == !(back.flags & JF_ROW_FP_KEPT), "%u", off);
	}
}

/* Entry for entry the same when the rows that came back are written again. */
static void check_rewritten(const struct jf_orc_table *table, uint64_t end)
{
	const struct jf_orc_format *format = table->format;
	uint8_t entries[ROWS * 8], ips[ROWS * 4];
	struct jf_orc_writer writer;
	struct jf_orc_table again;

	CHECK_STATUS(jf_orc_writer_init(&writer, format, entries, ips, ROWS, TABLE_ADDRESS), JF_OK, "init");
	for (size_t i = 0; i < table->count; i++) {
		struct jf_slot slots[JF_ORC_SLOTS];
		struct jf_orc_entry entry, made;
		struct jf_row row;

		jf_orc_entry_at(table, i, &entry);
		CHECK_STATUS(jf_orc_to_row(format, &entry, &row, slots), JF_OK, "entry %zu", i);
		CHECK_STATUS(jf_orc_from_row(format, &row, slots, JF_ORC_SLOTS, &made, NULL), JF_OK, "entry %zu", i);
		CHECK_STATUS(jf_orc_write(&writer, jf_orc_address(table, i), &made), JF_OK, "entry %zu", i);
	}
	jf_orc_written(&writer, &again);
	CHECK(again.count == table->count, "%zu entries, not %zu", again.count, table->count);
	CHECK(memcmp(again.entries, table->entries, table->count * format->entry_bytes) == 0, "other entries");
	CHECK(memcmp(again.ips, table->ips, table->count * 4) == 0, "other words");
	CHECK(jf_orc_address(&again, again.count - 1) == end, "no terminator at the end");
}

static void check_frame(const struct jf_orc_format *format, const struct jf_frame *frame)
{
	static uint8_t bytes[CODE_BYTES], entries[ROWS * 8], ips[ROWS * 4];
	static struct jf_row rows[ROWS];
	struct jf_error error = {0};
	struct jf_orc_writer writer;
	struct jf_orc_table table;
	struct jf_code code;
	enum jf_status status;
	size_t first_unsaid;

	jf_code_init(&code, bytes, sizeof(bytes), CODE, rows, ROWS);
	if (jf_frame_emit(&code, frame, JF_PART_ALL, &(struct jf_values){0}) != JF_OK)
		return;
	for (first_unsaid = 0; first_unsaid < code.row_count; first_unsaid++) {
		struct view view = view_of(format->backend, &rows[first_unsaid], frame->slots, frame->slot_count);

		if (!can_be_said(format, &rows[first_unsaid], &view))
			break;
	}
	CHECK_STATUS(jf_orc_writer_init(&writer, format, entries, ips, ROWS, TABLE_ADDRESS), JF_OK, "init");
	status = jf_orc_write_rows(&writer, CODE, CODE + code.size, rows, code.row_count, frame->slots,
				   frame->slot_count, &error);
	count.frames++;
	if (first_unsaid < code.row_count) {
		char where[32];

		snprintf(where, sizeof(where), "row %zu", first_unsaid);
		CHECK(status == JF_E_UNSUPPORTED && strcmp(error.where, where) == 0, "%s: %s, not %s: %s",
		      frame->conv->name, error.where, where, error.text);
		CHECK(writer.count == 0, "%zu entries are left", writer.count);
		count.refused++;
		return;
	}
	CHECK(status == JF_OK, "%s: %s: %s", frame->conv->name, error.where, error.text);
	jf_orc_written(&writer, &table);
	check_offsets(&table, &code, frame, code.size);
	check_rewritten(&table, CODE + code.size);
	count.rows += (unsigned int)code.row_count;
}

static void check_convention(const struct jf_orc_format *format, const struct jf_convention *conv)
{
	static const uint32_t stacks[] = {0, 8, 64, 512, 8192};

	for (unsigned int options = 0; options < 64; options++) {
		for (unsigned int role = 0; role < JF_ROLE__COUNT; role++) {
			for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
				struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
				struct jf_frame frame;

				spec.role = role;
				spec.bpf_stack_bytes = stacks[i];
				spec.bpf_regs_used = options & 1 ? 0x7c0 : 0x80;
				spec.tail_calls = options & 2;
				spec.arena = options & 4;
				spec.private_stack = options & 8;
				spec.landing_pads = options & 16;
				spec.out_args = options & 32 ? 3 : 0;
				if (jf_frame_solve(conv, &spec, &frame, NULL) == JF_OK)
					check_frame(format, &frame);
			}
		}
	}
}

Test(orc_rows, all_our_frames_come_back_the_same)
{
	for (size_t i = 0; orc_format_at(i); i++) {
		const struct jf_orc_format *format = orc_format_at(i);

		for (unsigned int k = 0; k < format->backend->convention_count; k++) {
			memset(&count, 0, sizeof(count));
			check_convention(format, format->backend->conventions[k]);
			CHECK(count.frames > 100 && count.rows > 1000 && count.refused < count.frames / 2,
			      "%s/%s: %u frames, %u refused, %u rows", format->backend->name,
			      format->backend->conventions[k]->name, count.frames, count.refused, count.rows);
		}
	}
}

/* Every entry there is, of x86_64 as far as its flags go: a row that comes of it makes the same entry again. */
Test(orc_rows, entries_that_are_rows_come_back_the_same)
{
	struct rng rng = {3};

	for (size_t i = 0; orc_format_at(i); i++) {
		const struct jf_orc_format *format = orc_format_at(i);
		unsigned int made = 0;

		for (unsigned int round = 0; round < 400000; round++) {
			struct jf_orc_entry entry = orc_random_entry(format, &rng), again;
			struct jf_slot slots[JF_ORC_SLOTS], slots2[JF_ORC_SLOTS];
			struct jf_row row, row2;
			struct view view, view2;

			entry.type = round % 8 ? JF_ORC_CALL : entry.type;
			entry.signal &= round % 16 == 1;
			if (jf_orc_to_row(format, &entry, &row, slots) != JF_OK)
				continue;
			/* A sum of two s16 may be no s16 any more: [bp + off] as an offset from the CFA. */
			if (jf_orc_from_row(format, &row, slots, JF_ORC_SLOTS, &again, NULL) != JF_OK) {
				CHECK(format->codes[entry.fp_reg].saved == JF_ORC_LOAD_SUM, "round %u", round);
				continue;
			}
			CHECK_STATUS(jf_orc_to_row(format, &again, &row2, slots2), JF_OK, "round %u", round);
			view = view_of(format->backend, &row, slots, JF_ORC_SLOTS);
			view2 = view_of(format->backend, &row2, slots2, JF_ORC_SLOTS);
			CHECK(same_view(&view, &view2), "round %u", round);
			made++;
		}
		CHECK(made > 5000, "%s: only %u", format->name, made);
	}
}

/* A frame pointer that was saved at a distance from itself, where it is also what the CFA is counted from. */
Test(orc_rows, bp_saved_at_bp_is_an_offset_from_the_cfa)
{
	const struct jf_orc_format *x86 = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	const struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 4, .sp_off = 16, .fp_reg = 4, .fp_off = -8};
	struct jf_slot slots[JF_ORC_SLOTS];
	struct jf_row row;

	cr_assert_eq(jf_orc_to_row(x86, &entry, &row, slots), JF_OK);
	cr_assert_eq(row.cfa_reg, x86->backend->fp);
	cr_assert_eq(row.cfa_off, 16);
	cr_assert_eq(row.saved, 3);
	cr_assert_eq(row.flags, JF_ROW_REGS_LOST);
	cr_assert_eq(slots[0].off_from_cfa, -8);
	cr_assert_eq(slots[1].off_from_cfa, -24);
}

/* ---- what cannot be said ---- */

static void refuse_row(const struct jf_orc_format *format, struct jf_row row, const struct jf_slot *slots,
		       const char *text)
{
	struct jf_orc_entry entry = {.sp_off = 77};
	struct jf_error error = {0};

	cr_assert_eq(jf_orc_from_row(format, &row, slots, 2, &entry, &error), JF_E_UNSUPPORTED, "%s", text);
	cr_assert_not_null(strstr(error.text, text), "\"%s\", not \"%s\"", error.text, text);
	cr_assert_eq(entry.sp_off, 77);
	cr_assert_eq(jf_orc_from_row(format, &row, slots, 2, &entry, NULL), JF_E_UNSUPPORTED);
}

Test(orc_rows, rows_that_orc_cannot_say_are_refused)
{
	const struct jf_orc_format *x86 = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	const struct jf_orc_format *la = jf_orc_format_find(jf_backend_find("loongarch64"), NULL);
	uint8_t sp = x86->backend->sp, fp = x86->backend->fp, la_sp = la->backend->sp, la_fp = la->backend->fp;
	struct jf_slot slots[2] = {{.reg = x86->backend->ra, .off_from_cfa = -8}, {.reg = fp, .off_from_cfa = -16}};
	struct jf_slot la_slots[2] = {{.reg = la->backend->ra, .off_from_cfa = -8},
				      {.reg = la_fp, .off_from_cfa = -40000}};

	refuse_row(x86, (struct jf_row){.cfa_reg = 1, .cfa_off = 8, .saved = 1}, slots,
		   "rcx+8, and ORC has no such register");
	refuse_row(x86, (struct jf_row){.cfa_reg = 2, .cfa_off = 16, .saved = 1}, slots,
		   "rdx+16, and ORC has no such offset");
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = 32768, .saved = 1}, slots, "no such offset");
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = -32769, .saved = 1}, slots, "no such offset");
	refuse_row(x86, (struct jf_row){.cfa_reg = 200, .saved = 1}, slots, "?+0");
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = 8, .saved = 0}, slots, "not at CFA-8");
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = 8, .saved = 1, .flags = JF_ROW_REGS_LOST}, slots,
		   "frame pointer is lost");
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = 8, .saved = 3, .flags = JF_ROW_RA_SIGNED}, slots,
		   "signed");
	slots[0].off_from_cfa = -24;
	refuse_row(x86, (struct jf_row){.cfa_reg = sp, .cfa_off = 8, .saved = 3}, slots, "not at CFA-8");
	refuse_row(la, (struct jf_row){.cfa_reg = la_fp, .cfa_off = 16, .saved = 1}, la_slots,
		   "fp+16, and ORC has no such offset");
	refuse_row(la, (struct jf_row){.cfa_reg = la_sp, .cfa_off = 16, .saved = 3}, la_slots, "fp is too far");
}

Test(orc_rows, entries_that_no_row_can_say_are_refused)
{
	const struct jf_orc_format *x86 = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	const struct jf_orc_format *la = jf_orc_format_find(jf_backend_find("loongarch64"), NULL);
	static const struct {
		bool la;
		struct jf_orc_entry entry;
		enum jf_status status;
	} cases[] = {
		{false, {.type = JF_ORC_END_OF_STACK}, JF_END},
		{false, {.type = JF_ORC_REGS, .sp_reg = 3, .signal = 1}, JF_E_UNSUPPORTED},
		{false, {.type = JF_ORC_REGS_PARTIAL, .sp_reg = 3}, JF_E_UNSUPPORTED},
		{false, {.type = JF_ORC_CALL, .sp_reg = 3, .signal = 1}, JF_E_UNSUPPORTED},
		{false, {.type = JF_ORC_CALL, .sp_reg = 9}, JF_E_UNSUPPORTED},
		{false, {.type = JF_ORC_CALL, .sp_reg = 10}, JF_E_UNSUPPORTED},
		{false, {.type = JF_ORC_CALL, .sp_reg = 3, .fp_reg = 4}, JF_E_UNSUPPORTED}, /* CFA by sp, bp by bp */
		{false, {.type = JF_ORC_CALL, .sp_reg = 8}, JF_E_BAD_IMAGE},
		{false, {.type = JF_ORC_CALL, .sp_reg = 0}, JF_E_BAD_IMAGE},
		{false, {.type = JF_ORC_CALL, .sp_reg = 15}, JF_E_BAD_IMAGE},
		{false, {.type = JF_ORC_CALL, .sp_reg = 16}, JF_E_BAD_IMAGE},
		{false, {.type = JF_ORC_CALL, .sp_reg = 3, .fp_reg = 3}, JF_E_BAD_IMAGE},
		{false, {.type = 5, .sp_reg = 3}, JF_E_BAD_IMAGE},
		{true, {.type = JF_ORC_CALL, .sp_reg = 1}, JF_E_BAD_IMAGE},
		{true, {.type = JF_ORC_CALL, .sp_reg = 2, .ra_reg = 2}, JF_E_BAD_IMAGE},
		{true, {.type = JF_ORC_CALL, .sp_reg = 2, .fp_reg = 3}, JF_E_BAD_IMAGE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jf_slot slots[JF_ORC_SLOTS] = {{.reg = 99}};
		struct jf_row row = {.code_off = 99};

		cr_assert_eq(jf_orc_to_row(cases[i].la ? la : x86, &cases[i].entry, &row, slots), cases[i].status,
			     "case %zu", i);
		cr_assert(row.code_off == 99 && slots[0].reg == 99, "case %zu", i);
	}
}
