/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "kernel_jit.h"

/* Code with addresses that a kernel has and no process, made code with addresses of a process. */

/* Code is shifted by so much to see which words have addresses in them. */
#define SHIFT 0x40
/* The words that put an address together stand side by side: a carry of the shift changes later ones, too. */
#define ADDRESS_WORDS 3

uint64_t kernel_in_process(const struct kernel_jit *jit, uint64_t address)
{
	return jit->relocates ? address & UINT64_C(0xffffffffffff) : address;
}

static int relocate_function(const struct kernel_jit *jit, struct kernel_function *function,
			     const struct kernel_function *shifted)
{
	size_t end_of_address = 0;

	if (function->size != shifted->size)
		return cli_failed("function %s: its size depends on its address", function->name);
	for (size_t off = 0; off + 4 <= function->size; off += 4) {
		uint32_t word, other;

		memcpy(&word, function->bytes + off, sizeof(word));
		memcpy(&other, shifted->bytes + off, sizeof(other));
		if (word == other)
			continue;
		if ((word & jit->relocate_mask) == jit->relocate_match) {
			word ^= jit->relocate_flip;
			memcpy(function->bytes + off, &word, sizeof(word));
			end_of_address = off + ADDRESS_WORDS * sizeof(word);
		} else if (off >= end_of_address) {
			return cli_failed(
				"function %s: at +0x%zx is an address in a form that tools/kernel-jit does not know",
				function->name, off);
		}
	}
	function->address = kernel_in_process(jit, function->address);
	return 0;
}

int kernel_relocate(const struct kernel_jit *jit, const struct listing *listing, struct kernel_code *code)
{
	struct kernel_jit second = *jit;
	struct kernel_code shifted;
	int status;

	second.shift = SHIFT;
	second.warned = true;
	status = kernel_jit_compile(&second, listing, &shifted);
	for (uint32_t i = 0; status == 0 && i < code->count; i++)
		status = relocate_function(jit, &code->functions[i], &shifted.functions[i]);
	kernel_code_free(&shifted);
	return status;
}
