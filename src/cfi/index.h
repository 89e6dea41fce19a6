/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_INDEX_H
#define JF_CFI_INDEX_H

#include "cfi/cfi.h"

/* A section whose functions are found by its .eh_frame_hdr, and converted when they are asked for. */
struct cfi_index {
	const struct jf_backend *backend;
	struct jf_cfi_section section;
	const uint8_t *pairs;
	uint64_t base; /* run-time address of .eh_frame_hdr */
	uint32_t count;
	uint64_t start, end; /* of the functions and of the code between them */
};

/* hdr: the bytes of .eh_frame_hdr. owns: section and hdr stay the caller's and are read as long as the index is used.
 * returns: false when the table is missing, has another form, or contradicts the section. */
bool jf_cfi_index_open(struct cfi_index *index, const struct jf_backend *backend, const struct jf_cfi_section *section,
		       struct cfi_reader hdr, const struct cfi_regs *regs);

/*
 * The function, or known code, that holds `address`, with the row in force there.
 * returns: JF_E_NOT_FOUND; JF_E_BAD_IMAGE and JF_E_UNSUPPORTED: the entry cannot be converted; *room is garbage then.
 * threads: any, async-signal-safe: allocates nothing, takes no lock.
 */
enum jf_status jf_cfi_index_find(const struct cfi_index *index, const struct cfi_regs *regs, uint64_t address,
				 struct jf_cfi_room *room);

#endif
