/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_X86_64_BYTES_H
#define JF_TESTS_X86_64_BYTES_H

#include <jitframe/backend.h>

/* Longer than any instruction, so that none is cut off. */
#define BYTES 16

/* What the tests of this folder share: the numbers they are told by, and bytes to decode. */
struct random {
	uint64_t state;
};

/* xorshift64* */
static inline uint32_t random_next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)(r->state * UINT64_C(2685821657736338717) >> 32);
}

static inline uint32_t random_below(struct random *r, uint32_t limit)
{
	return (uint32_t)((uint64_t)random_next(r) * limit >> 32);
}

/* A number from the environment. */
uint64_t x86_64_number_of(const char *variable, uint64_t otherwise);

/* Anything: one in four uniform, the others put together of prefixes, an opcode of some map, ModRM and SIB. */
void x86_64_random_bytes(struct random *r, uint8_t bytes[BYTES]);

/* "48 89 e5", in a buffer of its own. */
const char *x86_64_hex(const uint8_t *bytes, size_t count);

/*
 * Of an instruction whose size, or whether it is one, is not the same to us, LLVM and Capstone: why, where the manual
 * decides. ours, llvms: its size, 0 for none. returns: the number of a class; -1 when there is no reason.
 */
int x86_64_class(const uint8_t *bytes, size_t ours, size_t llvms);
/* returns: NULL behind the last. */
const char *x86_64_class_name(int class);
#define X86_64_CLASSES_MAX 24

#endif
