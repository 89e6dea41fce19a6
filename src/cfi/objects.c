/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/objects.h"
#include "base/memory.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/*
 * How a loaded object tells where its call frame information is:
 *
 *     PT_GNU_EH_FRAME -> .eh_frame_hdr   version 1, three encodings, pointer to .eh_frame, number of FDEs, search table
 *                        .eh_frame       its size is nowhere: a zero word ends it, or the segment
 */

static const uint8_t *address_of(const struct dl_phdr_info *info, const ElfW(Phdr) * header)
{
	return (const uint8_t *)(uintptr_t)(info->dlpi_addr + header->p_vaddr);
}

/* Bytes from `address` to the end of the readable segment that holds it. returns: 0 when none does. */
static size_t bytes_behind(const struct dl_phdr_info *info, uint64_t address)
{
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type == PT_LOAD && header->p_flags & PF_R && address >= start &&
		    address - start < header->p_filesz)
			return header->p_filesz - (size_t)(address - start);
	}
	return 0;
}

/* The first readable segment of code. */
static void find_code(const struct dl_phdr_info *info, struct jf_cfi_section *section)
{
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type != PT_LOAD || (header->p_flags & (PF_R | PF_X)) != (PF_R | PF_X))
			continue;
		section->code = address_of(info, header);
		section->code_bytes = header->p_filesz;
		section->code_address = info->dlpi_addr + header->p_vaddr;
		return;
	}
}

/* returns: an empty one when the object has none. */
static struct cfi_reader find_hdr(const struct dl_phdr_info *info)
{
	const ElfW(Phdr) *header = NULL;
	struct cfi_reader hdr = {0};
	size_t bytes;

	for (unsigned int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			header = &info->dlpi_phdr[i];
	if (!header)
		return hdr;
	hdr.start = hdr.at = hdr.end = address_of(info, header);
	hdr.address = (uintptr_t)hdr.start;
	bytes = bytes_behind(info, hdr.address);
	hdr.end += header->p_memsz < bytes ? header->p_memsz : bytes;
	return hdr;
}

bool jf_cfi_object_section(const struct dl_phdr_info *info, struct jf_cfi_section *section)
{
	struct cfi_reader hdr = find_hdr(info);
	uint64_t address, raw, count = 0;
	uint8_t eh_frame_encoding, count_encoding;

	if (jf_cfi_read(&hdr, 1) != 1)
		return false;
	eh_frame_encoding = (uint8_t)jf_cfi_read(&hdr, 1);
	count_encoding = (uint8_t)jf_cfi_read(&hdr, 1);
	jf_cfi_read(&hdr, 1); /* the encoding of its search table */
	if (!jf_cfi_pointer(&hdr, eh_frame_encoding, &address, &raw))
		return false;
	if (count_encoding != CFI_PTR_OMIT && !jf_cfi_pointer_raw(&hdr, count_encoding, &count))
		return false;
	section->size = sizeof(*section);
	section->size_bytes = hdr.bad ? 0 : bytes_behind(info, address);
	section->bytes = (const void *)(uintptr_t)address;
	section->address = address;
	section->fde_count = count > UINT32_MAX ? 0 : (uint32_t)count;
	find_code(info, section);
	return section->size_bytes;
}

uint64_t jf_cfi_object_sum(const struct jf_cfi_section *section)
{
	struct cfi_reader reader = {.at = section->bytes};
	uint64_t sum = section->address ^ section->fde_count;

	/* As far as the zero word, by whole entries: nothing behind it need stay the same. */
	reader.start = reader.at;
	reader.end = reader.at + section->size_bytes;
	while (!reader.bad) {
		uint64_t length = jf_cfi_read(&reader, 4);
		struct cfi_reader entry = jf_cfi_sub(&reader, length);

		if (!length || reader.bad)
			break;
		while (entry.end - entry.at >= 4)
			sum = (sum ^ jf_cfi_read(&entry, 4)) * UINT64_C(1099511628211);
	}
	return sum;
}

/* ---- objects that are searched ---------------------------------------------------------------------------- */

/* glibc says which object holds an address, without a lock and in signal handlers too. */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
static bool is_listed(const uint8_t *hdr, uint64_t address)
{
	struct dl_find_object found;

	return _dl_find_object((void *)(uintptr_t)address, &found) == 0 && found.dlfo_eh_frame == hdr;
}
#else
static bool is_listed(const uint8_t *hdr, uint64_t address)
{
	(void)hdr;
	(void)address;
	return false;
}
#endif

enum jf_status jf_cfi_object_open(const struct dl_phdr_info *info, const struct jf_cfi_section *section,
				  const struct cfi_regs *regs, struct cfi_object **out)
{
	struct cfi_reader hdr = find_hdr(info);
	const char *name = info->dlpi_name ? info->dlpi_name : "";
	struct cfi_object *object;
	struct cfi_index index;

	*out = NULL;
	if ((size_t)(hdr.end - hdr.start) < sizeof(object->hdr_copy) ||
	    !jf_cfi_index_open(&index, jf_backend_host(), section, hdr, regs))
		return JF_OK;
	object = jf_calloc(1, sizeof(*object) + strlen(name) + 1);
	if (!object)
		return JF_E_NO_MEMORY;
	object->index = index;
	object->hdr = hdr.start;
	memcpy(object->hdr_copy, hdr.start, sizeof(object->hdr_copy));
	object->is_listed = is_listed(hdr.start, hdr.address);
	strcpy(object->name, name);
	*out = object;
	return JF_OK;
}

bool jf_cfi_object_same(const struct cfi_object *a, const struct cfi_object *b)
{
	const struct jf_cfi_section *x = &a->index.section, *y = &b->index.section;

	return a->hdr == b->hdr && !memcmp(a->hdr_copy, b->hdr_copy, sizeof(a->hdr_copy)) &&
	       a->is_listed == b->is_listed && a->index.start == b->index.start && a->index.end == b->index.end &&
	       x->bytes == y->bytes && x->size_bytes == y->size_bytes && x->code == y->code &&
	       x->code_bytes == y->code_bytes && !strcmp(a->name, b->name);
}

bool jf_cfi_object_is_there(const struct cfi_object *object, uint64_t address)
{
	/* Another object may have come to the same place; then the first bytes of .eh_frame_hdr can be read. */
	return !object->is_listed ||
	       (is_listed(object->hdr, address) && !memcmp(object->hdr, object->hdr_copy, sizeof(object->hdr_copy)));
}
