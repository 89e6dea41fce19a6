/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/*
 * All A64 instructions, in the order of Arm ARM, "A64 instruction set encoding"; each comment names its
 * table. Extensions that frames do not depend on (Advanced SIMD, SVE, SME, memory tagging, memory copies,
 * 128-bit system registers) have their places alone, under a name in place of their instructions'.
 */

/* Masks: everything but the fields named; sf stands for bit 31. */
#define ALL      0xffffffff
#define SF_M8    0x7f800000 /* sf, and 23 bits of fields */
#define SF_M8_21 0x7f200000 /* sf, 23:22 and 21 bits */
#define SF_RRR   0x7fe0fc00 /* sf, Rm, Rn, Rd */
#define X_RRR    0xffe0fc00
#define SF_RR    0x7ffffc00
#define X_RR     0xfffffc00
#define R5       0xffffffe0 /* Rt or Rd */

/* clang-format off */
static const struct jf_decode_row reserved[] = {
	{0xffff0000, 0x00000000, "udf", F_TRAP, 0, 0},
	{0x80000000, 0x80000000, "sme", F_UNKNOWN, 0, 0},
};

static const struct jf_decode_row sve[] = {
	{0x00000000, 0x00000000, "sve", F_UNKNOWN, 0, 0},
};

static const struct jf_decode_row immediates[] = {
	/* PC-rel. addressing */
	{0x9f000000, 0x10000000, "adr", F_ADR, 0, 0},
	{0x9f000000, 0x90000000, "adrp", F_ADRP, 0, 0},
	/* Add/subtract (immediate), with tags; min/max (immediate) */
	{SF_M8, 0x11000000, "add", F_ADDSUB_IMM, JF_STEP_ADD, 0},
	{SF_M8, 0x31000000, "adds", F_ADDSUB_IMM, JF_STEP_ADD, 0},
	{SF_M8, 0x51000000, "sub", F_ADDSUB_IMM, JF_STEP_SUB, 0},
	{SF_M8, 0x71000000, "subs", F_ADDSUB_IMM, JF_STEP_SUB, 0},
	{0xffc0c000, 0x91800000, "addg", F_KILL_SP, 0, 0},
	{0xffc0c000, 0xd1800000, "subg", F_KILL_SP, 0, 0},
	{0x7ffc0000, 0x11c00000, "smax", F_KILL, 0, 0},
	{0x7ffc0000, 0x11c40000, "umax", F_KILL, 0, 0},
	{0x7ffc0000, 0x11c80000, "smin", F_KILL, 0, 0},
	{0x7ffc0000, 0x11cc0000, "umin", F_KILL, 0, 0},
	/* Logical (immediate) */
	{SF_M8, 0x12000000, "and", F_LOGICAL_IMM, JF_STEP_AND, 0},
	{SF_M8, 0x32000000, "orr", F_LOGICAL_IMM, JF_STEP_OR, 0},
	{SF_M8, 0x52000000, "eor", F_LOGICAL_IMM, JF_STEP_XOR, 0},
	{SF_M8, 0x72000000, "ands", F_LOGICAL_IMM, JF_STEP_AND, 0},
	/* Move wide (immediate) */
	{SF_M8, 0x12800000, "movn", F_MOVN, 0, 0},
	{SF_M8, 0x52800000, "movz", F_MOVZ, 0, 0},
	{SF_M8, 0x72800000, "movk", F_MOVK, 0, 0},
	/* Bitfield, extract */
	{SF_M8, 0x13000000, "sbfm", F_BITFIELD, JF_STEP_SAR, 0},
	{SF_M8, 0x33000000, "bfm", F_BFM, 0, 0},
	{SF_M8, 0x53000000, "ubfm", F_BITFIELD, JF_STEP_SHR, 0},
	{0x7fa00000, 0x13800000, "extr", F_EXTR, 0, 0},
	/* Data-processing (1 source immediate) */
	{0xffe0001f, 0xf380001f, "autiasppc", F_AUTH, 0, 0},
	{0xffe0001f, 0xf3a0001f, "autibsppc", F_AUTH, 0, 0},
};

/* One hint's word. */
#define HINT(n) (0xd503201f | (n) << 5)

static const struct jf_decode_row branches[] = {
	/* Conditional branch (immediate) */
	{0xff000010, 0x54000000, "b.cond", F_BRANCH19, 0, 0},
	{0xff000010, 0x54000010, "bc.cond", F_BRANCH19, 0, 0},
	{0xffe0001f, 0x5500001f, "retaasppc", F_RETA, 0, 0},
	{0xffe0001f, 0x5520001f, "retabsppc", F_RETA, 0, 0},
	/* Exception generation */
	{0xffe0001f, 0xd4000001, "svc", F_SYSTEM, 0, 0},
	{0xffe0001f, 0xd4000002, "hvc", F_SYSTEM, 0, 0},
	{0xffe0001f, 0xd4000003, "smc", F_SYSTEM, 0, 0},
	{0xffe0001f, 0xd4200000, "brk", F_TRAP, 0, 0},
	{0xffe0001f, 0xd4400000, "hlt", F_TRAP, 0, 0},
	{0xffe0001f, 0xd4600000, "tcancel", F_UNKNOWN, 0, 0},
	{0xffe0001f, 0xd4a00001, "dcps1", F_TRAP, 0, 0},
	{0xffe0001f, 0xd4a00002, "dcps2", F_TRAP, 0, 0},
	{0xffe0001f, 0xd4a00003, "dcps3", F_TRAP, 0, 0},
	/* Hints: of those that are not allocated, nothing happens */
	{R5, 0xd5031000, "wfet", F_NOP, 0, 0},
	{R5, 0xd5031020, "wfit", F_NOP, 0, 0},
	{ALL, HINT(0), "nop", F_NOP, 0, 0},
	{ALL, HINT(1), "yield", F_NOP, 0, 0},
	{ALL, HINT(2), "wfe", F_NOP, 0, 0},
	{ALL, HINT(3), "wfi", F_NOP, 0, 0},
	{ALL, HINT(4), "sev", F_NOP, 0, 0},
	{ALL, HINT(5), "sevl", F_NOP, 0, 0},
	{ALL, HINT(6), "dgh", F_NOP, 0, 0},
	{ALL, HINT(7), "xpaclri", F_AUTH, 0, 0},
	{ALL, HINT(8), "pacia1716", F_KILL_X17, 0, 0},
	{ALL, HINT(10), "pacib1716", F_KILL_X17, 0, 0},
	{ALL, HINT(12), "autia1716", F_KILL_X17, 0, 0},
	{ALL, HINT(14), "autib1716", F_KILL_X17, 0, 0},
	{ALL, HINT(16), "esb", F_NOP, 0, 0},
	{ALL, HINT(17), "psb", F_NOP, 0, 0},
	{ALL, HINT(18), "tsb", F_NOP, 0, 0},
	{ALL, HINT(19), "gcsb", F_NOP, 0, 0},
	{ALL, HINT(20), "csdb", F_NOP, 0, 0},
	{ALL, HINT(22), "clrbhb", F_NOP, 0, 0},
	{ALL, HINT(24), "paciaz", F_KILL_X30, 0, 0},
	{ALL, HINT(25), "paciasp", F_SIGN, 0, 0},
	{ALL, HINT(26), "pacibz", F_KILL_X30, 0, 0},
	{ALL, HINT(27), "pacibsp", F_SIGN, 0, 0},
	{ALL, HINT(28), "autiaz", F_KILL_X30, 0, 0},
	{ALL, HINT(29), "autiasp", F_AUTH, 0, 0},
	{ALL, HINT(30), "autibz", F_KILL_X30, 0, 0},
	{ALL, HINT(31), "autibsp", F_AUTH, 0, 0},
	{ALL, HINT(32), "bti", F_NOP, 0, 0},
	{ALL, HINT(34), "bti", F_LANDING, 0, 0},
	{ALL, HINT(36), "bti", F_LANDING, 0, 0},
	{ALL, HINT(38), "bti", F_LANDING, 0, 0},
	{ALL, HINT(39), "pacm", F_UNKNOWN, 0, 0},
	{ALL, HINT(40), "chkfeat", F_KILL_X16, 0, 0},
	{0xfffff01f, HINT(0), "hint", F_NOP, 0, 0},
	/* Barriers */
	{0xfffff0ff, 0xd503305f, "clrex", F_NONE, 0, 0},
	{0xfffff3ff, 0xd503323f, "dsb", F_NOP, 0, 0},
	{ALL, 0xd503307f, "tcommit", F_UNKNOWN, 0, 0},
	{0xfffff0ff, 0xd503309f, "dsb", F_NOP, 0, 0},
	{0xfffff0ff, 0xd50330bf, "dmb", F_NOP, 0, 0},
	{0xfffff0ff, 0xd50330df, "isb", F_NOP, 0, 0},
	{ALL, 0xd50330ff, "sb", F_NOP, 0, 0},
	/* PSTATE, system instructions, system register move */
	{ALL, 0xd500401f, "cfinv", F_NONE, 0, 0},
	{ALL, 0xd500403f, "xaflag", F_NONE, 0, 0},
	{ALL, 0xd500405f, "axflag", F_NONE, 0, 0},
	{0xfff8f01f, 0xd500401f, "msr", F_UNKNOWN, 0, 0},
	{R5, 0xd5233060, "tstart", F_UNKNOWN, 0, 0},
	{R5, 0xd5233160, "ttest", F_UNKNOWN, 0, 0},
	{0xfff80000, 0xd5080000, "sys", F_UNKNOWN, 0, 0},
	{0xfff80000, 0xd5280000, "sysl", F_UNKNOWN, 0, 0},
	{0xfff00000, 0xd5100000, "msr", F_NONE, 0, 0},
	{0xfff00000, 0xd5300000, "mrs", F_KILL, 0, 0},
	{0xffd00000, 0xd5500000, "sysreg128", F_UNKNOWN, 0, 0},
	{0xfff80000, 0xd5480000, "sysp", F_UNKNOWN, 0, 0},
	/* Unconditional branch (register) */
	{0xfffffc1f, 0xd61f0000, "br", F_BR, 0, 0},
	{0xfffffc1f, 0xd61f081f, "braaz", F_BR, 0, 0},
	{0xfffffc1f, 0xd61f0c1f, "brabz", F_BR, 0, 0},
	{0xfffffc1f, 0xd63f0000, "blr", F_BLR, 0, 0},
	{0xfffffc1f, 0xd63f081f, "blraaz", F_BLR, 0, 0},
	{0xfffffc1f, 0xd63f0c1f, "blrabz", F_BLR, 0, 0},
	{0xfffffc1f, 0xd65f0000, "ret", F_BR, 0, 0},
	{ALL, 0xd65f0bff, "retaa", F_RETA, 0, 0},
	{ALL, 0xd65f0fff, "retab", F_RETA, 0, 0},
	{R5, 0xd65f0be0, "retaasppcr", F_RETA, 0, 0},
	{R5, 0xd65f0fe0, "retabsppcr", F_RETA, 0, 0},
	{ALL, 0xd69f03e0, "eret", F_TRAP, 0, 0},
	{ALL, 0xd69f0bff, "eretaa", F_TRAP, 0, 0},
	{ALL, 0xd69f0fff, "eretab", F_TRAP, 0, 0},
	{ALL, 0xd6bf03e0, "drps", F_TRAP, 0, 0},
	{X_RR, 0xd71f0800, "braa", F_BR, 0, 0},
	{X_RR, 0xd71f0c00, "brab", F_BR, 0, 0},
	{X_RR, 0xd73f0800, "blraa", F_BLR, 0, 0},
	{X_RR, 0xd73f0c00, "blrab", F_BLR, 0, 0},
	/* Unconditional branch (immediate), compare and branch, test and branch */
	{0xfc000000, 0x14000000, "b", F_B, 0, 0},
	{0xfc000000, 0x94000000, "bl", F_BL, 0, 0},
	{0x7f000000, 0x34000000, "cbz", F_BRANCH19, JF_COND_EQ, U64},
	{0x7f000000, 0x35000000, "cbnz", F_BRANCH19, JF_COND_NE, U64},
	{0x7f000000, 0x36000000, "tbz", F_BRANCH14, JF_COND_EQ, U64},
	{0x7f000000, 0x37000000, "tbnz", F_BRANCH14, JF_COND_NE, U64},
};

static const struct jf_decode_row registers[] = {
	/* Logical (shifted register) */
	{SF_M8_21, 0x0a000000, "and", F_LOGICAL_SHIFTED, JF_STEP_AND, 0},
	{SF_M8_21, 0x2a000000, "orr", F_LOGICAL_SHIFTED, JF_STEP_OR, 0},
	{SF_M8_21, 0x4a000000, "eor", F_LOGICAL_SHIFTED, JF_STEP_XOR, 0},
	{SF_M8_21, 0x6a000000, "ands", F_LOGICAL_SHIFTED, JF_STEP_AND, 0},
	{SF_M8_21, 0x0a200000, "bic", F_LOGICAL_INVERTED, JF_STEP_AND, 0},
	{SF_M8_21, 0x2a200000, "orn", F_LOGICAL_INVERTED, JF_STEP_OR, 0},
	{SF_M8_21, 0x4a200000, "eon", F_LOGICAL_INVERTED, JF_STEP_XOR, 0},
	{SF_M8_21, 0x6a200000, "bics", F_LOGICAL_INVERTED, JF_STEP_AND, 0},
	/* Add/subtract (shifted register), (extended register), (with carry), checked pointers */
	{SF_M8_21, 0x0b000000, "add", F_ADDSUB_SHIFTED, JF_STEP_ADD, 0},
	{SF_M8_21, 0x2b000000, "adds", F_ADDSUB_SHIFTED, JF_STEP_ADD, 0},
	{SF_M8_21, 0x4b000000, "sub", F_ADDSUB_SHIFTED, JF_STEP_SUB, 0},
	{SF_M8_21, 0x6b000000, "subs", F_ADDSUB_SHIFTED, JF_STEP_SUB, 0},
	{0x7fe00000, 0x0b200000, "add", F_ADDSUB_EXTENDED, JF_STEP_ADD, 0},
	{0x7fe00000, 0x2b200000, "adds", F_ADDSUB_EXTENDED, JF_STEP_ADD, 0},
	{0x7fe00000, 0x4b200000, "sub", F_ADDSUB_EXTENDED, JF_STEP_SUB, 0},
	{0x7fe00000, 0x6b200000, "subs", F_ADDSUB_EXTENDED, JF_STEP_SUB, 0},
	{SF_RRR, 0x1a000000, "adc", F_KILL, 0, 0},
	{SF_RRR, 0x3a000000, "adcs", F_KILL, 0, 0},
	{SF_RRR, 0x5a000000, "sbc", F_KILL, 0, 0},
	{SF_RRR, 0x7a000000, "sbcs", F_KILL, 0, 0},
	{0xffe0e000, 0x9a002000, "addpt", F_KILL_SP, 0, 0},
	{0xffe0e000, 0xda002000, "subpt", F_KILL_SP, 0, 0},
	/* Flags; conditional compare, conditional select */
	{0xffe07c10, 0xba000400, "rmif", F_NONE, 0, 0},
	{0xfffffc1f, 0x3a00080d, "setf8", F_NONE, 0, 0},
	{0xfffffc1f, 0x3a00480d, "setf16", F_NONE, 0, 0},
	{0x7fe00c10, 0x3a400000, "ccmn", F_NONE, 0, 0},
	{0x7fe00c10, 0x7a400000, "ccmp", F_NONE, 0, 0},
	{0x7fe00c10, 0x3a400800, "ccmn", F_NONE, 0, 0},
	{0x7fe00c10, 0x7a400800, "ccmp", F_NONE, 0, 0},
	{0x7fe00c00, 0x1a800000, "csel", F_CSEL, 0, 0},
	{0x7fe00c00, 0x1a800400, "csinc", F_CSINC, 0, 0},
	{0x7fe00c00, 0x5a800000, "csinv", F_CSINV, 0, 0},
	{0x7fe00c00, 0x5a800400, "csneg", F_CSNEG, 0, 0},
	/* Data-processing (3 source) */
	{0x7fe08000, 0x1b000000, "madd", F_KILL, 0, 0},
	{0x7fe08000, 0x1b008000, "msub", F_KILL, 0, 0},
	{0xffe08000, 0x9b200000, "smaddl", F_KILL, 0, 0},
	{0xffe08000, 0x9b208000, "smsubl", F_KILL, 0, 0},
	{0xffe08000, 0x9b400000, "smulh", F_KILL, 0, 0},
	{0xffe08000, 0x9b600000, "maddpt", F_KILL, 0, 0},
	{0xffe08000, 0x9b608000, "msubpt", F_KILL, 0, 0},
	{0xffe08000, 0x9ba00000, "umaddl", F_KILL, 0, 0},
	{0xffe08000, 0x9ba08000, "umsubl", F_KILL, 0, 0},
	{0xffe08000, 0x9bc00000, "umulh", F_KILL, 0, 0},
	/* Data-processing (2 source) */
	{X_RRR, 0x9ac00000, "subp", F_KILL, 0, 0},
	{X_RRR, 0xbac00000, "subps", F_KILL, 0, 0},
	{SF_RRR, 0x1ac00800, "udiv", F_KILL, 0, 0},
	{SF_RRR, 0x1ac00c00, "sdiv", F_KILL, 0, 0},
	{X_RRR, 0x9ac01000, "irg", F_KILL_SP, 0, 0},
	{X_RRR, 0x9ac01400, "gmi", F_KILL, 0, 0},
	{SF_RRR, 0x1ac02000, "lslv", F_SHIFT_REG, JF_STEP_SHL, 0},
	{SF_RRR, 0x1ac02400, "lsrv", F_SHIFT_REG, JF_STEP_SHR, 0},
	{SF_RRR, 0x1ac02800, "asrv", F_SHIFT_REG, JF_STEP_SAR, 0},
	{SF_RRR, 0x1ac02c00, "rorv", F_KILL, 0, 0},
	{X_RRR, 0x9ac03000, "pacga", F_KILL, 0, 0},
	{X_RRR, 0x1ac04000, "crc32b", F_KILL, 0, 0},
	{X_RRR, 0x1ac04400, "crc32h", F_KILL, 0, 0},
	{X_RRR, 0x1ac04800, "crc32w", F_KILL, 0, 0},
	{X_RRR, 0x9ac04c00, "crc32x", F_KILL, 0, 0},
	{X_RRR, 0x1ac05000, "crc32cb", F_KILL, 0, 0},
	{X_RRR, 0x1ac05400, "crc32ch", F_KILL, 0, 0},
	{X_RRR, 0x1ac05800, "crc32cw", F_KILL, 0, 0},
	{X_RRR, 0x9ac05c00, "crc32cx", F_KILL, 0, 0},
	{SF_RRR, 0x1ac06000, "smax", F_KILL, 0, 0},
	{SF_RRR, 0x1ac06400, "umax", F_KILL, 0, 0},
	{SF_RRR, 0x1ac06800, "smin", F_KILL, 0, 0},
	{SF_RRR, 0x1ac06c00, "umin", F_KILL, 0, 0},
	/* Data-processing (1 source) */
	{SF_RR, 0x5ac00000, "rbit", F_KILL, 0, 0},
	{SF_RR, 0x5ac00400, "rev16", F_KILL, 0, 0},
	{X_RR, 0x5ac00800, "rev", F_KILL, 0, 0},
	{X_RR, 0xdac00800, "rev32", F_KILL, 0, 0},
	{X_RR, 0xdac00c00, "rev", F_KILL, 0, 0},
	{SF_RR, 0x5ac01000, "clz", F_KILL, 0, 0},
	{SF_RR, 0x5ac01400, "cls", F_KILL, 0, 0},
	{SF_RR, 0x5ac01800, "ctz", F_KILL, 0, 0},
	{SF_RR, 0x5ac01c00, "cnt", F_KILL, 0, 0},
	{SF_RR, 0x5ac02000, "abs", F_KILL, 0, 0},
	{X_RR, 0xdac10000, "pacia", F_PAC_SIGN, 0, 0},
	{X_RR, 0xdac10400, "pacib", F_PAC_SIGN, 0, 0},
	{X_RR, 0xdac10800, "pacda", F_KILL, 0, 0},
	{X_RR, 0xdac10c00, "pacdb", F_KILL, 0, 0},
	{X_RR, 0xdac11000, "autia", F_PAC_AUTH, 0, 0},
	{X_RR, 0xdac11400, "autib", F_PAC_AUTH, 0, 0},
	{X_RR, 0xdac11800, "autda", F_KILL, 0, 0},
	{X_RR, 0xdac11c00, "autdb", F_KILL, 0, 0},
	{R5, 0xdac123e0, "paciza", F_KILL, 0, 0},
	{R5, 0xdac127e0, "pacizb", F_KILL, 0, 0},
	{R5, 0xdac12be0, "pacdza", F_KILL, 0, 0},
	{R5, 0xdac12fe0, "pacdzb", F_KILL, 0, 0},
	{R5, 0xdac133e0, "autiza", F_KILL, 0, 0},
	{R5, 0xdac137e0, "autizb", F_KILL, 0, 0},
	{R5, 0xdac13be0, "autdza", F_KILL, 0, 0},
	{R5, 0xdac13fe0, "autdzb", F_KILL, 0, 0},
	{R5, 0xdac143e0, "xpaci", F_STRIP, 0, 0},
	{R5, 0xdac147e0, "xpacd", F_STRIP, 0, 0},
	{ALL, 0xdac183fe, "pacnbiasppc", F_SIGN, 0, 0},
	{ALL, 0xdac187fe, "pacnbibsppc", F_SIGN, 0, 0},
	{ALL, 0xdac18bfe, "pacia171615", F_KILL_X17, 0, 0},
	{ALL, 0xdac18ffe, "pacib171615", F_KILL_X17, 0, 0},
	{0xfffffc1f, 0xdac1901e, "autiasppcr", F_AUTH, 0, 0},
	{0xfffffc1f, 0xdac1941e, "autibsppcr", F_AUTH, 0, 0},
	{ALL, 0xdac1a3fe, "paciasppc", F_SIGN, 0, 0},
	{ALL, 0xdac1a7fe, "pacibsppc", F_SIGN, 0, 0},
	{ALL, 0xdac1bbfe, "autia171615", F_KILL_X17, 0, 0},
	{ALL, 0xdac1bffe, "autib171615", F_KILL_X17, 0, 0},
};
/* clang-format on */

/* clang-format off */
#define GROUP(rows) {rows, sizeof(rows) / sizeof((rows)[0])}
/* clang-format on */

static const struct jf_arm64_group reserved_group = GROUP(reserved), sve_group = GROUP(sve),
				   immediate_group = GROUP(immediates), branch_group = GROUP(branches),
				   register_group = GROUP(registers);

/* Arm ARM, "A64 instruction set encoding", by op0. */
const struct jf_arm64_group *const jf_arm64_groups[16] = {
	[0] = &reserved_group,         [2] = &sve_group,
	[8] = &immediate_group,        [9] = &immediate_group,
	[10] = &branch_group,          [11] = &branch_group,
	[4] = &jf_arm64_memory_group,  [6] = &jf_arm64_memory_group,
	[12] = &jf_arm64_memory_group, [14] = &jf_arm64_memory_group,
	[5] = &register_group,         [13] = &register_group,
	[7] = &jf_arm64_float_group,   [15] = &jf_arm64_float_group,
};
