/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PROOF_MEMORY_H
#define JF_TESTS_PROOF_MEMORY_H

#include <stdint.h>

/* What the word of memory at an address holds before anything is executed: target.py has the same. */
static inline uint64_t scatter(uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15) ^ address >> 7;
}

static inline uint64_t *word_at(uint64_t address)
{
	return (uint64_t *)(uintptr_t)address;
}

#endif
