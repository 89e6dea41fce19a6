/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * code CODE DATA: runs the code of a file once, at CODE_ADDRESS, and prints what it returns. For an emulator that
 * counts the instructions there; needs libc alone.
 */

#include "programs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static size_t read_file(const char *path, void *bytes, size_t capacity)
{
	FILE *file = fopen(path, "rb");
	size_t size = file ? fread(bytes, 1, capacity, file) : 0;

	if (file)
		fclose(file);
	return size;
}

int main(int argc, char **argv)
{
	static struct data data;
	uint64_t (*run)(const struct data *data);
	void *wanted = (void *)(uintptr_t)CODE_ADDRESS, *pages;

	pages = mmap(wanted, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (argc != 3 || pages != wanted || !read_file(argv[1], pages, CODE_BYTES) ||
	    read_file(argv[2], &data, sizeof(data)) != sizeof(data) ||
	    mprotect(pages, CODE_BYTES, PROT_READ | PROT_EXEC)) {
		fprintf(stderr, "usage: code CODE DATA\n");
		return 1;
	}
	__builtin___clear_cache(pages, (char *)pages + CODE_BYTES);
	memcpy(&run, &pages, sizeof(run));
	printf("%" PRIx64 "\n", run(&data));
	return 0;
}
