/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_SOURCE_H
#define JF_CODEMAP_SOURCE_H

#include <jitframe/source.h>

/* What is wrong with a line table, as a sentence of a message. returns: NULL for a good one. */
const char *jf_source_lines_wrong(const struct jf_source_line *lines, uint32_t count, uint32_t insn_count);

#endif
