/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ROWS_H
#define JF_ROWS_H

#include <jitframe/backend.h>
#include <jitframe/cfi.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>

JF_BEGIN_DECLS

/*
 * Anybody's unwind rows, held to anybody's code. The code is a function of the platform ABI: a C compiler's, an
 * assembly programmer's, a JIT's. The checker (check.h) follows every path with what registers and stack slots hold.
 * What is so before each instruction is compared with the row in force there: the CFA, the return address, every
 * callee-saved register that the row speaks of. docs/checker.md says what is taken for granted.
 */

/* What is said of the rows of one function. */
enum jf_rows_verdict {
	JF_ROWS_TRUE,      /* at every instruction that can be reached */
	JF_ROWS_UNTRUE,    /* at one instruction at least */
	JF_ROWS_UNDECIDED, /* no lie was found, and one instruction at least could not be followed */
	JF_ROWS__COUNT
};

/* What a finding is about. */
enum jf_rows_about {
	JF_ROWS_ABOUT_NOTHING, /* the verdict is TRUE */
	JF_ROWS_ABOUT_CFA,
	JF_ROWS_ABOUT_RETURN,   /* the return address */
	JF_ROWS_ABOUT_REGISTER, /* a callee-saved register, `reg` */
	JF_ROWS_ABOUT_ROW,      /* there is no row, or a row that says nothing */
	JF_ROWS_ABOUT_CODE,     /* the code cannot be followed */
	JF_ROWS_ABOUT__COUNT
};

/*
 * One function, or one part of a function that has been split. owns: all memory is the caller's, and is read during the
 * call only. Start from JF_ROWS_INPUT_INIT.
 */
struct jf_rows_input {
	uint32_t size; /* sizeof(struct jf_rows_input); bytes beyond what this library knows must be 0 */
	const struct jf_backend *backend;
	const uint8_t *bytes; /* the function's code, first to last instruction */
	size_t byte_count;    /* 1 to JF_CHECK_BYTES_MAX of check.h */
	uint64_t address;     /* run-time address of bytes[0] */
	/* Sorted by code_off, bytes from bytes[0]. jf_rows_make() ignores rows and slots. */
	const struct jf_row *rows;
	size_t row_count;
	const struct jf_slot *slots; /* what the rows' `saved` refers to */
	uint8_t slot_count;          /* at most 32 */
	/*
	 * Where the function's computed jumps go, as bytes from bytes[0]: the targets of its switch tables. NULL: not
	 * known. Then code that nothing else leads to is entered from a computed jump, or from a call that may throw,
	 * with the same row.
	 */
	const uint32_t *jump_targets;
	size_t jump_target_count;
	/* Where other parts of the function jump to, as bytes from bytes[0]: the rows there are believed. NULL: not
	 * known. */
	const uint32_t *entries;
	size_t entry_count;
	/* Of an object file: the places that a linker has yet to fill in, as bytes from bytes[0], sorted. A jump with
	 * such a place in it leads out of the function. NULL: none. */
	const uint32_t *unlinked;
	size_t unlinked_count;
	/*
	 * Optional: the function that holds an address outside of this one, for jumps that lead there. A jump into the
	 * middle of a function, or to a part that begins with a frame, is held to the row there. returns: NULL when
	 * there is none. owns: the function stays the callee's, and is read before the next call.
	 */
	const struct jf_cfi_function *(*find)(void *arg, uint64_t address);
	/* Optional: whether what is called at that address never returns. */
	bool (*never_returns)(void *arg, uint64_t address);
	void *arg;
};
/* All fields but the size are 0. */
/* clang-format off */
#define JF_ROWS_INPUT_INIT { .size = sizeof(struct jf_rows_input) }
/* clang-format on */

#define JF_ROWS_TEXT_MAX 384        /* bytes of a report's text, with the terminator */
#define JF_ROWS_NO_OFF   UINT32_MAX /* a code offset: none */

/* What came out, and the first place for that verdict, in the order of the code. Start from JF_ROWS_REPORT_INIT. */
struct jf_rows_report {
	uint32_t size;           /* sizeof(struct jf_rows_report) */
	uint8_t verdict;         /* enum jf_rows_verdict */
	uint8_t about;           /* enum jf_rows_about */
	uint8_t reg;             /* register id, of ABOUT_RETURN and ABOUT_REGISTER; else JF_REG_NONE */
	bool is_part;            /* by its first row the code begins in the middle of a function */
	bool returns;            /* a path leads to a return, or out of the function */
	uint32_t code_off;       /* the instruction, bytes from bytes[0]; JF_ROWS_NO_OFF: none, the verdict is TRUE */
	uint32_t row_off;        /* code_off of the row in force there; JF_ROWS_NO_OFF: none */
	uint32_t insn_count;     /* instructions that were followed */
	uint32_t believed_count; /* of them, those that only a row's own word leads to: see docs/checker.md */
	const char *name;        /* the instruction's mnemonic, static; NULL: none */
	/* What the table says, and what is so instead: "CFA=rsp+16", "CFA=rsp+24". Empty: there is nothing to say. */
	char says[64];
	char is[96];
	/* One sentence: "at +0x24 `pop` has a row that says CFA=rsp+16; true is: CFA=rsp+24". Empty when TRUE. */
	char text[JF_ROWS_TEXT_MAX];
};
/* All fields but the size are 0. */
/* clang-format off */
#define JF_ROWS_REPORT_INIT { .size = sizeof(struct jf_rows_report) }
/* clang-format on */

/*
 * Holds a function's rows to its code.
 * in:  error may be NULL.
 * out: *report, on JF_OK only. JF_OK says that the rows were judged; report->verdict says how.
 * returns: JF_E_INVAL (NULL, an input or report of another header, no bytes or too many, rows unsorted or without
 *      slots, a register that the backend lacks, a jump target or an entry outside of the code); JF_E_UNSUPPORTED (the
 *      backend has no decoder); JF_E_NO_MEMORY. error->where names the field.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_rows_verify(const struct jf_rows_input *input, struct jf_rows_report *report,
					      struct jf_error *error);

/*
 * Derives a function's rows from its code alone. Where the code cannot be followed the rows are JF_ROW_UNKNOWN, and so
 * they are at bytes that nothing leads to.
 * in:  rows[0, *row_count) and slots[0, *slot_count) are the caller's; JF_FRAME_SLOTS_MAX slots are enough for any
 *      function. error may be NULL.
 * out: rows, slots and both counts, on JF_OK; on JF_E_NOSPACE the two counts that are needed.
 * returns: as jf_rows_verify(); JF_E_NOSPACE.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_rows_make(const struct jf_rows_input *input, struct jf_row *rows, size_t *row_count,
					    struct jf_slot *slots, size_t *slot_count, struct jf_error *error);

/* "true", "untrue", "undecided"; "?" for values outside of the enum. owns: static. threads: any, async-signal-safe. */
JF_API const char *jf_rows_verdict_name(enum jf_rows_verdict verdict);

JF_END_DECLS

#endif
