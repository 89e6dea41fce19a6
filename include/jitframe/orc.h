/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ORC_H
#define JF_ORC_H

#include <jitframe/frame.h>
#include <jitframe/row.h>
#include <jitframe/walk.h>

JF_BEGIN_DECLS

/*
 * ORC, the Linux kernel's unwind tables: two parallel arrays. Entry i says where CFA, frame pointer and
 * return address are, from address i on up to the next address.
 *
 *     .orc_unwind      entries of 6 or 8 bytes, as the architecture's format says
 *     .orc_unwind_ip   s32 each: address = the s32's own address + its value
 *     .orc_header      SHA-1 over the definition of the format
 *
 * An entry of type UNDEFINED ends what is known, at the end of a section or of a function. Where it shares
 * its address with a real entry (the next section starts there) the real one counts: it is sorted behind.
 */

enum jf_orc_type {
	JF_ORC_UNDEFINED,
	JF_ORC_END_OF_STACK,
	JF_ORC_CALL,
	JF_ORC_REGS,            /* an exception's full register frame is at the CFA */
	JF_ORC_REGS_PARTIAL,    /* what the processor pushed by itself is at the CFA */
	JF_ORC_TYPE__COUNT = 8, /* what three bits can say */
};

/* One entry, taken apart. The registers are codes: indexes into the format's `codes`. */
struct jf_orc_entry {
	int16_t sp_off;
	int16_t fp_off;
	int16_t ra_off; /* 0 in formats that have none, as is ra_reg */
	uint8_t sp_reg;
	uint8_t fp_reg;
	uint8_t ra_reg;
	uint8_t type;   /* enum jf_orc_type */
	uint8_t signal; /* the caller's pc is where it was interrupted, no return address */
};

/* ---- the description of a format: data that a backend states ------------------------------------- */

/* What a register code with an offset stands for. As the CFA, or as what the register is in the caller. */
enum jf_orc_rule {
	JF_ORC_INVALID,   /* no table may have the code here */
	JF_ORC_KEPT,      /* the register is unchanged in this frame */
	JF_ORC_REG,       /* reg, whatever the offset */
	JF_ORC_SUM,       /* reg + offset */
	JF_ORC_LOAD_SUM,  /* [reg + offset] */
	JF_ORC_LOAD_PLUS, /* [reg] + offset */
	JF_ORC_AT_CFA,    /* [CFA + offset] */
};

#define JF_ORC_CODES        16 /* what four bits can say */
#define JF_ORC_HEADER_BYTES 20
#define JF_ORC_NO_FIELD     0xff

struct jf_orc_code {
	uint8_t cfa;        /* enum jf_orc_rule when it is the CFA's */
	uint8_t saved;      /* enum jf_orc_rule when it is the frame pointer's or the return address's */
	uint8_t reg;        /* register id */
	bool no_off;        /* objtool's dump shows no offset */
	const char *before; /* objtool's dump: before the offset ("prevsp", "(bp"), NULL = unknown code ... */
	const char *after;  /* ... and behind it; NULL = nothing */
};

/*
 * The registers of an interrupted context, as an entry of type REGS or REGS_PARTIAL finds them in memory: bytes
 * from the CFA, or JF_ORC_NO_OFF for what is not there.
 */
struct jf_orc_context {
	int16_t pc_at, sp_at, fp_at, ra_at;
	int16_t mode_at;   /* the word that tells the processor's mode; */
	uint8_t mode_user; /* ... of user programs when any of these bits is set: the walk ends there */
	bool present;      /* false: the format's unwinder does not know the type */
};
#define JF_ORC_NO_OFF   INT16_MIN
#define JF_ORC_REGS_MAX 8 /* registers other than these that a CFA may be */

/*
 * How one architecture encodes entries. Const, static, never freed. All is little endian. Linux has changed its
 * formats: those of one architecture are a list, newest first; .orc_header tells which one a table has.
 */
struct jf_orc_format {
	uint32_t size;    /* sizeof(struct jf_orc_format) of the file that defines it */
	const char *name; /* "linux-7" */
	const struct jf_backend *backend;
	const struct jf_orc_format *older;          /* NULL: none */
	uint8_t entry_bytes;                        /* at most 8 */
	uint8_t sp_off_at, fp_off_at, ra_off_at;    /* s16 at that byte, or JF_ORC_NO_FIELD */
	uint8_t flags_at;                           /* u16 at that byte; in it: */
	uint8_t sp_reg_bit, fp_reg_bit, ra_reg_bit; /* four bits from here on, or JF_ORC_NO_FIELD */
	uint8_t type_bit;                           /* three bits */
	uint8_t signal_bit;
	uint8_t dump_off_width;  /* objtool's dump: 0 = sign always, else the least width */
	int16_t ra_off_from_cfa; /* where the return address is without ra_off */
	uint32_t ip_reloc;       /* ELF relocation type of .orc_unwind_ip in object files */
	/* What its unwinder does beyond the entries: */
	uint8_t call_bytes; /* pc = return address - call_bytes, so pc itself is looked up; 0 = the byte before is */
	struct jf_orc_context regs, regs_partial;
	struct {
		uint8_t reg; /* register id */
		int16_t at;  /* in a context of type REGS */
	} saved_regs[JF_ORC_REGS_MAX];
	uint8_t saved_reg_count;
	/* objtool's dump: */
	const char *fp_name;
	const char *unknown_code;
	const char *type_names[JF_ORC_TYPE__COUNT];
	struct jf_orc_code codes[JF_ORC_CODES];
	const uint8_t (*headers)[JF_ORC_HEADER_BYTES]; /* .orc_header of this format, as far as known */
	uint8_t header_count;
};

/* The backend's format of that name, for NULL its newest. returns: NULL when there is none. Any thread. */
JF_API const struct jf_orc_format *jf_orc_format(const struct jf_backend *backend, const char *name);

/* bytes[0, format->entry_bytes) -> entry. Every value of the bytes has one. Any thread, async-signal-safe. */
JF_API void jf_orc_decode(const struct jf_orc_format *format, const void *bytes, struct jf_orc_entry *entry);

/* entry -> bytes[0, format->entry_bytes). returns: JF_E_RANGE (a register code, type or signal too large for
 * its bits, or ra_off, ra_reg not 0 where the format has none). Any thread, async-signal-safe. */
JF_API JF_CHECK enum jf_status jf_orc_encode(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					     void *bytes);

/* "type:call sp:sp+16 bp:prevsp-16 signal:0", as `objtool --dump=orc` writes it. Into text[0, capacity),
 * always terminated when capacity > 0. returns: the length it needs without the terminator, as snprintf(). */
JF_API int jf_orc_text(const struct jf_orc_format *format, const struct jf_orc_entry *entry, char *text,
		       size_t capacity);

/* ---- reading a table ------------------------------------------------------------------------------- */

/* The sections, as they lie in a file or in memory. */
struct jf_orc_sections {
	const void *unwind; /* .orc_unwind */
	size_t unwind_bytes;
	const void *unwind_ip; /* .orc_unwind_ip */
	size_t unwind_ip_bytes;
	uint64_t unwind_ip_address; /* run-time address of its first byte */
	const void *header;         /* .orc_header, or NULL */
	size_t header_bytes;
	const struct jf_orc_format *format; /* NULL: what .orc_header says, else the newest */
};

enum jf_orc_header {
	JF_ORC_HEADER_ABSENT,  /* as in single object files: nothing tells whether it is this format */
	JF_ORC_HEADER_KNOWN,   /* it is */
	JF_ORC_HEADER_UNKNOWN, /* it is of no format known, or not of the one asked for */
};

/* A table; plain data, copied freely. Reads where the sections lie, which must outlive it. */
struct jf_orc_table {
	const struct jf_orc_format *format;
	const uint8_t *entries;
	const uint8_t *ips;
	uint64_t ips_address;
	size_t count;
	uint8_t header; /* enum jf_orc_header */
};

/*
 * in: sections of the backend's architecture. Object files: after jf_orc_relocate().
 * returns: JF_E_INVAL, JF_E_UNSUPPORTED (the architecture has no ORC), JF_E_BAD_IMAGE (sizes that do not
 *      go together), JF_E_RANGE (2^32 entries or more). Any thread, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_orc_table_init(struct jf_orc_table *table, const struct jf_backend *backend,
						 const struct jf_orc_sections *sections, struct jf_error *error);

/* in: index < table->count. Any thread, async-signal-safe. */
JF_API uint64_t jf_orc_address(const struct jf_orc_table *table, size_t index);
JF_API void jf_orc_entry_at(const struct jf_orc_table *table, size_t index, struct jf_orc_entry *entry);

/* Whether the addresses never go down and, where equal, UNDEFINED entries come first: a search needs that. */
JF_API bool jf_orc_is_sorted(const struct jf_orc_table *table);

/*
 * The kernel's search: the last entry whose address is not above `address`; below all of them, the first.
 * in: a sorted table; a return address less one byte (R17).
 * returns: JF_E_NO_ROW when the table is empty. Any thread, async-signal-safe; log2(count) steps.
 */
JF_API JF_CHECK enum jf_status jf_orc_search(const struct jf_orc_table *table, uint64_t address, size_t *index);

/* ---- object files: what a module loader does -------------------------------------------------------- */

struct jf_orc_relocs {
	const void *rela; /* .rela.orc_unwind_ip, Elf64_Rela */
	size_t rela_bytes;
	const void *symtab; /* the section that it is linked to, Elf64_Sym */
	size_t symtab_bytes;
	const uint64_t *section_addresses; /* run-time address of each section, by its index */
	size_t section_count;
};

/*
 * Fills in a copy of .orc_unwind_ip, ips[0, ips_bytes), that will lie at ips_address.
 * returns: JF_E_INVAL; JF_E_BAD_IMAGE (not one relocation for each s32, in order; a type that is not the
 *      format's; a symbol in no section); JF_E_RANGE (farther away than an s32 can say). ips is untouched
 *      then. Any thread, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_orc_relocate(const struct jf_orc_format *format, const struct jf_orc_relocs *relocs,
					       void *ips, size_t ips_bytes, uint64_t ips_address,
					       struct jf_error *error);

/*
 * Sorts a table in place by address, UNDEFINED entries first where equal, and otherwise as it was; each
 * s32 changes by the distance it moved.
 * in: entries, ips = the memory that `table` reads, now written to.
 * returns: JF_E_INVAL, JF_E_RANGE (an s32 could leave its range), JF_E_NO_MEMORY; untouched then.
 */
JF_API JF_CHECK enum jf_status jf_orc_sort(const struct jf_orc_table *table, void *entries, void *ips);

/* ---- rows ------------------------------------------------------------------------------------------ */

#define JF_ORC_SLOTS 2 /* return address, frame pointer */

/*
 * What an entry says, as a row with code_off 0 and slots of its own. ORC knows nothing of callee-saved registers
 * but the frame pointer: the row has JF_ROW_REGS_LOST, and JF_ROW_FP_KEPT where that is unchanged.
 * returns: JF_OK, also for UNDEFINED: JF_ROW_UNKNOWN; JF_END for END_OF_STACK (nothing is written);
 *      JF_E_UNSUPPORTED for what no row can say: register frames, a CFA that is loaded from memory, a
 *      frame pointer saved away from the CFA, a caller that was interrupted; JF_E_BAD_IMAGE (a register code
 *      that the format does not allow there). Any thread, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_orc_to_row(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					     struct jf_row *row, struct jf_slot slots[JF_ORC_SLOTS]);

/*
 * A row's CFA, frame pointer and return address as an entry; saved registers beside these are left out.
 * returns: JF_E_UNSUPPORTED when the format cannot say it, with a sentence in error: no code for the CFA's
 *      register or its offset, an offset beyond s16, a return address elsewhere, signed, or lost with its
 *      frame pointer. Any thread; async-signal-safe when error is NULL.
 */
JF_API JF_CHECK enum jf_status jf_orc_from_row(const struct jf_orc_format *format, const struct jf_row *row,
					       const struct jf_slot *slots, unsigned int slot_count,
					       struct jf_orc_entry *entry, struct jf_error *error);

/* ---- a step ---------------------------------------------------------------------------------------- */

/*
 * A frame as the kernel's unwinder has it. To start: pc, sp, fp of the frame; `interrupted` when pc is no return
 * address; link register and other registers only when they are live, all else 0.
 */
struct jf_orc_frame {
	uint64_t pc, sp, fp;
	uint64_t ra;      /* link register, */
	bool ra_live;     /* ... when it holds this frame's return address: only where nothing was called yet */
	bool interrupted; /* look up pc itself */
	const struct jf_regs *live; /* other registers, or NULL; a step leaves NULL */
	uint64_t context;           /* where a full context lies whose registers they are, or 0 */
	uint64_t fail_address;      /* what could not be read, after JF_E_READ */
};

/* What to look up for the frame's pc. Any thread, async-signal-safe. */
JF_API uint64_t jf_orc_lookup(const struct jf_orc_format *format, const struct jf_orc_frame *frame);

/*
 * Goes to the caller's frame as the kernel's unwinder does, with the entry that holds at jf_orc_lookup(). Unlike
 * the kernel it always asks that SP goes up; it may stay where the link register had the return address, which
 * that is good for but once. So walks end.
 * returns: JF_END (END_OF_STACK, or a context of user mode: *frame is unchanged); JF_E_NO_ROW (UNDEFINED);
 *      JF_E_READ; JF_E_LOST (a register that is not live, a return address of 0); JF_E_STUCK; JF_E_BAD_IMAGE (a
 *      code or type that the unwinder does not know). *frame is unchanged but for fail_address then.
 * Any thread, allocates nothing, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_orc_step(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					   const struct jf_memory *memory, struct jf_orc_frame *frame);

/* ---- writing a table ------------------------------------------------------------------------------- */

/*
 * Writes both arrays into the caller's memory. One entry per change: what says the same as the entry before
 * it is left out, as are UNDEFINED entries in front. Calls go up in addresses; at the same address again, the
 * later entry takes the earlier one's place.
 */
struct jf_orc_writer {
	const struct jf_orc_format *format;
	uint8_t *entries;
	uint8_t *ips;
	size_t capacity; /* entries */
	size_t count;
	uint64_t ips_address;  /* where ips[0] will lie at run time */
	uint64_t last_address; /* of the latest call */
};

/* in: entries[capacity * entry_bytes], ips[capacity * 4]. returns: JF_E_INVAL. */
JF_API JF_CHECK enum jf_status jf_orc_writer_init(struct jf_orc_writer *writer, const struct jf_orc_format *format,
						  void *entries, void *ips, size_t capacity, uint64_t ips_address);

/* returns: JF_E_INVAL (addresses went down), JF_E_NOSPACE, JF_E_RANGE (the address is too far from the s32,
 * or see jf_orc_encode()); nothing was added then. */
JF_API JF_CHECK enum jf_status jf_orc_write(struct jf_orc_writer *writer, uint64_t address,
					    const struct jf_orc_entry *entry);

/*
 * The rows of code at [start, end), then a terminator at `end`.
 * returns: as jf_orc_write() and jf_orc_from_row(), with the row's number in error->where ("row 3");
 *      JF_E_INVAL for rows that go down or past the end. After an error the writer is as it was before.
 */
JF_API JF_CHECK enum jf_status jf_orc_write_rows(struct jf_orc_writer *writer, uint64_t start, uint64_t end,
						 const struct jf_row *rows, size_t row_count,
						 const struct jf_slot *slots, unsigned int slot_count,
						 struct jf_error *error);

/* What was written, as a table to read. Valid as long as the writer's memory. */
JF_API void jf_orc_written(const struct jf_orc_writer *writer, struct jf_orc_table *table);

/* ---- an index for fast look-up ---------------------------------------------------------------------- */

/* Read-only once made: any number of threads look up in it. */
struct jf_orc_index;

/*
 * Makes an index of [start, end), at most 4 GiB of code. The table need not be sorted, and may go away.
 * returns: JF_E_INVAL (start >= end), JF_E_RANGE (too large), JF_E_NO_ROW (no entries), JF_E_NO_MEMORY.
 * owns: *index is the caller's, jf_orc_index_free().
 */
JF_API JF_CHECK enum jf_status jf_orc_index_new(const struct jf_orc_table *table, uint64_t start, uint64_t end,
						struct jf_orc_index **index);
JF_API void jf_orc_index_free(struct jf_orc_index *index);

/*
 * What jf_orc_search() finds for `address` (a return address less one byte, R17), of a sorted table.
 * returns: an entry inside the index, or NULL outside [start, end). Any thread, async-signal-safe, wait-free.
 */
JF_API const struct jf_orc_entry *jf_orc_index_find(const struct jf_orc_index *index, uint64_t address);

/* All the memory that it takes. */
JF_API size_t jf_orc_index_bytes(const struct jf_orc_index *index);

JF_END_DECLS

#endif
