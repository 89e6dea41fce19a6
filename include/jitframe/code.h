/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODE_H
#define JF_CODE_H

#include <jitframe/export.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>
#include <jitframe/status.h>

#include <string.h>

JF_BEGIN_DECLS

/* Places in a function that others need, as bytes from the function's start. */
enum jf_mark {
	JF_MARK_TAIL_ENTRY, /* where a tail call enters (R16); unset in functions that no tail call enters */
	JF_MARK_BODY,       /* end of the prologue */
	JF_MARK_EPILOGUE,
	JF_MARK__COUNT
};
#define JF_MARK_UNSET UINT32_MAX

/*
 * A sink for machine code and for the code's rows, in the caller's memory.
 *
 * Failure is sticky. `status` keeps the first failure and `fail_off` its place, later emission does nothing, and
 * jf_code_finish() is the one check.
 *
 * Rows: jf_code_cfa(), _saved(), _restored() and _row_flags() change the state that holds AFTER the instruction emitted
 * last; a row is recorded when the next instruction is put down. So each call stands right behind the instruction that
 * the call describes, as with assembler CFI directives.
 *
 * threads: a struct jf_code belongs to one thread at a time; the calls below share no state, allocate nothing, and are
 * async-signal-safe.
 */
struct jf_code {
	uint8_t *bytes;
	size_t capacity;  /* cut down to `size` by a failure */
	size_t size;      /* bytes put so far, all functions */
	uint64_t address; /* where bytes[0] will run */
	enum jf_status status;
	size_t fail_off; /* offset of the instruction that failed */

	const struct jf_frame *frame; /* of the function being emitted */
	size_t start;                 /* its first byte */
	uint32_t marks[JF_MARK__COUNT];

	struct jf_row *rows; /* NULL: rows are not wanted */
	size_t row_capacity;
	size_t row_count;
	size_t row_start; /* first row of the function being emitted */
	struct jf_row now;
	bool now_dirty;
};

/*
 * Starts with an empty sink.
 * in:  bytes[0, capacity) and rows[0, row_capacity): either may be NULL. Without `rows`, rows are left out. Without
 *      `bytes`, nothing is written and nothing runs out of room: code->size comes out as the bytes that the code takes
 *      at most at this address, and without `rows`, too, code->row_count as the rows that the code has at most.
 *      address: run-time address of bytes[0]. owns: both buffers are the caller's and must outlive the code.
 */
JF_API void jf_code_init(struct jf_code *code, uint8_t *bytes, size_t capacity, uint64_t address, struct jf_row *rows,
			 size_t row_capacity);

/* Starts a function at the current place: clears marks, sets the row state at the function's entry. CFA at entry:
 * `cfa_reg` + `cfa_off` bytes; `saved` as in struct jf_row. owns: *frame must outlive the emission. */
JF_API void jf_code_begin(struct jf_code *code, const struct jf_frame *frame, uint8_t cfa_reg, int32_t cfa_off,
			  uint32_t saved);

/* Appends bytes; one call per machine instruction. Fails with JF_E_NOSPACE when bytes or rows have no room. */
JF_API void jf_code_put(struct jf_code *code, const void *bytes, size_t count);
/* Takes over `count` bytes that the caller has written to code->bytes + code->size: whole instructions, no more bytes
 * than code->capacity - code->size. Fails as jf_code_put() does. Without `bytes`: counts them. */
JF_API void jf_code_wrote(struct jf_code *code, size_t count);
/* Append one little-endian instruction word. A longer instruction is one call, of jf_code_put(). */
static inline void jf_code_put16(struct jf_code *code, uint16_t word);
static inline void jf_code_put32(struct jf_code *code, uint32_t word);
/* Writes such a word to `at`, for put_branch of struct jf_body_ops. */
static inline void jf_code_write32(uint8_t at[4], uint32_t word);
/* Appends the first `count` (0 to JF_INSN_BYTES_MAX) bytes, as jf_code_put() does. Where there is room, all
 * JF_INSN_BYTES_MAX bytes are copied: faster than a copy of exactly `count`. */
#define JF_INSN_BYTES_MAX 16
static inline void jf_code_put_insn(struct jf_code *code, const uint8_t bytes[JF_INSN_BYTES_MAX], size_t count);

/* Records a failure, unless one is recorded. in: a negative status. */
JF_API void jf_code_fail(struct jf_code *code, enum jf_status status);
/* The one check. returns: the first failure, or JF_OK. */
JF_API JF_CHECK enum jf_status jf_code_finish(const struct jf_code *code);

/* The run-time address of the next instruction. */
JF_API uint64_t jf_code_pc(const struct jf_code *code);
/* Sets a mark at the current place. */
JF_API void jf_code_mark(struct jf_code *code, enum jf_mark mark);

/* Behind the last instruction the CFA is register `reg` + `off` bytes. */
JF_API void jf_code_cfa(struct jf_code *code, uint8_t reg, int32_t off);
JF_API void jf_code_saved(struct jf_code *code, unsigned int slot);              /* caller's value is in the slot now */
JF_API void jf_code_restored(struct jf_code *code, unsigned int slot);           /* ... is back in its register */
JF_API void jf_code_row_flags(struct jf_code *code, uint8_t set, uint8_t clear); /* JF_ROW_ bits */
/* Take the row state and put it back, around an exit in the middle of a function. */
JF_API struct jf_row jf_code_state(const struct jf_code *code);
JF_API void jf_code_set_state(struct jf_code *code, struct jf_row state);

/* ---- inline: a failure takes all room away, so room is the only question --------------------------- */

static inline bool jf_code_has_room(const struct jf_code *code, size_t count)
{
	return !code->now_dirty && code->capacity - code->size >= count;
}

static inline void jf_code_write32(uint8_t at[4], uint32_t word)
{
	const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	memcpy(at, bytes, sizeof(bytes));
}

static inline void jf_code_put16(struct jf_code *code, uint16_t word)
{
	const uint8_t bytes[2] = {(uint8_t)word, (uint8_t)(word >> 8)};

	if (!jf_code_has_room(code, sizeof(bytes))) {
		jf_code_put(code, bytes, sizeof(bytes));
		return;
	}
	memcpy(code->bytes + code->size, bytes, sizeof(bytes));
	code->size += sizeof(bytes);
}

static inline void jf_code_put32(struct jf_code *code, uint32_t word)
{
	uint8_t bytes[4];

	jf_code_write32(bytes, word);
	if (!jf_code_has_room(code, sizeof(bytes))) {
		jf_code_put(code, bytes, sizeof(bytes));
		return;
	}
	memcpy(code->bytes + code->size, bytes, sizeof(bytes));
	code->size += sizeof(bytes);
}

static inline void jf_code_put_insn(struct jf_code *code, const uint8_t bytes[JF_INSN_BYTES_MAX], size_t count)
{
	if (!jf_code_has_room(code, JF_INSN_BYTES_MAX)) {
		jf_code_put(code, bytes, count);
		return;
	}
	memcpy(code->bytes + code->size, bytes, JF_INSN_BYTES_MAX);
	code->size += count;
}

JF_END_DECLS

#endif
