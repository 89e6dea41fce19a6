/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_BUNDLE_H
#define JF_TOOLS_BUNDLE_H

/*
 * A bundle: linked BPF programs as flat bytes, so that the side that runs them needs no ELF reader.
 * Little-endian. A header, then tables of fixed-size records; every reference is an index into a
 * table, a byte offset into the strings (NUL-terminated) or into the data bytes.
 */

#include <jitframe/compile.h>

#define BUNDLE_MAGIC "JFBNDL6" /* with its NUL: 8 bytes */

enum bundle_table {
	BUNDLE_PROGRAMS,  /* struct bundle_program */
	BUNDLE_FUNCTIONS, /* struct bundle_function */
	BUNDLE_INSNS,     /* struct jf_insn, references as in jitframe/program.h; function, map and kfunc
			   * indexes are those of this bundle's tables, helpers are their kernel numbers */
	BUNDLE_MAPS,      /* struct bundle_map */
	BUNDLE_KFUNCS,    /* struct bundle_kfunc */
	BUNDLE_INITS,     /* struct bundle_init */
	BUNDLE_LINES,     /* struct bundle_line */
	BUNDLE_CLEANUPS,  /* struct jf_cleanup */
	BUNDLE_VARIABLES, /* struct bundle_variable */
	BUNDLE_DATA,      /* bytes */
	BUNDLE_STRINGS,   /* bytes; the last one is NUL */
	/* Code that another JIT has made of the programs; empty when the library is to compile. */
	BUNDLE_JITS,    /* struct bundle_jit, one at most */
	BUNDLE_IMAGES,  /* struct bundle_image: one for every program */
	BUNDLE_CODES,   /* struct bundle_code */
	BUNDLE_PLACES,  /* struct bundle_place: one for every map */
	BUNDLE_OFFSETS, /* uint32_t */
	BUNDLE_FAULTS,  /* struct jf_fault */
	BUNDLE_BYTES,   /* machine code */
	BUNDLE_TABLE__COUNT
};

struct bundle_extent {
	uint32_t off;   /* bytes from the start of the bundle, a multiple of 8 */
	uint32_t count; /* records, or bytes */
};

struct bundle_header {
	char magic[8];
	uint32_t total_bytes;
	uint32_t reserved;
	struct bundle_extent tables[BUNDLE_TABLE__COUNT];
};

struct bundle_program {
	uint32_t name;    /* string */
	uint32_t section; /* string: "tc" */
	uint32_t main;    /* function index */
	int32_t callback; /* function index, or -1 */
};

enum {
	BUNDLE_FUNCTION_GLOBAL = 1,
	/*
	 * The linker could not link it, and the program that was asked for does not need it (an object may
	 * hold many programs; one that cannot run must not keep the others from it). insn_count is 0, so
	 * jf_compile() refuses what reaches it. So runners load other programs of a bundle when they are
	 * first called, not all at the start.
	 */
	BUNDLE_FUNCTION_REFUSED = 2,
};

struct bundle_function {
	uint32_t name;
	uint32_t insn_start; /* index into BUNDLE_INSNS */
	uint32_t insn_count;
	uint32_t flags;
	uint32_t line_start; /* index into BUNDLE_LINES */
	uint32_t line_count;
	uint32_t cleanup_start; /* index into BUNDLE_CLEANUPS */
	uint32_t cleanup_count;
};

enum {
	BUNDLE_MAP_DATA = 1,      /* .data, .rodata, .bss, .percpu: one value, addressed directly */
	BUNDLE_MAP_READ_ONLY = 2, /* .rodata */
};

struct bundle_map {
	uint32_t name;
	uint32_t type; /* enum bpf_map_type of linux/bpf.h */
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t max_entries;
	uint32_t map_flags;
	uint32_t flags;      /* BUNDLE_MAP_ */
	uint32_t data_off;   /* initial value, of an arena its variables: in BUNDLE_DATA ... */
	uint32_t data_bytes; /* ... which may be fewer than value_bytes; the rest is zero */
	uint32_t reserved;
	uint64_t map_extra; /* of an arena the address that programs see it at, or 0 */
};

/* The types that bundles treat in ways of their own; the side that runs programs need not have
 * linux/bpf.h. */
enum {
	BUNDLE_TYPE_PROG_ARRAY = 3,
	BUNDLE_TYPE_PERCPU_ARRAY = 6,
	BUNDLE_TYPE_ARRAY_OF_MAPS = 12,
	BUNDLE_TYPE_HASH_OF_MAPS = 13,
	BUNDLE_TYPE_ARENA = 33,
};

/* What an offset in an arena reaches. */
#define BUNDLE_ARENA_BYTES (UINT64_C(1) << 32)

/* Where an arena of so many bytes begins that is free to choose, in bytes behind its base: a page at offset 0 would
 * have NULL for a pointer. An arena that needs everything begins at its base. */
static inline uint64_t bundle_arena_first_off(uint64_t bytes)
{
	const uint64_t wanted = UINT64_C(64) << 10;

	return bytes <= BUNDLE_ARENA_BYTES - wanted ? wanted : 0;
}

/* A value as a register has it: how many bytes, 0 for all of the register, and whether it has a sign. */
#define BUNDLE_VALUE_SIGNED 0x80

enum { BUNDLE_KFUNC_RESUMES = 1 << 0, BUNDLE_KFUNC_NEVER_RETURNS = 1 << 1 };

struct bundle_kfunc {
	uint32_t name;
	uint8_t throws;
	uint8_t arg_count;
	uint8_t result;
	uint8_t args[JF_ARGS_MAX];
	uint8_t flags;    /* BUNDLE_KFUNC_ */
	uint32_t program; /* index of a program, plus 1, which is called as a C function; 0: a function of the runner */
};

/* What static initialisers put into maps, once addresses are known. */
enum bundle_init_kind {
	/* 8 bytes at `key` of a DATA map, or of an arena's variables ... */
	BUNDLE_INIT_VALUE_ADDRESS,    /* = address of `target`'s value, or first byte, + addend */
	BUNDLE_INIT_FUNCTION_ADDRESS, /* = address of function `target` */
	BUNDLE_INIT_MAP_ADDRESS,      /* = what helpers take as map `target` */
	BUNDLE_INIT_PROGRAM_SLOT,     /* slot `key` of a program array = program `target` */
	BUNDLE_INIT_MAP_SLOT,         /* slot `key` of a map of maps = map `target` */
};

struct bundle_init {
	uint32_t map;
	uint32_t key;
	uint32_t kind;
	uint32_t target;
	int32_t addend;
	uint32_t reserved;
};

/* One entry of a function's line table, as struct jf_source_line. */
struct bundle_line {
	uint32_t insn; /* of the function; goes up from entry to entry */
	uint32_t file; /* string */
	uint32_t text; /* string; "": not known */
	uint32_t line;
	uint32_t column;
};

/* A variable by its name; of two with one name the first counts. */
struct bundle_variable {
	uint32_t name; /* string */
	uint32_t map;  /* a DATA map, or an arena */
	uint32_t off;  /* in the value, or in the arena's variables */
	uint32_t bytes;
};

/* ---- code of another JIT: code.c ------------------------------------------------------------------ */

/* Such code calls helpers and kfuncs in these distances from a base. */
#define BUNDLE_CALL_BYTES          64
#define BUNDLE_CALL_HELPER(number) (0x10000 + (number)*BUNDLE_CALL_BYTES)
#define BUNDLE_CALL_KFUNC(index)   (0x80000 + (index)*BUNDLE_CALL_BYTES)
#define BUNDLE_CALL_END            0x100000 /* nothing is behind this */

/* What the code takes for granted. */
struct bundle_jit {
	uint64_t call_base;
	/* Private stacks, one behind the other, and the word that code adds to their addresses: 0, as long as there is
	 * one thread. No bytes: the code has none. */
	uint64_t private_stacks, per_cpu_word;
	uint32_t private_bytes;
	/* Of a program array: its count and its pointers to programs, and in a program the address of its code. */
	uint32_t array_count_off;
	uint32_t array_programs_off;
	uint32_t program_code_off;
};

/* A program. */
struct bundle_image {
	uint32_t code_start; /* index into BUNDLE_CODES */
	uint32_t code_count; /* main is the first; 0: there is no code */
	int32_t callback;    /* counted from code_start; -1: none */
	uint32_t reserved;
};

enum {
	BUNDLE_CODE_TAIL_CALLS = 1,
	BUNDLE_CODE_ARENA = 2,
	BUNDLE_CODE_PRIVATE_STACK = 4,
	BUNDLE_CODE_SIGN_RETURN = 8,
	BUNDLE_CODE_LANDING_PADS = 16,
};

#define BUNDLE_NO_FUNCTION UINT32_MAX

/* A function of a program. */
struct bundle_code {
	uint64_t address;
	uint32_t function;   /* index into BUNDLE_FUNCTIONS, BUNDLE_NO_FUNCTION: the JIT's default callback */
	uint32_t byte_start; /* index into BUNDLE_BYTES */
	uint32_t byte_count;
	uint32_t offset_start; /* index into BUNDLE_OFFSETS: of each instruction's code, and of the epilogue ... */
	uint32_t insn_count;   /* ... 0: the JIT does not say */
	uint32_t fault_start;  /* index into BUNDLE_FAULTS */
	uint32_t fault_count;
	/* What struct jf_frame_spec has. */
	uint32_t role;
	uint32_t bpf_stack_bytes;
	uint16_t bpf_regs_used;
	uint8_t out_args;
	uint8_t flags;        /* BUNDLE_CODE_ */
	uint32_t sp_adjust;   /* of a boundary: added to SP for the callback */
	uint32_t private_off; /* of its private stack with the guards: bytes from private_stacks */
};

/* Where code takes a map to be. */
struct bundle_place {
	uint64_t object; /* what helpers get as the map */
	uint64_t value;  /* of the first value, or the first variable of an arena; 0: no program asks for it */
	uint64_t base;   /* of an arena: struct jf_values.arena_base; else 0 */
	uint64_t user;   /* of an arena: the address that programs see its first page at; else 0 */
};

/* A checked view: pointers into the caller's bytes, which must be 8-byte aligned and outlive it. */
struct bundle {
	const struct bundle_program *programs;
	const struct bundle_function *functions;
	const struct jf_insn *insns;
	const struct bundle_map *maps;
	const struct bundle_kfunc *kfuncs;
	const struct bundle_init *inits;
	const struct bundle_line *lines;
	const struct jf_cleanup *cleanups;
	const struct bundle_variable *variables;
	const uint8_t *data;
	const char *strings;
	const struct bundle_jit *jit; /* NULL: the library compiles; the tables behind this are empty then */
	const struct bundle_image *images;
	const struct bundle_code *codes;
	const struct bundle_place *places;
	const uint32_t *offsets;
	const struct jf_fault *faults;
	const uint8_t *bytes;
	uint32_t count[BUNDLE_TABLE__COUNT];
};

/* The size of a record of a table. */
uint32_t bundle_record_bytes(enum bundle_table which);

/*
 * Checks everything that can be checked without running: magic, extents, alignment, every index, every
 * string offset, names terminated, data ranges, insn ranges, line tables. Instructions' own references, and what
 * clean-up records say, are left to jf_compile().
 * returns: JF_E_BAD_IMAGE, error->text with the byte offset and what is wrong there.
 */
enum jf_status bundle_open(struct bundle *bundle, const void *bytes, size_t size, struct jf_error *error);

/*
 * One program of a bundle as the library takes it: the functions that main and callback reach (calls
 * and function addresses), with references renumbered. helpers, kfuncs and maps are left empty for the
 * caller to fill in (for jf_compile(); the numbers of helpers, kfuncs and maps are the bundle's own).
 * The instructions are a copy; names and clean-up records point into the bundle. Free with bundle_selection_free().
 *
 * returns: JF_E_INVAL (no such program), JF_E_BAD_IMAGE (a call or function address out of the
 *      function table), JF_E_NO_MEMORY; *selection is set on JF_OK only.
 */
struct bundle_selection {
	struct jf_program program;
	struct jf_function *functions;
	struct jf_insn *insns;
	struct jf_source_lines *tables; /* program.lines */
	struct jf_source_line *lines;
	struct jf_cleanups *cleanups; /* program.cleanups */
	uint32_t *bundle_function;    /* program's function index -> the bundle's */
};
enum jf_status bundle_select(const struct bundle *bundle, uint32_t program, struct bundle_selection *selection,
			     struct jf_error *error);
void bundle_selection_free(struct bundle_selection *selection);

/*
 * For bundle_open(): checks the tables of another JIT's code. out: *what is wrong with the record that is returned.
 * returns: NULL when all is well.
 */
const void *bundle_check_code(const struct bundle *bundle, const char **what);

/* Whether programs address the map's memory directly: variables, and arenas. */
bool bundle_map_has_address(const struct bundle_map *map);
/* Whether each processor has variables of its own there: a program adds the per-CPU base to their address. */
bool bundle_map_is_percpu(const struct bundle_map *map);

/* A kfunc's types into a bundle, and back from a bundle that was opened; *import has neither name nor address then. */
void bundle_kfunc_put(struct bundle_kfunc *kfunc, const struct jf_import *import);
void bundle_kfunc_get(const struct bundle_kfunc *kfunc, struct jf_import *import);

/*
 * A kfunc of kfuncs.def. out: *import, with the types and without an address; its name is static.
 * returns: its place in the list, or -1: there is none of that name.
 */
int bundle_kfunc(const char *name, struct jf_import *import);

/* returns: the index, or JF_E_NOT_FOUND with the names there are. NULL name: the only program. */
enum jf_status bundle_find(const struct bundle *bundle, const char *name, uint32_t *program, struct jf_error *error);

#endif
