/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers. Which of them a callee keeps, and their DWARF numbers: System V Application Binary
 * Interface, AMD64 Architecture Processor Supplement, version 1.0, sections 3.2.1 (registers and the
 * stack frame), 3.2.3 (figure 3.4) and 3.6.2 (figure 3.36).
 *
 * Of MXCSR and the x87 control word the ABI keeps the control bits; the status bits of MXCSR are
 * the callee's. No vector register is kept.
 */
#include "x86_64.h"

#define SAVED JF_REG_CALLEE_SAVED

const struct jf_reg jf_x86_64_regs[REG__COUNT] = {
	/*         name, id, hw, dw, class, size_bytes, flags */
	[RAX] = {"rax", RAX, 0, 0, JF_REG_INT, 8, 0},
	[RCX] = {"rcx", RCX, 1, 2, JF_REG_INT, 8, 0},
	[RDX] = {"rdx", RDX, 2, 1, JF_REG_INT, 8, 0},
	[RBX] = {"rbx", RBX, 3, 3, JF_REG_INT, 8, SAVED},
	[RSP] = {"rsp", RSP, 4, 7, JF_REG_INT, 8, 0},
	[RBP] = {"rbp", RBP, 5, 6, JF_REG_INT, 8, SAVED},
	[RSI] = {"rsi", RSI, 6, 4, JF_REG_INT, 8, 0},
	[RDI] = {"rdi", RDI, 7, 5, JF_REG_INT, 8, 0},
	[R8] = {"r8", R8, 8, 8, JF_REG_INT, 8, 0},
	[R9] = {"r9", R9, 9, 9, JF_REG_INT, 8, 0},
	[R10] = {"r10", R10, 10, 10, JF_REG_INT, 8, 0},
	[R11] = {"r11", R11, 11, 11, JF_REG_INT, 8, 0},
	[R12] = {"r12", R12, 12, 12, JF_REG_INT, 8, SAVED},
	[R13] = {"r13", R13, 13, 13, JF_REG_INT, 8, SAVED},
	[R14] = {"r14", R14, 14, 14, JF_REG_INT, 8, SAVED},
	[R15] = {"r15", R15, 15, 15, JF_REG_INT, 8, SAVED},
	[RIP] = {"ra", RIP, 16, 16, JF_REG_INT, 8, 0},
	[MXCSR] = {"mxcsr", MXCSR, 0, 64, JF_REG_CONTROL, 4, SAVED},
	[FCW] = {"fcw", FCW, 0, 65, JF_REG_CONTROL, 2, SAVED},
};
