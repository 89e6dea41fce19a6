/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "machine.h"

/* ---- sections --------------------------------------------------------------------------------------- */

static int read_sections(struct orc_file *file)
{
	size_t names;

	if (elf_getshdrnum(file->elf, &file->section_count) != 0 || elf_getshdrstrndx(file->elf, &names) != 0)
		return cli_bad_input("%s: %s", file->path, elf_errmsg(-1));
	file->sections = calloc(file->section_count + 1, sizeof(*file->sections));
	if (!file->sections)
		return cli_failed("no memory");
	for (size_t i = 1; i < file->section_count; i++) {
		struct orc_section *section = &file->sections[i];
		Elf_Scn *scn = elf_getscn(file->elf, i);
		GElf_Shdr header;

		if (!scn || !gelf_getshdr(scn, &header))
			return cli_bad_input("%s: %s", file->path, elf_errmsg(-1));
		section->name = elf_strptr(file->elf, names, header.sh_name);
		section->size = header.sh_size;
		section->allocated = header.sh_flags & SHF_ALLOC;
		section->code = section->allocated && header.sh_flags & SHF_EXECINSTR;
		section->address = header.sh_addr;
		if (section->name && strcmp(section->name, ".modinfo") == 0)
			file->whole = true;
	}
	return 0;
}

/* returns: 0 when there is none. */
static size_t find_section(const struct orc_file *file, const char *name)
{
	for (size_t i = 1; i < file->section_count; i++)
		if (file->sections[i].name && strcmp(file->sections[i].name, name) == 0)
			return i;
	return 0;
}

/* The bytes of a section as they are in the file; none for section 0. */
static const void *section_bytes(const struct orc_file *file, size_t index, size_t *size)
{
	Elf_Scn *scn = index ? elf_getscn(file->elf, index) : NULL;
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;

	*size = data && data->d_buf ? data->d_size : 0;
	return data ? data->d_buf : NULL;
}

/* ---- relocations ------------------------------------------------------------------------------------ */

static void place_sections(struct orc_file *file)
{
	uint64_t next = ORC_FILE_FIRST_ADDRESS;

	for (size_t i = 1; i < file->section_count; i++) {
		file->sections[i].address = next;
		if (file->sections[i].allocated)
			next = orc_file_next_address(next, file->sections[i].size);
	}
}

/* The relocation section of section `target`. returns: 0 when there is none. */
static size_t find_rela(const struct orc_file *file, size_t target, GElf_Shdr *header)
{
	for (size_t i = 1; i < file->section_count; i++) {
		Elf_Scn *scn = elf_getscn(file->elf, i);

		if (scn && gelf_getshdr(scn, header) && header->sh_type == SHT_RELA && header->sh_info == target)
			return i;
	}
	return 0;
}

static int relocate(struct orc_file *file, struct jf_orc_sections *sections, size_t rela, size_t symtab)
{
	uint64_t *addresses = calloc(file->section_count + 1, sizeof(*addresses));
	struct jf_error error = {0};
	struct jf_orc_relocs relocs = {
		.size = sizeof(relocs), .section_addresses = addresses, .section_count = file->section_count};
	enum jf_status status;

	file->ips = malloc(sections->unwind_ip_bytes + 1);
	if (!addresses || !file->ips) {
		free(addresses);
		return cli_failed("no memory");
	}
	for (size_t i = 0; i < file->section_count; i++)
		addresses[i] = file->sections[i].address;
	if (sections->unwind_ip_bytes)
		memcpy(file->ips, sections->unwind_ip, sections->unwind_ip_bytes);
	relocs.rela = section_bytes(file, rela, &relocs.rela_bytes);
	relocs.symtab = section_bytes(file, symtab, &relocs.symtab_bytes);
	status = jf_orc_relocate(file->backend->orc, &relocs, file->ips, sections->unwind_ip_bytes,
				 sections->unwind_ip_address, &error);
	free(addresses);
	sections->unwind_ip = file->ips;
	return status == JF_OK ? 0 : cli_error(file->path, NULL, &error);
}

static int read_relocations(struct orc_file *file, struct jf_orc_sections *sections, size_t rela,
			    const GElf_Shdr *header)
{
	Elf_Scn *symtab = elf_getscn(file->elf, header->sh_link);
	GElf_Shdr symtab_header;

	if (!symtab || !gelf_getshdr(symtab, &symtab_header) || symtab_header.sh_type != SHT_SYMTAB)
		return cli_bad_input("%s: .rela.orc_unwind_ip: it has no symbol table", file->path);
	file->relocatable = true;
	place_sections(file);
	sections->unwind_ip_address = file->sections[header->sh_info].address;
	file->rela = elf_getdata(elf_getscn(file->elf, rela), NULL);
	file->symtab = elf_getdata(symtab, NULL);
	file->strtab = symtab_header.sh_link;
	return relocate(file, sections, rela, header->sh_link);
}

/* ---- the file ---------------------------------------------------------------------------------------- */

static int read_table(struct orc_file *file, const char *format)
{
	size_t unwind = find_section(file, ".orc_unwind"), ip = find_section(file, ".orc_unwind_ip"), rela;
	struct jf_orc_sections sections = {.size = sizeof(sections)};
	struct jf_error error = {0};
	GElf_Shdr header;
	int status = 0;

	if (!file->backend->orc)
		return cli_bad_input("%s: %s has no ORC tables", file->path, file->backend->name);
	sections.format = format ? jf_orc_format_find(file->backend, format) : NULL;
	if (format && !sections.format)
		return cli_bad_input("--format %s: %s has none of that name", format, file->backend->name);
	if (!unwind || !ip)
		return cli_bad_input("%s: it has no section %s", file->path, unwind ? ".orc_unwind_ip" : ".orc_unwind");
	sections.unwind = section_bytes(file, unwind, &sections.unwind_bytes);
	sections.unwind_ip = section_bytes(file, ip, &sections.unwind_ip_bytes);
	sections.unwind_ip_address = file->sections[ip].address;
	sections.header = section_bytes(file, find_section(file, ".orc_header"), &sections.header_bytes);
	rela = find_rela(file, ip, &header);
	if (rela)
		status = read_relocations(file, &sections, rela, &header);
	if (status != 0)
		return status;
	if (jf_orc_table_init(&file->table, file->backend, &sections, &error) != JF_OK)
		return cli_error(file->path, NULL, &error);
	return 0;
}

static int find_backend(struct orc_file *file, unsigned int machine)
{
	char text[MACHINE_TEXT_MAX];

	file->backend = machine_backend(machine);
	if (file->backend)
		return 0;
	return cli_bad_input("%s: made for %s; `jitframe archs` lists what jitframe has", file->path,
			     machine_text(machine, text, sizeof(text)));
}

int orc_file_open(struct orc_file *file, const char *path, const char *format)
{
	GElf_Ehdr header;
	int status;

	*file = (struct orc_file){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (file->fd < 0)
		return cli_bad_input("%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header))
		return cli_bad_input("%s: it is no ELF file (a compressed kernel or module has to be unpacked first)",
				     path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return cli_bad_input("%s: only 64-bit little-endian files have ORC", path);
	file->whole = header.e_type != ET_REL;
	status = find_backend(file, header.e_machine);
	if (status == 0)
		status = read_sections(file);
	return status == 0 ? read_table(file, format) : status;
}

void orc_file_close(struct orc_file *file)
{
	free(file->sections);
	free(file->ips);
	free(file->sorted_entries);
	free(file->sorted_ips);
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}

int orc_file_sort(struct orc_file *file)
{
	struct jf_orc_table *table = &file->table;
	size_t entries_bytes = table->count * table->format->entry_bytes, ips_bytes = table->count * 4;
	enum jf_status status;

	if (jf_orc_is_sorted(table))
		return 0;
	file->sorted_entries = malloc(entries_bytes);
	file->sorted_ips = malloc(ips_bytes);
	if (!file->sorted_entries || !file->sorted_ips)
		return cli_failed("no memory");
	table->entries = memcpy(file->sorted_entries, table->entries, entries_bytes);
	table->ips = memcpy(file->sorted_ips, table->ips, ips_bytes);
	status = jf_orc_sort(table, file->sorted_entries, file->sorted_ips);
	return status == JF_OK ? 0 : cli_bad_input("%s: .orc_unwind_ip: %s", file->path, jf_status_text(status));
}

/* ---- addresses --------------------------------------------------------------------------------------- */

bool orc_file_entry_name(struct orc_file *file, size_t index, char *text, size_t capacity)
{
	const char *name = NULL;
	GElf_Rela rela;
	GElf_Sym sym;

	if (!file->relocatable) {
		snprintf(text, capacity, "%" PRIx64, jf_orc_address(&file->table, index));
		return true;
	}
	if (!gelf_getrela(file->rela, (int)index, &rela) ||
	    !gelf_getsym(file->symtab, (int)GELF_R_SYM(rela.r_info), &sym))
		return false;
	if (GELF_ST_TYPE(sym.st_info) != STT_SECTION)
		name = elf_strptr(file->elf, file->strtab, sym.st_name);
	else if (sym.st_shndx < file->section_count)
		name = file->sections[sym.st_shndx].name;
	if (name)
		snprintf(text, capacity, "%s+%" PRIx64, name, (uint64_t)rela.r_addend);
	return name != NULL;
}

static const struct orc_section *section_at(const struct orc_file *file, uint64_t address)
{
	for (size_t i = 1; i < file->section_count; i++)
		if (file->sections[i].allocated && address - file->sections[i].address < file->sections[i].size)
			return &file->sections[i];
	return NULL;
}

void orc_file_address_name(const struct orc_file *file, uint64_t address, char *text, size_t capacity)
{
	const struct orc_section *section = file->relocatable ? section_at(file, address) : NULL;

	if (section && section->name)
		snprintf(text, capacity, "%s+%" PRIx64, section->name, address - section->address);
	else
		snprintf(text, capacity, "%" PRIx64, address);
}

/* A symbol's address: of the first one with that name that is in a section. */
static bool find_symbol(struct orc_file *file, const char *name, uint64_t *address)
{
	for (size_t i = 1; i < file->section_count; i++) {
		Elf_Scn *scn = elf_getscn(file->elf, i);
		Elf_Data *data;
		GElf_Shdr header;
		GElf_Sym sym;

		if (!scn || !gelf_getshdr(scn, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(scn, NULL);
		for (int k = 1; data && gelf_getsym(data, k, &sym); k++) {
			const char *symbol = elf_strptr(file->elf, header.sh_link, sym.st_name);

			if (!symbol || strcmp(symbol, name) != 0 || sym.st_shndx == SHN_UNDEF ||
			    sym.st_shndx >= file->section_count)
				continue;
			*address = sym.st_value + (file->relocatable ? file->sections[sym.st_shndx].address : 0);
			return true;
		}
	}
	return false;
}

static bool find_name(struct orc_file *file, const char *name, uint64_t *address)
{
	size_t section = file->relocatable ? find_section(file, name) : 0;

	if (!section)
		return find_symbol(file, name, address);
	*address = file->sections[section].address;
	return true;
}

int orc_file_parse(struct orc_file *file, const char *text, uint64_t *address)
{
	char *name = strdup(text), *plus = name ? strrchr(name, '+') : NULL;
	const struct orc_section *section;
	uint64_t off = 0;
	bool found;

	if (!name)
		return cli_failed("no memory");
	if (plus)
		*plus = '\0';
	found = (!file->relocatable && !plus && cli_number(name, 16, UINT64_MAX, address)) ||
		(find_name(file, name, address) && (!plus || cli_number(plus + 1, 16, UINT64_MAX, &off)));
	free(name);
	if (!found)
		return cli_bad_input("%s: it is neither %s nor SYMBOL+OFFSET of %s, in hexadecimal digits", text,
				     file->relocatable ? "SECTION+OFFSET" : "an address", file->path);
	*address += off;
	section = section_at(file, *address);
	if (!section || !section->code)
		return cli_bad_input("%s: there is no code in %s", text, file->path);
	return 0;
}
