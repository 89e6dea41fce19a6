/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

/* DWARF numbers: AADWARF64, "DWARF register names". */
/* clang-format off */
#define X(n, name, flags) [JF_ARM64_FIRST_X + (n)] = {name, JF_ARM64_FIRST_X + (n), n, n, JF_REG_INT, 8, flags, NULL},
#define D(n, name, flags) \
	[JF_ARM64_FIRST_D + (n)] = {name, JF_ARM64_FIRST_D + (n), n, 64 + (n), JF_REG_FP, 8, flags, NULL},
#define FREE_X(a, b)      X(a, "x" #a, 0) X(b, "x" #b, 0)
#define FREE_D(a, b)      D(a, "d" #a, 0) D(b, "d" #b, 0)
#define KEPT_X(a, b)      KEPT_ONE(a) KEPT_ONE(b)
#define KEPT_ONE(n)       X(n, "x" #n, JF_REG_CALLEE_SAVED)
#define KEPT_D(a, b)      D(a, "d" #a, JF_REG_CALLEE_SAVED) D(b, "d" #b, JF_REG_CALLEE_SAVED)

const struct jf_reg jf_arm64_regs[JF_ARM64_REG__COUNT] = {
	JF_ARM64_FREE_X(FREE_X)
	X(18, "x18", JF_REG_RESERVED)
	JF_ARM64_KEPT_X(KEPT_X, KEPT_ONE)
	X(30, "x30", 0)
	X(31, "sp", 0)
	JF_ARM64_FREE_D(FREE_D)
	JF_ARM64_KEPT_D(KEPT_D)
};
/* clang-format on */
