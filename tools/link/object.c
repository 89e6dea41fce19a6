/* SPDX-License-Identifier: BSD-2-Clause */
#include "object.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* More than any compiler writes; keeps every count in this folder inside 32 bits. */
#define OBJECT_BYTES_MAX (UINT32_C(256) << 20)

#define EI_BAD(error, off, text) jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "byte %d: %s", off, text)

/* ---- the file ----------------------------------------------------------------------------------- */

static enum jf_status check_ident(const uint8_t *bytes, size_t size, struct jf_error *error)
{
	if (size < sizeof(Elf64_Ehdr))
		return jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "byte %zu: the file ends inside it", size);
	if (size > OBJECT_BYTES_MAX)
		return jf_error_set(error, JF_E_BAD_IMAGE, "file", "%zu bytes are too many for a BPF object", size);
	if (memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return EI_BAD(error, 0, "not an ELF file");
	if (bytes[EI_CLASS] != ELFCLASS64)
		return EI_BAD(error, EI_CLASS, "not a 64-bit object");
	if (bytes[EI_DATA] == ELFDATA2MSB)
		return EI_BAD(error, EI_DATA, "big-endian objects are not supported; compile with -target bpfel");
	if (bytes[EI_DATA] != ELFDATA2LSB)
		return EI_BAD(error, EI_DATA, "unknown byte order");
	return JF_OK;
}

static enum jf_status check_header(Elf *elf, size_t size, struct jf_error *error)
{
	char machine[MACHINE_TEXT_MAX];
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "%s", elf_errmsg(-1));
	if (header.e_machine != EM_BPF)
		return jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "byte %zu: made for %s, not for BPF",
				    offsetof(Elf64_Ehdr, e_machine),
				    machine_text(header.e_machine, machine, sizeof(machine)));
	if (header.e_type != ET_REL)
		return jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "byte %zu: not a relocatable object",
				    offsetof(Elf64_Ehdr, e_type));
	if (header.e_shoff == 0 || header.e_shoff > size || size - header.e_shoff < sizeof(Elf64_Shdr) ||
	    header.e_shentsize != sizeof(Elf64_Shdr))
		return jf_error_set(error, JF_E_BAD_IMAGE, "section headers",
				    "byte %" PRIu64 ": there are none inside the file", (uint64_t)header.e_shoff);
	return JF_OK;
}

/* ---- sections ----------------------------------------------------------------------------------- */

static enum jf_status read_section(struct object *object, size_t index, size_t names, struct jf_error *error)
{
	struct section *section = &object->sections[index];
	Elf_Scn *scn = elf_getscn(object->elf, index);
	GElf_Shdr header;

	if (!scn || !gelf_getshdr(scn, &header))
		return jf_error_set(error, JF_E_BAD_IMAGE, "section headers", "section %zu: %s", index, elf_errmsg(-1));
	section->name = elf_strptr(object->elf, names, header.sh_name);
	if (!section->name)
		return jf_error_set(error, JF_E_BAD_IMAGE, "section headers",
				    "section %zu: its name is outside the names", index);
	section->size = header.sh_size;
	section->file_off = header.sh_offset;
	section->type = header.sh_type;
	section->flags = header.sh_flags;
	if (header.sh_type == SHT_NOBITS || header.sh_type == SHT_NULL)
		return JF_OK;
	if (header.sh_offset > object->size || header.sh_size > object->size - header.sh_offset)
		return jf_error_set(error, JF_E_BAD_IMAGE, section->name,
				    "section %zu: bytes %" PRIu64 " to %" PRIu64 " of a file of %zu", index,
				    (uint64_t)header.sh_offset, (uint64_t)(header.sh_offset + header.sh_size),
				    object->size);
	section->bytes = object->copy + header.sh_offset;
	return JF_OK;
}

static enum jf_status read_sections(struct object *object, struct jf_error *error)
{
	size_t count, names;

	if (elf_getshdrnum(object->elf, &count) != 0 || elf_getshdrstrndx(object->elf, &names) != 0 || count == 0 ||
	    count > object->size / sizeof(Elf64_Shdr) || names >= count)
		return jf_error_set(error, JF_E_BAD_IMAGE, "section headers",
				    "their count or the section of their names does not fit the file");
	object->sections = calloc(count, sizeof(*object->sections));
	if (!object->sections)
		return jf_error_set(error, JF_E_NO_MEMORY, "section headers", "no memory");
	object->section_count = (uint32_t)count;

	object->sections[0].name = "";
	for (size_t i = 1; i < count; i++) {
		enum jf_status status = read_section(object, i, names, error);

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

/* ---- symbols ------------------------------------------------------------------------------------ */

static enum jf_status read_symbol(struct object *object, Elf_Data *data, uint32_t names, uint32_t index,
				  struct jf_error *error)
{
	struct symbol *symbol = &object->symbols[index];
	GElf_Sym raw;

	if (!gelf_getsym(data, (int)index, &raw))
		return jf_error_set(error, JF_E_BAD_IMAGE, ".symtab", "symbol %u: %s", index, elf_errmsg(-1));
	symbol->name = elf_strptr(object->elf, names, raw.st_name);
	if (!symbol->name)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".symtab", "symbol %u: its name is outside the names",
				    index);
	symbol->value = raw.st_value;
	symbol->size = raw.st_size;
	symbol->type = GELF_ST_TYPE(raw.st_info);
	symbol->bind = GELF_ST_BIND(raw.st_info);
	symbol->undefined = raw.st_shndx == SHN_UNDEF;
	if (raw.st_shndx == SHN_UNDEF || raw.st_shndx >= SHN_LORESERVE)
		return JF_OK;
	if (raw.st_shndx >= object->section_count)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".symtab", "symbol %u (%s): there is no section %u", index,
				    symbol->name, raw.st_shndx);
	symbol->section = raw.st_shndx;
	if (symbol->type == STT_SECTION)
		symbol->name = object->sections[symbol->section].name;
	return JF_OK;
}

static enum jf_status read_symbols(struct object *object, struct jf_error *error)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	Elf_Data *data;

	while ((scn = elf_nextscn(object->elf, scn)))
		if (gelf_getshdr(scn, &header) && header.sh_type == SHT_SYMTAB)
			break;
	if (!scn)
		return jf_error_set(error, JF_E_BAD_IMAGE, "file", "there is no symbol table");
	data = elf_getdata(scn, NULL);
	if (!data)
		return jf_error_set(error, JF_E_BAD_IMAGE, ".symtab", "%s", elf_errmsg(-1));

	object->symbol_count = (uint32_t)(data->d_size / sizeof(Elf64_Sym));
	object->symbols = calloc((size_t)object->symbol_count + 1, sizeof(*object->symbols));
	if (!object->symbols)
		return jf_error_set(error, JF_E_NO_MEMORY, ".symtab", "no memory");
	for (uint32_t i = 0; i < object->symbol_count; i++) {
		enum jf_status status = read_symbol(object, data, header.sh_link, i, error);

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

/* ---- relocations -------------------------------------------------------------------------------- */

static int compare_relocs(const void *a, const void *b)
{
	uint64_t x = ((const struct reloc *)a)->off, y = ((const struct reloc *)b)->off;

	return (x > y) - (x < y);
}

/* Of the sections that are linked; debugging information keeps its own. */
static bool wants_relocs(const struct section *section)
{
	return section_is_code(section) || section_is_data(section) || section_is_arena(section) ||
	       strcmp(section->name, ".maps") == 0 || section_is_cleanup(section);
}

/* What a relocation changes: the words of the clean-up table are the only ones that are linked. */
static uint64_t reloc_bytes(const struct section *section)
{
	return section_is_cleanup(section) ? 4 : 8;
}

static enum jf_status read_reloc(struct object *object, Elf_Data *data, uint32_t index, struct section *target,
				 struct jf_error *error)
{
	struct reloc *reloc = &target->relocs[index];
	GElf_Rel raw;

	if (!gelf_getrel(data, (int)index, &raw))
		return jf_error_set(error, JF_E_BAD_IMAGE, target->name, "relocation %u: %s", index, elf_errmsg(-1));
	reloc->off = raw.r_offset;
	reloc->symbol = (uint32_t)GELF_R_SYM(raw.r_info);
	reloc->type = (uint32_t)GELF_R_TYPE(raw.r_info);
	if (reloc->symbol >= object->symbol_count)
		return jf_error_set(error, JF_E_BAD_IMAGE, target->name, "relocation %u: there is no symbol %u", index,
				    reloc->symbol);
	if (reloc->off > target->size || target->size - reloc->off < reloc_bytes(target))
		return jf_error_set(error, JF_E_BAD_IMAGE, target->name,
				    "relocation %u: at byte %" PRIu64 " of %" PRIu64, index, reloc->off, target->size);
	return JF_OK;
}

static enum jf_status read_target_relocs(struct object *object, Elf_Scn *scn, struct section *target,
					 struct jf_error *error)
{
	Elf_Data *data = elf_getdata(scn, NULL);

	if (!data)
		return jf_error_set(error, JF_E_BAD_IMAGE, target->name, "its relocations: %s", elf_errmsg(-1));
	if (target->relocs)
		return jf_error_set(error, JF_E_BAD_IMAGE, target->name, "it has two tables of relocations");
	target->reloc_count = (uint32_t)(data->d_size / sizeof(Elf64_Rel));
	target->relocs = calloc((size_t)target->reloc_count + 1, sizeof(*target->relocs));
	if (!target->relocs)
		return jf_error_set(error, JF_E_NO_MEMORY, target->name, "no memory");

	for (uint32_t i = 0; i < target->reloc_count; i++) {
		enum jf_status status = read_reloc(object, data, i, target, error);

		if (status != JF_OK)
			return status;
	}
	qsort(target->relocs, target->reloc_count, sizeof(*target->relocs), compare_relocs);
	for (uint32_t i = 1; i < target->reloc_count; i++)
		if (target->relocs[i].off == target->relocs[i - 1].off)
			return jf_error_set(error, JF_E_BAD_IMAGE, target->name, "byte %" PRIu64 ": two relocations",
					    target->relocs[i].off);
	return JF_OK;
}

static enum jf_status read_relocs(struct object *object, struct jf_error *error)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(object->elf, scn))) {
		enum jf_status status;
		struct section *target;
		GElf_Shdr header;

		if (!gelf_getshdr(scn, &header) || (header.sh_type != SHT_REL && header.sh_type != SHT_RELA))
			continue;
		if (header.sh_info == 0 || header.sh_info >= object->section_count)
			return jf_error_set(error, JF_E_BAD_IMAGE, object->sections[elf_ndxscn(scn)].name,
					    "it relocates section %u, which is not there", header.sh_info);
		target = &object->sections[header.sh_info];
		if (!wants_relocs(target))
			continue;
		if (header.sh_type == SHT_RELA)
			return jf_error_set(error, JF_E_UNSUPPORTED, target->name,
					    "relocations with addends (SHT_RELA) are not BPF's");
		status = read_target_relocs(object, scn, target, error);
		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

/* ---- the interface ------------------------------------------------------------------------------ */

enum jf_status object_open(struct object *object, const void *bytes, size_t size, struct jf_error *error)
{
	enum jf_status status;

	memset(object, 0, sizeof(*object));
	status = check_ident(bytes, size, error);
	if (status != JF_OK)
		return status;
	/* libelf reads headers in place, which wants them aligned. */
	object->copy = malloc(size);
	object->size = size;
	if (!object->copy)
		return jf_error_set(error, JF_E_NO_MEMORY, "file", "no memory");
	memcpy(object->copy, bytes, size);

	elf_version(EV_CURRENT);
	object->elf = elf_memory((char *)object->copy, size);
	if (!object->elf)
		return jf_error_set(error, JF_E_BAD_IMAGE, "ELF header", "%s", elf_errmsg(-1));
	status = check_header(object->elf, size, error);
	if (status == JF_OK)
		status = read_sections(object, error);
	if (status == JF_OK)
		status = read_symbols(object, error);
	if (status == JF_OK)
		status = read_relocs(object, error);
	return status;
}

void object_close(struct object *object)
{
	for (uint32_t i = 0; object->sections && i < object->section_count; i++)
		free(object->sections[i].relocs);
	free(object->sections);
	free(object->symbols);
	if (object->elf)
		elf_end(object->elf);
	free(object->copy);
	memset(object, 0, sizeof(*object));
}

uint32_t object_section(const struct object *object, const char *name)
{
	for (uint32_t i = 1; i < object->section_count; i++)
		if (strcmp(object->sections[i].name, name) == 0)
			return i;
	return 0;
}

bool section_is_code(const struct section *section)
{
	return section->type == SHT_PROGBITS && (section->flags & SHF_EXECINSTR);
}

/* ".data", or ".data." and something. */
static bool has_stem(const char *name, const char *stem)
{
	size_t length = strlen(stem);

	return strncmp(name, stem, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static bool is_jump_tables(const struct section *section)
{
	return section->type == SHT_PROGBITS && strcmp(section->name, SECTION_JUMP_TABLES) == 0;
}

bool section_is_read_only(const struct section *section)
{
	return has_stem(section->name, ".rodata") || is_jump_tables(section);
}

bool section_is_arena(const struct section *section)
{
	return section->type == SHT_PROGBITS && (section->flags & SHF_ALLOC) && !section_is_code(section) &&
	       strcmp(section->name, ".addr_space.1") == 0;
}

bool section_is_cleanup(const struct section *section)
{
	return strcmp(section->name, CLEANUP_SECTION) == 0;
}

bool section_is_percpu(const struct section *section)
{
	return has_stem(section->name, ".percpu");
}

bool section_is_data(const struct section *section)
{
	if (is_jump_tables(section))
		return true;
	if (!(section->flags & SHF_ALLOC) || section_is_code(section))
		return false;
	if (section->type == SHT_NOBITS)
		return has_stem(section->name, ".bss") || has_stem(section->name, ".data") ||
		       section_is_percpu(section);
	return section->type == SHT_PROGBITS && (has_stem(section->name, ".data") || section_is_read_only(section) ||
						 has_stem(section->name, ".bss") || section_is_percpu(section));
}

const struct reloc *section_reloc(const struct section *section, uint64_t off)
{
	struct reloc key = {.off = off};

	if (section->reloc_count == 0)
		return NULL;
	return bsearch(&key, section->relocs, section->reloc_count, sizeof(key), compare_relocs);
}
