/* SPDX-License-Identifier: BSD-2-Clause */
#include "throw.h"

/* Each frame holds something over its call, or it would not be one. */
static __attribute__((noinline)) uint64_t down(unsigned int depth)
{
	uint64_t result;

	if (depth <= 1)
		throw uint64_t(1);
	result = down(depth - 1);
	__asm__ volatile("" : "+r"(result) : "r"(depth));
	return result;
}

uint64_t cxx_throw(unsigned int depth)
{
	try {
		return down(depth);
	} catch (uint64_t value) {
		return value;
	}
}
