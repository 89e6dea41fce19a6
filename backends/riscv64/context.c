/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "riscv64.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

/* signal.c has these as numbers. */
_Static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__gregs) == 304 &&
		       sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__fpregs) == 560,
	       "ucontext_t");

/* In place of x0 stands the pc. */
static void context_get(const void *ucontext, struct jf_regs *regs, uint64_t *pc)
{
	const mcontext_t *context = &((const ucontext_t *)ucontext)->uc_mcontext;

	memset(regs, 0, sizeof(*regs));
	for (unsigned int i = 1; i < 32; i++)
		regs->value[i] = context->__gregs[i];
	for (unsigned int i = 0; i < 32; i++)
		regs->value[RV_F0 + i] = context->__fpregs.__d.__f[i];
	*pc = context->__gregs[REG_PC];
}

static void context_set_reg(void *ucontext, uint8_t reg, uint64_t value)
{
	if (reg != RV_ZERO)
		((ucontext_t *)ucontext)->uc_mcontext.__gregs[reg] = value;
}

static void context_set_pc(void *ucontext, uint64_t pc)
{
	((ucontext_t *)ucontext)->uc_mcontext.__gregs[REG_PC] = pc;
}

const struct jf_native jf_native_host = {
	JF_NATIVE_STUBS,
	.context_get = context_get,
	.context_set_reg = context_set_reg,
	.context_set_pc = context_set_pc,
	.libunwind_name = "riscv",
};
