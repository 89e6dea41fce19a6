/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

/* Signals, and code that comes without unwind information. */

/*
 * What Linux leaves on the stack for a handler (arch/arm64/include/uapi/asm/ucontext.h, sigcontext.h):
 *
 *     SP ->   +0    siginfo
 *             +128  ucontext: flags, link, stack, mask
 *             +304  fault address, x0 .. x30, sp, pc
 */
#define AT(reg)    (312 + 8 * (reg))
#define FOUR(from) AT(from), AT((from) + 1), AT((from) + 2), AT((from) + 3)

const struct jf_signal_frame jf_arm64_signal_frame = {
	.pc_off = AT(32),
	.reg_off = {FOUR(0), FOUR(4), FOUR(8), FOUR(12), FOUR(16), FOUR(20), FOUR(24), FOUR(28)},
};

static const struct jf_row as_at_entry[] = {{.cfa_reg = JF_ARM64_SP}};

/* The linkage table's first entry, which saves the link register for the dynamic linker. */
static const struct jf_insn_pattern first_entry[] = {
	{0xa9bf7bf0, 0xffffffff}, /* stp x16, x30, [sp, #-16]! */
	{0x90000010, 0x9f00001f}, /* adrp x16, page */
	{0xf9400211, 0xffc003ff}, /* ldr x17, [x16, #off] */
	{0x91000210, 0xffc003ff}, /* add x16, x16, #off */
	{0xd61f0220, 0xffffffff}, /* br x17 */
};
static const struct jf_slot first_slots[] = {
	{.kind = JF_SLOT_RETURN, .reg = JF_ARM64_X30, .off_from_cfa = -8, .size_bytes = 8}};
static const struct jf_row first_rows[] = {{.cfa_reg = JF_ARM64_SP},
					   {.code_off = 4, .cfa_reg = JF_ARM64_SP, .cfa_off = 16, .saved = 1}};

static const struct jf_insn_pattern bti_entry[] = {
	{0xd503245f, 0xffffffff}, /* bti c */
	{0x90000010, 0x9f00001f}, {0xf9400211, 0xffc003ff}, {0x91000210, 0xffc003ff}, {0xd61f0220, 0xffffffff},
};

static const struct jf_insn_pattern trampoline[] = {
	{0xd2801168, 0xffffffff}, /* mov x8, #139: rt_sigreturn */
	{0xd4000001, 0xffffffff}, /* svc #0 */
};

#define COUNT(array) (uint8_t)(sizeof(array) / sizeof((array)[0]))
/* clang-format off */
const struct jf_known_code jf_arm64_known_code[JF_ARM64_KNOWN_CODE_COUNT] = {
	{.insns = first_entry, .insn_count = COUNT(first_entry), .rows = first_rows, .row_count = 2,
	 .slots = first_slots, .slot_count = 1},
	{.insns = bti_entry, .insn_count = COUNT(bti_entry), .rows = as_at_entry, .row_count = 1},
	{.insns = bti_entry + 1, .insn_count = COUNT(bti_entry) - 1, .rows = as_at_entry, .row_count = 1},
	{.insns = trampoline, .insn_count = COUNT(trampoline), .rows = as_at_entry, .row_count = 1,
	 .is_trampoline = true},
};
/* clang-format on */
