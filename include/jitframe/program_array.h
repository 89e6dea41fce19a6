/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PROGRAM_ARRAY_H
#define JF_PROGRAM_ARRAY_H

#include <jitframe/export.h>
#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

#define JF_TAIL_CALLS_MAX 33 /* MAX_TAIL_CALL_CNT of Linux */

/*
 * A program array as tail calls read it, in host byte order. entries[i] is the address of a main program's first byte,
 * or 0 when the slot is empty; an entry may change at any time (jf_program_array_set()). All programs of one array have
 * the convention and the hardening options of the array, so that one tail-call entry offset serves for all (R16).
 * owns: the array is the caller's.
 */
JF_EXTENSION struct jf_program_array {
	uint32_t max_entries;
	uint32_t hardening;               /* of its programs: bit 0 landing pads, bit 1 signed returns */
	const struct jf_convention *conv; /* of its programs; NULL as long as there has been none */
	uint64_t entries[];
};

/*
 * Puts a loaded program into a slot of a program array, or empties the slot (NULL). A tail call sees the old program or
 * the new one. Unload the old program only when no thread can still run it.
 * returns: JF_E_INVAL (array NULL, or index beyond the array), JF_E_BAD_SPEC (convention or hardening options differ
 *      from those of the array's programs: their tail-call entries may differ).
 * threads: any, outside of signal handlers: takes a lock, allocates nothing. Other threads may make tail
 *      calls meanwhile.
 */
JF_API JF_CHECK enum jf_status jf_program_array_set(struct jf_program_array *array, uint32_t index,
						    const struct jf_loaded *loaded);

JF_END_DECLS

#endif
