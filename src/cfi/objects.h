/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_OBJECTS_H
#define JF_CFI_OBJECTS_H

#include "cfi/cfi.h"

struct dl_phdr_info;

/* Where a loaded object's .eh_frame is. returns: false when it has none that can be found. */
bool jf_cfi_object_section(const struct dl_phdr_info *info, struct jf_cfi_section *section);

/* A checksum that tells an object from another object that is loaded at the same place later. */
uint64_t jf_cfi_object_sum(const struct jf_cfi_section *section);

#endif
