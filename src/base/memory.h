/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BASE_MEMORY_H
#define JF_BASE_MEMORY_H

#include <jitframe/types.h>

/*
 * All memory of the library comes from here, so that a test can refuse any piece of it and count what was not given
 * back. Where the C library's function sets errno, errno is as that function leaves it.
 */
enum jf_memory_event {
	JF_MEMORY_ALLOC,
	JF_MEMORY_RESIZE, /* of an allocation; `bytes` is the new size */
	JF_MEMORY_FREE,   /* `bytes` is 0 */
	JF_MEMORY_MAP,
	JF_MEMORY_PROTECT,
	JF_MEMORY_UNMAP,
	JF_MEMORY_FILE, /* memfd_create(2) */
};

/* A test's: asked before each event, told of FREE and UNMAP. returns: false = the event is to fail. NULL: nobody asks.
 * Changed while no other thread runs. */
typedef bool jf_memory_hook_fn(enum jf_memory_event event, size_t bytes);
extern jf_memory_hook_fn *jf_memory_hook;

/* As malloc(3), calloc(3), realloc(3) and free(3). */
void *jf_alloc(size_t bytes);
void *jf_calloc(size_t count, size_t bytes);
void *jf_realloc(void *memory, size_t bytes);
void jf_free(void *memory);
/* `bytes` zeros, a multiple of JF_LINE_BYTES, that begin where a line of the caches does. For jf_free(). */
#define JF_LINE_BYTES 64
void *jf_calloc_lines(size_t bytes);

/* Pages of a file, shared, or with file -1 of nobody else. `prot` as in mmap(2). returns: NULL without memory. */
void *jf_map(size_t bytes, int prot, int file);
/* As munmap(2), mprotect(2). returns: whether it was done. */
bool jf_unmap(void *pages, size_t bytes);
bool jf_protect(void *pages, size_t bytes, int prot);
/* A file of `bytes` zeros without a name, closed by exec. returns: -1 where there is none to be had. */
int jf_memory_file(size_t bytes);

#endif
