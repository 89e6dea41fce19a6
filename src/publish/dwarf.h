/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_DWARF_H
#define JF_PUBLISH_DWARF_H

#include "publish/out.h"

#include <jitframe/codemap.h>

/*
 * DWARF 4 of generated functions, without relocations: addresses are those of the code in this process. Each range with
 * lines has a unit of its own in .debug_info and a program of its own in .debug_line, so that ranges need not lie side
 * by side, nor come from one file.
 */

/* What every unit's `abbrev_off` 0 refers to. */
void jf_dwarf_abbrevs(struct out *abbrev);
/* Adds a range to .debug_info, .debug_line and .debug_aranges; one without lines: nothing. */
void jf_dwarf_function(struct out *info, struct out *line, struct out *aranges, const struct jf_range *range);

#endif
