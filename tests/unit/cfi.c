/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"

#include <inttypes.h>

/* Sections by hand: every instruction, what rows cannot say, what is refused and where. */

static const struct jf_backend *backend;
static uint8_t kept[4]; /* DWARF numbers of callee-saved integer registers, the frame pointer first */
static uint8_t kept_id[4];
static uint8_t scratch; /* of one that is not */

static void pick(void)
{
	unsigned int count = 1;

	backend = jf_backend_at(0);
	kept[0] = backend->regs[backend->fp].dw;
	kept_id[0] = backend->fp;
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const struct jf_reg *reg = &backend->regs[i];

		if (reg->flags & JF_REG_CALLEE_SAVED && reg->cls == JF_REG_INT && i != backend->fp && count < 4) {
			kept_id[count] = (uint8_t)i;
			kept[count++] = reg->dw;
		}
		if (!reg->flags && reg->cls == JF_REG_INT && i != backend->sp && i != backend->ra)
			scratch = reg->dw;
	}
}

TestSuite(cfi, .init = pick);

/* One function of 64 bytes with that program. */
static enum jf_status one(const unsigned char *program, size_t count, struct jf_cfi_table **table,
			  struct jf_error *error)
{
	struct bytes b = {.count = 0};

	cie_usual(&b, backend);
	fde_begin(&b, 0, CODE, 64);
	put_bytes(&b, program, count);
	entry_end(&b);
	put(&b, 0, 4);
	return convert(backend, &b, table, error);
}

/* Text of the row at code_off: "sp+8 -8:ra -16:fp", flags behind. */
static const char *row_text(const struct jf_cfi_function *function, uint32_t code_off)
{
	const struct jf_row *row = jf_row_find(function->rows, function->row_count, code_off);
	static char text[512];
	int used;

	if (!row)
		return "none";
	if (row->flags & JF_ROW_UNKNOWN)
		return "unknown";
	used = snprintf(text, sizeof(text), "%s%+d",
			row->cfa_reg == backend->sp ? "sp" :
			row->cfa_reg == backend->fp ? "fp" :
						      "?",
			row->cfa_off);
	for (unsigned int i = 0; i < function->slot_count; i++) {
		const struct jf_slot *slot = &function->slots[i];

		if (!(row->saved & UINT32_C(1) << i))
			continue;
		used += snprintf(text + used, sizeof(text) - (size_t)used, " %d:", slot->off_from_cfa);
		if (slot->reg == backend->ra)
			used += snprintf(text + used, sizeof(text) - (size_t)used, "ra");
		for (unsigned int k = 0; k < 4; k++)
			if (slot->reg == kept_id[k])
				used += snprintf(text + used, sizeof(text) - (size_t)used, "%u", k);
	}
	if (row->flags & JF_ROW_OUTERMOST)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " outermost");
	if (row->flags & JF_ROW_REGS_LOST)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " lost");
	if (row->flags & JF_ROW_RA_SIGNED)
		snprintf(text + used, sizeof(text) - (size_t)used, " signed");
	return text;
}

/* Converts a program whose first row is the CIE's and whose second begins at 4. */
static void check_after(const unsigned char *program, size_t count, const char *wanted, const char *what)
{
	unsigned char whole[128] = {0x40 | 4};
	struct jf_cfi_table *table;
	struct jf_error error = {0};
	const struct jf_cfi_function *function;

	memcpy(whole + 1, program, count);
	CHECK_STATUS(one(whole, count + 1, &table, &error), JF_OK, "%s: %s %s", what, error.where, error.text);
	function = jf_cfi_table_find(table, CODE + 63);
	cr_assert_not_null(function);
	cr_expect_str_eq(row_text(function, 3), "sp+8 -8:ra", "%s", what);
	cr_expect_str_eq(row_text(function, 4), wanted, "%s: %s, not %s", what, row_text(function, 4), wanted);
	jf_cfi_table_free(table);
}

#define AFTER(wanted, ...)                                                     \
	do {                                                                   \
		const unsigned char program_[] = {__VA_ARGS__};                \
		check_after(program_, sizeof(program_), wanted, #__VA_ARGS__); \
	} while (0)

Test(cfi, rules_of_the_cfa)
{
	AFTER("sp+16 -8:ra", 0x0e, 16);
	AFTER("fp+16 -8:ra", 0x0c, kept[0], 16);
	AFTER("fp+8 -8:ra", 0x0d, kept[0]);
	AFTER("fp-16 -8:ra", 0x12, kept[0], 2);
	AFTER("sp+24 -8:ra", 0x13, 0x7d);
	AFTER("unknown", 0x0f, 2, 0x77, 0);
	AFTER("sp+300 -8:ra", 0x0e, 0xac, 0x02);
	AFTER("unknown", 0x0e, 0xff, 0xff, 0xff, 0xff, 0x7f);
}

Test(cfi, rules_of_registers)
{
	AFTER("sp+8 -8:ra -16:0", 0x80 | kept[0], 2);
	AFTER("sp+8 -8:ra -16:1", 0x05, kept[1], 2);
	AFTER("sp+8 -8:ra 8:1", 0x11, kept[1], 0x7f);
	AFTER("sp+8 -8:ra 16:1", 0x2f, kept[1], 2);
	AFTER("sp+8 -8:ra", 0x80 | kept[0], 2, 0xc0 | kept[0]);
	AFTER("sp+8 -8:ra", 0x80 | kept[0], 2, 0x06, kept[0]);
	AFTER("sp+8 -8:ra", 0x80 | kept[0], 2, 0x08, kept[0]);
	AFTER("sp+8 -8:ra lost", 0x07, kept[0]);
	AFTER("sp+8 outermost", 0x07, backend->regs[backend->ra].dw);
	AFTER("unknown", 0x09, kept[0], kept[1]);
	AFTER("unknown", 0x10, kept[0], 1, 0x9c);
	AFTER("unknown", 0x16, kept[0], 1, 0x9c);
	AFTER("unknown", 0x14, kept[0], 1);
	AFTER("unknown", 0x15, kept[0], 1);
	AFTER("sp+8 -8:ra", 0x14, backend->regs[backend->sp].dw, 0);
	AFTER("unknown", 0x14, backend->regs[backend->sp].dw, 1);
	AFTER("unknown", 0x80 | backend->regs[backend->sp].dw, 3);
	AFTER("unknown", 0x09, backend->regs[backend->ra].dw, scratch);
	AFTER("unknown", 0x11, backend->regs[backend->ra].dw, 0x7f);
	AFTER("unknown", 0x80 | backend->regs[backend->ra].dw, 0);
	/* What no walk needs is nobody's loss. */
	AFTER("sp+8 -8:ra", 0x09, scratch, kept[0], 0x10, scratch, 1, 0x9c, 0x07, scratch);
	AFTER("sp+8 -8:ra", 0x05, 0xe3, 0x7f, 4, 0x10, 0xe3, 0x7f, 1, 0x9c);
	AFTER("sp+8 -8:ra", 0x2e, 16, 0x00);
}

Test(cfi, an_offset_that_no_row_can_say)
{
	AFTER("unknown", 0x05, kept[0], 0xff, 0xff, 0xff, 0xff, 0x0f);
	AFTER("unknown", 0x05, kept[0], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
	AFTER("sp+8 -8:ra", 0x05, kept[0], 0xff, 0xff, 0xff, 0xff, 0x0f, 0xc0 | kept[0]);
}

Test(cfi, places)
{
	static const struct {
		unsigned char bytes[10];
		size_t count;
		uint32_t at;
	} advances[] = {
		{{0x40 | 5}, 1, 5},
		{{0x02, 6}, 2, 6},
		{{0x03, 7, 0}, 3, 7},
		{{0x04, 8, 0, 0, 0}, 5, 8},
		{{0x1d, 9, 0, 0, 0, 0, 0, 0, 0}, 9, 9},
	};

	for (unsigned int i = 0; i < sizeof(advances) / sizeof(advances[0]); i++) {
		unsigned char program[16];
		struct jf_cfi_table *table;
		const struct jf_cfi_function *function;

		memcpy(program, advances[i].bytes, advances[i].count);
		memcpy(program + advances[i].count, "\x0e\x20", 2);
		CHECK_STATUS(one(program, advances[i].count + 2, &table, NULL), JF_OK, "%u", i);
		function = jf_cfi_table_at(table, 0);
		cr_assert_eq(function->row_count, 2);
		cr_assert_eq(function->rows[1].code_off, advances[i].at);
		jf_cfi_table_free(table);
	}
}

Test(cfi, remembered_states)
{
	/* 4: cfa 16, remember; 8: fp saved, cfa 32; 12: as at 4; 16: what does not change makes no row. */
	const unsigned char program[] = {0x44, 0x0e, 16,   0x0a, 0x44, 0x80 | kept[0], 2,
					 0x0e, 32,   0x44, 0x0b, 0x44, 0x0e,           16};
	struct jf_cfi_table *table;
	const struct jf_cfi_function *function;

	CHECK_STATUS(one(program, sizeof(program), &table, NULL), JF_OK, "remember");
	function = jf_cfi_table_at(table, 0);
	cr_assert_eq(function->row_count, 4);
	cr_expect_str_eq(row_text(function, 4), "sp+16 -8:ra");
	cr_expect_str_eq(row_text(function, 11), "sp+32 -8:ra -16:0");
	cr_expect_str_eq(row_text(function, 12), "sp+16 -8:ra");
	cr_assert_eq(function->rows[3].code_off, 12);
	jf_cfi_table_free(table);
}

/* One register at two offsets in turn: two slots. */
Test(cfi, two_slots_for_a_register)
{
	const unsigned char program[] = {0x44, 0x80 | kept[1], 2, 0x44, 0x80 | kept[1], 3};
	struct jf_cfi_table *table;
	const struct jf_cfi_function *function;

	CHECK_STATUS(one(program, sizeof(program), &table, NULL), JF_OK, "slots");
	function = jf_cfi_table_at(table, 0);
	cr_assert_eq(function->slot_count, 3);
	cr_expect_str_eq(row_text(function, 4), "sp+8 -8:ra -16:1");
	cr_expect_str_eq(row_text(function, 8), "sp+8 -8:ra -24:1");
	jf_cfi_table_free(table);
}

/* 33 slots: the last row goes without. */
Test(cfi, more_slots_than_a_row_has_bits)
{
	unsigned char program[128];
	size_t count = 0;
	struct jf_cfi_table *table;
	const struct jf_cfi_function *function;

	for (unsigned char i = 0; i < 32; i++) {
		program[count++] = 0x41;
		program[count++] = 0x80 | kept[1];
		program[count++] = 2 + i;
	}
	CHECK_STATUS(one(program, count, &table, NULL), JF_OK, "slots");
	function = jf_cfi_table_at(table, 0);
	cr_assert_eq(function->slot_count, 32);
	cr_expect_str_eq(row_text(function, 31), "sp+8 -8:ra -256:1");
	cr_expect_str_eq(row_text(function, 32), "unknown");
	cr_assert_eq(jf_cfi_table_counts(table)->unknown[JF_CFI_RANGE], 1);
	jf_cfi_table_free(table);
}

/* Where return addresses can be signed, the state turns over; elsewhere the number is not known. */
Test(cfi, signed_return_addresses)
{
	const unsigned char program[] = {0x44, 0x2d, 0x44, 0x2d, 0x44, 0x2c};

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		struct jf_cfi_table *table = NULL;
		enum jf_status status = one(program, sizeof(program), &table, NULL);

		if (!backend->strip_return) {
			cr_assert_eq(status, JF_E_BAD_IMAGE);
			continue;
		}
		cr_assert_eq(status, JF_OK);
		cr_expect_str_eq(row_text(jf_cfi_table_at(table, 0), 4), "sp+8 -8:ra signed");
		cr_expect_str_eq(row_text(jf_cfi_table_at(table, 0), 8), "sp+8 -8:ra");
		cr_expect_str_eq(row_text(jf_cfi_table_at(table, 0), 12), "sp+8 -8:ra signed");
		jf_cfi_table_free(table);
	}
}

Test(cfi, functions_in_order_of_their_addresses)
{
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table;

	cie_usual(&b, backend);
	fde_begin(&b, 0, CODE + 0x100, 0x20);
	entry_end(&b);
	fde_begin(&b, 0, CODE, 0x10);
	entry_end(&b);
	fde_begin(&b, 0, CODE + 0x80, 0); /* empty */
	entry_end(&b);
	fde_begin(&b, 0, CODE, 0x18); /* where another one starts */
	entry_end(&b);
	fde_begin(&b, 0, CODE + 0x10, 0x10);
	entry_end(&b);
	CHECK_STATUS(convert(backend, &b, &table, NULL), JF_OK, "no zero word at the end");
	cr_assert_eq(jf_cfi_table_counts(table)->functions, 3);
	cr_assert_eq(jf_cfi_table_counts(table)->functions_skipped, 2);
	cr_assert_eq(jf_cfi_table_at(table, 0)->end, CODE + 0x10);
	cr_assert_eq(jf_cfi_table_find(table, CODE + 0x10), jf_cfi_table_at(table, 1));
	cr_assert_eq(jf_cfi_table_find(table, CODE + 0x1f), jf_cfi_table_at(table, 1));
	cr_assert_eq(jf_cfi_table_find(table, CODE + 0x11f), jf_cfi_table_at(table, 2));
	cr_assert_null(jf_cfi_table_find(table, CODE - 1));
	cr_assert_null(jf_cfi_table_find(table, CODE + 0x20));
	cr_assert_null(jf_cfi_table_find(table, CODE + 0x120));
	cr_assert_null(jf_cfi_table_at(table, 3));
	cr_assert_str_eq(jf_cfi_table_name(table), "by hand");
	/* Alike but for their places: one list of rows for all. */
	cr_assert_eq(jf_cfi_table_at(table, 0)->rows, jf_cfi_table_at(table, 2)->rows);
	cr_assert_eq(jf_cfi_table_at(table, 0)->slots, jf_cfi_table_at(table, 2)->slots);
	jf_cfi_table_free(table);
}

Test(cfi, augmentations)
{
	static const struct {
		const char *letters;
		unsigned char data[12];
		size_t count;
		enum jf_status status;
		uint8_t flags;
	} cases[] = {
		{"zPLR", {11, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x1b, 0x1b}, 12, JF_OK, 0},
		{"zPLR", {7, 0x9b, 1, 2, 3, 4, 0x1b, 0x1b}, 8, JF_OK, 0},
		{"zRS", {1, 0x1b}, 2, JF_OK, JF_CFI_SIGNAL},
		{"zRBG", {1, 0x1b}, 2, JF_OK, 0},
		{"zRX", {1, 0x1b}, 2, JF_E_UNSUPPORTED, 0},
		{"eh", {0}, 1, JF_E_UNSUPPORTED, 0},
		{"zR", {1, 0x2b}, 2, JF_E_UNSUPPORTED, 0},
		{"zR", {1, 0x9b}, 2, JF_E_UNSUPPORTED, 0},
		{"zR", {1, 0xff}, 2, JF_E_UNSUPPORTED, 0},
		{"zR", {0}, 1, JF_E_BAD_IMAGE, 0},
		{"zPR", {2, 0x1b, 0x1b}, 3, JF_E_BAD_IMAGE, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {.count = 0};
		struct jf_cfi_table *table;
		struct jf_error error;

		cie_begin(&b, cases[i].letters, backend->regs[backend->ra].dw);
		put_bytes(&b, cases[i].data, cases[i].count);
		entry_end(&b);
		fde_begin(&b, 0, CODE, 64);
		entry_end(&b);
		CHECK_STATUS(convert(backend, &b, &table, &error), cases[i].status, "%s", cases[i].letters);
		if (cases[i].status != JF_OK)
			continue;
		cr_assert_eq(jf_cfi_table_at(table, 0)->start, CODE, "%s", cases[i].letters);
		cr_assert_eq(jf_cfi_table_at(table, 0)->flags, cases[i].flags);
		jf_cfi_table_free(table);
	}
}

/* What is wrong, and the offset where. */
static void check_refused(const unsigned char *program, size_t count, enum jf_status status, size_t at)
{
	struct jf_cfi_table *table = NULL;
	struct jf_error error = {0};
	char where[64];

	CHECK_STATUS(one(program, count, &table, &error), status, "%zu", at);
	cr_assert_null(table);
	snprintf(where, sizeof(where), ".eh_frame+0x%zx", 0x18 + 17 + at);
	cr_assert_str_eq(error.where, where);
	cr_assert_eq(error.status, status);
}

#define REFUSED(status, at, ...)                                       \
	do {                                                           \
		const unsigned char program_[] = {__VA_ARGS__};        \
		check_refused(program_, sizeof(program_), status, at); \
	} while (0)

Test(cfi, refused_programs)
{
	REFUSED(JF_E_BAD_IMAGE, 0, 0x0b, 0, 0);
	REFUSED(JF_E_BAD_IMAGE, 1, 0x44, 0x3f, 0);
	REFUSED(JF_E_BAD_IMAGE, 2, 0x44, 0x00, 0x04);
	REFUSED(JF_E_BAD_IMAGE, 0, 0x0f, 0x70, 0);
	REFUSED(JF_E_UNSUPPORTED, 16, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a,
		0x0a, 0x0a, 0x0a, 0x0a, 0, 0);
	REFUSED(JF_E_BAD_IMAGE, 0, 0x0e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
}
