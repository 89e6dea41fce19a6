/* SPDX-License-Identifier: BSD-2-Clause */
#include "registers.h"

#include <string.h>

static uint64_t sentinel(const struct jf_reg *reg, uint64_t seed)
{
	if (reg->control != NULL)
		return reg->control->other;
	return UINT64_C(0xa5c3000000000000) | (seed & 0xffff) << 32 | (uint64_t)reg->id << 16 | 0x5a3c;
}

static uint64_t kept_bits(const struct jf_reg *reg)
{
	if (reg->control != NULL)
		return reg->control->kept;
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

/* What every level of registers_deep() hands to the one below it. */
struct deep {
	const struct jf_native *native;
	uint64_t (*innermost)(uint64_t);
	uint64_t arg;
	struct jf_regs in, out;
};

/*
 * Its own prologue saves every callee-saved register that a compiler knows, the stub saves them all. A control
 * register gets what registers_fill() has put into it, where that was called: C code changes no control register.
 */
static uint64_t deeper(uint64_t frames, uint64_t address)
{
	struct deep *deep = (struct deep *)(uintptr_t)address;
	uint64_t result;

	__builtin_unwind_init();
	result = frames > 0 ?
			 deep->native->call_checked((uintptr_t)deeper, frames - 1, address, &deep->in, &deep->out) :
			 deep->innermost(deep->arg);
	__asm__ volatile("" : "+r"(result)); /* a jump would not leave this frame on the stack */
	return result;
}

uint64_t registers_deep(unsigned int frames, uint64_t (*innermost)(uint64_t), uint64_t arg)
{
	const struct jf_backend *backend = jf_backend_host();
	struct deep deep = {.native = backend->native, .innermost = innermost, .arg = arg};

	for (unsigned int id = 0; id < backend->reg_count; id++)
		deep.in.value[id] = backend->regs[id].control != NULL ? sentinel(&backend->regs[id], 0) : UINT64_MAX;
	return deeper(frames, (uintptr_t)&deep);
}

static uint64_t nothing(uint64_t arg)
{
	return arg;
}

void registers_scramble(void)
{
	registers_deep(1, nothing, 0);
}
