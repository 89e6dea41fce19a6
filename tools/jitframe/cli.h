/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_CLI_H
#define JF_TOOLS_CLI_H

/* What the subcommands of `jitframe` share. */

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jitframe/backend.h>

#include "usage.h"

/* Exit statuses; 0 is success. */
enum { CLI_FAILED = 1, CLI_BAD_INPUT = 2 };

/* Subcommands: argv[0] is "jitframe NAME". returns: the exit status. */
int cmd_archs(int argc, char **argv);
int cmd_frame(int argc, char **argv);
int cmd_emit(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_orc(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_rows(int argc, char **argv);

/* Where messages go from now on; NULL: standard error. The file is the caller's. */
void cli_messages_to(FILE *file);
/* Prints "jitframe: ..." and a newline on standard error. returns: CLI_BAD_INPUT. */
int cli_bad_input(const char *fmt, ...) JF_PRINTF(1, 2);
/* The same, with "warning: ". */
void cli_warn(const char *fmt, ...) JF_PRINTF(1, 2);
/* The same. returns: CLI_FAILED. */
int cli_failed(const char *fmt, ...) JF_PRINTF(1, 2);
/* "jitframe: CONTEXT: [KIND ]WHERE: TEXT"; context and kind may be NULL. returns: by the error's status. */
int cli_error(const char *context, const char *kind, const struct jf_error *error);

/* in: all of `text` is digits of that base (0x in front allowed for 16). returns: false when it is not
 * a number, or over max; *value only on true. */
bool cli_number(const char *text, unsigned int base, uint64_t max, uint64_t *value);

/* --indexed-stack BYTES: what the option says of itself, and its largest number, more than any convention has. */
#define CLI_STACK_BYTES_MAX   32768
#define CLI_INDEXED_STACK_DOC "BPF stack of functions that reach under R10 by an index without a bound (default: 512)"

/* Whether an option's FILE is "-", standard output. */
bool cli_is_stdout(const char *path);
/* Opens it anew; "-" is standard output. owns: the caller, cli_close(). returns: NULL after a message. */
FILE *cli_create(const char *path);
/* returns: 0, or prints and an exit status when not all has arrived. */
int cli_close(FILE *file, const char *path);

/* Reads a file whole. owns: *bytes is the caller's, free(). returns: 0, or prints and an exit status. */
int cli_read_file(const char *path, uint8_t **bytes, size_t *size);

/* The convention of `target`, or of "HOST/user" for NULL. returns: 0, or prints and an exit status. */
int cli_convention(const char *target, const struct jf_convention **conv);

/* The program of that name in an open bundle; NULL: the only one. returns: 0, or prints and an exit status. */
struct bundle;
int cli_program(const char *path, const struct bundle *bundle, const char *name, uint32_t *program);

/* Reads an object file and links it; `program` as for link_object(). owns: *bundle is the caller's,
 * free(). returns: 0, or prints and an exit status. */
int cli_link(const char *path, const char *program, void **bundle, size_t *size);
/* The same for a look at the code: what it calls and addresses need not be there (LINK_TO_SEE). */
int cli_link_to_see(const char *path, const char *program, void **bundle, size_t *size);

/* ---- frame specs on the command line (frame, emit) ---- */

struct spec_args {
	const struct jf_convention *conv;
	struct jf_frame_spec spec;
	bool own_target; /* in: arguments are the parent's, who gets conv some other way */
	uint32_t given;  /* JF_GIVEN_ bits: what options have set */
	bool role_given; /* --role was there */
};
/* A child parser: takes ARCH/CONVENTION and the options of struct jf_frame_spec. Its input is a struct
 * spec_args, initialised with spec = JF_FRAME_SPEC_INIT. Ends the process on bad usage. */
extern const struct argp spec_argp;

/* ---- text of machine code ---- */

struct disasm;
/* returns: NULL when LLVM has no such architecture; NULL after a message when there is no LLVM. free with
 * disasm_free(). */
struct disasm *disasm_new(const struct jf_backend *backend);
void disasm_free(struct disasm *disasm);
/* One instruction of bytes[0, count), count > 0, into text. returns: its length in bytes; what cannot be
 * decoded is "(bad)" and as long as the smallest instruction. */
size_t disasm_insn(struct disasm *disasm, const uint8_t *bytes, size_t count, uint64_t pc, char *text, size_t capacity);
/* The same by LLVM itself, of the module that those load. */
struct disasm *disasm_llvm_new(const struct jf_backend *backend);
void disasm_llvm_free(struct disasm *disasm);
size_t disasm_llvm_insn(struct disasm *disasm, const uint8_t *bytes, size_t count, uint64_t pc, char *text,
			size_t capacity);
/* "00 11 22" of bytes[0, count). */
void disasm_bytes(const uint8_t *bytes, size_t count, char *text, size_t capacity);

/* bytes[0, count) as one line of hexadecimal digits on standard output. */
void cli_print_hex(const uint8_t *bytes, size_t count);

/* ---- pictures ---- */

/* The frame as an SVG file. returns: 0, or prints and an exit status. */
int svg_write(const struct jf_frame *frame, const char *path);
/* The same as an element of a page: without pointers and title, and with room in each slot for what the slot holds. */
void svg_put_live(FILE *file, const struct jf_frame *frame);

#endif
