/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <string.h>

#define ROWS  8
#define BYTES 32

/* A sink with a wall behind its bytes and its rows. */
struct sink {
	struct jf_code code;
	uint8_t bytes[BYTES];
	uint8_t byte_wall[16];
	struct jf_row rows[ROWS];
	struct jf_row row_wall;
};

static const struct jf_frame frame = {.conv = &toy_adopt};

static void sink_init(struct sink *s, size_t byte_capacity, size_t row_capacity)
{
	memset(s, 0xee, sizeof(*s));
	jf_code_init(&s->code, s->bytes, byte_capacity, 0x1000, s->rows, row_capacity);
	jf_code_begin(&s->code, &frame, TOY_SP, 0, 0);
}

static void check_walls(const struct sink *s, size_t byte_capacity, size_t row_capacity)
{
	const uint8_t *bytes = (const uint8_t *)s;

	for (size_t i = byte_capacity; i < BYTES + sizeof(s->byte_wall); i++)
		CHECK(bytes[offsetof(struct sink, bytes) + i] == 0xee, "byte %zu of %zu was written", i, byte_capacity);
	for (size_t i = offsetof(struct sink, rows) + row_capacity * sizeof(struct jf_row); i < sizeof(*s); i++)
		CHECK(bytes[i] == 0xee, "something behind row %zu was written", row_capacity);
}

Test(code, begins_empty)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	cr_assert_eq(jf_code_finish(&s.code), JF_OK);
	cr_assert_eq(s.code.size, 0);
	cr_assert_eq(s.code.row_count, 0);
	cr_assert_eq(jf_code_pc(&s.code), 0x1000);
	for (int i = 0; i < JF_MARK__COUNT; i++)
		cr_assert_eq(s.code.marks[i], JF_MARK_UNSET);
}

Test(code, put_appends_and_moves_pc)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "\x01\x02\x03", 3);
	jf_code_put32(&s.code, 0xa1b2c3d4);
	cr_assert_eq(s.code.size, 7);
	cr_assert_eq(jf_code_pc(&s.code), 0x1007);
	cr_assert_arr_eq(s.bytes, "\x01\x02\x03\xd4\xc3\xb2\xa1", 7);
}

Test(code, never_writes_past_the_capacity)
{
	for (size_t capacity = 0; capacity <= 12; capacity++) {
		for (size_t piece = 1; piece <= 4; piece++) {
			size_t fit = capacity / piece * piece;
			struct sink s;

			sink_init(&s, capacity, ROWS);
			for (int i = 0; i < 20; i++)
				jf_code_put(&s.code, "abcd", piece);
			check_walls(&s, capacity, ROWS);
			CHECK_STATUS(jf_code_finish(&s.code), JF_E_NOSPACE, "capacity %zu", capacity);
			CHECK(s.code.size == fit, "%zu bytes in pieces of %zu into %zu", s.code.size, piece, capacity);
			CHECK(s.code.fail_off == fit, "failed at %zu", s.code.fail_off);
		}
	}
}

/* The copy of a fixed size, near the end of the room where it must not be one. */
Test(code, instructions_of_up_to_16_bytes)
{
	const uint8_t insn[JF_INSN_BYTES_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

	for (size_t capacity = 0; capacity <= BYTES; capacity++) {
		for (size_t piece = 1; piece <= JF_INSN_BYTES_MAX; piece++) {
			size_t fit = capacity / piece * piece;
			struct sink s;

			sink_init(&s, capacity, ROWS);
			for (int i = 0; i < 40; i++)
				jf_code_put_insn(&s.code, insn, piece);
			check_walls(&s, capacity, ROWS);
			CHECK_STATUS(jf_code_finish(&s.code), JF_E_NOSPACE, "capacity %zu", capacity);
			CHECK(s.code.size == fit, "%zu bytes in pieces of %zu into %zu", s.code.size, piece, capacity);
			for (size_t i = 0; i < fit; i++)
				CHECK(s.bytes[i] == i % piece + 1, "byte %zu in pieces of %zu", i, piece);
			CHECK(s.code.row_count == (fit > 0), "%zu rows", s.code.row_count);
		}
	}
}

Test(code, words)
{
	for (size_t capacity = 0; capacity <= BYTES; capacity++) {
		struct sink s;

		sink_init(&s, capacity, ROWS);
		for (uint32_t i = 0; i < 12; i++)
			jf_code_put32(&s.code, 0x03020100 + i);
		check_walls(&s, capacity, ROWS);
		CHECK_STATUS(jf_code_finish(&s.code), JF_E_NOSPACE, "capacity %zu", capacity);
		CHECK(s.code.size == capacity / 4 * 4, "%zu bytes into %zu", s.code.size, capacity);
		for (size_t i = 0; i < s.code.size; i++)
			CHECK(s.bytes[i] == (i % 4 ? i % 4 : i / 4), "byte %zu", i);
	}
}

/* Short instructions among longer ones: words, walls, rows. */
Test(code, half_words)
{
	for (size_t capacity = 0; capacity <= BYTES; capacity++) {
		struct sink s;

		sink_init(&s, capacity, ROWS);
		for (uint16_t i = 0; i < 20; i++) {
			jf_code_put16(&s.code, (uint16_t)(0x1000 + i));
			if (i == 2)
				jf_code_cfa(&s.code, TOY_SP, 8);
		}
		check_walls(&s, capacity, ROWS);
		CHECK_STATUS(jf_code_finish(&s.code), JF_E_NOSPACE, "capacity %zu", capacity);
		CHECK(s.code.size == capacity / 2 * 2, "%zu bytes into %zu", s.code.size, capacity);
		for (size_t i = 0; i < s.code.size; i++)
			CHECK(s.bytes[i] == (i % 2 ? 0x10 : i / 2), "byte %zu", i);
		CHECK(s.code.row_count == (capacity >= 8 ? 2 : capacity >= 2), "%zu rows", s.code.row_count);
		CHECK(s.code.row_count < 2 || s.rows[1].code_off == 6, "a row at +%u", s.rows[1].code_off);
	}
}

Test(code, takes_exactly_its_capacity)
{
	struct sink s;

	sink_init(&s, 8, ROWS);
	jf_code_put32(&s.code, 1);
	jf_code_put32(&s.code, 2);
	cr_assert_eq(jf_code_finish(&s.code), JF_OK);
	cr_assert_eq(s.code.size, 8);
}

/* Whatever is put down is counted; a failure ends that. */
static void count_in(struct jf_code *code, size_t capacity)
{
	const uint8_t insn[JF_INSN_BYTES_MAX] = {0};

	jf_code_init(code, NULL, capacity, 0, NULL, 0);
	jf_code_begin(code, &frame, TOY_SP, 0, 0);
	jf_code_put(code, "a", 1);
	jf_code_put16(code, 1);
	jf_code_cfa(code, TOY_SP, 8);
	jf_code_put32(code, 1);
	jf_code_put_insn(code, insn, 3);
	jf_code_wrote(code, 5);
}

Test(code, no_buffers_at_all)
{
	struct jf_code code;

	for (size_t capacity = 0; capacity < 100; capacity += 99) {
		count_in(&code, capacity);
		cr_assert_eq(jf_code_finish(&code), JF_OK);
		cr_assert_eq(code.size, 15);
		cr_assert_eq(code.row_count, 2);
		jf_code_fail(&code, JF_E_RANGE);
		jf_code_put32(&code, 1);
		jf_code_wrote(&code, 1);
		cr_assert_eq(code.size, 15);
		cr_assert_eq(jf_code_finish(&code), JF_E_RANGE);
	}
}

/* Bytes of the caller's have the row that is in force. */
Test(code, bytes_that_the_caller_wrote)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_begin(&s.code, &frame, TOY_SP, 0, 0);
	jf_code_put32(&s.code, 1);
	jf_code_cfa(&s.code, TOY_SP, 8);
	s.code.bytes[4] = 'b';
	jf_code_wrote(&s.code, 1);
	jf_code_cfa(&s.code, TOY_SP, 16);
	jf_code_put16(&s.code, 1);
	cr_assert_eq(s.code.size, 7);
	cr_assert_eq(s.code.bytes[4], 'b');
	cr_assert_eq(s.code.row_count, 3);
	cr_assert_eq(s.code.rows[1].code_off, 4);
	cr_assert_eq(s.code.rows[2].code_off, 5);
	jf_code_wrote(&s.code, s.code.capacity - s.code.size + 1);
	cr_assert_eq(jf_code_finish(&s.code), JF_E_NOSPACE);
	cr_assert_eq(s.code.size, 7);
}

Test(code, the_first_failure_stays)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put32(&s.code, 1);
	jf_code_fail(&s.code, JF_E_RANGE);
	jf_code_fail(&s.code, JF_E_UNSUPPORTED);
	for (int i = 0; i < 20; i++)
		jf_code_put32(&s.code, 2);
	cr_assert_eq(jf_code_finish(&s.code), JF_E_RANGE);
	cr_assert_eq(s.code.fail_off, 4);
	cr_assert_eq(s.code.size, 4);
}

Test(code, nothing_is_put_after_a_failure)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put32(&s.code, 1);
	jf_code_fail(&s.code, JF_E_RANGE);
	jf_code_cfa(&s.code, TOY_FP, 8);
	jf_code_put32(&s.code, 2);
	jf_code_begin(&s.code, &frame, TOY_SP, 0, 0);
	jf_code_put32(&s.code, 3);
	cr_assert_eq(s.code.size, 4);
	cr_assert_eq(s.code.row_count, 1);
	cr_assert_eq(s.bytes[4], 0xee);
}

Test(code, an_instruction_that_does_not_fit_has_no_row)
{
	struct sink s;

	sink_init(&s, 4, ROWS);
	jf_code_put32(&s.code, 1);
	jf_code_cfa(&s.code, TOY_FP, 8);
	jf_code_put32(&s.code, 2);
	cr_assert_eq(jf_code_finish(&s.code), JF_E_NOSPACE);
	cr_assert_eq(s.code.row_count, 1);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static void check_row(const struct sink *s, size_t i, uint32_t off, unsigned int reg, int32_t cfa_off, uint32_t saved,
		      unsigned int flags)
{
	const struct jf_row *row = &s->rows[i];

	cr_assert_gt(s->code.row_count, i);
	cr_assert_eq(row->code_off, off, "row %zu: code_off %u, not %u", i, row->code_off, off);
	cr_assert_eq(row->cfa_reg, reg, "row %zu: cfa_reg %u, not %u", i, row->cfa_reg, reg);
	cr_assert_eq(row->cfa_off, cfa_off, "row %zu: cfa_off %d, not %d", i, row->cfa_off, cfa_off);
	cr_assert_eq(row->saved, saved, "row %zu: saved %x, not %x", i, row->saved, saved);
	cr_assert_eq(row->flags, flags, "row %zu: flags %x, not %x", i, row->flags, flags);
}

Test(code, a_change_holds_from_the_next_instruction_on)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "aa", 2);
	jf_code_cfa(&s.code, TOY_SP, 16);
	jf_code_put(&s.code, "bbbb", 4);
	jf_code_saved(&s.code, 3);
	jf_code_put(&s.code, "c", 1);
	jf_code_restored(&s.code, 3);
	jf_code_row_flags(&s.code, JF_ROW_RA_SIGNED | JF_ROW_REGS_LOST, 0);
	jf_code_put(&s.code, "d", 1);
	jf_code_row_flags(&s.code, 0, JF_ROW_REGS_LOST);
	jf_code_put(&s.code, "e", 1);
	cr_assert_eq(s.code.row_count, 5);
	check_row(&s, 0, 0, TOY_SP, 0, 0, 0);
	check_row(&s, 1, 2, TOY_SP, 16, 0, 0);
	check_row(&s, 2, 6, TOY_SP, 16, 8, 0);
	check_row(&s, 3, 7, TOY_SP, 16, 0, JF_ROW_RA_SIGNED | JF_ROW_REGS_LOST);
	check_row(&s, 4, 8, TOY_SP, 16, 0, JF_ROW_RA_SIGNED);
}

Test(code, several_changes_behind_one_instruction_are_one_row)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "a", 1);
	jf_code_cfa(&s.code, TOY_SP, 16);
	jf_code_saved(&s.code, 0);
	jf_code_saved(&s.code, 31);
	jf_code_cfa(&s.code, TOY_FP, 8);
	jf_code_put(&s.code, "b", 1);
	cr_assert_eq(s.code.row_count, 2);
	check_row(&s, 1, 1, TOY_FP, 8, UINT32_C(0x80000001), 0);
}

Test(code, a_state_that_is_the_same_again_is_no_row)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "a", 1);
	jf_code_cfa(&s.code, TOY_SP, 16);
	jf_code_cfa(&s.code, TOY_SP, 0);
	jf_code_put(&s.code, "b", 1);
	jf_code_saved(&s.code, 2);
	jf_code_restored(&s.code, 2);
	jf_code_put(&s.code, "c", 1);
	cr_assert_eq(s.code.row_count, 1);
}

Test(code, the_last_change_without_an_instruction_is_no_row)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "a", 1);
	jf_code_cfa(&s.code, TOY_SP, 16);
	cr_assert_eq(s.code.row_count, 1);
	cr_assert_eq(jf_code_state(&s.code).cfa_off, 16);
}

Test(code, never_writes_past_the_row_capacity)
{
	for (size_t capacity = 0; capacity < ROWS; capacity++) {
		struct sink s;

		sink_init(&s, BYTES, capacity);
		for (int i = 0; i < 12; i++) {
			jf_code_put(&s.code, "a", 1);
			jf_code_cfa(&s.code, TOY_SP, 8 + i);
		}
		check_walls(&s, 12, capacity);
		CHECK_STATUS(jf_code_finish(&s.code), JF_E_NOSPACE, "%zu rows", capacity);
		CHECK(s.code.row_count == capacity, "%zu rows of %zu", s.code.row_count, capacity);
		/* The instruction whose row has no room must not be there either. */
		CHECK(s.code.size == capacity, "%zu bytes with %zu rows", s.code.size, capacity);
	}
}

Test(code, rows_that_are_not_wanted_cost_nothing)
{
	struct jf_code code;
	uint8_t bytes[4];

	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	jf_code_begin(&code, &frame, TOY_SP, 0, 0);
	for (int i = 0; i < 4; i++) {
		jf_code_put(&code, "a", 1);
		jf_code_cfa(&code, TOY_SP, 8 + i);
	}
	cr_assert_eq(jf_code_finish(&code), JF_OK);
	cr_assert_eq(code.row_count, 0);
	cr_assert_eq(jf_code_state(&code).cfa_off, 11);
}

Test(code, state_can_be_kept_around_an_exit)
{
	struct sink s;
	struct jf_row body;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "a", 1);
	jf_code_cfa(&s.code, TOY_FP, 24);
	jf_code_saved(&s.code, 1);
	jf_code_put(&s.code, "b", 1);
	body = jf_code_state(&s.code);
	jf_code_restored(&s.code, 1);
	jf_code_cfa(&s.code, TOY_SP, 0);
	jf_code_put(&s.code, "c", 1);
	jf_code_set_state(&s.code, body);
	jf_code_put(&s.code, "d", 1);
	cr_assert_eq(s.code.row_count, 4);
	check_row(&s, 1, 1, TOY_FP, 24, 2, 0);
	check_row(&s, 2, 2, TOY_SP, 0, 0, 0);
	check_row(&s, 3, 3, TOY_FP, 24, 2, 0);
}

Test(code, a_second_function_starts_over)
{
	struct sink s;

	sink_init(&s, BYTES, ROWS);
	jf_code_put(&s.code, "aaa", 3);
	jf_code_mark(&s.code, JF_MARK_BODY);
	jf_code_cfa(&s.code, TOY_FP, 24);
	cr_assert_eq(s.code.marks[JF_MARK_BODY], 3);
	jf_code_begin(&s.code, &frame, TOY_SP, 0, 4);
	cr_assert_eq(s.code.marks[JF_MARK_BODY], JF_MARK_UNSET);
	cr_assert_eq(s.code.start, 3);
	jf_code_put(&s.code, "b", 1);
	jf_code_mark(&s.code, JF_MARK_EPILOGUE);
	cr_assert_eq(s.code.marks[JF_MARK_EPILOGUE], 1);
	cr_assert_eq(s.code.row_start, 1);
	cr_assert_eq(s.code.row_count, 2);
	check_row(&s, 1, 0, TOY_SP, 0, 4, 0);
	/* Rows are not shared between functions, however alike. */
	jf_code_begin(&s.code, &frame, TOY_SP, 0, 4);
	jf_code_put(&s.code, "c", 1);
	cr_assert_eq(s.code.row_count, 3);
}
