/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SFRAME_H
#define JF_SFRAME_H

#include <jitframe/backend.h>
#include <jitframe/cfi.h>

JF_BEGIN_DECLS

/*
 * Rows as a section .sframe, version 2: for a file that a profiler reads, as one that a JIT writes beside its code. Of
 * each row SFrame has the CFA, the return address and the frame pointer, and of the CFA's register whether it is SP or
 * FP. So a stack can be walked by the section, and registers cannot be restored.
 * Source: "The SFrame Format", version 2, of GNU binutils 2.44.
 */

/* What became of the rows. */
struct jf_sframe_counts {
	uint32_t size;      /* sizeof(struct jf_sframe_counts) */
	uint32_t functions; /* of the section: a function with gaps is several */
	uint32_t rows;      /* of the section */
	/* Rows that SFrame has no form for: JF_ROW_UNKNOWN and JF_ROW_OUTERMOST, a CFA by another register, a return
	 * address at a place of its own on a machine that pushes it, a frame pointer that is lost, or saved alone. The
	 * section has nothing at these addresses. */
	uint32_t gaps;
};

/*
 * Writes a section.
 * in:  functions[0, count), by ascending address, none over another; flags are ignored. address: where bytes[0] will
 *      lie beside the code, at run time. *size: room at `bytes`. counts and error may be NULL; counts->size is set.
 * out: *size and *counts, on JF_OK; on JF_E_NOSPACE *size is what is needed.
 * returns: JF_E_UNSUPPORTED (SFrame has no code for the backend's architecture); JF_E_INVAL (NULL, functions or rows
 *      that go down or past the end, a register or slot that is not there, counts of another header); JF_E_RANGE (the
 *      code is 2 GiB or more away from the section); JF_E_NOSPACE. error->where is the function's number ("function
 *      3").
 * threads: any, no shared state, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_sframe_write(const struct jf_backend *backend,
					       const struct jf_cfi_function *functions, size_t count, uint64_t address,
					       void *bytes, size_t *size, struct jf_sframe_counts *counts,
					       struct jf_error *error);

JF_END_DECLS

#endif
