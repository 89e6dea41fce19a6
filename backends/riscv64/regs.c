/* SPDX-License-Identifier: BSD-2-Clause */
#include "riscv64.h"

/* ra is not callee-saved; gp and tp belong to the system. DWARF numbers: RISC-V ELF psABI, "DWARF Register Numbers". */
/* clang-format off */
#define INT(reg, name, id, flags) [reg] = {#name, id, id, id, JF_REG_INT, 8, flags, NULL},
#define FLT(reg, name, id, flags) [reg] = {#name, id, (id) - 32, id, JF_REG_FP, 8, flags, NULL},
#define FREE_INT(reg, name, id)   INT(reg, name, id, 0)
#define KEPT_INT(reg, name, id)   INT(reg, name, id, JF_REG_CALLEE_SAVED)
#define FREE_FP(reg, name, id)    FLT(reg, name, id, 0)
#define KEPT_FP(reg, name, id)    FLT(reg, name, id, JF_REG_CALLEE_SAVED)

const struct jf_reg jf_riscv64_regs[RV_REG_COUNT] = {
	INT(RV_ZERO, zero, 0, JF_REG_ZERO)
	INT(RV_RA, ra, RV_ID_RA, 0)
	INT(RV_SP, sp, RV_ID_SP, 0)
	INT(RV_GP, gp, 3, JF_REG_RESERVED)
	INT(RV_TP, tp, 4, JF_REG_RESERVED)
	RV_FREE_INT(FREE_INT)
	RV_KEPT_INT(KEPT_INT)
	RV_FREE_FP(FREE_FP)
	RV_KEPT_FP(KEPT_FP)
};
/* clang-format on */
