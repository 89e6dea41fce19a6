/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/exec_memory.h"

#include "base/memory.h"

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
	void *pages = jf_map(size, PROT_READ | PROT_WRITE, -1);

	if (!pages)
		return false;
	*memory = (struct exec_memory){.bytes = pages, .size = size};
	return true;
}

bool exec_memory_seal(struct exec_memory *memory, size_t used, int more_prot)
{
	size_t kept = page_round(used);

	if (kept < memory->size && jf_unmap(memory->bytes + kept, memory->size - kept))
		memory->size = kept;
	return jf_protect(memory->bytes, memory->size, PROT_READ | PROT_EXEC | more_prot);
}

void exec_memory_unmap(struct exec_memory *memory)
{
	if (memory->bytes)
		jf_unmap(memory->bytes, memory->size);
	*memory = (struct exec_memory){.bytes = NULL};
}
