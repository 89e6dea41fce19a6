/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ORC_H
#define JF_ORC_H

#include <jitframe/frame.h>
#include <jitframe/row.h>
#include <jitframe/walk.h>

JF_BEGIN_DECLS

/*
 * ORC, the Linux kernel's unwind tables: two parallel arrays. Entry i says where CFA, frame pointer and return address
 * are, from address i on up to the next address. All numbers are little endian. Sources: in Linux, <asm/orc_types.h> of
 * the architecture, Documentation/arch/x86/orc-unwinder.rst, objtool.
 *
 *     .orc_unwind      entries of 6 or 8 bytes, as the architecture's format says
 *     .orc_unwind_ip   s32 each: address = the s32's own address + its value
 *     .orc_header      SHA-1 over the definition of the format
 *
 * An entry of type UNDEFINED ends what is known, at the end of a section or of a function. When the next section starts
 * at the same address, an UNDEFINED entry and a real entry share the address. The real entry counts, and is sorted
 * behind.
 */

/* What an entry describes. */
enum jf_orc_type {
	JF_ORC_UNDEFINED,
	JF_ORC_END_OF_STACK,
	JF_ORC_CALL,
	JF_ORC_REGS,            /* an exception's full register frame is at the CFA */
	JF_ORC_REGS_PARTIAL,    /* what the processor itself pushed is at the CFA */
	JF_ORC_TYPE__COUNT = 8, /* the values of three bits */
};

/* One entry, taken apart. Offsets are bytes. The registers are codes: indexes into the format's `codes`. */
struct jf_orc_entry {
	int16_t sp_off;
	int16_t fp_off;
	int16_t ra_off; /* 0 in formats without the field, as is ra_reg */
	uint8_t sp_reg;
	uint8_t fp_reg;
	uint8_t ra_reg;
	uint8_t type;   /* enum jf_orc_type */
	uint8_t signal; /* 1: the caller was interrupted, and its pc is no return address */
};

/* ---- the description of a format: data that a backend states ------------------------------------- */

/* What a register code with an offset stands for: the CFA, or the register's value in the caller. */
enum jf_orc_rule {
	JF_ORC_INVALID,   /* no table may have the code here */
	JF_ORC_KEPT,      /* the register is unchanged in this frame */
	JF_ORC_REG,       /* reg, whatever the offset */
	JF_ORC_SUM,       /* reg + offset */
	JF_ORC_LOAD_SUM,  /* [reg + offset] */
	JF_ORC_LOAD_PLUS, /* [reg] + offset */
	JF_ORC_AT_CFA,    /* [CFA + offset] */
};

#define JF_ORC_CODES        16   /* the values of four bits */
#define JF_ORC_HEADER_BYTES 20   /* of .orc_header */
#define JF_ORC_NO_FIELD     0xff /* the format lacks the field */

/* A register code of a format. */
struct jf_orc_code {
	uint8_t cfa;        /* enum jf_orc_rule when it is the CFA's */
	uint8_t saved;      /* enum jf_orc_rule when it is the frame pointer's or the return address's */
	uint8_t reg;        /* register id */
	bool no_off;        /* objtool's dump shows no offset */
	const char *before; /* objtool's dump: before the offset ("prevsp", "(bp"), NULL = unknown code ... */
	const char *after;  /* ... and behind it; NULL = nothing */
};

/*
 * Where the registers of an interrupted context are, for entries of type REGS and REGS_PARTIAL: bytes from the CFA, or
 * JF_ORC_NO_OFF for a register that the context lacks. Source: struct pt_regs of the architecture in Linux.
 */
struct jf_orc_context {
	int16_t pc_at, sp_at, fp_at, ra_at;
	int16_t mode_at;   /* the 8-byte word with the processor's mode */
	uint8_t mode_user; /* when the word has any of these bits, the context is a user program's: the walk ends */
	bool present;      /* false: the format's unwinder does not know the type */
};
#define JF_ORC_NO_OFF   INT16_MIN
#define JF_ORC_REGS_MAX 8 /* other registers that a CFA may be based on */

/*
 * How one architecture encodes entries. Linux has changed its formats: the formats of one architecture are a list,
 * newest first, and a table's .orc_header tells the table's format. All numbers are little endian. owns: const and
 * static; the library never frees a format.
 */
struct jf_orc_format {
	uint32_t size;    /* sizeof(struct jf_orc_format) of the file that defines it */
	const char *name; /* "linux-7" */
	const struct jf_backend *backend;
	const struct jf_orc_format *older;          /* NULL: none */
	uint8_t entry_bytes;                        /* at most 8 */
	uint8_t sp_off_at, fp_off_at, ra_off_at;    /* s16 at that byte, or JF_ORC_NO_FIELD */
	uint8_t flags_at;                           /* u16 at that byte, with these fields: */
	uint8_t sp_reg_bit, fp_reg_bit, ra_reg_bit; /* four bits from this bit on, or JF_ORC_NO_FIELD */
	uint8_t type_bit;                           /* three bits */
	uint8_t signal_bit;
	uint8_t dump_off_width;  /* objtool's dump: 0: sign always; else the least width of an offset */
	int16_t ra_off_from_cfa; /* the return address, in formats without ra_off */
	uint32_t ip_reloc;       /* ELF relocation type of .orc_unwind_ip in object files */
	/* What the format's unwinder does beyond the entries: */
	uint8_t call_bytes; /* looked up is return address - call_bytes; 0: the byte before the return address */
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

/* The backend's format of a name ("linux-7"); for name NULL the newest. returns: NULL when the backend has no such
 * format.
 * owns: static. threads: any, async-signal-safe. */
JF_API const struct jf_orc_format *jf_orc_format_find(const struct jf_backend *backend, const char *name);

/* bytes[0, format->entry_bytes) -> *entry. Any bytes give an entry. threads: any, async-signal-safe. */
JF_API void jf_orc_decode(const struct jf_orc_format *format, const void *bytes, struct jf_orc_entry *entry);

/* *entry -> bytes[0, format->entry_bytes). returns: JF_E_RANGE, and writes nothing: a register code, type or signal is
 * too large for its bits, or ra_off or ra_reg is set where the format has no such field. threads: any,
 * async-signal-safe. */
JF_API JF_CHECK enum jf_status jf_orc_encode(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					     void *bytes);

/* "type:call sp:sp+16 bp:prevsp-16 signal:0", as `objtool --dump=orc` writes an entry. out: text[0, capacity),
 * terminated when capacity > 0. returns: the length that the whole text needs, without the terminator, as snprintf(3).
 * threads: any. */
JF_API int jf_orc_text(const struct jf_orc_format *format, const struct jf_orc_entry *entry, char *text,
		       size_t capacity);

/* ---- reading a table ------------------------------------------------------------------------------- */

/* The sections, as they lie in a file or in memory. owns: the caller's, must outlive the table. */
struct jf_orc_sections {
	uint32_t size;      /* sizeof(struct jf_orc_sections) */
	const void *unwind; /* .orc_unwind */
	size_t unwind_bytes;
	const void *unwind_ip; /* .orc_unwind_ip */
	size_t unwind_ip_bytes;
	uint64_t unwind_ip_address; /* run-time address of its first byte */
	const void *header;         /* .orc_header, or NULL */
	size_t header_bytes;
	const struct jf_orc_format *format; /* NULL: what .orc_header says, else the newest */
};

/* What .orc_header says of a table. */
enum jf_orc_header {
	JF_ORC_HEADER_ABSENT,  /* single object files have no header: nothing tells the table's format */
	JF_ORC_HEADER_KNOWN,   /* the header is that of the table's format */
	JF_ORC_HEADER_UNKNOWN, /* the header is of an unknown format, or of another format than asked for */
};

/* A table: plain data, copied freely. Look-ups read the sections, which must outlive the table. */
struct jf_orc_table {
	const struct jf_orc_format *format;
	const uint8_t *entries;
	const uint8_t *ips;
	uint64_t ips_address;
	size_t count;
	uint8_t header; /* enum jf_orc_header */
};

/*
 * Makes a table of sections.
 * in:  sections of the backend's architecture; of object files, after jf_orc_relocate(). error may be NULL.
 * out: *table on JF_OK only.
 * returns: JF_E_INVAL (NULL, or sections of another header), JF_E_UNSUPPORTED (the architecture has no ORC),
 *      JF_E_BAD_IMAGE (sizes that contradict each other), JF_E_RANGE (2^32 entries or more).
 * threads: any, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_orc_table_init(struct jf_orc_table *table, const struct jf_backend *backend,
						 const struct jf_orc_sections *sections, struct jf_error *error);

/* Address and entry of an index. in: index < table->count. threads: any, async-signal-safe. */
JF_API uint64_t jf_orc_address(const struct jf_orc_table *table, size_t index);
JF_API void jf_orc_entry_at(const struct jf_orc_table *table, size_t index, struct jf_orc_entry *entry);

/* Whether the addresses never go down, and UNDEFINED entries come first among equal addresses: a search needs this
 * order.
 * threads: any, async-signal-safe. */
JF_API bool jf_orc_is_sorted(const struct jf_orc_table *table);

/*
 * The kernel's search: the last entry whose own address is `address` or lower; below all entries, the first entry.
 * in:  a sorted table; of a return address pass the byte before (R17).
 * out: *index on JF_OK only. returns: JF_E_NO_ROW (the table is empty).
 * threads: any, async-signal-safe. cost: log2(count) steps.
 */
JF_API JF_CHECK enum jf_status jf_orc_search(const struct jf_orc_table *table, uint64_t address, size_t *index);

/* ---- object files: what a module loader does -------------------------------------------------------- */

/* Relocations of .orc_unwind_ip, little endian (ELF-64 Object File Format). owns: the caller's, read during the call
 * only. */
struct jf_orc_relocs {
	uint32_t size;    /* sizeof(struct jf_orc_relocs) */
	const void *rela; /* .rela.orc_unwind_ip, Elf64_Rela */
	size_t rela_bytes;
	const void *symtab; /* the symbol table that .rela.orc_unwind_ip is linked to, Elf64_Sym */
	size_t symtab_bytes;
	const uint64_t *section_addresses; /* run-time address of each section, by its index */
	size_t section_count;
};

/*
 * Fills in ips[0, ips_bytes), a copy of .orc_unwind_ip that will lie at ips_address.
 * returns: JF_E_INVAL (NULL, or relocs of another header); JF_E_BAD_IMAGE (the relocations are not one for each
 *      s32, in order; another type than the format's; a symbol in no section); JF_E_RANGE (code further away than an
 *      s32 reaches). After an error ips is unchanged. threads: any, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_orc_relocate(const struct jf_orc_format *format, const struct jf_orc_relocs *relocs,
					       void *ips, size_t ips_bytes, uint64_t ips_address,
					       struct jf_error *error);

/*
 * Sorts a table in place by address. Among equal addresses UNDEFINED entries come first, and other entries keep their
 * order. Each s32 changes by the distance that the s32 moves.
 * in:  entries, ips: the memory that `table` reads, writable.
 * returns: JF_E_INVAL (NULL, or other memory), JF_E_RANGE (an s32 could leave its range), JF_E_NO_MEMORY. After an
 *      error the table is unchanged. threads: any, while no other thread reads the table; allocates.
 */
JF_API JF_CHECK enum jf_status jf_orc_sort(const struct jf_orc_table *table, void *entries, void *ips);

/* ---- rows ------------------------------------------------------------------------------------------ */

#define JF_ORC_SLOTS 2 /* return address, frame pointer */

/*
 * What an entry says, as a row with code_off 0 and with slots of its own. Of the callee-saved registers ORC knows the
 * frame pointer only: the row has JF_ROW_REGS_LOST, and JF_ROW_FP_KEPT where the frame pointer is unchanged.
 * out: *row and slots on JF_OK only.
 * returns: JF_OK, also for UNDEFINED, whose row has JF_ROW_UNKNOWN; JF_END (END_OF_STACK); JF_E_INVAL (NULL);
 *      JF_E_UNSUPPORTED (no row can say the entry: register frames, a CFA that is loaded from memory, a frame pointer
 *      saved away from the CFA, a caller that was interrupted); JF_E_BAD_IMAGE (a register code that the format forbids
 *      there). threads: any, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_orc_to_row(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					     struct jf_row *row, struct jf_slot slots[JF_ORC_SLOTS]);

/*
 * A row's CFA, frame pointer and return address as an entry; other saved registers are left out.
 * in:  error may be NULL. out: *entry on JF_OK only.
 * returns: JF_E_INVAL (NULL); JF_E_UNSUPPORTED, with a sentence in error: the format has no code for the CFA's register
 *      or offset, an offset is beyond s16, the return address lies elsewhere or is signed, or the caller's frame
 *      pointer is lost. threads: any; async-signal-safe when error is NULL.
 */
JF_API JF_CHECK enum jf_status jf_orc_from_row(const struct jf_orc_format *format, const struct jf_row *row,
					       const struct jf_slot *slots, unsigned int slot_count,
					       struct jf_orc_entry *entry, struct jf_error *error);

/* ---- a step ---------------------------------------------------------------------------------------- */

/*
 * A frame as the kernel's unwinder has it. To start, set pc, sp and fp of the frame; `interrupted` when pc is no return
 * address; link register and other registers when they are live; everything else to 0.
 */
struct jf_orc_frame {
	uint64_t pc, sp, fp;
	uint64_t ra;      /* link register; counts when ra_live */
	bool ra_live;     /* the link register holds this frame's return address: the frame has called nothing yet */
	bool interrupted; /* pc itself is looked up */
	const struct jf_regs *live; /* other registers, or NULL; a step leaves NULL */
	uint64_t context;           /* address of the full context with this frame's registers, or 0 */
	uint64_t fail_address;      /* after JF_E_READ: the address that could not be read */
};

/* The address to look up for the frame's pc. threads: any, async-signal-safe. */
JF_API uint64_t jf_orc_lookup(const struct jf_orc_format *format, const struct jf_orc_frame *frame);

/*
 * Goes to the caller's frame as the kernel's unwinder does, with the entry that holds at jf_orc_lookup(). Every walk
 * ends: unlike the kernel's, each step has to raise SP. One exception: SP may stay when the return address comes from
 * the link register, and the link register can give a return address only once.
 * in:  memory: what the step may read.
 * out: *frame on JF_OK only, fail_address apart.
 * returns: JF_END (END_OF_STACK, or a context of user mode); JF_E_NO_ROW (UNDEFINED); JF_E_READ (memory outside of
 *      `memory`); JF_E_LOST (a register that is not live, or a return address of 0); JF_E_STUCK (SP did not go up);
 *      JF_E_BAD_IMAGE (a code or type that the unwinder does not know); JF_E_INVAL (NULL, or `memory` of another
 *      header).
 * threads: any, allocates nothing, async-signal-safe as far as memory->read is.
 */
JF_API JF_CHECK enum jf_status jf_orc_step(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
					   const struct jf_memory *memory, struct jf_orc_frame *frame);

/* ---- writing a table ------------------------------------------------------------------------------- */

/*
 * Writes both arrays into the caller's memory, one entry for each change. An entry that says the same as the entry
 * before is left out, and so are UNDEFINED entries in front. The addresses of calls go up; a second entry at the same
 * address replaces the first. threads: a writer belongs to one thread at a time; the calls allocate nothing.
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

/* Starts with an empty table. in: entries: capacity * entry_bytes bytes; ips: capacity * 4 bytes; ips_address: where
 * ips[0] will lie at run time. owns: both are the caller's. returns: JF_E_INVAL (NULL). */
JF_API JF_CHECK enum jf_status jf_orc_writer_init(struct jf_orc_writer *writer, const struct jf_orc_format *format,
						  void *entries, void *ips, size_t capacity, uint64_t ips_address);

/* Adds an entry that holds from `address` on. returns: JF_E_INVAL (addresses went down), JF_E_NOSPACE (`capacity`
 * entries are written), JF_E_RANGE (the address is too far from the s32, or as jf_orc_encode()). After an error nothing
 * was added. */
JF_API JF_CHECK enum jf_status jf_orc_write(struct jf_orc_writer *writer, uint64_t address,
					    const struct jf_orc_entry *entry);

/*
 * Adds the rows of code at [start, end), and an UNDEFINED entry at `end`.
 * in:  rows sorted by code_off, bytes from start; error may be NULL.
 * returns: as jf_orc_write() and jf_orc_from_row(), with the row's number in error->where ("row 3"); JF_E_INVAL also
 *      for rows that go down or past the end. After an error the writer is as before the call.
 */
JF_API JF_CHECK enum jf_status jf_orc_write_rows(struct jf_orc_writer *writer, uint64_t start, uint64_t end,
						 const struct jf_row *rows, size_t row_count,
						 const struct jf_slot *slots, unsigned int slot_count,
						 struct jf_error *error);

/* What was written, as a table to read. owns: *table reads the writer's memory, which must outlive the table. */
JF_API void jf_orc_written(const struct jf_orc_writer *writer, struct jf_orc_table *table);

/* ---- an index for fast look-up ---------------------------------------------------------------------- */

/* A table made for fast look-ups. Immutable once made. */
struct jf_orc_index;

/*
 * Makes an index of [start, end), at most 4 GiB of code. The table may be unsorted.
 * out: *index on JF_OK only. owns: *index is the caller's, jf_orc_index_free(); the table may go away.
 * returns: JF_E_INVAL (NULL, or start >= end), JF_E_RANGE (more than 4 GiB of code, or more entries than the index can
 *      number), JF_E_NO_ROW (the table is empty), JF_E_NO_MEMORY. threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_orc_index_new(const struct jf_orc_table *table, uint64_t start, uint64_t end,
						struct jf_orc_index **index);
/* Frees an index; NULL: does nothing. */
JF_API void jf_orc_index_free(struct jf_orc_index *index);

/*
 * The entry that jf_orc_search() finds for `address` in the sorted table. Of a return address pass the byte before
 * (R17).
 * returns: NULL outside of [start, end). owns: the entry is the index's. threads: any, async-signal-safe, wait-free.
 */
JF_API const struct jf_orc_entry *jf_orc_index_find(const struct jf_orc_index *index, uint64_t address);

/* All the memory that the index takes, in bytes. threads: any, async-signal-safe. */
JF_API size_t jf_orc_index_bytes(const struct jf_orc_index *index);

JF_END_DECLS

#endif
