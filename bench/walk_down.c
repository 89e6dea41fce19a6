/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

__attribute__((noinline, noclone)) uint64_t walk_down(unsigned int depth, uint64_t (*end)(uint64_t arg), uint64_t arg)
{
	uint64_t result = depth > 1 ? walk_down(depth - 1, end, arg) : end(arg);

	__asm__ volatile("" : "+r"(result) : "r"(depth));
	return result;
}
