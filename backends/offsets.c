/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of the C headers that native.S needs. This file is compiled for the target and never runs: offsets.py reads the
 * facts in the object and writes them as #defines to offsets.h. The values are decimal digits, so that byte order
 * does not matter.
 */
#include <stddef.h>

#include <jitframe/throw.h>

#define DIGIT(value, unit) '0' + (value) / (unit) % 10
/* clang-format off */
#define FACT(name, value) {"=> " #name, {DIGIT(value, 1000), DIGIT(value, 100), DIGIT(value, 10), DIGIT(value, 1)}}
/* clang-format on */

extern const struct fact {
	char name[28];
	char digits[4];
} jf_offsets[];

const struct fact jf_offsets[] = {
	FACT(REG_BYTES, sizeof(((struct jf_regs *)0)->value[0])),
	FACT(REGS_BYTES, sizeof(struct jf_regs)),
	FACT(SITE_CALLBACK, offsetof(struct jf_landing_site, callback)),
	FACT(SITE_COOKIE, offsetof(struct jf_landing_site, cookie)),
	FACT(SITE_SP, offsetof(struct jf_landing_site, sp)),
	FACT(SITE_FP, offsetof(struct jf_landing_site, fp)),
	FACT(SITE_BYTES, sizeof(struct jf_landing_site)),
	FACT(PAD_CALL_COOKIE, offsetof(struct jf_pad_call, cookie)),
	FACT(PAD_CALL_CFA, offsetof(struct jf_pad_call, cfa)),
	FACT(PAD_CALL_BYTES, sizeof(struct jf_pad_call)),
	FACT(TAIL_CALLS_MAX, JF_TAIL_CALLS_MAX),
	FACT(CAUGHT, JF_CAUGHT),
};
_Static_assert(offsetof(struct jf_pad_call, kept) == 0, "the stub stores registers at its SP");
_Static_assert(sizeof(struct jf_regs) < 10000 && sizeof(struct jf_landing_site) < 10000, "more digits than there are");
