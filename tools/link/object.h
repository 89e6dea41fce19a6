/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_OBJECT_H
#define JF_TOOLS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jitframe/status.h>

/* An ELF object with everything in range: sections inside the file, names terminated, symbols in sections
 * that exist. All of it is valid until object_close(). */

/* elf.h of glibc has only the first and the last. */
enum {
	RELOC_LDDW = 1,     /* R_BPF_64_64: the 64-bit immediate of lddw */
	RELOC_ABS64 = 2,    /* R_BPF_64_ABS64: 8 bytes of data */
	RELOC_ABS32 = 3,    /* R_BPF_64_ABS32 and */
	RELOC_NODYLD32 = 4, /* R_BPF_64_NODYLD32: 4 bytes of data, symbol + addend */
	RELOC_CALL = 10,    /* R_BPF_64_32: a call's immediate, in instructions */
};

/* The table of clean-up pads: what a throw has to run of the frames that it skips. */
#define CLEANUP_SECTION ".bpf_cleanup"

struct reloc {
	uint64_t off; /* bytes in its section */
	uint32_t symbol;
	uint32_t type;
};

struct section {
	const char *name;
	const uint8_t *bytes; /* NULL: there are none in the file (.bss) */
	uint64_t size;
	uint64_t file_off;
	uint32_t type;
	uint64_t flags;
	struct reloc *relocs; /* in order of off, at most one at each */
	uint32_t reloc_count;
};

struct symbol {
	const char *name;
	uint64_t value; /* bytes in its section */
	uint64_t size;
	uint32_t section; /* 0: undefined, or not in any section */
	bool undefined;
	uint8_t type; /* STT_ */
	uint8_t bind; /* STB_ */
};

struct object {
	void *elf;
	uint8_t *copy;
	size_t size;
	struct section *sections; /* [0] is empty, as in ELF */
	uint32_t section_count;
	struct symbol *symbols; /* [0] is empty, as in ELF */
	uint32_t symbol_count;
};

/* returns: JF_E_BAD_IMAGE, JF_E_UNSUPPORTED, JF_E_NO_MEMORY. object_close() in every case. */
enum jf_status object_open(struct object *object, const void *bytes, size_t size, struct jf_error *error);
void object_close(struct object *object);

/* returns: index of the first section of that name, or 0. */
uint32_t object_section(const struct object *object, const char *name);

/* Machine code, as opposed to data. */
bool section_is_code(const struct section *section);
/* A variable section: .data, .rodata or .bss, or one of their kind (".data.x"). */
bool section_is_data(const struct section *section);
/* Those of section .percpu among them. */
bool section_is_percpu(const struct section *section);
bool section_is_read_only(const struct section *section);
/* Of bytes in sections of code, for jumps through registers. */
#define SECTION_JUMP_TABLES ".jumptables"
/* Variables in an arena: clang names the section after the address space. */
bool section_is_arena(const struct section *section);
/* A table of clean-up pads. */
bool section_is_cleanup(const struct section *section);

/* returns: the relocation at exactly `off`, or NULL. */
const struct reloc *section_reloc(const struct section *section, uint64_t off);

#endif
