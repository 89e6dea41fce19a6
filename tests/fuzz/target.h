/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One reader of bytes from outside: a source that defines these two. libFuzzer calls the first; drive.c calls both.
 */

/* Has the library read the bytes, and looks at what came out. Anything wrong ends the process. returns: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Valid input number `number`, at most capacity bytes. returns: its size; 0 when there are fewer. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity);

/* What has to hold whatever the bytes are. */
#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* The bytes from the front; behind the end they are 0. */
struct fuzz_bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint64_t fuzz_take(struct fuzz_bytes *bytes, unsigned int count)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < count && bytes->left; i++) {
		value |= (uint64_t)*bytes->at++ << 8 * i;
		bytes->left--;
	}
	return value;
}

#endif
