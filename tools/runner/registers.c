/* SPDX-License-Identifier: BSD-2-Clause */
#include "registers.h"

#include <string.h>

/*
 * Control registers take no arbitrary value. These have rounding towards zero, and flush-to-zero in
 * mxcsr; what the hardware sets by itself (mxcsr's exception flags) is not kept by the ABI.
 */
static const struct {
	const char *name;
	uint64_t value;
	uint64_t kept;
} control[] = {
	{"mxcsr", 0xff80, 0xffc0},
	{"fcw", 0x0f7f, 0xffff},
};

static uint64_t sentinel(const struct jf_reg *reg, uint64_t seed)
{
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		if (strcmp(control[i].name, reg->name) == 0)
			return control[i].value;
	}
	return UINT64_C(0xa5c3000000000000) | (seed & 0xffff) << 32 | (uint64_t)reg->id << 16 | 0x5a3c;
}

static uint64_t kept_bits(const struct jf_reg *reg)
{
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		if (strcmp(control[i].name, reg->name) == 0)
			return control[i].kept;
	}
	return reg->size_bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * reg->size_bytes) - 1;
}

void registers_fill(const struct jf_backend *backend, struct jf_regs *in, uint64_t seed)
{
	memset(in, 0, sizeof(*in));
	for (unsigned int id = 0; id < backend->reg_count; id++) {
		if ((backend->regs[id].flags & JF_REG_CALLEE_SAVED) != 0)
			in->value[id] = sentinel(&backend->regs[id], seed);
	}
}

bool registers_kept(const struct jf_backend *backend, const struct registers *registers, unsigned int id)
{
	uint64_t changed = registers->in.value[id] ^ registers->out.value[id];

	return (changed & kept_bits(&backend->regs[id])) == 0;
}

/*
 * The clobber lists make the compiler save and restore what the assembly overwrites. The frame pointer
 * is on the list of no compiler: the assembly itself puts it back.
 */
static inline __attribute__((always_inline)) void scramble(void)
{
#if defined(__x86_64__)
	__asm__ volatile("mov $-1, %%rbx\n\t"
			 "mov $-1, %%r12\n\t"
			 "mov $-1, %%r13\n\t"
			 "mov $-1, %%r14\n\t"
			 "mov $-1, %%r15\n\t"
			 "mov %%rbp, %%rax\n\t"
			 "mov $-1, %%rbp\n\t"
			 "mov %%rax, %%rbp"
			 :
			 :
			 : "rax", "rbx", "r12", "r13", "r14", "r15", "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov x19, #-1\n\tmov x20, #-1\n\tmov x21, #-1\n\tmov x22, #-1\n\tmov x23, #-1\n\t"
			 "mov x24, #-1\n\tmov x25, #-1\n\tmov x26, #-1\n\tmov x27, #-1\n\tmov x28, #-1\n\t"
			 "fmov d8, #1.0\n\tfmov d9, #1.0\n\tfmov d10, #1.0\n\tfmov d11, #1.0\n\t"
			 "fmov d12, #1.0\n\tfmov d13, #1.0\n\tfmov d14, #1.0\n\tfmov d15, #1.0\n\t"
			 "mov x9, x29\n\tmov x29, #-1\n\tmov x29, x9"
			 :
			 :
			 : "x9", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "d8", "d9",
			   "d10", "d11", "d12", "d13", "d14", "d15", "memory");
#elif defined(__loongarch64)
	__asm__ volatile("li.d $s0, -1\n\tli.d $s1, -1\n\tli.d $s2, -1\n\tli.d $s3, -1\n\tli.d $s4, -1\n\t"
			 "li.d $s5, -1\n\tli.d $s6, -1\n\tli.d $s7, -1\n\tli.d $s8, -1\n\t"
			 "movgr2fr.d $fs0, $zero\n\tmovgr2fr.d $fs1, $zero\n\tmovgr2fr.d $fs2, $zero\n\t"
			 "movgr2fr.d $fs3, $zero\n\tmovgr2fr.d $fs4, $zero\n\tmovgr2fr.d $fs5, $zero\n\t"
			 "movgr2fr.d $fs6, $zero\n\tmovgr2fr.d $fs7, $zero\n\t"
			 "move $t0, $fp\n\tli.d $fp, -1\n\tmove $fp, $t0"
			 :
			 :
			 : "$t0", "$s0", "$s1", "$s2", "$s3", "$s4", "$s5", "$s6", "$s7", "$s8", "$fs0", "$fs1", "$fs2",
			   "$fs3", "$fs4", "$fs5", "$fs6", "$fs7", "memory");
#else
#error "say here which registers the ABI calls callee-saved"
#endif
}

void registers_scramble(void)
{
	scramble();
}

__attribute__((noinline)) uint64_t registers_deep(unsigned int frames, uint64_t (*innermost)(uint64_t), uint64_t arg)
{
	uint64_t result;

	scramble();
	result = frames > 1 ? registers_deep(frames - 1, innermost, arg) : innermost(arg);
	__asm__ volatile("" : "+r"(result)); /* a jump would not leave this frame on the stack */
	return result;
}
