/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <string.h>

#define CODE UINT64_C(0xffffffff81234560)

Test(orc_write, the_writer_writes_one_entry_per_change)
{
	const struct jf_orc_format *format = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	const struct jf_orc_entry none = {0}, a = {.type = JF_ORC_CALL, .sp_reg = 3, .sp_off = 8};
	const struct jf_orc_entry b = {.type = JF_ORC_CALL, .sp_reg = 3, .sp_off = 16};
	uint8_t entries[3 * 6], ips[3 * 4];
	struct jf_orc_writer w;

	cr_assert_eq(jf_orc_writer_init(&w, format, entries, ips, 3, TABLE_ADDRESS), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE, &none), JF_OK);
	cr_assert_eq(w.count, 0, "nothing is known before the first entry anyhow");
	cr_assert_eq(jf_orc_write(&w, CODE + 4, &a), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE + 8, &a), JF_OK);
	cr_assert_eq(w.count, 1);
	cr_assert_eq(jf_orc_write(&w, CODE + 12, &none), JF_OK);
	cr_assert_eq(w.count, 2);
	cr_assert_eq(jf_orc_write(&w, CODE + 12, &b), JF_OK);
	cr_assert_eq(w.count, 2, "what follows at once takes the terminator's place");
	cr_assert_eq(jf_orc_write(&w, CODE + 16, &none), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE + 16, &b), JF_OK);
	cr_assert_eq(w.count, 2, "and says what was said before");
	cr_assert_eq(jf_orc_write(&w, CODE + 15, &a), JF_E_INVAL);
	cr_assert_eq(jf_orc_write(&w, CODE + 20, &none), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE + 24, &a), JF_E_NOSPACE);
	cr_assert_eq(w.count, 3);
	cr_assert_eq(jf_orc_write(&w, CODE + 20, &a), JF_OK);
	cr_assert_eq(jf_orc_writer_init(&w, format, entries, ips, 3, CODE + (UINT64_C(1) << 31)), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE, &a), JF_OK);
	cr_assert_eq(jf_orc_write(&w, CODE + 1, &b), JF_E_RANGE);
	cr_assert_eq(jf_orc_write(&w, CODE + 8, &b), JF_OK);
	cr_assert_eq(jf_orc_writer_init(&w, NULL, entries, ips, 3, 0), JF_E_INVAL);
	cr_assert_eq(jf_orc_writer_init(&w, format, NULL, ips, 3, 0), JF_E_INVAL);
}

Test(orc_write, rows_are_written_all_or_none)
{
	const struct jf_orc_format *format = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	uint8_t sp = format->backend->sp;
	struct jf_slot slots[1] = {{.reg = format->backend->ra, .off_from_cfa = -8}};
	struct jf_row good[2] = {{.cfa_reg = sp, .cfa_off = 8, .saved = 1},
				 {.code_off = 4, .cfa_reg = sp, .cfa_off = 16, .saved = 1}};
	struct jf_row bad[2] = {good[0], {.code_off = 4, .cfa_reg = 2, .cfa_off = 16, .saved = 1}};
	uint8_t entries[8 * 6], ips[8 * 4], before[sizeof(entries)];
	struct jf_error error = {0};
	struct jf_orc_writer w, old;

	cr_assert_eq(jf_orc_writer_init(&w, format, entries, ips, 5, TABLE_ADDRESS), JF_OK);
	cr_assert_eq(jf_orc_write_rows(&w, CODE, CODE + 32, good, 2, slots, 1, &error), JF_OK);
	cr_assert_eq(w.count, 3);
	old = w;
	memcpy(before, entries, sizeof(before));
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 32, CODE + 64, bad, 2, slots, 1, &error), JF_E_UNSUPPORTED);
	cr_assert_str_eq(error.where, "row 1");
	cr_assert_str_eq(error.text, "code offset 4: the CFA is rdx+16, and ORC has no such offset");
	cr_assert_eq(memcmp(&w, &old, sizeof(w)), 0);
	cr_assert_arr_eq(entries, before, 3 * 6);
	bad[1] = (struct jf_row){.code_off = 32, .cfa_reg = sp, .cfa_off = 8, .saved = 1};
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 32, CODE + 64, bad, 2, slots, 1, &error), JF_E_INVAL);
	bad[1].code_off = 0;
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 32, CODE + 64, bad, 2, slots, 1, &error), JF_E_INVAL);
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 32, CODE + 32, good, 2, slots, 1, &error), JF_E_INVAL);
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 31, CODE + 64, good, 2, slots, 1, &error), JF_E_INVAL);
	cr_assert_str_eq(error.where, "row 0");
	cr_assert_eq(memcmp(&w, &old, sizeof(w)), 0);
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 32, CODE + 64, good, 2, slots, 1, &error), JF_OK);
	cr_assert_eq(w.count, 5);
	cr_assert_eq(jf_orc_write_rows(&w, CODE + 96, CODE + 128, good, 2, slots, 1, &error), JF_E_NOSPACE);
	cr_assert_eq(w.count, 5);
}
