/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

jf_memory_hook_fn *jf_memory_hook;

static bool may(enum jf_memory_event event, size_t bytes)
{
	return !jf_memory_hook || jf_memory_hook(event, bytes);
}

void *jf_alloc(size_t bytes)
{
	return may(JF_MEMORY_ALLOC, bytes) ? malloc(bytes) : NULL;
}

void *jf_calloc(size_t count, size_t bytes)
{
	return may(JF_MEMORY_ALLOC, count * bytes) ? calloc(count, bytes) : NULL;
}

void *jf_calloc_lines(size_t bytes)
{
	void *memory = may(JF_MEMORY_ALLOC, bytes) ? aligned_alloc(JF_LINE_BYTES, bytes) : NULL;

	return memory ? memset(memory, 0, bytes) : NULL;
}

void *jf_realloc(void *memory, size_t bytes)
{
	return may(memory ? JF_MEMORY_RESIZE : JF_MEMORY_ALLOC, bytes) ? realloc(memory, bytes) : NULL;
}

void jf_free(void *memory)
{
	if (memory && jf_memory_hook)
		jf_memory_hook(JF_MEMORY_FREE, 0);
	free(memory);
}

void *jf_map(size_t bytes, int prot, int file)
{
	int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	void *pages;

	if (!may(JF_MEMORY_MAP, bytes))
		return NULL;
	pages = mmap(NULL, bytes, prot, flags, file, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

bool jf_unmap(void *pages, size_t bytes)
{
	if (munmap(pages, bytes))
		return false;
	if (jf_memory_hook)
		jf_memory_hook(JF_MEMORY_UNMAP, bytes);
	return true;
}

bool jf_protect(void *pages, size_t bytes, int prot)
{
	return may(JF_MEMORY_PROTECT, bytes) && !mprotect(pages, bytes, prot);
}

/* MFD_CLOEXEC, and MFD_NOEXEC_SEAL: the file itself is never to be executed, only mapped. Linux before 6.3 does not
 * know the second, and where vm.memfd_noexec is 2, Linux wants it. */
#define FILE_FLAGS  1u
#define FILE_NOEXEC 8u

int jf_memory_file(size_t bytes)
{
	struct rlimit limit;
	int file;

	if (!may(JF_MEMORY_FILE, bytes))
		return -1;
	/* A file over this limit is not refused alone: a signal comes with the refusal. */
	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur < bytes)
		return -1;
	file = (int)syscall(SYS_memfd_create, "jitframe", FILE_FLAGS | FILE_NOEXEC);
	if (file < 0)
		file = (int)syscall(SYS_memfd_create, "jitframe", FILE_FLAGS);
	if (file >= 0 && ftruncate(file, (off_t)bytes)) {
		close(file);
		return -1;
	}
	return file;
}
