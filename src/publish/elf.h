/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_ELF_H
#define JF_PUBLISH_ELF_H

#include "publish/out.h"

#include <jitframe/codemap.h>

/*
 * An ELF file about code that lies elsewhere: an executable's header, for each range a .text without bytes and a
 * symbol, .eh_frame, and DWARF where lines are known. What debuggers take of a JIT.
 * in:  ranges = at most JF_ELF_RANGES_MAX of them, of one backend; flags = e_flags of that machine's programs.
 * out: *out, appended to. Without memory out->failed is set.
 */
#define JF_ELF_RANGES_MAX 1024
void jf_elf_put(struct out *out, const struct jf_range *const *ranges, size_t count, uint32_t flags);

#endif
