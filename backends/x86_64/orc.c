/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_64.h"

#include <jitframe/orc.h>

/*
 * Entries of 6 bytes:
 *
 *     0  sp_offset (s16)
 *     2  bp_offset (s16)
 *     4  flags (u16): bits 0-3 sp_reg, 4-7 bp_reg, 8-10 type, 11 signal
 *
 * The return address is where the call pushed it, at CFA-8. R10 and R13 hold the CFA in functions that
 * realign their stack, AX, DX and DI in a few lines of assembler.
 *
 * The register codes were given new numbers between Linux 7.0 and 7.2, soon after AX had been added with the
 * old ones. Before 6.4 the flags were others, and there was no .orc_header.
 */
static const uint8_t linux_7_headers[][JF_ORC_HEADER_BYTES] = {
	{0x13, 0x7c, 0x36, 0xad, 0x76, 0x27, 0xc4, 0xdd, 0x55, 0x93,
	 0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd, 0x50, 0x41, 0xfc, 0x82},
};

static const uint8_t linux_6_4_headers[][JF_ORC_HEADER_BYTES] = {
	{0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9,
	 0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24},
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
/* What both have in common. */
#define LAYOUT                                                                           \
	.size = sizeof(struct jf_orc_format),                                            \
	.backend = &jf_x86_64_backend,                                                   \
	.entry_bytes = 6,                                                                \
	.sp_off_at = 0, .fp_off_at = 2, .ra_off_at = JF_ORC_NO_FIELD,                    \
	.flags_at = 4,                                                                   \
	.sp_reg_bit = 0, .fp_reg_bit = 4, .ra_reg_bit = JF_ORC_NO_FIELD,                 \
	.type_bit = 8,                                                                   \
	.signal_bit = 11,                                                                \
	.ra_off_from_cfa = -8,                                                           \
	.ip_reloc = 2, /* R_X86_64_PC32 */                                               \
	/* pt_regs: r15 is at 0, ss at 160; the processor pushes ss, rsp, flags, cs, rip, the last five */ \
	.regs = {128, 152, 32, JF_ORC_NO_OFF, 136, 3, true},                             \
	.regs_partial = {0, 24, JF_ORC_NO_OFF, JF_ORC_NO_OFF, 8, 3, true},               \
	.saved_regs = {{RAX, 80}, {RDX, 96}, {RDI, 112}, {R10, 56}, {R13, 16}},          \
	.saved_reg_count = 5,                                                            \
	.fp_name = "bp",                                                                 \
	.unknown_code = "?",                                                             \
	.type_names = {"(und)", "end", "call", "regs", "regs (partial)"}

/*                     CFA               bp saved         register, no offset shown, text */
/* clang-format off */
#define UNDEFINED   {JF_ORC_INVALID,   JF_ORC_KEPT,     JF_REG_NONE, true, "(und)", NULL}
#define PREV_SP     {JF_ORC_INVALID,   JF_ORC_AT_CFA,   JF_REG_NONE, false, "prevsp", NULL}
#define AX          {JF_ORC_REG,       JF_ORC_INVALID,  RAX, false, "ax", NULL}
#define DX          {JF_ORC_REG,       JF_ORC_INVALID,  RDX, false, "dx", NULL}
#define DI          {JF_ORC_REG,       JF_ORC_INVALID,  RDI, false, "di", NULL}
#define REG_10      {JF_ORC_REG,       JF_ORC_INVALID,  R10, false, "r10", NULL}
#define REG_13      {JF_ORC_REG,       JF_ORC_INVALID,  R13, false, "r13", NULL}
#define SP          {JF_ORC_SUM,       JF_ORC_INVALID,  RSP, false, "sp", NULL}
#define BP          {JF_ORC_SUM,       JF_ORC_LOAD_SUM, RBP, false, "bp", NULL}
#define SP_INDIRECT {JF_ORC_LOAD_PLUS, JF_ORC_INVALID,  RSP, false, "(sp)", NULL}
#define BP_INDIRECT {JF_ORC_LOAD_SUM,  JF_ORC_INVALID,  RBP, false, "(bp", ")"}
/* clang-format on */

static const struct jf_orc_format linux_6_4 = {
	LAYOUT,
	.name = "linux-6.4",
	.codes =
		{
			UNDEFINED,
			PREV_SP,
			DX,
			DI,
			BP,
			SP,
			REG_10,
			REG_13,
			BP_INDIRECT,
			SP_INDIRECT,
			AX,
		},
	.headers = linux_6_4_headers,
	.header_count = LEN(linux_6_4_headers),
};

const struct jf_orc_format jf_x86_64_orc = {
	LAYOUT,
	.name = "linux-7",
	.older = &linux_6_4,
	.codes =
		{
			UNDEFINED,
			AX,
			DX,
			SP,
			BP,
			DI,
			REG_10,
			REG_13,
			PREV_SP,
			SP_INDIRECT,
			BP_INDIRECT,
		},
	.headers = linux_7_headers,
	.header_count = LEN(linux_7_headers),
};
/* clang-format on */
