/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/exec_memory.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t page_round(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

bool exec_memory_map(struct exec_memory *memory, size_t bytes)
{
	size_t size = page_round(bytes);
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pages == MAP_FAILED)
		return false;
	*memory = (struct exec_memory){.bytes = pages, .size = size};
	return true;
}

bool exec_memory_seal(struct exec_memory *memory, size_t used)
{
	size_t kept = page_round(used);

	if (kept < memory->size && munmap(memory->bytes + kept, memory->size - kept) == 0)
		memory->size = kept;
	if (mprotect(memory->bytes, memory->size, PROT_READ | PROT_EXEC))
		return false;
	__builtin___clear_cache((char *)memory->bytes, (char *)memory->bytes + memory->size);
	return true;
}

void exec_memory_unmap(struct exec_memory *memory)
{
	if (memory->bytes)
		munmap(memory->bytes, memory->size);
	*memory = (struct exec_memory){.bytes = NULL};
}
