/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_H
#define JF_CODEMAP_H

#include <jitframe/program.h>

JF_BEGIN_DECLS

enum jf_range_kind {
	JF_RANGE_MAIN,
	JF_RANGE_SUBPROGRAM,
	JF_RANGE_BOUNDARY,
	JF_RANGE_CALLBACK,
	JF_RANGE_STUB,  /* generated code that is no BPF function; walks and throws pass through it */
	JF_RANGE_ENTRY, /* C enters BPF code here: a throw does not go past it */
	JF_RANGE__COUNT
};

/* A registered piece of generated code. Filled in by its owner; see jf_code_map_add(). */
struct jf_range {
	uint32_t size;       /* sizeof(struct jf_range) */
	uint8_t kind;        /* enum jf_range_kind */
	uint64_t start, end; /* code addresses, [start, end) */
	const char *name;
	const struct jf_backend *backend;
	const struct jf_row *rows; /* sorted; code_off from start. NULL only for ENTRY */
	size_t row_count;
	const struct jf_slot *slots; /* what row->saved refers to */
	uint8_t slot_count;
	int16_t fp_off_from_cfa;
	const struct jf_fault *faults; /* sorted; NULL with fault_count 0 */
	uint32_t fault_count;
	/* Boundaries only: */
	int32_t landing_sp_off_from_cfa;
	uint64_t callback; /* code address: callback(cookie, sp, fp) */
	void *owner;       /* the registrant's, untouched */
};

/*
 * Registers a range. owns: *range, its rows, slots and name stay the caller's and must not change or
 * go away before jf_code_map_remove() has returned.
 * returns: JF_E_INVAL (start >= end, 4 GiB or more, rows missing or unsorted, slot_count over 32, a boundary
 *      without callback; called between jf_code_map_enter() and _leave() of this thread, for which it might
 *      wait), JF_E_OVERLAP, JF_E_NO_MEMORY.
 * threads: any; takes a lock and allocates: not from signal handlers. Readers never wait for it. Time and
 * memory do not depend on how many ranges there are: a few hundred bytes, more when code is thinly spread;
 * removing gives them back.
 */
JF_API JF_CHECK enum jf_status jf_code_map_add(const struct jf_range *range);

/* The same for several ranges at once: all or none. While it runs, look-ups may find some and not others. */
JF_API JF_CHECK enum jf_status jf_code_map_add_all(const struct jf_range *ranges, size_t count);

/*
 * Removes a range, known by its address in memory. Returns when no reader can see it any more.
 * returns: JF_E_NOT_FOUND; JF_E_INVAL (NULL, or inside a section of this thread).
 * threads: any; takes a lock, waits for sections that were open before, allocates nothing: not from signal
 * handlers.
 */
JF_API JF_CHECK enum jf_status jf_code_map_remove(const struct jf_range *range);

/* The same for all of ranges[0, count), with one wait. returns: JF_E_NOT_FOUND when one of them is not
 * registered: none was removed. */
JF_API JF_CHECK enum jf_status jf_code_map_remove_all(const struct jf_range *ranges, size_t count);

/*
 * Looks up the range that holds `address`. For a return address pass the byte before it (R17).
 * A found range is safe to read until jf_code_map_leave(). Sections nest: they end in the reverse order, each
 * in its own thread, with what its jf_code_map_enter() gave.
 * returns: NULL when none does. Wait-free, async-signal-safe.
 *
 *     unsigned int section = jf_code_map_enter();
 *     const struct jf_range *range = jf_code_map_find(address);
 *     ... read range ...
 *     jf_code_map_leave(section);
 */
JF_API unsigned int jf_code_map_enter(void);
JF_API void jf_code_map_leave(unsigned int section);
JF_API const struct jf_range *jf_code_map_find(uint64_t address);

JF_END_DECLS

#endif
