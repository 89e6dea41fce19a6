/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_MACHINE_CODE_H
#define JF_TOOLS_MACHINE_CODE_H

/* Machine code as people have it: raw bytes, hex text, ELF objects, dumps of bpftool. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jitframe/types.h>

enum code_format {
	CODE_DETECT,
	CODE_RAW,
	CODE_HEX,
	CODE_ELF,
	CODE_BPFTOOL,      /* "prog dump jited ... opcodes" as text */
	CODE_BPFTOOL_JSON, /* the same with --json */
};

struct code_function {
	char *name;
	uint8_t *bytes;
	size_t size, capacity;
	uint64_t address; /* of bytes[0]; 0 when the input does not say */
	bool is_context;  /* another one is wanted */
};

struct machine_code {
	const char *path;
	enum code_format format; /* what it was */
	struct code_function *functions;
	size_t count, capacity;
	/* ELF: what the file is for; NULL: the format does not say. */
	const struct jf_backend *backend;
};

/* returns: false when there is none of that name. */
bool code_format_parse(const char *name, enum code_format *format);
const char *code_format_name(enum code_format format);

/*
 * Reads a file ("-": standard input). symbol: the one function that is wanted, NULL: all. The others are read, too.
 * owns: code_free() also after a failure. returns: 0, or prints and an exit status.
 */
int code_read(struct machine_code *code, const char *path, enum code_format format, const char *symbol);
void code_free(struct machine_code *code);

/* ---- for the readers ---- */

/* A new function at the end; `name` is copied, length bytes of it. returns: NULL: no memory. */
struct code_function *code_add(struct machine_code *code, const char *name, size_t length);
/* returns: false: no memory. */
bool code_append(struct code_function *function, const uint8_t *bytes, size_t count);

int code_read_hex(struct machine_code *code, const char *text, size_t size);
int code_read_bpftool(struct machine_code *code, const char *text, size_t size);
int code_read_bpftool_json(struct machine_code *code, const char *text, size_t size);
int code_read_elf(struct machine_code *code, const uint8_t *bytes, size_t size);

#endif
