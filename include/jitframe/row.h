/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ROW_H
#define JF_ROW_H

#include <jitframe/export.h>
#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/* Flags of a row. */
enum {
	JF_ROW_RA_SIGNED = 1 << 0, /* the saved return address carries a pointer-authentication code */
	JF_ROW_REGS_LOST = 1 << 1, /* registers outside of `saved` are unknown */
	JF_ROW_UNKNOWN = 1 << 2,   /* nothing is known from here on: the walk ends with JF_E_NO_ROW */
	JF_ROW_OUTERMOST = 1 << 3, /* there is no caller: the walk ends with JF_END */
	JF_ROW_FP_KEPT = 1 << 4,   /* with REGS_LOST: a frame pointer outside of `saved` is unchanged */
	JF_ROW_GUESSED = 1 << 5,   /* the frame record of a guessed convention: may be wrong */
};

/*
 * One unwind row. Example, behind the prologue of a function that saves ra, fp and s0: "CFA=sp+80 ra@-8 fp@-16 s0@-24".
 * The row holds from code_off (bytes from the start of the function) up to the next row. All offsets are bytes.
 *
 *     CFA = value of register cfa_reg + cfa_off
 *     for each bit n of saved:  the caller's value of slots[n].reg is at CFA + slots[n].off_from_cfa
 *     every other callee-saved register still has the caller's value (unless JF_ROW_REGS_LOST)
 *
 * slots is the array of the frame (struct jf_frame) or of the registered range. The return address
 * and the caller's frame pointer are slots like any other; a return address whose bit is clear is
 * still in the link register.
 */
struct jf_row {
	uint32_t code_off;
	int32_t cfa_off;
	uint32_t saved;
	uint8_t cfa_reg; /* register id */
	uint8_t flags;
	uint16_t reserved;
};

/* Whether two rows say the same; code_off is left out. threads: any, async-signal-safe. */
JF_API bool jf_row_same(const struct jf_row *a, const struct jf_row *b);

/*
 * The row in force at `code_off`: the last row whose own code_off is `code_off` or lower.
 * in:  rows[0, count), sorted by code_off.
 * returns: NULL when no row is. threads: any, async-signal-safe.
 */
JF_API const struct jf_row *jf_row_find(const struct jf_row *rows, size_t count, uint32_t code_off);

JF_END_DECLS

#endif
