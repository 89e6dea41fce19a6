/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

/* ra is not callee-saved; tp and r21 belong to the system. DWARF numbers: LoongArch psABI, "DWARF Register Numbers". */
/* clang-format off */
#define INT(reg, name, id, flags) [reg] = {#name, id, id, id, JF_REG_INT, 8, flags, NULL},
#define FLT(reg, name, id, flags) [reg] = {#name, id, (id) - 32, id, JF_REG_FP, 8, flags, NULL},
#define FREE_INT(reg, name, id)   INT(reg, name, id, 0)
#define KEPT_INT(reg, name, id)   INT(reg, name, id, JF_REG_CALLEE_SAVED)
#define FREE_FP(reg, name, id)    FLT(reg, name, id, 0)
#define KEPT_FP(reg, name, id)    FLT(reg, name, id, JF_REG_CALLEE_SAVED)

const struct jf_reg jf_loongarch64_regs[LA_REG_COUNT] = {
	INT(LA_ZERO, zero, 0, JF_REG_ZERO)
	INT(LA_RA, ra, LA_ID_RA, 0)
	INT(LA_TP, tp, 2, JF_REG_RESERVED)
	INT(LA_SP, sp, LA_ID_SP, 0)
	INT(LA_R21, r21, 21, JF_REG_RESERVED)
	LA_FREE_INT(FREE_INT)
	LA_KEPT_INT(KEPT_INT)
	LA_FREE_FP(FREE_FP)
	LA_KEPT_FP(KEPT_FP)
};
/* clang-format on */
