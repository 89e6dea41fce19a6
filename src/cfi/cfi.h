/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_CFI_H
#define JF_CFI_CFI_H

#include <jitframe/cfi.h>
#include <jitframe/frame.h>

/* Bytes with an end. A read past the end gives 0 and sets `bad`, which stays set: one look at `bad` serves several
 * reads. */
struct cfi_reader {
	const uint8_t *start; /* of the section: offsets count from here */
	const uint8_t *at;
	const uint8_t *end;
	uint64_t address; /* of start */
	bool bad;
};

uint64_t jf_cfi_read(struct cfi_reader *reader, unsigned int bytes); /* 1, 2, 4, 8; zero-extended */
uint64_t jf_cfi_uleb(struct cfi_reader *reader);
int64_t jf_cfi_sleb(struct cfi_reader *reader);
void jf_cfi_skip(struct cfi_reader *reader, uint64_t bytes);
/* The next `bytes` bytes as a reader of their own. */
struct cfi_reader jf_cfi_sub(struct cfi_reader *reader, uint64_t bytes);

/* A pointer's encoding. Source: the Linux Standard Base, "DWARF Exception Header Encoding". */
enum {
	CFI_PTR_ABS = 0x00,
	CFI_PTR_ULEB = 0x01,
	CFI_PTR_UDATA2 = 0x02,
	CFI_PTR_UDATA4 = 0x03,
	CFI_PTR_UDATA8 = 0x04,
	CFI_PTR_SLEB = 0x09,
	CFI_PTR_SDATA2 = 0x0a,
	CFI_PTR_SDATA4 = 0x0b,
	CFI_PTR_SDATA8 = 0x0c,
	CFI_PTR_FORMAT = 0x0f,
	CFI_PTR_PCREL = 0x10,
	CFI_PTR_ALIGNED = 0x50,
	CFI_PTR_RELATIVE = 0x70,
	CFI_PTR_INDIRECT = 0x80,
	CFI_PTR_OMIT = 0xff,
};
/* The value as it stands, in that format. returns: false for an unknown format. */
bool jf_cfi_pointer_raw(struct cfi_reader *reader, uint8_t encoding, uint64_t *value);
/* An address: absolute or relative to itself. *raw = before that. returns: false for any other encoding. */
bool jf_cfi_pointer(struct cfi_reader *reader, uint8_t encoding, uint64_t *address, uint64_t *raw);

/* ---- the state that the programs of CIE and FDE change ------------------------------------------------ */

enum cfi_rule {
	CFI_UNSAID, /* no rule: as the ABI has it, unchanged if callee-saved */
	CFI_SAME,
	CFI_UNDEFINED,
	CFI_OFFSET,   /* saved at CFA + off */
	CFI_VALUE,    /* is CFA + off */
	CFI_REGISTER, /* is in another register */
	CFI_EXPRESSION,
	CFI_FAR,     /* an offset that no row can say */
	CFI_LINKAGE, /* the CFA of a procedure linkage table */
};

/* CFA = cfa_reg + cfa_off + ((pc & mask) >= limit ? pushed : 0) */
struct cfi_linkage {
	int64_t cfa_off, pushed;
	uint8_t cfa_reg, mask, limit;
};

struct cfi_state {
	uint64_t ruled[(JF_REGS_MAX + 63) / 64]; /* bit per register id: its rule is not CFI_UNSAID */
	uint8_t rule[JF_REGS_MAX];
	int32_t off[JF_REGS_MAX];
	uint8_t cfa_rule; /* CFI_UNSAID, CFI_VALUE (cfa_reg + cfa_off), CFI_LINKAGE, CFI_EXPRESSION */
	uint8_t cfa_reg;  /* register id; JF_REG_NONE: not one of the backend's */
	int64_t cfa_off;
	bool ra_signed;
	struct cfi_linkage linkage;
};

struct cfi_cie {
	size_t offset; /* in the section */
	uint64_t code_align;
	int64_t data_align;
	uint8_t ra; /* register id, or JF_REG_NONE */
	uint8_t pointer_encoding;
	bool has_data; /* 'z': FDEs have augmentation data with its length in front */
	bool is_signal;
	struct cfi_state initial;
};

/* Grows as rows are added. */
struct cfi_list {
	void *items;
	size_t count, capacity;
};

/* Register ids by DWARF number; JF_REG_NONE: not one of the backend's. */
struct cfi_regs {
	uint8_t of_dw[256];
};

void jf_cfi_regs_fill(struct cfi_regs *regs, const struct jf_backend *backend);

#define CFI_RECENT 256

/* Functions alike share rows and slots: places where lists of the same hash lie. */
struct cfi_recent {
	struct cfi_place {
		uint32_t at, count;
	} rows[CFI_RECENT], slots[CFI_RECENT];
};

/* A conversion under way: of a section, or of one function for one row. */
struct cfi_converter {
	const struct jf_backend *backend;
	const struct cfi_regs *regs;
	struct cfi_reader section;
	struct jf_error *error; /* NULL: nobody reads the reason */
	/* Of a section alone. */
	struct jf_cfi_counts counts;
	struct cfi_list functions, rows, slots;
	struct cfi_recent *recent;
};

/* A function on its way: rows and slots are indexes, as the arrays still move. */
struct cfi_draft {
	uint64_t start, end;
	uint32_t row_at, row_count;
	uint32_t slot_at;
	uint32_t order; /* as they come: keeps sorting stable */
	uint8_t slot_count;
	uint8_t flags;
};

/* Room for one more of `bytes` bytes at the list's end. returns: NULL = no memory. */
void *jf_cfi_list_add(struct cfi_list *list, size_t bytes);

/* Records where and why. Async-signal-safe without converter->error. */
enum jf_status jf_cfi_fail(struct cfi_converter *converter, enum jf_status status, const uint8_t *at, const char *text);

/* Reads all entries of converter->section into its lists. */
enum jf_status jf_cfi_parse(struct cfi_converter *converter, uint32_t fde_count);

/*
 * The FDE at that byte of the section: its CIE, the draft's addresses and flags, and its instructions.
 * returns: JF_END for a function that the linker has removed.
 */
enum jf_status jf_cfi_read_fde(struct cfi_converter *converter, const uint8_t *at, struct cfi_cie *cie,
			       struct cfi_draft *draft, struct cfi_reader *program);

/* Runs the CIE's first instructions: cie->initial. */
enum jf_status jf_cfi_run_cie(struct cfi_converter *converter, struct cfi_cie *cie, struct cfi_reader program);
/* Runs an FDE's program and adds its rows and slots to the converter's. */
enum jf_status jf_cfi_run_fde(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			      struct cfi_draft *draft);
/*
 * Runs an FDE's program up to `code_off`, a byte of the function, for the row in force there. Allocates nothing. out:
 * row, room->slots and draft->slot_count, on JF_OK.
 */
enum jf_status jf_cfi_run_row(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			      struct cfi_draft *draft, uint32_t code_off, struct jf_cfi_room *room);

/* ---- rows (row.c) ---------------------------------------------------------------------------------- */

struct cfi_rows {
	struct cfi_converter *converter;
	const struct cfi_cie *cie;
	size_t first;          /* index of this function's first row in converter->rows */
	struct jf_slot *slots; /* room for JF_FRAME_SLOTS_MAX */
	uint8_t slot_count;
	struct cfi_wanted *wanted; /* NULL: all rows go to the converter's */
};

/* The row in force at code_off, which is all that is asked for. */
struct cfi_wanted {
	uint32_t code_off;
	bool found;
	struct jf_row *row;
};

/* Adds the row that `state` amounts to, unless it says what the row before says. */
enum jf_status jf_cfi_row_add(struct cfi_rows *rows, const struct cfi_state *state, uint32_t code_off);
/* Puts rows and slots of the function behind those of others, or shares equal ones. */
enum jf_status jf_cfi_rows_finish(struct cfi_rows *rows, struct cfi_draft *draft);

/* ---- code that no compiler wrote (linkage.c) --------------------------------------------------------- */

/* Whether a CFA's expression, the whole of `program`, is that of a linkage table. */
bool jf_cfi_linkage_parse(const struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			  struct cfi_linkage *linkage);
/* Adds the rows that it amounts to at [from, to), bytes from `start`. */
enum jf_status jf_cfi_linkage_rows(struct cfi_rows *rows, const struct cfi_state *state, uint64_t start, uint64_t from,
				   uint64_t to);
/* The known code that begins at `code`, in so many bytes; NULL: none. */
const struct jf_known_code *jf_cfi_known_find(const struct jf_backend *backend, const uint8_t *code, uint64_t bytes);
/* Adds what is known between the functions, which are sorted, behind them. */
enum jf_status jf_cfi_known_add(struct cfi_converter *converter, const struct jf_cfi_section *section);

/* ---- writing (write.c) --------------------------------------------------------------------------------- */

/* As jf_cfi_writer_init(), for a section in memory at any distance from the code: addresses stand there as they are. */
enum jf_status jf_cfi_writer_init_far(struct jf_cfi_writer *writer, const struct jf_backend *backend, void *bytes,
				      size_t capacity);

/* ---- between table and look-up ------------------------------------------------------------------------- */

const struct jf_backend *jf_cfi_table_backend(const struct jf_cfi_table *table);
/* [*start, *end) of its functions. returns: false when it has none. */
bool jf_cfi_table_extent(const struct jf_cfi_table *table, uint64_t *start, uint64_t *end);

#endif
