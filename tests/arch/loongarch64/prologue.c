/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate.h"

/* The code of prologues, epilogues and tail exits is in tests/golden. */

Test(prologue_loongarch64, tables)
{
	uint8_t unsaved[JF_REGS_MAX];
	struct jf_error error;

	cr_assert_eq(jf_backend_check(&jf_loongarch64_backend, &error), JF_OK, "%s", error.text);
	for (unsigned int i = 0; i < LA_REG_COUNT; i++)
		cr_expect_eq(jf_loongarch64_regs[i].id, i);
	/* R3: complete in user; the patch leaves s7, s8 and, as the kernel may, fs0..fs7. */
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/user"), unsaved, sizeof(unsaved)), 0);
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/linux"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(jf_convention_unsaved(la_convention("loongarch64/linux-v2"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(unsaved[0], LA_S7);
	cr_expect_eq(unsaved[1], LA_S8);
	cr_expect_eq(unsaved[2], LA_FS0);
}
