/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_ORC_FILE_H
#define JF_TOOLS_ORC_FILE_H

#include <gelf.h>
#include <libelf.h>

#include <jitframe/backend.h>
#include <jitframe/orc.h>

/*
 * The ORC table of an ELF file: of a linked kernel, or of a module or object file. In the latter sections have
 * no addresses yet; each is given one here, and addresses are shown as SECTION+OFFSET.
 */
struct orc_section {
	const char *name;
	uint64_t address;
	uint64_t size;
	bool allocated;
	bool code;
};

struct orc_file {
	const char *path;
	int fd;
	Elf *elf;
	const struct jf_backend *backend;
	bool relocatable;             /* the table has relocations */
	bool whole;                   /* a kernel or a module, no single object file */
	struct orc_section *sections; /* by index; of [0] nothing is used */
	size_t section_count;
	struct jf_orc_table table;
	/* Object files: */
	uint8_t *ips; /* relocated copy of .orc_unwind_ip */
	Elf_Data *rela, *symtab;
	size_t strtab;
	/* After orc_file_sort(), where the table was not sorted: */
	uint8_t *sorted_entries, *sorted_ips;
};

/* Sections of object files have no addresses yet: the allocated ones lie one behind the other from here on, with a gap
 * between. */
#define ORC_FILE_FIRST_ADDRESS UINT64_C(0x100000)
#define ORC_FILE_SECTION_ALIGN UINT64_C(0x10000)
static inline uint64_t orc_file_next_address(uint64_t address, uint64_t size)
{
	return address + (size / ORC_FILE_SECTION_ALIGN + 2) * ORC_FILE_SECTION_ALIGN;
}

/* Opens a file and reads its table; `format` as for jf_orc_format_find(), NULL = what .orc_header says. returns: 0, or
 * prints and an exit status. Then, in any case, orc_file_close(). */
int orc_file_open(struct orc_file *file, const char *path, const char *format);
void orc_file_close(struct orc_file *file);

/* Makes the table fit to be searched. returns: 0, or prints and an exit status. */
int orc_file_sort(struct orc_file *file);

/* Where an entry begins to hold, as objtool writes it: an address, or SECTION+OFFSET or SYMBOL+OFFSET as its
 * relocation says. Before orc_file_sort(). returns: false when the relocation makes no sense. */
bool orc_file_entry_name(struct orc_file *file, size_t index, char *text, size_t capacity);

/* An address in hexadecimal, or as SECTION+OFFSET. */
void orc_file_address_name(const struct orc_file *file, uint64_t address, char *text, size_t capacity);

/* "ffffffff81000000" (linked), ".text+1c" (object files), "schedule+1c". returns: 0, or prints and an exit
 * status: an address where there is no code is refused. */
int orc_file_parse(struct orc_file *file, const char *text, uint64_t *address);

#endif
