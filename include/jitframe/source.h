/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SOURCE_H
#define JF_SOURCE_H

#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/*
 * From code back to source: a code address -> the instruction that the code was made from -> file and line.
 *
 * "Instruction" is a BPF instruction, counted from 0 in its function as struct jf_program counts: a 16-byte
 * instruction counts as two. In ranges of other JITs it is whatever the range's insn_off counts: bytecodes, statements.
 */

/* Instructions from `insn` up to the next entry's come from this line. owns: whoever made the table. */
struct jf_source_line {
	uint32_t insn;
	uint32_t line;    /* from 1 */
	uint32_t column;  /* from 1; 0: not known */
	const char *file; /* path as the compiler recorded it; never NULL */
	const char *text; /* the line itself, with its indentation, without newline; NULL: not known */
};

/* The line table of one function: sorted by insn, no two entries with the same one. */
struct jf_source_lines {
	const struct jf_source_line *lines; /* NULL with count 0 */
	uint32_t count;
};

/* What jf_range_source() finds. */
struct jf_source {
	/* Code of the prologue counts as instruction 0. The epilogue is an instruction of its own, behind the last. */
	uint32_t insn;
	const struct jf_source_line *line; /* NULL: no line is known; else an entry of range->lines */
};

/*
 * The instruction and the line that the code at `address` was made from.
 * in:  range = one that jf_code_map_find() returned, inside of the reader section, or one of the caller's own. Of a
 *      return address pass the byte before (R17): the code behind a call may belong to another line.
 * out: *source on JF_OK only; readable as long as the range.
 * returns: JF_E_INVAL (NULL, or `address` is not in the range); JF_E_NOT_FOUND (the range does not say which
 *      instructions its code was made from: insn_off is NULL, as in stubs).
 * threads: any, wait-free, async-signal-safe. cost: two binary searches.
 */
JF_API JF_CHECK enum jf_status jf_range_source(const struct jf_range *range, uint64_t address,
					       struct jf_source *source);

JF_END_DECLS

#endif
