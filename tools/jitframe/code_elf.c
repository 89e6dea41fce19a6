/* SPDX-License-Identifier: BSD-2-Clause */
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#include "cli.h"
#include "machine.h"
#include "machine_code.h"

/* The functions of an ELF object that its symbol table names, in the order of their addresses. */

struct symbol {
	const char *name;
	uint64_t value, size; /* size 0: to the next one */
	size_t section;
};

struct reader {
	struct machine_code *code;
	Elf *elf;
	size_t section_count;
	struct symbol *symbols;
	size_t count;
	uint64_t total; /* bytes of all functions */
};

#define TOTAL_MAX (UINT64_C(1) << 28) /* symbols may name the same bytes again and again */

static bool is_function(const struct reader *r, const GElf_Sym *sym)
{
	GElf_Shdr header;
	Elf_Scn *scn;

	/* Assembly often leaves the type out. */
	if ((GELF_ST_TYPE(sym->st_info) != STT_FUNC && GELF_ST_TYPE(sym->st_info) != STT_NOTYPE) ||
	    sym->st_shndx == SHN_UNDEF || sym->st_shndx >= r->section_count)
		return false;
	scn = elf_getscn(r->elf, sym->st_shndx);
	return scn && gelf_getshdr(scn, &header) && header.sh_flags & SHF_EXECINSTR && header.sh_type == SHT_PROGBITS;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* Local labels are places in functions, not functions. */
static bool is_label(const char *name)
{
	return !*name || *name == '$' || strncmp(name, ".L", 2) == 0;
}

static int read_symbols(struct reader *r, Elf_Scn *scn, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t total = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym sym;

	if (!data)
		return cli_bad_input("%s: symbol table: %s", r->code->path, elf_errmsg(-1));
	free(r->symbols);
	r->count = 0;
	r->symbols = calloc(total + 1, sizeof(*r->symbols));
	if (!r->symbols)
		return cli_failed("no memory");
	for (int i = 1; (size_t)i < total && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(r->elf, header->sh_link, sym.st_name);

		if (!is_function(r, &sym) || !name || is_label(name))
			continue;
		r->symbols[r->count++] = (struct symbol){name, sym.st_value, sym.st_size, sym.st_shndx};
	}
	if (r->count)
		qsort(r->symbols, r->count, sizeof(*r->symbols), compare);
	return 0;
}

/* The full table, or the one for dynamic linking where only that is left. */
static int find_symbols(struct reader *r)
{
	for (int turn = 0; turn < 2 && !r->count; turn++) {
		for (size_t i = 1; i < r->section_count; i++) {
			Elf_Scn *scn = elf_getscn(r->elf, i);
			GElf_Shdr header;
			int status;

			if (!scn || !gelf_getshdr(scn, &header) || header.sh_type != (turn ? SHT_DYNSYM : SHT_SYMTAB))
				continue;
			status = read_symbols(r, scn, &header);
			if (status != 0)
				return status;
		}
	}
	return r->count ? 0 : cli_bad_input("%s: no symbol names a function in it", r->code->path);
}

static int add_symbol(struct reader *r, size_t index, bool relocatable)
{
	const struct symbol *symbol = &r->symbols[index];
	Elf_Scn *scn = elf_getscn(r->elf, symbol->section);
	Elf_Data *data = elf_rawdata(scn, NULL);
	struct code_function *function;
	uint64_t off, size = symbol->size;
	GElf_Shdr header;

	if (!gelf_getshdr(scn, &header) || !data || !data->d_buf)
		return cli_bad_input("%s: %s: its section cannot be read", r->code->path, symbol->name);
	off = symbol->value - (relocatable ? 0 : header.sh_addr);
	if (!size) {
		bool has_next = index + 1 < r->count && r->symbols[index + 1].section == symbol->section;

		size = (has_next ? r->symbols[index + 1].value : symbol->value - off + data->d_size) - symbol->value;
	}
	if (off > data->d_size || size > data->d_size - off)
		return cli_bad_input("%s: %s: it does not lie inside its section", r->code->path, symbol->name);
	r->total += size;
	if (r->total > TOTAL_MAX)
		return cli_bad_input("%s: %s: its functions are too large", r->code->path, symbol->name);
	function = code_add(r->code, symbol->name, strlen(symbol->name));
	if (!function || !code_append(function, (const uint8_t *)data->d_buf + off, size))
		return cli_failed("no memory");
	function->address = symbol->value;
	return 0;
}

static int read_elf(struct reader *r)
{
	char machine[MACHINE_TEXT_MAX];
	GElf_Ehdr header;
	int status;

	if (elf_kind(r->elf) != ELF_K_ELF || !gelf_getehdr(r->elf, &header) ||
	    elf_getshdrnum(r->elf, &r->section_count) != 0)
		return cli_bad_input("%s: it is no ELF file, or cut short", r->code->path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return cli_bad_input("%s: only 64-bit little-endian files can be checked", r->code->path);
	r->code->backend = machine_backend(header.e_machine);
	if (!r->code->backend)
		return cli_bad_input("%s: made for %s; `jitframe archs` lists what jitframe has", r->code->path,
				     machine_text(header.e_machine, machine, sizeof(machine)));
	status = find_symbols(r);
	for (size_t i = 0; status == 0 && i < r->count; i++) {
		/* Two names for one place are one function. */
		if (i && r->symbols[i].section == r->symbols[i - 1].section &&
		    r->symbols[i].value == r->symbols[i - 1].value)
			continue;
		status = add_symbol(r, i, header.e_type == ET_REL);
	}
	return status;
}

int code_read_elf(struct machine_code *code, const uint8_t *bytes, size_t size)
{
	struct reader r = {.code = code};
	int status;

	elf_version(EV_CURRENT);
	/* libelf wants bytes it may write to, and does not write to them. */
	r.elf = elf_memory((char *)(uintptr_t)bytes, size);
	if (!r.elf)
		return cli_bad_input("%s: %s", code->path, elf_errmsg(-1));
	status = read_elf(&r);
	free(r.symbols);
	elf_end(r.elf);
	return status;
}
