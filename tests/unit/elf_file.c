/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf_file.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct jf_backend *backend_of(unsigned int machine)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++)
		if (backend->elf_machine == machine)
			return backend;
	return NULL;
}

static unsigned char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	unsigned char *bytes = NULL;
	long length;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0) {
		*size = (size_t)length;
		bytes = malloc(*size);
		if (bytes && fread(bytes, 1, *size, file) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* Our own machines' libraries: their headers are taken at their word. */
bool elf_file_read(struct elf_file *file, const char *path)
{
	const Elf64_Ehdr *header;
	const Elf64_Shdr *sections;
	const char *names;

	memset(file, 0, sizeof(*file));
	file->bytes = read_all(path, &file->size);
	if (!file->bytes)
		return false;
	header = (const Elf64_Ehdr *)(const void *)file->bytes;
	if (file->size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64)
		return true;
	file->backend = backend_of(header->e_machine);
	sections = (const Elf64_Shdr *)(const void *)(file->bytes + header->e_shoff);
	names = (const char *)file->bytes + sections[header->e_shstrndx].sh_offset;
	for (unsigned int i = 0; i < header->e_shnum; i++) {
		const char *name = names + sections[i].sh_name;
		bool is_frames = strcmp(name, ".eh_frame") == 0, is_hdr = strcmp(name, ".eh_frame_hdr") == 0;
		void *copy;

		if ((!is_frames && !is_hdr) || sections[i].sh_type == SHT_NOBITS)
			continue;
		copy = malloc(sections[i].sh_size);
		if (!copy)
			return false;
		memcpy(copy, file->bytes + sections[i].sh_offset, sections[i].sh_size);
		if (is_hdr) {
			file->hdr = copy;
			file->hdr_bytes = sections[i].sh_size;
			file->hdr_address = sections[i].sh_addr;
			continue;
		}
		file->section.size = sizeof(file->section);
		file->section.bytes = copy;
		file->section.size_bytes = sections[i].sh_size;
		file->section.address = sections[i].sh_addr;
	}
	return true;
}

void elf_file_free(struct elf_file *file)
{
	free((void *)(uintptr_t)file->section.bytes);
	free(file->hdr);
	free(file->bytes);
}

/* Where Debian and its kin have them: the machine's own, then those of the cross compilers. */
static const char *const folders[] = {"/lib64", "/lib/%.*s-linux-gnu", "/usr/lib/%.*s-linux-gnu",
				      "/usr/%.*s-linux-gnu/lib"};
static const char *const names[] = {
	"libc.so.6", "libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libcrypto.so.3", "libasan.so.8",
};

#define FOLDER_COUNT (sizeof(folders) / sizeof(folders[0]))
#define NAME_COUNT   (sizeof(names) / sizeof(names[0]))

/* returns: whether there is such a place, each of which is a library in a folder of an architecture. */
static bool place(size_t index, char *path, size_t capacity)
{
	const struct jf_backend *backend = jf_backend_at(index / (FOLDER_COUNT * NAME_COUNT));
	const char *triple = backend ? backend->llvm_triple : NULL;
	char folder[128];

	if (!triple)
		return false;
	snprintf(folder, sizeof(folder), folders[index / NAME_COUNT % FOLDER_COUNT], (int)strcspn(triple, "-"), triple);
	snprintf(path, capacity, "%s/%s", folder, names[index % NAME_COUNT]);
	return true;
}

const char *elf_library(size_t index)
{
	static char path[256];
	static char resolved[64][4096];
	size_t found = 0;

	for (size_t i = 0; place(i, path, sizeof(path)); i++) {
		bool again = false;

		if (!realpath(path, resolved[found]))
			continue;
		for (size_t k = 0; k < found; k++) /* /lib may be /usr/lib */
			again |= strcmp(resolved[k], resolved[found]) == 0;
		if (!again && found++ == index)
			return resolved[index];
	}
	return NULL;
}
