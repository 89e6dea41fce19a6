/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static const char names[] = "\0.text\0.orc_unwind\0.orc_unwind_ip\0.orc_header\0.shstrtab";

enum { TEXT = 1, UNWIND, UNWIND_IP, HEADER, NAMES, SECTIONS };

static uint32_t name_at(unsigned int index)
{
	uint32_t at = 1;

	while (index-- > 1)
		at += (uint32_t)strlen(names + at) + 1;
	return at;
}

uint8_t *orc_image(const struct jf_orc_table *table, const uint8_t *header, size_t *size)
{
	const void *contents[SECTIONS] = {
		[UNWIND] = table->entries, [UNWIND_IP] = table->ips, [HEADER] = header, [NAMES] = names};
	size_t sizes[SECTIONS] = {0,
				  IMAGE_TEXT_BYTES,
				  table->count * table->format->entry_bytes,
				  table->count * 4,
				  header ? JF_ORC_HEADER_BYTES : 0,
				  sizeof(names)};
	Elf64_Shdr sections[SECTIONS] = {0};
	Elf64_Ehdr elf = {.e_type = ET_EXEC, .e_machine = table->format->backend->elf_machine, .e_version = EV_CURRENT};
	size_t at = sizeof(elf) + sizeof(sections);
	uint8_t *bytes;

	memcpy(elf.e_ident, ELFMAG, SELFMAG);
	elf.e_ident[EI_CLASS] = ELFCLASS64;
	elf.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.e_ident[EI_VERSION] = EV_CURRENT;
	elf.e_shoff = sizeof(elf);
	elf.e_ehsize = sizeof(elf);
	elf.e_shentsize = sizeof(sections[0]);
	elf.e_shnum = SECTIONS;
	elf.e_shstrndx = NAMES;
	*size = at + sizes[UNWIND] + sizes[UNWIND_IP] + sizes[HEADER] + sizes[NAMES];
	bytes = calloc(1, *size);
	for (unsigned int i = 1; i < SECTIONS; i++) {
		sections[i] = (Elf64_Shdr){.sh_type = SHT_PROGBITS,
					   .sh_flags = SHF_ALLOC,
					   .sh_addr = TABLE_ADDRESS + i * 0x100000,
					   .sh_size = sizes[i],
					   .sh_offset = at,
					   .sh_addralign = 1};
		sections[i].sh_name = i == HEADER && !header ? 0 : name_at(i);
		if (contents[i])
			memcpy(bytes + at, contents[i], sizes[i]);
		at += i == TEXT ? 0 : sizes[i];
	}
	sections[TEXT].sh_type = SHT_NOBITS;
	sections[TEXT].sh_flags |= SHF_EXECINSTR;
	sections[TEXT].sh_addr = IMAGE_TEXT_ADDRESS;
	sections[UNWIND_IP].sh_addr = table->ips_address;
	sections[NAMES].sh_type = SHT_STRTAB;
	memcpy(bytes, &elf, sizeof(elf));
	memcpy(bytes + elf.e_shoff, sections, sizeof(sections));
	return bytes;
}
