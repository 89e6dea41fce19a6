/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86_64.h"

/*
 * What Linux leaves on the stack for a handler (arch/x86/include/uapi/asm/sigcontext.h, asm-generic/ucontext.h).
 * A handler's RET has taken its return address away:
 *
 *     SP ->   +0    ucontext: flags, link, stack
 *             +40   r8 .. r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip
 */
#define AT(word) (40 + 8 * (word))

const struct jf_signal_frame jf_x86_64_signal_frame = {
	.pc_off = AT(16),
	.reg_off =
		{
			[R8] = AT(0),
			[R9] = AT(1),
			[R10] = AT(2),
			[R11] = AT(3),
			[R12] = AT(4),
			[R13] = AT(5),
			[R14] = AT(6),
			[R15] = AT(7),
			[RDI] = AT(8),
			[RSI] = AT(9),
			[RBP] = AT(10),
			[RBX] = AT(11),
			[RDX] = AT(12),
			[RAX] = AT(13),
			[RCX] = AT(14),
			[RSP] = AT(15),
		},
};
