/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_64.h"

/*
 * In control words a caller's choice survives: as at a process's start; rounding towards zero, with mxcsr's
 * flush-to-zero; the bits that are kept.
 */
static const struct jf_control_reg mxcsr = {0x1f80, 0xff80, 0xffc0};
static const struct jf_control_reg fcw = {0x037f, 0x0f7f, 0xffff};

/* clang-format off */
#define INT(id, name, dw, flags)                   [id] = {#name, id, id, dw, JF_REG_INT, 8, flags, NULL},
#define FREE(id, name, dw)                         INT(id, name, dw, 0)
#define KEPT(id, name, dw)                         INT(id, name, dw, JF_REG_CALLEE_SAVED)
#define CONTROL(id, name, dw, bytes, store, load) \
	[id] = {#name, id, 0, dw, JF_REG_CONTROL, bytes, JF_REG_CALLEE_SAVED, &name},

const struct jf_reg jf_x86_64_regs[REG__COUNT] = {
	FREE_INT(FREE)
	KEPT_INT(KEPT)
	FREE(RSP, rsp, 7)
	FREE(RIP, ra, 16)
	KEPT_CONTROL(CONTROL)
};
/* clang-format on */
