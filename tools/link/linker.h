/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_LINKER_H
#define JF_TOOLS_LINKER_H

/* What the files of this folder share. Order of work: object, btf, functions, maps, cleanups, dead, code, lower,
 * reach, pack. */

#include <stdarg.h>

#include "bundle.h"
#include "link.h"
#include "object.h"

struct btf;

struct link_function {
	const char *name;
	uint32_t section;
	uint32_t first; /* instruction in its section */
	uint32_t insn_count;
	uint32_t symbol;
	struct jf_insn *insns; /* linked: references are indexes of the bundle's tables */
	int32_t program;       /* index of the program that it is the main function of, or -1 */
	int32_t callback;      /* programs: function index of the exception callback, or -1 */
	bool global;
	bool needed;
	uint32_t cleanup_count;  /* in link.cleanups, behind those of the functions before */
	uint32_t line_count;     /* in link.lines, behind those of the functions before */
	struct jf_error refused; /* the first thing that could not be linked in it; JF_OK: none */
};

/* A record of the table of clean-up pads. */
struct link_cleanup {
	uint32_t function;
	struct jf_cleanup record; /* in instructions of the function */
};

struct link_map {
	const char *name;
	uint32_t section;
	uint64_t off; /* bytes in section */
	uint64_t size;
	uint32_t values_off;   /* in the definition, of its static initialiser; 0: has none */
	uint32_t data_section; /* with its initial value; 0: has none */
	struct bundle_map def; /* but for name and data_off */
};

struct link_variable {
	const char *name;
	struct bundle_variable def; /* but for name */
};

struct link {
	enum link_use use;
	struct object object;
	struct btf *btf;                 /* NULL: the object has none */
	struct link_function *functions; /* by section, then by first */
	uint32_t function_count;
	uint32_t *programs; /* function indexes */
	uint32_t program_count;
	struct link_map *maps; /* by section, then by off */
	uint32_t map_count;
	uint32_t arena_section;   /* of the variables that lie in the arena; 0: there are none */
	uint32_t arena;           /* the map they are in */
	struct jf_import *kfuncs; /* those used */
	uint32_t kfunc_count;
	struct bundle_init *inits;
	uint32_t init_count;
	struct link_cleanup *cleanups; /* by function, then by start */
	uint32_t cleanup_count;
	struct link_variable *variables;
	uint32_t variable_count;
	struct bundle_line *lines; /* by function, then by instruction */
	uint32_t line_count;
	char *line_strings; /* what their `file` and `text` count in; the first one is "" */
	uint32_t line_string_bytes;
	struct jf_error *error;
};

/* Refuses the object as a whole. returns: status. */
enum jf_status link_fail(struct link *link, enum jf_status status, const char *where, const char *fmt, ...)
	JF_PRINTF(4, 5);
/* Refuses one function; only the first refusal counts. insn < 0: no particular instruction. */
void link_refuse(struct link_function *function, enum jf_status status, int64_t insn, const char *fmt, ...)
	JF_PRINTF(4, 5);

/* btf.c */
enum jf_status link_btf_open(struct link *link);
void link_btf_close(struct link *link);
/* Callbacks that programs name in declaration tags. */
enum jf_status link_btf_callbacks(struct link *link);
/* Refuses the function whose instruction calls a kfunc of the runner that BTF declares with other types. */
void link_btf_kfunc(const struct link *link, const char *name, struct link_function *function, int64_t insn);
/*
 * The types of a kfunc that only BTF knows; 64 bits where BTF says nothing. returns: false when some value is not
 * passed in one register.
 */
bool link_btf_import(const struct link *link, const char *name, struct jf_import *import);
/* A string of .BTF; "" for one that is not there. */
const char *link_btf_name(const struct btf *btf, uint32_t off);

/* btf_ext.c */
/* Goes over CO-RE relocations. */
enum jf_status link_btf_core(struct link *link);
/* The line tables of functions. */
enum jf_status link_btf_lines(struct link *link);
void link_btf_lines_close(struct link *link);

/* core.c */
#define LINK_CORE_BYTES 16 /* of a record */
/* One record of the table: refuses its function where what it asks for is a kernel's. */
void link_core_record(struct link *link, uint32_t section, const uint8_t *bytes);

/* functions.c */
enum jf_status link_functions_collect(struct link *link);
/* returns: index of the function that starts at this instruction of the section, or -1. */
int32_t link_function_at(const struct link *link, uint32_t section, uint64_t insn);
/* returns: index of the function that holds it, or -1. */
int32_t link_function_around(const struct link *link, uint32_t section, uint64_t insn);

/* maps.c, map_defs.c */
enum jf_status link_maps_collect(struct link *link);
enum jf_status link_map_defs(struct link *link); /* those of section .maps, from BTF */
/* returns: index of the map whose definition or value holds the byte, or -1. */
int32_t link_map_at(const struct link *link, uint32_t section, uint64_t off);
/* What lies in `section` and belongs to the map: its value, or its definition. */
bool link_is_value(const struct link_map *map, uint32_t section);

/* variables.c */
enum jf_status link_variables_collect(struct link *link);

/* inits.c */
enum jf_status link_inits_collect(struct link *link);

/* dead.c */
/*
 * Puts jumps to themselves where no path arrives, as a kernel does, so that nothing there is judged. returns:
 * JF_E_NO_MEMORY.
 */
enum jf_status link_dead(struct link *link);
/* Whether the instruction is one of those. */
bool link_is_dead(const struct jf_insn *insn);

/* code.c */
enum jf_status link_code(struct link *link);

/* returns: index in the bundle's table, where a kfunc that is there is put at need; or -1: there is none. */
int32_t link_kfunc_index(struct link *link, const char *name);

/* cleanup.c */
enum jf_status link_cleanups_collect(struct link *link);

/* lower.c */
/* Jumps through registers and loads from packets. Behind everything that counts instructions as the object has them. */
enum jf_status link_lower(struct link *link);

/* pack.c */
enum jf_status link_pack(struct link *link, void **bundle, size_t *bundle_size);
/*
 * A bundle with room for so many records in each table, all zero. out: *bytes, the caller's, free(); on JF_OK only.
 * returns: JF_E_UNSUPPORTED (over 2 GiB), JF_E_NO_MEMORY.
 */
enum jf_status link_bundle_new(const uint64_t count[BUNDLE_TABLE__COUNT], uint8_t **bytes, struct jf_error *error);
size_t link_bundle_bytes(const uint8_t *bytes);
/* The first record of a table. */
void *link_bundle_table(uint8_t *bytes, enum bundle_table table);

#endif
