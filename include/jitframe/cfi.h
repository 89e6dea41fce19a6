/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_H
#define JF_CFI_H

#include <jitframe/backend.h>
#include <jitframe/row.h>

JF_BEGIN_DECLS

/*
 * DWARF call frame information as C compilers write it into .eh_frame, made into rows ahead of time: a
 * walk then does a binary search and interprets nothing.
 *
 *     CIE   what many functions share: factors, pointer encoding, first rules
 *     FDE   one function: [start, end), a program of rule changes     ->  rows + slots
 *
 * A register that one function saves at two offsets in turn has two slots.
 */

/* Why a row says JF_ROW_UNKNOWN. */
enum jf_cfi_unknown {
	JF_CFI_CFA_EXPRESSION, /* the CFA is computed by an expression */
	JF_CFI_CFA_REGISTER,   /* the CFA has no rule, or is relative to a register that the backend lacks */
	JF_CFI_REG_EXPRESSION, /* a callee-saved register, SP or return address is given by an expression */
	JF_CFI_REG_REGISTER,   /* ... or lies in another register */
	JF_CFI_REG_VALUE,      /* ... or is an offset from the CFA itself; SP is not the CFA */
	JF_CFI_RANGE,          /* an offset beyond 32 bits, or more than 32 slots */
	JF_CFI_RETURN_COLUMN,  /* the return address is not where the backend has it, or above the CFA */
	JF_CFI_UNKNOWN__COUNT
};

/* What became of a section, or of all loaded objects together. */
struct jf_cfi_counts {
	uint32_t objects;
	uint32_t objects_skipped; /* without rows: no .eh_frame_hdr, or a contradiction in .eh_frame */
	uint32_t functions;
	uint32_t functions_skipped; /* empty, removed by the linker, or starting where another one does */
	uint32_t rows;
	uint32_t unknown[JF_CFI_UNKNOWN__COUNT]; /* rows, by the first reason found */
};

/* A section as it lies in memory or in a file. Little endian, 64-bit. */
struct jf_cfi_section {
	const void *bytes;
	size_t size_bytes;
	uint64_t address;   /* run-time address of bytes[0] */
	uint32_t fde_count; /* as .eh_frame_hdr has it: where no zero word ends the section, whatever is not an
			     * entry ends it behind that many; 0 = only the zero word or size_bytes does */
	/* The object's code. Between functions that have entries, linkage tables and signal trampolines are known by
	 * their instructions (struct jf_known_code) and get rows too. NULL: not looked at. */
	const void *code;
	size_t code_bytes;
	uint64_t code_address; /* run-time address of its first byte */
};

enum {
	JF_CFI_SIGNAL = 1 << 0, /* a signal's return trampoline: the caller was interrupted, not calling */
};

/* One function: an FDE, or known code. */
struct jf_cfi_function {
	uint64_t start, end;       /* code addresses, [start, end) */
	const struct jf_row *rows; /* sorted; the first has code_off 0 */
	const struct jf_slot *slots;
	uint32_t row_count;
	uint8_t slot_count;
	uint8_t flags;
};

/* Immutable once made; one allocation. */
struct jf_cfi_table;

/*
 * Converts a section of the backend's architecture; bytes may come from any machine.
 * in:  name: what jf_cfi_table_name() gives, copied (an object's path); error may be NULL.
 * out: *table on JF_OK only, the caller's: jf_cfi_table_free().
 * returns: JF_E_INVAL; JF_E_BAD_IMAGE (truncated, or contradicts itself), JF_E_UNSUPPORTED (an augmentation
 *      or pointer encoding that compilers for 64-bit ELF do not use), JF_E_RANGE (functions further apart
 *      than 4 GiB): error->where is ".eh_frame+0x1c8", the byte offset; JF_E_NO_MEMORY.
 * threads: any, no shared state.
 */
JF_API JF_CHECK enum jf_status jf_cfi_convert(const struct jf_backend *backend, const struct jf_cfi_section *section,
					      const char *name, struct jf_cfi_table **table, struct jf_error *error);
JF_API void jf_cfi_table_free(struct jf_cfi_table *table);

JF_API const struct jf_cfi_counts *jf_cfi_table_counts(const struct jf_cfi_table *table);
JF_API const char *jf_cfi_table_name(const struct jf_cfi_table *table);
/* All the memory it takes. */
JF_API size_t jf_cfi_table_bytes(const struct jf_cfi_table *table);

/* The function that holds `address` (a return address less one byte, R17), or NULL. Any thread,
 * async-signal-safe. */
JF_API const struct jf_cfi_function *jf_cfi_table_find(const struct jf_cfi_table *table, uint64_t address);
/* In order of their addresses; NULL behind the last. */
JF_API const struct jf_cfi_function *jf_cfi_table_at(const struct jf_cfi_table *table, size_t index);

/* ---- what walks see: tables by address, beside the code map ------------------------------------------ */

/*
 * Makes a table visible to walks, for code that is not loaded here: a captured stack of another process or
 * machine. owns: the table stays the caller's and must not go away before jf_cfi_remove() has returned.
 * returns: JF_E_INVAL, JF_E_OVERLAP (its addresses, of the same backend), JF_E_NO_MEMORY.
 * threads: any; takes a lock and allocates: not from signal handlers, nor inside a reader section.
 */
JF_API JF_CHECK enum jf_status jf_cfi_add(const struct jf_cfi_table *table);
/* returns: JF_E_NOT_FOUND, JF_E_NO_MEMORY (not removed). Waits for readers. */
JF_API JF_CHECK enum jf_status jf_cfi_remove(const struct jf_cfi_table *table);

/*
 * Converts the .eh_frame of every object loaded in this process (dl_iterate_phdr) for which that was not
 * done yet, and forgets those that are gone. jf_load() calls it; call it again after dlopen() when walks or
 * throws are to cross the new object. Nothing but a comparison of two counters when nothing was loaded or
 * unloaded. An object that cannot be converted has no rows: counts->objects_skipped.
 * out: counts (may be NULL): of all objects together.
 * returns: JF_E_UNSUPPORTED without a backend for this host, JF_E_NO_MEMORY.
 * threads: any; takes locks and allocates: not from signal handlers, nor inside a reader section.
 */
JF_API JF_CHECK enum jf_status jf_cfi_load_objects(struct jf_cfi_counts *counts);

/*
 * The function of this backend that holds `address`, among the tables added and the objects loaded; and its
 * table's name through *name (may be NULL). Readable until the jf_code_map_leave() of the section around.
 * returns: NULL when there is none. Wait-free, async-signal-safe.
 */
JF_API const struct jf_cfi_function *jf_cfi_find(const struct jf_backend *backend, uint64_t address, const char **name);

JF_END_DECLS

#endif
