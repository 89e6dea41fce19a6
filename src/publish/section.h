/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_SECTION_H
#define JF_PUBLISH_SECTION_H

#include "publish/unwinder.h"

#include <jitframe/codemap.h>

/* The rows of one range as .eh_frame: CIE, FDEs, a zero word. */
struct section {
	const struct jf_range *range;
	struct section *next; /* the owner's */
	struct unwinder_object object;
	size_t size;
	_Alignas(8) uint8_t bytes[];
};

/* returns: NULL without memory, or when no row of the range says anything. owns: the caller's; free with jf_free(). */
struct section *jf_section_new(const struct jf_range *range);

/* The address of the FDE behind another one; 0: of the first. returns: 0 behind the last. */
uintptr_t jf_section_next_fde(const struct section *section, uintptr_t fde);

#endif
