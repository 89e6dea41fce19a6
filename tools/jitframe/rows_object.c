/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_file.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

/*
 * An object file's .eh_frame, before a linker has seen it. Of its relocations the one that matters is that of each
 * FDE's first address, which is relative to its own place and 4 bytes wide: so do compilers write .eh_frame on every
 * architecture. Two relocations at one place make a difference that a relaxing linker would change.
 */

#define FDE_START 8 /* behind length and CIE pointer */

struct relocation {
	uint64_t off, value;
	bool is_of_code;
};

static int compare(const void *a, const void *b)
{
	const struct relocation *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static Elf_Data *find_relocations(const struct rows_file *file, size_t target, GElf_Shdr *header)
{
	for (size_t i = 1; i < file->section_count; i++) {
		Elf_Scn *scn = elf_getscn(file->elf, i);

		if (scn && gelf_getshdr(scn, header) && header->sh_type == SHT_RELA && header->sh_info == target)
			return elf_getdata(scn, NULL);
	}
	return NULL;
}

static bool read_one(const struct rows_file *file, Elf_Data *rela, Elf_Data *symbols, int index, struct relocation *out)
{
	GElf_Rela entry;
	GElf_Sym sym;

	if (!gelf_getrela(rela, index, &entry) || !gelf_getsym(symbols, (int)GELF_R_SYM(entry.r_info), &sym))
		return false;
	*out = (struct relocation){.off = entry.r_offset};
	if (sym.st_shndx != SHN_UNDEF && sym.st_shndx < file->section_count) {
		out->is_of_code = file->sections[sym.st_shndx].code;
		out->value = file->sections[sym.st_shndx].address + sym.st_value + (uint64_t)entry.r_addend;
	}
	return true;
}

/* In the order of their places. returns: their number; -1 where they make no sense. */
static long read_all(const struct rows_file *file, Elf_Data *rela, const GElf_Shdr *header, struct relocation *all,
		     size_t count)
{
	Elf_Scn *scn = elf_getscn(file->elf, header->sh_link);
	Elf_Data *symbols = scn ? elf_getdata(scn, NULL) : NULL;

	for (size_t i = 0; i < count; i++)
		if (!symbols || !read_one(file, rela, symbols, (int)i, &all[i]))
			return -1;
	if (count)
		qsort(all, count, sizeof(*all), compare);
	return (long)count;
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Each FDE's start. */
static int apply(struct rows_file *file, const struct rows_section *section, const struct relocation *all, size_t count)
{
	size_t next = 0;

	for (size_t i = 1; i < count; i++)
		if (all[i].off == all[i - 1].off)
			return cli_bad_input("%s: its .eh_frame waits for a linker that relaxes code: link it first",
					     file->path);
	for (uint64_t at = 0; at + 12 <= section->size && word(section->bytes + at);
	     at += 4 + (uint64_t)word(section->bytes + at)) {
		uint64_t place = at + FDE_START;
		uint32_t value;

		if (!word(section->bytes + at + 4))
			continue;
		while (next < count && all[next].off < place)
			next++;
		if (next == count || all[next].off != place || !all[next].is_of_code)
			continue;
		value = (uint32_t)(all[next].value - (section->address + place));
		for (unsigned int k = 0; k < 4; k++)
			file->eh_frame[place + k] = (uint8_t)(value >> 8 * k);
	}
	return 0;
}

int rows_object_relocate(struct rows_file *file, const struct rows_section *section)
{
	GElf_Shdr header;
	Elf_Data *rela = find_relocations(file, (size_t)(section - file->sections), &header);
	size_t count = rela && header.sh_entsize ? rela->d_size / header.sh_entsize : 0;
	struct relocation *all;
	int status;

	file->eh_frame = malloc(section->size + 1);
	all = calloc(count + 1, sizeof(*all));
	if (!file->eh_frame || !all) {
		free(all);
		return cli_failed("no memory");
	}
	memcpy(file->eh_frame, section->bytes, section->size);
	if (read_all(file, rela, &header, all, count) < 0)
		status = cli_bad_input("%s: the relocations of .eh_frame make no sense", file->path);
	else
		status = apply(file, section, all, count);
	free(all);
	return status;
}

/* ---- code that has yet to be linked ------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool add_places(struct rows_file *file, Elf_Data *rela, size_t count, const struct rows_section *section)
{
	uint64_t *places = realloc(file->unlinked, (file->unlinked_count + count + 1) * sizeof(*places));
	GElf_Rela entry;

	if (!places)
		return false;
	file->unlinked = places;
	for (size_t i = 0; i < count; i++)
		if (gelf_getrela(rela, (int)i, &entry) && entry.r_offset < section->size)
			places[file->unlinked_count++] = section->address + entry.r_offset;
	return true;
}

int rows_object_read(struct rows_file *file)
{
	GElf_Shdr header;

	for (size_t i = 1; i < file->section_count; i++) {
		Elf_Data *rela = file->sections[i].code ? find_relocations(file, i, &header) : NULL;

		if (rela && header.sh_entsize &&
		    !add_places(file, rela, rela->d_size / header.sh_entsize, &file->sections[i]))
			return cli_failed("no memory");
	}
	if (file->unlinked_count)
		qsort(file->unlinked, file->unlinked_count, sizeof(*file->unlinked), compare_places);
	file->unlinked_offs = calloc(file->unlinked_count + 1, sizeof(*file->unlinked_offs));
	return file->unlinked_offs ? 0 : cli_failed("no memory");
}
