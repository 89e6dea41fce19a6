/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

/*
 * Names and callee-saved set: LoongArch psABI, "Register Convention" (LP64D); DWARF numbers: LoongArch
 * psABI, "DWARF Register Numbers". ra is not callee-saved; tp and r21 belong to the system.
 */
#define KEPT   JF_REG_CALLEE_SAVED
#define SYSTEM JF_REG_RESERVED

/* clang-format off */
const struct jf_reg jf_loongarch64_regs[LA_REG_COUNT] = {
	/* name, id, hw, dw, class, size_bytes, flags */
	{ "zero", 0, 0, 0, JF_REG_INT, 8, 0 },
	{ "ra", 1, 1, 1, JF_REG_INT, 8, 0 },
	{ "tp", 2, 2, 2, JF_REG_INT, 8, SYSTEM },
	{ "sp", 3, 3, 3, JF_REG_INT, 8, 0 },
	{ "a0", 4, 4, 4, JF_REG_INT, 8, 0 },
	{ "a1", 5, 5, 5, JF_REG_INT, 8, 0 },
	{ "a2", 6, 6, 6, JF_REG_INT, 8, 0 },
	{ "a3", 7, 7, 7, JF_REG_INT, 8, 0 },
	{ "a4", 8, 8, 8, JF_REG_INT, 8, 0 },
	{ "a5", 9, 9, 9, JF_REG_INT, 8, 0 },
	{ "a6", 10, 10, 10, JF_REG_INT, 8, 0 },
	{ "a7", 11, 11, 11, JF_REG_INT, 8, 0 },
	{ "t0", 12, 12, 12, JF_REG_INT, 8, 0 },
	{ "t1", 13, 13, 13, JF_REG_INT, 8, 0 },
	{ "t2", 14, 14, 14, JF_REG_INT, 8, 0 },
	{ "t3", 15, 15, 15, JF_REG_INT, 8, 0 },
	{ "t4", 16, 16, 16, JF_REG_INT, 8, 0 },
	{ "t5", 17, 17, 17, JF_REG_INT, 8, 0 },
	{ "t6", 18, 18, 18, JF_REG_INT, 8, 0 },
	{ "t7", 19, 19, 19, JF_REG_INT, 8, 0 },
	{ "t8", 20, 20, 20, JF_REG_INT, 8, 0 },
	{ "r21", 21, 21, 21, JF_REG_INT, 8, SYSTEM },
	{ "fp", 22, 22, 22, JF_REG_INT, 8, KEPT },
	{ "s0", 23, 23, 23, JF_REG_INT, 8, KEPT },
	{ "s1", 24, 24, 24, JF_REG_INT, 8, KEPT },
	{ "s2", 25, 25, 25, JF_REG_INT, 8, KEPT },
	{ "s3", 26, 26, 26, JF_REG_INT, 8, KEPT },
	{ "s4", 27, 27, 27, JF_REG_INT, 8, KEPT },
	{ "s5", 28, 28, 28, JF_REG_INT, 8, KEPT },
	{ "s6", 29, 29, 29, JF_REG_INT, 8, KEPT },
	{ "s7", 30, 30, 30, JF_REG_INT, 8, KEPT },
	{ "s8", 31, 31, 31, JF_REG_INT, 8, KEPT },
	{ "fa0", 32, 0, 32, JF_REG_FP, 8, 0 },
	{ "fa1", 33, 1, 33, JF_REG_FP, 8, 0 },
	{ "fa2", 34, 2, 34, JF_REG_FP, 8, 0 },
	{ "fa3", 35, 3, 35, JF_REG_FP, 8, 0 },
	{ "fa4", 36, 4, 36, JF_REG_FP, 8, 0 },
	{ "fa5", 37, 5, 37, JF_REG_FP, 8, 0 },
	{ "fa6", 38, 6, 38, JF_REG_FP, 8, 0 },
	{ "fa7", 39, 7, 39, JF_REG_FP, 8, 0 },
	{ "ft0", 40, 8, 40, JF_REG_FP, 8, 0 },
	{ "ft1", 41, 9, 41, JF_REG_FP, 8, 0 },
	{ "ft2", 42, 10, 42, JF_REG_FP, 8, 0 },
	{ "ft3", 43, 11, 43, JF_REG_FP, 8, 0 },
	{ "ft4", 44, 12, 44, JF_REG_FP, 8, 0 },
	{ "ft5", 45, 13, 45, JF_REG_FP, 8, 0 },
	{ "ft6", 46, 14, 46, JF_REG_FP, 8, 0 },
	{ "ft7", 47, 15, 47, JF_REG_FP, 8, 0 },
	{ "ft8", 48, 16, 48, JF_REG_FP, 8, 0 },
	{ "ft9", 49, 17, 49, JF_REG_FP, 8, 0 },
	{ "ft10", 50, 18, 50, JF_REG_FP, 8, 0 },
	{ "ft11", 51, 19, 51, JF_REG_FP, 8, 0 },
	{ "ft12", 52, 20, 52, JF_REG_FP, 8, 0 },
	{ "ft13", 53, 21, 53, JF_REG_FP, 8, 0 },
	{ "ft14", 54, 22, 54, JF_REG_FP, 8, 0 },
	{ "ft15", 55, 23, 55, JF_REG_FP, 8, 0 },
	{ "fs0", 56, 24, 56, JF_REG_FP, 8, KEPT },
	{ "fs1", 57, 25, 57, JF_REG_FP, 8, KEPT },
	{ "fs2", 58, 26, 58, JF_REG_FP, 8, KEPT },
	{ "fs3", 59, 27, 59, JF_REG_FP, 8, KEPT },
	{ "fs4", 60, 28, 60, JF_REG_FP, 8, KEPT },
	{ "fs5", 61, 29, 61, JF_REG_FP, 8, KEPT },
	{ "fs6", 62, 30, 62, JF_REG_FP, 8, KEPT },
	{ "fs7", 63, 31, 63, JF_REG_FP, 8, KEPT },
};
/* clang-format on */
