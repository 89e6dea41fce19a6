/* SPDX-License-Identifier: BSD-2-Clause */
/* A signal's context, as glibc's <ucontext.h> lays it out. */
#include <string.h>
#include <ucontext.h>

#include "../native.h"
#include "x86_64.h"

static const uint8_t gregs[RIP] = {
	[RAX] = REG_RAX, [RCX] = REG_RCX, [RDX] = REG_RDX, [RBX] = REG_RBX, [RSP] = REG_RSP, [RBP] = REG_RBP,
	[RSI] = REG_RSI, [RDI] = REG_RDI, [R8] = REG_R8,   [R9] = REG_R9,   [R10] = REG_R10, [R11] = REG_R11,
	[R12] = REG_R12, [R13] = REG_R13, [R14] = REG_R14, [R15] = REG_R15,
};

/* signal.c has these as numbers. */
_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs) == 40 && REG_R8 == 0 && REG_RSP == 15 && REG_RIP == 16,
	       "ucontext_t");

static void context_get(const void *ucontext, struct jf_regs *regs, uint64_t *pc)
{
	const mcontext_t *m = &((const ucontext_t *)ucontext)->uc_mcontext;

	memset(regs, 0, sizeof(*regs));
	for (unsigned int reg = 0; reg < RIP; reg++)
		regs->value[reg] = (uint64_t)m->gregs[gregs[reg]];
	if (m->fpregs) {
		regs->value[MXCSR] = m->fpregs->mxcsr;
		regs->value[FCW] = m->fpregs->cwd;
	}
	*pc = (uint64_t)m->gregs[REG_RIP];
}

static void context_set_reg(void *ucontext, uint8_t reg, uint64_t value)
{
	if (reg < RIP)
		((ucontext_t *)ucontext)->uc_mcontext.gregs[gregs[reg]] = (greg_t)value;
}

static void context_set_pc(void *ucontext, uint64_t pc)
{
	((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

/* RDSSPQ leaves its register alone where no shadow stack is active, and on processors without (Intel SDM, volume 2). */
static const char *shadow_stack(void)
{
	uint64_t ssp = 0;

	__asm__ volatile("rdsspq %0" : "+r"(ssp));
	return ssp ? "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off" : NULL;
}

const struct jf_native jf_native_host = {
	JF_NATIVE_STUBS,
	.context_get = context_get,
	.context_set_reg = context_set_reg,
	.context_set_pc = context_set_pc,
	.shadow_stack = shadow_stack,
	.libunwind_name = "x86_64",
};
