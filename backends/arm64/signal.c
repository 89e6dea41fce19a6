/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

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
