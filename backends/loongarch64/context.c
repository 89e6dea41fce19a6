/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "loongarch64.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

/* signal.c has these as numbers. */
_Static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__gregs) == 312 &&
		       offsetof(mcontext_t, __gregs) == offsetof(mcontext_t, __pc) + 8,
	       "ucontext_t");

/*
 * A signal's context has the integer registers; behind them stand records, of which one has the
 * floating-point registers: alone, or as the low parts of vectors, `step` words apart.
 */
static unsigned int fp_step(uint32_t magic)
{
	switch (magic) {
	case FPU_CTX_MAGIC: return 1;
	case LSX_CTX_MAGIC: return 2;
	case LASX_CTX_MAGIC: return 4;
	default: return 0;
	}
}

static void get_fp(const mcontext_t *context, struct jf_regs *regs)
{
	const uint8_t *at = (const uint8_t *)context->__extcontext;
	const struct sctx_info *info = (const struct sctx_info *)at;

	for (; info->magic && info->size; at += info->size, info = (const struct sctx_info *)at) {
		const uint64_t *values = (const uint64_t *)(at + sizeof(*info));
		unsigned int step = fp_step(info->magic);

		for (unsigned int i = 0; step && i < 32; i++)
			regs->value[LA_F0 + i] = values[i * step];
	}
}

static void context_get(const void *ucontext, struct jf_regs *regs, uint64_t *pc)
{
	const mcontext_t *context = &((const ucontext_t *)ucontext)->uc_mcontext;

	memset(regs, 0, sizeof(*regs));
	for (unsigned int i = 0; i < 32; i++)
		regs->value[i] = context->__gregs[i];
	get_fp(context, regs);
	*pc = context->__pc;
}

static void context_set_reg(void *ucontext, uint8_t reg, uint64_t value)
{
	((ucontext_t *)ucontext)->uc_mcontext.__gregs[reg] = value;
}

static void context_set_pc(void *ucontext, uint64_t pc)
{
	((ucontext_t *)ucontext)->uc_mcontext.__pc = pc;
}

const struct jf_native jf_native_host = {
	JF_NATIVE_STUBS,
	.context_get = context_get,
	.context_set_reg = context_set_reg,
	.context_set_pc = context_set_pc,
	.libunwind_name = "loongarch64",
};
