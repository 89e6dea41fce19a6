/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_ROWS_FILE_H
#define JF_TOOLS_ROWS_FILE_H

#include <gelf.h>
#include <libelf.h>

#include <jitframe/rows.h>

/* The functions of an ELF file that have unwind rows: by .eh_frame, or by .orc_unwind. */

struct rows_section {
	const char *name;
	uint64_t address, size;
	const uint8_t *bytes; /* NULL: none in the file */
	bool code;
};

struct rows_symbol {
	uint64_t address, size;
	const char *name; /* the file's */
};

struct rows_function {
	struct jf_cfi_function cfi;
	const uint8_t *bytes; /* NULL: its addresses are no code of this file */
	const char *name;     /* of the symbol that it lies in; NULL: none */
	uint64_t name_off;    /* from that symbol */
};

struct rows_file {
	const char *path;
	int fd;
	Elf *elf;
	const struct jf_backend *backend;
	struct rows_section *sections; /* by index; nothing is at 0 */
	size_t section_count;
	struct rows_symbol *symbols; /* functions, by address */
	size_t symbol_count;
	struct rows_function *functions; /* by address */
	size_t function_count;
	struct jf_cfi_table *table; /* of .eh_frame; NULL: the rows come from ORC */
	uint8_t *eh_frame;          /* relocated, of object files; NULL: as it is in the file */
	uint64_t *unlinked;         /* of object files: places in code that a linker fills in, sorted */
	uint32_t *unlinked_offs;    /* the same from the function's start, as far as asked for */
	size_t unlinked_count;
	/* Where functions that were looked at jump to in others; rows_file_find() keeps these. */
	uint64_t *jumps;
	size_t jump_count, jump_capacity, sorted_count;
	uint32_t *entries;  /* of one function */
	uint64_t *noreturn; /* functions that never return, and the words that linkage tables reach them by; sorted */
	size_t noreturn_count;
	struct rows_orc *orc; /* NULL: the rows come from .eh_frame */
};

/* Opens a file and makes its rows. in: need_rows: without them it fails; else the functions of a file without rows are
 * those of its symbols. returns:
 * 0, or prints and an exit status. Then, in any case, rows_file_close(). */
int rows_file_open(struct rows_file *file, const char *path, bool need_rows);
void rows_file_close(struct rows_file *file);

/* "name+0x1c" or "0x1234" of an address. */
void rows_file_address(const struct rows_file *file, uint64_t address, char *text, size_t capacity);

/* The function's code and rows. owns: *input points into the file, until the next call. */
void rows_file_input(struct rows_file *file, const struct rows_function *function, struct jf_rows_input *input);

/* The function that holds an address: for struct jf_rows_input, whose `arg` is the file. */
const struct jf_cfi_function *rows_file_find(void *file, uint64_t address);

/* The jumps so far in order; then those into a function, as bytes from its start. owns: the file's, until the next
 * call. */
void rows_file_sort_jumps(struct rows_file *file);
const uint32_t *rows_file_entries(struct rows_file *file, const struct rows_function *function, size_t *count);

/* ---- of its parts ------------------------------------------------------------------------------------------ */

/* The section of that name; NULL: none. */
const struct rows_section *rows_file_section(const struct rows_file *file, const char *name);
/* The bytes of [start, end), all of them code; NULL: there are none. */
const uint8_t *rows_file_code(const struct rows_file *file, uint64_t start, uint64_t end);
/* A new function at the end. returns: false without memory. */
bool rows_file_add(struct rows_file *file, const struct jf_cfi_function *function);

/* The functions of .orc_unwind (rows_orc.c). returns: as rows_file_open(). */
int rows_orc_read(struct rows_file *file);
void rows_orc_free(struct rows_orc *orc);

/* file->unlinked of an object file (rows_object.c). returns: as rows_file_open(). */
int rows_object_read(struct rows_file *file);
/* .eh_frame of an object file, relocated: file->eh_frame (rows_object.c). returns: as rows_file_open(). */
int rows_object_relocate(struct rows_file *file, const struct rows_section *section);

/* file->noreturn (rows_noreturn.c). returns: as rows_file_open(). */
int rows_noreturn_read(struct rows_file *file);
/* Whether what is called at that address never returns: for struct jf_rows_input. */
bool rows_noreturn(void *file, uint64_t address);

#endif
