/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_OBJECTS_H
#define JF_CFI_OBJECTS_H

#include "cfi/index.h"

struct dl_phdr_info;

/* Where a loaded object's .eh_frame is. returns: false when it has none that can be found. */
bool jf_cfi_object_section(const struct dl_phdr_info *info, struct jf_cfi_section *section);

/* A checksum of the section that tells an object from another object that is loaded at the same place later. */
uint64_t jf_cfi_object_sum(const struct jf_cfi_section *section);

/* A loaded object whose functions are converted as they are met. Immutable. */
struct cfi_object {
	struct cfi_index index;
	const uint8_t *hdr;   /* .eh_frame_hdr */
	uint8_t hdr_copy[12]; /* its first bytes, as far as the search table */
	bool is_listed;       /* the dynamic linker finds it by address: _dl_find_object() */
	char name[];
};

/*
 * out: *object, NULL when the object's .eh_frame cannot be searched. owns: the caller's, free(3).
 * returns: JF_E_NO_MEMORY.
 */
enum jf_status jf_cfi_object_open(const struct dl_phdr_info *info, const struct jf_cfi_section *section,
				  const struct cfi_regs *regs, struct cfi_object **object);

/* Whether both are of the same object, at the same place. */
bool jf_cfi_object_same(const struct cfi_object *a, const struct cfi_object *b);

/*
 * Whether the object is still what holds `address`, as far as that can be asked; false: its memory must not be read.
 * threads: any, async-signal-safe.
 */
bool jf_cfi_object_is_there(const struct cfi_object *object, uint64_t address);

#endif
