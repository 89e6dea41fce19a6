/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

#include <jitframe/orc.h>

/*
 * Entries of 8 bytes:
 *
 *     0  sp_offset (s16)
 *     2  fp_offset (s16)
 *     4  ra_offset (s16)
 *     6  flags (u16): bits 0-3 sp_reg, 4-7 fp_reg, 8-11 ra_reg, 12-14 type, 15 signal
 *
 * With sp_reg FP the kernel's unwinder takes fp for the CFA and adds no offset, whatever the table says. A
 * return address that was never stored is still in ra.
 */

/* .orc_header of Linux 6.12 and 7.2. */
static const uint8_t headers[][JF_ORC_HEADER_BYTES] = {
	{0xd9, 0xf4, 0x5a, 0xaf, 0xc6, 0xd2, 0xa2, 0x88, 0x9d, 0x60,
	 0x1e, 0xc9, 0xe3, 0xfe, 0x10, 0x92, 0xda, 0xc2, 0x49, 0xdc},
};

/* clang-format off */
const struct jf_orc_format jf_loongarch64_orc = {
	.size = sizeof(struct jf_orc_format),
	.name = "linux-6.9",
	.backend = &jf_loongarch64_backend,
	.entry_bytes = 8,
	.sp_off_at = 0, .fp_off_at = 2, .ra_off_at = 4,
	.flags_at = 6,
	.sp_reg_bit = 0, .fp_reg_bit = 4, .ra_reg_bit = 8,
	.type_bit = 12,
	.signal_bit = 15,
	.dump_off_width = 3,
	.ip_reloc = 99, /* R_LARCH_32_PCREL */
	.call_bytes = 4,
	/* pt_regs: registers by number, the old a0, era, badvaddr, crmd, prmd with the old privilege level */
	.regs = {264, 24, 176, 8, 288, 3, true},
	.fp_name = "fp",
	.unknown_code = "? + ",
	.type_names = {NULL, NULL, "call", "regs", "regs (partial)"}, /* objtool has no word for "end" here */
	.codes = {
		/* code    CFA             fp, ra saved   register, no offset shown, text */
		[0] = {JF_ORC_INVALID, JF_ORC_KEPT,    JF_REG_NONE, true, " (und) ", NULL},
		[1] = {JF_ORC_INVALID, JF_ORC_AT_CFA,  JF_REG_NONE, false, "prevsp + ", NULL},
		[2] = {JF_ORC_SUM,     JF_ORC_INVALID, LA_SP, false, "sp + ", NULL},
		[3] = {JF_ORC_REG,     JF_ORC_INVALID, LA_FP, false, "fp + ", NULL},
	},
	.headers = headers,
	.header_count = sizeof(headers) / sizeof(headers[0]),
};
/* clang-format on */
