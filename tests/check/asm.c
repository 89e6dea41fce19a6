/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "edit.h"

static const struct arch_assembler *assembler_of(const struct jf_backend *backend)
{
	return &arch_named(backend->name)->assembler;
}

bool asm_store(struct assembler *as, const struct jf_backend *backend, uint8_t value, uint8_t base, int32_t off)
{
	return assembler_of(backend)->memory(as, true, value, base, off);
}

bool asm_load(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t base, int32_t off)
{
	return assembler_of(backend)->memory(as, false, reg, base, off);
}

bool asm_add(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t from, int32_t imm)
{
	return assembler_of(backend)->add(as, reg, from, imm);
}

bool asm_call(struct assembler *as, const struct jf_backend *backend, uint8_t reg)
{
	return assembler_of(backend)->call(as, reg);
}

bool asm_return(struct assembler *as, const struct jf_backend *backend)
{
	return assembler_of(backend)->leave(as);
}
