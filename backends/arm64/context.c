/* SPDX-License-Identifier: BSD-2-Clause */
#include <asm/hwcap.h>
#include <asm/sigcontext.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "../native.h"
#include "arm64.h"

/* signal.c has these as numbers. */
_Static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.regs) == 312, "ucontext_t");
_Static_assert(offsetof(mcontext_t, sp) == offsetof(mcontext_t, regs) + 31 * 8 &&
		       offsetof(mcontext_t, pc) == offsetof(mcontext_t, regs) + 32 * 8,
	       "mcontext_t");

/*
 * A signal's context. Floating-point registers are in a record of their own behind the integer ones;
 * the list of records ends with one of size 0.
 */
static void get_fp(const mcontext_t *context, struct jf_regs *regs)
{
	const unsigned char *at = (const unsigned char *)context->__reserved;
	const unsigned char *end = at + sizeof(context->__reserved);
	struct _aarch64_ctx head;

	while ((size_t)(end - at) >= sizeof(struct fpsimd_context)) {
		memcpy(&head, at, sizeof(head));
		if (head.magic == FPSIMD_MAGIC) {
			const unsigned char *v = at + offsetof(struct fpsimd_context, vregs);

			for (unsigned int n = 0; n < 32; n++) /* d is the low half of v */
				memcpy(&regs->value[JF_ARM64_FIRST_D + n], v + 16 * n, sizeof(uint64_t));
			return;
		}
		if (!head.size || head.size > (size_t)(end - at))
			return;
		at += head.size;
	}
}

static void context_get(const void *ucontext, struct jf_regs *regs, uint64_t *pc)
{
	const mcontext_t *context = &((const ucontext_t *)ucontext)->uc_mcontext;

	memset(regs, 0, sizeof(*regs));
	for (unsigned int n = 0; n < 31; n++)
		regs->value[JF_ARM64_FIRST_X + n] = context->regs[n];
	regs->value[JF_ARM64_SP] = context->sp;
	*pc = context->pc;
	get_fp(context, regs);
}

static void context_set_reg(void *ucontext, uint8_t reg, uint64_t value)
{
	mcontext_t *context = &((ucontext_t *)ucontext)->uc_mcontext;

	if (reg < JF_ARM64_SP)
		context->regs[reg] = value;
	else if (reg == JF_ARM64_SP)
		context->sp = value;
}

#define PSTATE_BTYPE (UINT64_C(3) << 10) /* Arm ARM, "PSTATE.BTYPE" */

/* No branch leads to the new place: what was interrupted right behind a branch must not ask for a landing pad there. */
static void context_set_pc(void *ucontext, uint64_t pc)
{
	mcontext_t *machine = &((ucontext_t *)ucontext)->uc_mcontext;

	machine->pc = pc;
	machine->pstate &= ~PSTATE_BTYPE;
}

/* LSE (Arm ARM, FEAT_LSE). */
static bool has_atomic_insns(void)
{
	return getauxval(AT_HWCAP) & HWCAP_ATOMICS;
}

#ifndef PROT_BTI
#define PROT_BTI 0x10 /* Linux: arch/arm64/include/uapi/asm/mman.h */
#endif

/* Linux says that a processor has BTI only where the kernel takes the bit (Documentation/arch/arm64/elf_hwcaps.rst). */
static int landing_pad_prot(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_BTI ? PROT_BTI : 0;
}

/* CHKFEAT clears bit 0 of x16 where a guarded control stack (GCS) is on, and is a hint without effect on processors
 * that have none (Arm ARM, FEAT_CHK). */
static const char *shadow_stack(void)
{
	register uint64_t features __asm__("x16") = 1;

	__asm__ volatile("hint #40" : "+r"(features));
	return features & 1 ? NULL : "GLIBC_TUNABLES=glibc.cpu.aarch64_gcs=0";
}

const struct jf_native jf_native_host = {
	JF_NATIVE_STUBS,
	.context_get = context_get,
	.context_set_reg = context_set_reg,
	.context_set_pc = context_set_pc,
	.has_atomic_insns = has_atomic_insns,
	.landing_pad_prot = landing_pad_prot,
	.shadow_stack = shadow_stack,
	.libunwind_name = "aarch64",
};
