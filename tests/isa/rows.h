/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ISA_ROWS_H
#define TESTS_ISA_ROWS_H

#include <jitframe/program.h>

/* One kind of instruction: a row of the table. */
struct isa_row {
	struct jf_insn insn;
	uint32_t imm_high; /* of 64-bit immediates: of the second half */
	char text[96];
	char fields[64]; /* what else there is to it beside the opcode, or "" */
};

typedef void (*isa_row_fn)(void *to, const struct isa_row *row);
typedef void (*isa_section_fn)(void *to, const char *title);

/* All of them, in sections. */
void isa_rows(isa_section_fn section, isa_row_fn row, void *to);

#endif
