/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_ELF_FILE_H
#define JF_TESTS_ELF_FILE_H

#include <jitframe/cfi.h>

/* A file's bytes, and copies of its .eh_frame and .eh_frame_hdr of exactly their sizes. */
struct elf_file {
	const struct jf_backend *backend; /* of the file's machine; NULL: none */
	unsigned char *bytes;
	size_t size;
	struct jf_cfi_section section; /* size_bytes 0: there is none */
	unsigned char *hdr;            /* NULL: there is none */
	size_t hdr_bytes;
	uint64_t hdr_address;
};

/* returns: false when it cannot be read. */
bool elf_file_read(struct elf_file *file, const char *path);
void elf_file_free(struct elf_file *file);

/* Libraries of the architectures, those that are here: NULL at the end. */
const char *elf_library(size_t index);

#endif
