/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_H
#define JF_CODEMAP_H

#include <jitframe/cleanup.h>
#include <jitframe/fault.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>
#include <jitframe/source.h>

JF_BEGIN_DECLS

/* What a registered range is. */
enum jf_range_kind {
	JF_RANGE_MAIN,
	JF_RANGE_SUBPROGRAM,
	JF_RANGE_BOUNDARY,
	JF_RANGE_CALLBACK,
	JF_RANGE_STUB,  /* generated code between functions, as call stubs; walks and throws pass through */
	JF_RANGE_ENTRY, /* C enters BPF code here: a throw ends here, unless jf_try() is further out */
	JF_RANGE_TRY,   /* a boundary of C, jf_try(): .eh_frame has the rows, `callback` is where a throw lands */
	JF_RANGE__COUNT
};

struct jf_range;

/* The rows of a range: the fields of struct jf_range of the same names. */
struct jf_range_rows {
	const struct jf_row *rows;
	size_t row_count;
	const struct jf_slot *slots;
	uint8_t slot_count;
};

/*
 * Rows that are asked for when a walk or a throw first needs them: for JITs that keep unwind information in another
 * form. One struct for each range.
 *
 * ask(arg, range) gives the rows, or NULL when it cannot now: the walk then has no row for the frame (JF_E_NO_ROW), and
 * the next walk asks again. The library keeps the first answer and asks no more. ask() runs inside of walks, throws and
 * jf_range_find_rows(), in any thread, perhaps in several at once, and perhaps in a signal handler that has interrupted
 * any code of the thread: an allocator, or ask() itself. So ask() is async-signal-safe: it allocates nothing, waits for
 * no lock (a try-lock that fails is an answer of NULL), and calls nothing of the library but jf_row_find() and
 * jf_row_same(). It must not throw or longjmp(3). Two threads may get two answers at once; the library takes one.
 *
 * An answer that is no rows by the rules of jf_code_map_add() counts as rows that say nothing, for good. What
 * jf_publish_start() starts calls ask() when it is told of the range: by the registration, or by the start. Rows that
 * come later are not told: without an answer JF_PUBLISH_CFI counts the range as refused, and the others tell of its
 * name and lines.
 * owns: an answer, and all that it points to, stays the caller's, and valid and unchanged until jf_code_map_remove()
 *      has returned; also the answer that the library has not taken.
 */
struct jf_lazy_rows {
	const struct jf_range_rows *(*ask)(void *arg, const struct jf_range *range);
	void *arg;
	const struct jf_range_rows *known; /* the library's: NULL at registration */
};

/* A registered piece of generated code. The registrant fills it in; see jf_code_map_add(). */
struct jf_range {
	uint32_t size;       /* sizeof(struct jf_range); any other one is refused */
	uint8_t kind;        /* enum jf_range_kind */
	uint64_t start, end; /* code addresses, [start, end) */
	const char *name;
	const struct jf_backend *backend;
	const struct jf_row *rows; /* sorted; code_off from start. NULL only for ENTRY, TRY, `lazy` */
	size_t row_count;
	const struct jf_slot *slots; /* what row->saved refers to */
	uint8_t slot_count;
	int16_t fp_off_from_cfa;       /* value of the frame pointer in the body: CFA + this many bytes */
	const struct jf_fault *faults; /* sorted by start_off; NULL with fault_count 0 */
	uint32_t fault_count;
	/* Boundaries only: */
	int32_t landing_sp_off_from_cfa; /* the callback's second argument: CFA + this many bytes */
	uint64_t callback;               /* code address: callback(cookie, sp, fp) */
	void *owner;                     /* the registrant's; the library never reads it */
	/* From code to source, see jf_range_source(); all 0 where nothing is known: */
	const uint32_t
		*insn_off; /* code offset of each instruction, bytes from start, and of the epilogue; ascending */
	const struct jf_source_line *lines; /* sorted by insn */
	uint32_t insn_count;                /* insn_off has one more */
	uint32_t line_count;
	struct jf_lazy_rows *lazy;              /* NULL: rows are above; else rows and slots above are NULL and 0 */
	const struct jf_cleanup_code *cleanups; /* sorted by start_off, disjoint; NULL with cleanup_count 0 */
	uint32_t cleanup_count;
	/* enum jf_cleanup_entry: how throws run the pads. RESUMED: `slots` has two of kind JF_SLOT_CLEANUP. CALLED: the
	 * rows of pads have the frame pointer as CFA register. With NONE throws leave the records alone. */
	uint8_t cleanup_entry;
	uint8_t cleanup_back; /* CALLED: as in struct jf_convention */
};

/*
 * Registers a range.
 * owns: *range, its name and its tables (rows, slots, faults, insn_off, lines, cleanups) stay the caller's. All must
 *      stay valid and unchanged until jf_code_map_remove() has returned.
 * in:   error may be NULL; error->where is the field's name, error->text begins with the range's name and says what the
 *      field has to be.
 * returns: JF_E_INVAL (a field is NULL or out of range; start >= end, or 4 GiB or more; rows missing or unsorted, or
 *      the first one with code_off other than 0; rows or slots beside `lazy`; more than 32 slots; a boundary without
 *      callback; lines unsorted, without a file, or of instructions behind the last; clean-up records that are
 *      unsorted, empty or outside of the range, or overlap; pads that are resumed without two slots for that, or called
 *      without a way back), JF_E_IN_SECTION (a call in a reader section of this thread, for which the call might wait),
 *      JF_E_OVERLAP (another range has some of the addresses), JF_E_NO_MEMORY.
 * threads: any, outside of signal handlers: takes a lock, allocates. Readers never wait.
 * cost: time and memory are the same for any number of ranges: a few hundred bytes, more when code is thinly spread.
 *      jf_code_map_remove() gives the memory back.
 */
JF_API JF_CHECK enum jf_status jf_code_map_add(const struct jf_range *range, struct jf_error *error);

/* Registers ranges[0, count), all or none: as jf_code_map_add(); JF_E_INVAL also for count 0. During the call, look-ups
 * may find some of the ranges and miss others. */
JF_API JF_CHECK enum jf_status jf_code_map_add_all(const struct jf_range *ranges, size_t count, struct jf_error *error);

/*
 * Removes the range that was registered with this very pointer. When the call returns, no reader sees the range any
 * more.
 * returns: JF_E_NOT_FOUND (no such range is registered); JF_E_INVAL (NULL); JF_E_IN_SECTION (a call in a reader
 *      section of this thread).
 * threads: any, outside of signal handlers: takes a lock, waits for sections that were open before, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_code_map_remove(const struct jf_range *range);

/* Removes ranges[0, count) with one wait: as jf_code_map_remove(). returns: JF_E_NOT_FOUND when one of the ranges is
 * not registered; all ranges stay then. */
JF_API JF_CHECK enum jf_status jf_code_map_remove_all(const struct jf_range *ranges, size_t count);

/*
 * Looks up the range that holds `address`:
 *
 *     unsigned int section = jf_code_map_enter();
 *     const struct jf_range *range = jf_code_map_find(address);
 *     ... read range ...
 *     jf_code_map_leave(section);
 *
 * Of a return address pass the byte before (R17). A found range is readable until jf_code_map_leave(). Sections nest:
 * an inner section ends before the outer one, in the same thread, with the value of its own jf_code_map_enter().
 * returns: NULL when no range holds the address. threads: any; wait-free, async-signal-safe.
 */
JF_API unsigned int jf_code_map_enter(void);
JF_API void jf_code_map_leave(unsigned int section);
JF_API const struct jf_range *jf_code_map_find(uint64_t address);

/*
 * The rows of a range, which lazy ranges are asked for. Inside a reader section, or of a range of the caller's own.
 * out: *rows, on JF_OK only. returns: JF_E_NO_ROW (a lazy range gives none now, or an ENTRY or TRY range); JF_E_INVAL.
 * threads: any; async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_range_find_rows(const struct jf_range *range, struct jf_range_rows *rows);

JF_END_DECLS

#endif
