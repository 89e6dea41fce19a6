/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Pages for one function's code: written, and then run. They are given back with the process. */
#define MEMORY_BYTES 65536

static inline uint8_t *memory_room(void)
{
	void *bytes = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static inline bool memory_run(uint8_t *bytes, size_t size, int more_prot)
{
	__builtin___clear_cache((char *)bytes, (char *)bytes + size);
	return mprotect(bytes, MEMORY_BYTES, PROT_READ | PROT_EXEC | more_prot) == 0;
}

#endif
