/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

/*
 * AAPCS64, "General-purpose Registers": x19-x29 are callee-saved, x18 is the platform register.
 * "SIMD and Floating-Point Registers": of v8-v15 the low 64 bits, d8-d15, are callee-saved.
 * DWARF numbers: AADWARF64, "DWARF register names".
 */
/* clang-format off */
#define X(n, name, flags) [n] = {name, n, n, n, JF_REG_INT, 8, flags}
#define D(n, name, flags) [JF_ARM64_FIRST_D + (n)] = {name, JF_ARM64_FIRST_D + (n), n, 64 + (n), JF_REG_FP, 8, flags}
/* clang-format on */

const struct jf_reg jf_arm64_regs[JF_ARM64_REG__COUNT] = {
	X(0, "x0", 0),
	X(1, "x1", 0),
	X(2, "x2", 0),
	X(3, "x3", 0),
	X(4, "x4", 0),
	X(5, "x5", 0),
	X(6, "x6", 0),
	X(7, "x7", 0),
	X(8, "x8", 0),
	X(9, "x9", 0),
	X(10, "x10", 0),
	X(11, "x11", 0),
	X(12, "x12", 0),
	X(13, "x13", 0),
	X(14, "x14", 0),
	X(15, "x15", 0),
	X(16, "x16", 0),
	X(17, "x17", 0),
	X(18, "x18", JF_REG_RESERVED),
	X(19, "x19", JF_REG_CALLEE_SAVED),
	X(20, "x20", JF_REG_CALLEE_SAVED),
	X(21, "x21", JF_REG_CALLEE_SAVED),
	X(22, "x22", JF_REG_CALLEE_SAVED),
	X(23, "x23", JF_REG_CALLEE_SAVED),
	X(24, "x24", JF_REG_CALLEE_SAVED),
	X(25, "x25", JF_REG_CALLEE_SAVED),
	X(26, "x26", JF_REG_CALLEE_SAVED),
	X(27, "x27", JF_REG_CALLEE_SAVED),
	X(28, "x28", JF_REG_CALLEE_SAVED),
	X(29, "x29", JF_REG_CALLEE_SAVED),
	X(30, "x30", 0),
	X(31, "sp", 0),
	D(0, "d0", 0),
	D(1, "d1", 0),
	D(2, "d2", 0),
	D(3, "d3", 0),
	D(4, "d4", 0),
	D(5, "d5", 0),
	D(6, "d6", 0),
	D(7, "d7", 0),
	D(8, "d8", JF_REG_CALLEE_SAVED),
	D(9, "d9", JF_REG_CALLEE_SAVED),
	D(10, "d10", JF_REG_CALLEE_SAVED),
	D(11, "d11", JF_REG_CALLEE_SAVED),
	D(12, "d12", JF_REG_CALLEE_SAVED),
	D(13, "d13", JF_REG_CALLEE_SAVED),
	D(14, "d14", JF_REG_CALLEE_SAVED),
	D(15, "d15", JF_REG_CALLEE_SAVED),
	D(16, "d16", 0),
	D(17, "d17", 0),
	D(18, "d18", 0),
	D(19, "d19", 0),
	D(20, "d20", 0),
	D(21, "d21", 0),
	D(22, "d22", 0),
	D(23, "d23", 0),
	D(24, "d24", 0),
	D(25, "d25", 0),
	D(26, "d26", 0),
	D(27, "d27", 0),
	D(28, "d28", 0),
	D(29, "d29", 0),
	D(30, "d30", 0),
	D(31, "d31", 0),
};
