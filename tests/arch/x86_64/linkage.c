/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"

/* The expression that linkage tables have for their CFA. */

static const struct jf_backend *x86;

static void set_up(void)
{
	x86 = jf_backend_find("x86_64");
}

TestSuite(linkage_x86_64, .init = set_up);

/* rsp + 8 + ((rip & 15) >= 11) << 3, as GNU ld and lld write it. */
static const unsigned char linkage[] = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};

static struct jf_cfi_table *table_of(const unsigned char *expression, uint8_t count, uint32_t bytes)
{
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table = NULL;

	cie_usual(&b, x86);
	fde_begin(&b, 0, CODE, bytes);
	put(&b, 0x40 | 16, 1); /* advance: the first entry has another form */
	put(&b, 0x0f, 1);      /* def_cfa_expression */
	put(&b, count, 1);
	put_bytes(&b, expression, count);
	entry_end(&b);
	cr_assert_eq(convert(x86, &b, &table, NULL), JF_OK);
	return table;
}

Test(linkage_x86_64, an_expression)
{
	struct jf_cfi_table *table = table_of(linkage, sizeof(linkage), 16 + 5 * 16 + 3);
	const struct jf_cfi_function *function = jf_cfi_table_at(table, 0);

	for (uint32_t off = 0; off < 16 + 5 * 16 + 3; off++) {
		const struct jf_row *row = jf_row_find(function->rows, function->row_count, off);
		int32_t wanted = off >= 16 && off % 16 >= 11 ? 16 : 8;

		cr_assert(row->flags == 0 && row->cfa_reg == x86->sp && row->cfa_off == wanted, "%u: %d", off,
			  row->cfa_off);
		cr_assert_eq(row->saved, 1u);
	}
	cr_assert_eq(function->row_count, 1 + 5 * 2);
	cr_assert_eq(jf_cfi_table_counts(table)->unknown[JF_CFI_CFA_EXPRESSION], 0);
	jf_cfi_table_free(table);
}

/* Any other byte anywhere makes it another expression, or another table. */
Test(linkage_x86_64, other_expressions)
{
	for (unsigned int at = 0; at < sizeof(linkage); at++) {
		for (unsigned int value = 0; value < 256; value++) {
			unsigned char bytes[sizeof(linkage)];
			struct jf_cfi_table *table;
			const struct jf_cfi_function *function;
			const struct jf_row *row;

			memcpy(bytes, linkage, sizeof(bytes));
			bytes[at] = (unsigned char)value;
			table = table_of(bytes, sizeof(bytes), 64);
			function = jf_cfi_table_at(table, 0);
			row = jf_row_find(function->rows, function->row_count, 27);
			if (row->flags & JF_ROW_UNKNOWN || value == linkage[at])
				cr_assert(value != linkage[at] || row->cfa_off == 16);
			else /* another register, offset, mask, limit or shift */
				cr_assert(at == 0 || at == 1 || at == 4 || at == 6 || at == 8, "%u: %#x", at, value);
			jf_cfi_table_free(table);
		}
	}
	for (uint8_t count = 0; count < sizeof(linkage); count++) {
		struct jf_cfi_table *table = table_of(linkage, count, 64);

		cr_assert(jf_cfi_table_at(table, 0)->rows[1].flags & JF_ROW_UNKNOWN, "%u bytes", count);
		jf_cfi_table_free(table);
	}
}

/* A function of gigabytes does not make as many rows. */
Test(linkage_x86_64, too_large)
{
	struct jf_cfi_table *table = table_of(linkage, sizeof(linkage), 0x7fffff00);

	cr_assert_eq(jf_cfi_table_at(table, 0)->row_count, 2);
	cr_assert(jf_cfi_table_at(table, 0)->rows[1].flags & JF_ROW_UNKNOWN);
	jf_cfi_table_free(table);
}
