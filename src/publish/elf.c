/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/elf.h"

#include "publish/dwarf.h"
#include "publish/frames.h"

#include <jitframe/backend.h>

#include <elf.h>
#include <string.h>

/*
 *     header | program headers | the parts, in the order of enum part | section headers
 *
 * A program header for each range, for readers that go by these. Section headers: an empty one, a .text for each range,
 * then those of the parts.
 */
enum part { FRAMES, ABBREV, INFO, LINE, ARANGES, SYMBOLS, STRINGS, NAMES, PART__COUNT };

static const struct {
	const char *name;
	uint32_t type, align, entry_bytes;
} parts[PART__COUNT] = {
	[FRAMES] = {".eh_frame", SHT_PROGBITS, 8, 0},       [ABBREV] = {".debug_abbrev", SHT_PROGBITS, 1, 0},
	[INFO] = {".debug_info", SHT_PROGBITS, 1, 0},       [LINE] = {".debug_line", SHT_PROGBITS, 1, 0},
	[ARANGES] = {".debug_aranges", SHT_PROGBITS, 1, 0}, [SYMBOLS] = {".symtab", SHT_SYMTAB, 8, sizeof(Elf64_Sym)},
	[STRINGS] = {".strtab", SHT_STRTAB, 1, 0},          [NAMES] = {".shstrtab", SHT_STRTAB, 1, 0},
};

struct file {
	const struct jf_range *const *ranges;
	size_t count;
	struct out part[PART__COUNT];
	uint64_t frames_address; /* that .eh_frame's distances count from: no memory is there */
};

static void add_symbol(struct file *file, size_t index)
{
	const struct jf_range *range = file->ranges[index];
	const Elf64_Sym symbol = {
		.st_name = (Elf64_Word)file->part[STRINGS].size,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = (Elf64_Section)(1 + index),
		.st_value = range->start,
		.st_size = range->end - range->start,
	};

	jf_out_put(&file->part[SYMBOLS], &symbol, sizeof(symbol));
	jf_out_string(&file->part[STRINGS], range->name);
}

static void make_parts(struct file *file)
{
	static const Elf64_Sym no_symbol;

	file->frames_address = file->ranges[0]->start & ~(uint64_t)7;
	(void)jf_frames_put(&file->part[FRAMES], file->ranges, file->count, file->frames_address);
	jf_dwarf_abbrevs(&file->part[ABBREV]);
	jf_out_put(&file->part[SYMBOLS], &no_symbol, sizeof(no_symbol));
	jf_out_string(&file->part[STRINGS], "");
	for (size_t i = 0; i < file->count; i++) {
		jf_dwarf_function(&file->part[INFO], &file->part[LINE], &file->part[ARANGES], file->ranges[i]);
		add_symbol(file, i);
	}
}

/* returns: the name's place in .shstrtab. */
static Elf64_Word name_section(struct file *file, const char *name)
{
	Elf64_Word off = (Elf64_Word)file->part[NAMES].size;

	jf_out_string(&file->part[NAMES], name);
	return off;
}

static void put_text_header(struct out *out, const struct jf_range *range, Elf64_Word name)
{
	const Elf64_Shdr header = {
		.sh_name = name,
		.sh_type = SHT_NOBITS,
		.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
		.sh_addr = range->start,
		.sh_size = range->end - range->start,
		.sh_addralign = 1,
	};

	jf_out_put(out, &header, sizeof(header));
}

static void put_program_headers(struct out *out, const struct file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct jf_range *range = file->ranges[i];
		const Elf64_Phdr header = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_vaddr = range->start,
			.p_memsz = range->end - range->start,
			.p_align = 1,
		};

		jf_out_put(out, &header, sizeof(header));
	}
}

static void put_header(struct out *out, const struct file *file, uint32_t flags)
{
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = file->ranges[0]->backend->elf_machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_flags = flags,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)file->count,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (Elf64_Half)(1 + file->count + PART__COUNT),
		.e_shstrndx = (Elf64_Half)(1 + file->count + NAMES),
	};

	jf_out_put(out, &header, sizeof(header));
}

/* in: names = where the parts' names are in .shstrtab, off = where their bytes are in the file. */
static void put_section_headers(struct out *out, const struct file *file, Elf64_Word text_name, const Elf64_Word *names,
				const uint64_t *off)
{
	static const Elf64_Shdr empty;

	jf_out_put(out, &empty, sizeof(empty));
	for (size_t i = 0; i < file->count; i++)
		put_text_header(out, file->ranges[i], text_name);
	for (unsigned int i = 0; i < PART__COUNT; i++) {
		const Elf64_Shdr header = {
			.sh_name = names[i],
			.sh_type = parts[i].type,
			.sh_addr = i == FRAMES ? file->frames_address : 0,
			.sh_offset = off[i],
			.sh_size = file->part[i].size,
			.sh_link = i == SYMBOLS ? (Elf64_Word)(1 + file->count + STRINGS) : 0,
			.sh_info = i == SYMBOLS ? 1 : 0, /* the first global symbol */
			.sh_addralign = parts[i].align,
			.sh_entsize = parts[i].entry_bytes,
		};

		jf_out_put(out, &header, sizeof(header));
	}
}

static void put_file(struct out *out, struct file *file, uint32_t flags)
{
	size_t start = out->size;
	Elf64_Word text_name, names[PART__COUNT];
	uint64_t off[PART__COUNT];

	jf_out_string(&file->part[NAMES], "");
	text_name = name_section(file, ".text");
	for (unsigned int i = 0; i < PART__COUNT; i++)
		names[i] = name_section(file, parts[i].name);
	put_header(out, file, flags);
	put_program_headers(out, file);
	for (unsigned int i = 0; i < PART__COUNT; i++) {
		jf_out_align(out, 8);
		off[i] = out->size - start;
		jf_out_put(out, file->part[i].bytes, file->part[i].size);
		out->failed |= file->part[i].failed;
	}
	jf_out_align(out, 8);
	jf_out_patch(out, start + offsetof(Elf64_Ehdr, e_shoff), out->size - start, 8);
	put_section_headers(out, file, text_name, names, off);
}

void jf_elf_put(struct out *out, const struct jf_range *const *ranges, size_t count, uint32_t flags)
{
	struct file file = {.ranges = ranges, .count = count};

	make_parts(&file);
	put_file(out, &file, flags);
	for (unsigned int i = 0; i < PART__COUNT; i++)
		jf_out_free(&file.part[i]);
}
