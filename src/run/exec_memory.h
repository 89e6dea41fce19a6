/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_EXEC_MEMORY_H
#define JF_RUN_EXEC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages for code: writable at first, then executable, never both. All zero: none. */
struct exec_memory {
	uint8_t *bytes;
	size_t size;
};

/* Maps at least `bytes`, writable. returns: false without memory; *memory is untouched. */
bool exec_memory_map(struct exec_memory *memory, size_t bytes);
/* Gives back all pages behind the first `used` bytes and makes the others executable, with `more_prot` besides
 * (landing_pad_prot of struct jf_native, or 0). returns: false when the system refuses that. */
bool exec_memory_seal(struct exec_memory *memory, size_t used, int more_prot);
void exec_memory_unmap(struct exec_memory *memory);

#endif
