/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

/* Signals, and code that comes without unwind information. */

/*
 * What Linux leaves on the stack for a handler (arch/loongarch/include/uapi/asm/ucontext.h, sigcontext.h):
 *
 *     SP ->   +0    siginfo
 *             +128  ucontext: flags, link, stack, mask
 *             +304  pc, $r0 .. $r31
 */
#define AT(reg)    (312 + 8 * (reg))
#define FOUR(from) AT(from), AT((from) + 1), AT((from) + 2), AT((from) + 3)

const struct jf_signal_frame jf_loongarch64_signal_frame = {
	.pc_off = AT(-1),
	.reg_off = {FOUR(0), FOUR(4), FOUR(8), FOUR(12), FOUR(16), FOUR(20), FOUR(24), FOUR(28)},
};

static const struct jf_row as_at_entry[] = {{.cfa_reg = LA_SP}};

/* The linkage table's first entry, which goes to the dynamic linker. */
static const struct jf_insn_pattern first_entry[] = {
	{0x1c00000e, 0xfe00001f}, /* pcaddu12i $t2, page */
	{0x0011bdad, 0xffffffff}, /* sub.d $t1, $t1, $t3 */
	{0x28c001cf, 0xffc003ff}, /* ld.d $t3, $t2, off */
	{0x02c001ad, 0xffc003ff}, /* addi.d $t1, $t1, off */
	{0x02c001cc, 0xffc003ff}, /* addi.d $t0, $t2, off */
	{0x004505ad, 0xffffffff}, /* srli.d $t1, $t1, 1 */
	{0x28c0218c, 0xffffffff}, /* ld.d $t0, $t0, 8 */
	{0x4c0001e0, 0xffffffff}, /* jr $t3 */
};

static const struct jf_insn_pattern entry[] = {
	{0x1c00000f, 0xfe00001f}, /* pcaddu12i $t3, page */
	{0x28c001ef, 0xffc003ff}, /* ld.d $t3, $t3, off */
	{0x4c0001ed, 0xffffffff}, /* jirl $t1, $t3, 0 */
};

static const struct jf_insn_pattern trampoline[] = {
	{0x03822c0b, 0xffffffff}, /* ori $a7, $zero, 139: rt_sigreturn */
	{0x002b0000, 0xffffffff}, /* syscall 0 */
};

#define COUNT(array) (uint8_t)(sizeof(array) / sizeof((array)[0]))
/* clang-format off */
const struct jf_known_code jf_loongarch64_known_code[LA_KNOWN_CODE_COUNT] = {
	{.insns = first_entry, .insn_count = COUNT(first_entry), .rows = as_at_entry, .row_count = 1},
	{.insns = entry, .insn_count = COUNT(entry), .rows = as_at_entry, .row_count = 1},
	{.insns = trampoline, .insn_count = COUNT(trampoline), .rows = as_at_entry, .row_count = 1,
	 .is_trampoline = true},
};
/* clang-format on */
