/* SPDX-License-Identifier: BSD-2-Clause */
#include "riscv64.h"

/* Signals, and code that comes without unwind information. */

/*
 * What Linux leaves on the stack for a handler (arch/riscv/kernel/signal.c, arch/riscv/include/uapi/asm/ucontext.h,
 * sigcontext.h):
 *
 *     SP ->   +0    siginfo
 *             +128  ucontext: flags, link, stack, mask
 *             +304  pc, x1 .. x31
 *             +560  f0 .. f31
 */
#define PC_AT 304
#define F_AT  560
/* clang-format off */
#define AT(reg, name, id) [reg] = (id) < RV_F0 ? PC_AT + 8 * (id) : F_AT + 8 * ((id) - RV_F0),

const struct jf_signal_frame jf_riscv64_signal_frame = {
	.pc_off = PC_AT,
	.reg_off = {
		AT(RV_RA, ra, RV_ID_RA)
		AT(RV_SP, sp, RV_ID_SP)
		AT(RV_GP, gp, 3)
		AT(RV_TP, tp, 4)
		RV_FREE_INT(AT)
		RV_KEPT_INT(AT)
		RV_FREE_FP(AT)
		RV_KEPT_FP(AT)
	},
};
/* clang-format on */

static const struct jf_row as_at_entry[] = {{.cfa_reg = RV_SP}};

/* The linkage table's first entry, which goes to the dynamic linker: RISC-V ELF psABI, "Procedure Linkage Table". */
static const struct jf_insn_pattern first_entry[] = {
	{0x00000397, 0x00000fff}, /* auipc t2, page */
	{0x41c30333, 0xffffffff}, /* sub t1, t1, t3 */
	{0x0003be03, 0x000fffff}, /* ld t3, off(t2) */
	{0x00030313, 0x000fffff}, /* addi t1, t1, off */
	{0x00038293, 0x000fffff}, /* addi t0, t2, off */
	{0x00135313, 0xffffffff}, /* srli t1, t1, 1 */
	{0x0082b283, 0xffffffff}, /* ld t0, 8(t0) */
	{0x000e0067, 0xffffffff}, /* jr t3 */
};

static const struct jf_insn_pattern entry[] = {
	{0x00000e17, 0x00000fff}, /* auipc t3, page */
	{0x000e3e03, 0x000fffff}, /* ld t3, off(t3) */
	{0x000e0367, 0xffffffff}, /* jalr t1, t3 */
};

static const struct jf_insn_pattern trampoline[] = {
	{0x08b00893, 0xffffffff}, /* li a7, 139: rt_sigreturn */
	{0x00000073, 0xffffffff}, /* ecall */
};

#define COUNT(array) (uint8_t)(sizeof(array) / sizeof((array)[0]))
/* clang-format off */
const struct jf_known_code jf_riscv64_known_code[RV_KNOWN_CODE_COUNT] = {
	{.insns = first_entry, .insn_count = COUNT(first_entry), .rows = as_at_entry, .row_count = 1},
	{.insns = entry, .insn_count = COUNT(entry), .rows = as_at_entry, .row_count = 1},
	{.insns = trampoline, .insn_count = COUNT(trampoline), .rows = as_at_entry, .row_count = 1,
	 .is_trampoline = true},
};
/* clang-format on */
