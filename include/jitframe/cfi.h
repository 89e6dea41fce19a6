/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_H
#define JF_CFI_H

#include <jitframe/backend.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>

JF_BEGIN_DECLS

/*
 * DWARF call frame information, as C compilers write the .eh_frame section, converted to rows: a section as a whole
 * (jf_cfi_convert()), or, of the objects of this process, the one row that a walk needs (jf_cfi_load_objects()).
 *
 *     CIE   what many functions share: factors, pointer encoding, first rules
 *     FDE   one function: [start, end), a program of rule changes     ->  rows + slots
 *
 * A register that one function saves at two offsets in turn has two slots. Sources: DWARF 5, section 6.4 and 7.24; the
 * Linux Standard Base, "Exception Frames" and "DWARF Exception Header Encoding".
 */

/* Why a row says JF_ROW_UNKNOWN. */
enum jf_cfi_unknown {
	JF_CFI_CFA_EXPRESSION, /* the CFA is computed by an expression */
	JF_CFI_CFA_REGISTER,   /* the CFA has no rule, or is relative to a register that the backend lacks */
	JF_CFI_REG_EXPRESSION, /* a callee-saved register, SP or return address is given by an expression */
	JF_CFI_REG_REGISTER,   /* one of these lies in another register */
	JF_CFI_REG_VALUE,      /* one of these is an offset from the CFA itself; for SP: an offset other than 0 */
	JF_CFI_RANGE,          /* an offset beyond 32 bits, or more than 32 slots */
	JF_CFI_RETURN_COLUMN,  /* the return address has another column than the backend's, or lies above the CFA */
	JF_CFI_UNKNOWN__COUNT
};

/* What became of a section, or of all loaded objects together. */
struct jf_cfi_counts {
	uint32_t size; /* sizeof(struct jf_cfi_counts) */
	uint32_t objects;
	uint32_t objects_skipped; /* no rows could be made: no .eh_frame_hdr, or a contradiction in .eh_frame */
	uint32_t functions; /* of an object that is searched by its .eh_frame_hdr: FDEs, which nothing has looked at */
	/* Of what was converted as a whole alone. */
	uint32_t functions_skipped; /* empty, removed by the linker, or with the start of another function */
	uint32_t rows;
	uint32_t unknown[JF_CFI_UNKNOWN__COUNT]; /* rows, by the first reason found */
};

/* A section as it lies in memory or in a file: little endian, 64-bit. owns: all memory is the caller's, and is read
 * during the conversion only. */
struct jf_cfi_section {
	uint32_t size; /* sizeof(struct jf_cfi_section) */
	const void *bytes;
	size_t size_bytes;
	uint64_t address;   /* run-time address of bytes[0] */
	uint32_t fde_count; /* from .eh_frame_hdr: behind this many FDEs, bytes that are no entry end the section;
			     * 0: a zero word or size_bytes ends the section */
	/* The object's code. Linkage tables and signal trampolines between functions with entries are recognised by
	 * their instructions (struct jf_known_code) and get rows, too. NULL: the converter looks at entries only. */
	const void *code;
	size_t code_bytes;
	uint64_t code_address; /* run-time address of its first byte */
};

enum {
	JF_CFI_SIGNAL = 1 << 0, /* a signal's return trampoline: a signal interrupted the caller */
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

/* The functions of one section. Immutable once made; one allocation. */
struct jf_cfi_table;

/*
 * Converts a section of the backend's architecture; the bytes may come from any machine.
 * in:  name: what jf_cfi_table_name() will give, copied (an object's path); error may be NULL.
 * out: *table on JF_OK only. owns: the table is the caller's; free with jf_cfi_table_free().
 * returns: JF_E_INVAL (NULL, or `section` of another header); JF_E_BAD_IMAGE (the section is truncated, or contradicts
 *      itself), JF_E_UNSUPPORTED (an augmentation or pointer encoding that compilers for 64-bit ELF leave unused),
 *      JF_E_RANGE (functions further apart than 4 GiB): error->where is ".eh_frame+0x1c8", the byte offset;
 *      JF_E_NO_MEMORY.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_cfi_convert(const struct jf_backend *backend, const struct jf_cfi_section *section,
					      const char *name, struct jf_cfi_table **table, struct jf_error *error);
/* Frees a table (NULL: does nothing). A table that jf_cfi_add() has made visible must be removed first. */
JF_API void jf_cfi_table_free(struct jf_cfi_table *table);

/* Counts and name of a table. owns: the table's, valid as long as the table. threads: any, async-signal-safe. */
JF_API const struct jf_cfi_counts *jf_cfi_table_counts(const struct jf_cfi_table *table);
JF_API const char *jf_cfi_table_name(const struct jf_cfi_table *table);
/* All the memory that the table takes, in bytes. threads: any, async-signal-safe. */
JF_API size_t jf_cfi_table_bytes(const struct jf_cfi_table *table);

/* The function that holds `address`; of a return address pass the byte before (R17). returns: NULL when no function
 * does. owns: the table's. threads: any, async-signal-safe. */
JF_API const struct jf_cfi_function *jf_cfi_table_find(const struct jf_cfi_table *table, uint64_t address);
/* The functions in order of their addresses, by index from 0. returns: NULL behind the last. owns: the table's.
 * threads: any, async-signal-safe. */
JF_API const struct jf_cfi_function *jf_cfi_table_at(const struct jf_cfi_table *table, size_t index);

/* ---- writing a section ------------------------------------------------------------------------------- */

/* A section on its way, in the caller's memory: one CIE, and an FDE for each stretch of code with rows. */
struct jf_cfi_writer {
	const struct jf_backend *backend;
	uint8_t *bytes;
	size_t capacity, size; /* bytes; size: written so far */
	uint64_t address;      /* where bytes[0] will lie at run time */
};

/*
 * Begins a section.
 * in:  error may be NULL. owns: bytes[0, capacity) is the caller's.
 * returns: JF_E_INVAL (NULL); JF_E_NOSPACE. threads: any, no shared state, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_cfi_writer_init(struct jf_cfi_writer *writer, const struct jf_backend *backend,
						  void *bytes, size_t capacity, uint64_t address);

/*
 * Adds the rows of code at [start, end). Rows that are JF_ROW_UNKNOWN get no FDE: whoever unwinds finds nothing there,
 * and not a guess. A function with such rows in its middle gets several FDEs. Slots of control registers are left out:
 * unwinders have no columns for these.
 * in:  rows sorted by code_off, bytes from start; error may be NULL.
 * returns: JF_E_INVAL (NULL, rows that go down or past the end, a register or slot that is not there); JF_E_NOSPACE;
 *      JF_E_RANGE (the code is 2 GiB or more away from the section); error->where is the row's number ("row 3"). After
 *      an error nothing was added.
 * threads: any, no shared state, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_cfi_write_rows(struct jf_cfi_writer *writer, uint64_t start, uint64_t end,
						 const struct jf_row *rows, size_t row_count,
						 const struct jf_slot *slots, unsigned int slot_count,
						 struct jf_error *error);

/* Ends the section with a zero word. returns: JF_E_INVAL (NULL), JF_E_NOSPACE. threads: as jf_cfi_write_rows(). */
JF_API JF_CHECK enum jf_status jf_cfi_write_end(struct jf_cfi_writer *writer);

/* ---- what walks see: tables by address, beside the code map ------------------------------------------ */

/*
 * Makes a table visible to walks: for a captured stack of another process or machine.
 * owns: the table stays the caller's and must stay valid until jf_cfi_remove() has returned.
 * returns: JF_E_INVAL (NULL), JF_E_IN_SECTION (this thread is in a reader section),
 *      JF_E_OVERLAP (another table of the same backend has some of the addresses),
 *      JF_E_NO_MEMORY.
 * threads: any, outside of signal handlers and reader sections: takes a lock, allocates, waits for readers.
 */
JF_API JF_CHECK enum jf_status jf_cfi_add(const struct jf_cfi_table *table);
/*
 * Makes a table invisible again. When the call returns, no walk reads the table any more.
 * returns: JF_E_NOT_FOUND (NULL, or a table that was never added); JF_E_IN_SECTION (this thread is in a reader section)
 *      and JF_E_NO_MEMORY: the table stays visible.
 * threads: any, outside of signal handlers and reader sections: takes a lock, allocates, waits for readers.
 */
JF_API JF_CHECK enum jf_status jf_cfi_remove(const struct jf_cfi_table *table);

/*
 * Makes the .eh_frame of the objects that are loaded in this process (dl_iterate_phdr(3)) known to walks, and forgets
 * the objects that are gone. jf_load() makes this call. Call it again after dlopen(), so that walks and throws cross
 * the new object, and after dlclose(). When nothing was loaded or unloaded, the call compares two counters.
 *
 * Nothing is converted here. An object has a search table in its .eh_frame_hdr; a walk finds the function there when it
 * first meets an address, and converts the one row that it needs. Memory for the rows that were met is set aside by
 * this call, 512 KiB of address space at first, of which the used part takes memory: about 130 bytes for an address.
 * When more than half is used, the next call sets aside twice as much. An object whose search table is missing, has
 * another form than linkers write, or contradicts .eh_frame is converted as a whole, in this call. An object without
 * rows is counted in counts->objects_skipped.
 *
 * A walk reads .eh_frame and .eh_frame_hdr of the object that holds the walk's pc. Such an object must stay loaded
 * while the walk runs, as code on a stack must in any case. A pc in an object that was closed before ends the walk with
 * JF_E_NO_ROW, or is given a row that was met before: glibc 2.35 and later are asked (_dl_find_object()). With another
 * libc, jf_cfi_load_objects() must have been called after the dlclose().
 * in:  counts may be NULL; else its `size` is set, and all behind the library's own fields is 0.
 * out: *counts on JF_OK only: of all objects together.
 * returns: JF_E_INVAL (counts of another header), JF_E_UNSUPPORTED (no backend for this host), JF_E_IN_SECTION (this
 *      thread is in a reader section), JF_E_NO_MEMORY.
 * threads: any, outside of signal handlers and reader sections: takes locks, allocates, waits for readers.
 */
JF_API JF_CHECK enum jf_status jf_cfi_load_objects(struct jf_cfi_counts *counts);

/* Room for one row of one function. */
struct jf_cfi_room {
	struct jf_cfi_function function;
	struct jf_row row;
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
};

/*
 * The function of this backend that holds `address`, among added tables and loaded objects. Of a return address pass
 * the byte before (R17). A function of an added table comes with all of its rows. A function of a loaded object comes
 * with the row in force at `address` alone, rows[0], unless the object was converted as a whole.
 * out: *name (name may be NULL): the table's name, or the object's path. *room: changed when a row is converted; the
 *      function lies there when the memory set aside is used up.
 * returns: NULL when no function does, or when its entry in .eh_frame cannot be converted.
 * owns: function and name are readable until the caller leaves the reader section (jf_code_map_leave()), and as long as
 *      the room.
 * threads: any, in a reader section; lock-free, async-signal-safe, also for an address that was never met: then the
 *      entry's instructions are run on about 3 KiB of stack.
 */
JF_API const struct jf_cfi_function *jf_cfi_find(const struct jf_backend *backend, uint64_t address,
						 struct jf_cfi_room *room, const char **name);

JF_END_DECLS

#endif
