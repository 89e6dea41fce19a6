/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "machine.h"
#include "orc_file.h"

/* ---- sections ------------------------------------------------------------------------------------------- */

static int read_sections(struct rows_file *file, bool relocatable)
{
	uint64_t next = ORC_FILE_FIRST_ADDRESS;
	size_t names;

	if (elf_getshdrnum(file->elf, &file->section_count) != 0 || elf_getshdrstrndx(file->elf, &names) != 0)
		return cli_bad_input("%s: %s", file->path, elf_errmsg(-1));
	file->sections = calloc(file->section_count + 1, sizeof(*file->sections));
	if (!file->sections)
		return cli_failed("no memory");
	for (size_t i = 1; i < file->section_count; i++) {
		struct rows_section *section = &file->sections[i];
		Elf_Scn *scn = elf_getscn(file->elf, i);
		Elf_Data *data = NULL;
		const char *name;
		GElf_Shdr header;

		if (!scn || !gelf_getshdr(scn, &header))
			return cli_bad_input("%s: %s", file->path, elf_errmsg(-1));
		name = elf_strptr(file->elf, names, header.sh_name);
		section->name = name ? name : "";
		if (header.sh_type != SHT_NOBITS)
			data = elf_rawdata(scn, NULL);
		if (data && data->d_buf && header.sh_flags & SHF_ALLOC) {
			section->bytes = data->d_buf;
			section->size = data->d_size;
		}
		section->address = relocatable ? next : header.sh_addr;
		section->code = header.sh_flags & SHF_ALLOC && header.sh_flags & SHF_EXECINSTR;
		if (header.sh_flags & SHF_ALLOC)
			next = orc_file_next_address(next, header.sh_size);
	}
	return 0;
}

const struct rows_section *rows_file_section(const struct rows_file *file, const char *name)
{
	for (size_t i = 1; i < file->section_count; i++)
		if (file->sections[i].bytes && strcmp(file->sections[i].name, name) == 0)
			return &file->sections[i];
	return NULL;
}

const uint8_t *rows_file_code(const struct rows_file *file, uint64_t start, uint64_t end)
{
	for (size_t i = 1; i < file->section_count; i++) {
		const struct rows_section *section = &file->sections[i];

		if (section->code && section->bytes && start >= section->address && end > start &&
		    end - section->address <= section->size)
			return section->bytes + (start - section->address);
	}
	return NULL;
}

/* ---- symbols ------------------------------------------------------------------------------------------------ */

static int compare_symbols(const void *a, const void *b)
{
	const struct rows_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* The longest name's last: names with versions and aliases come in any order. */
	return x->size < y->size ? -1 : x->size > y->size;
}

static bool is_function(const struct rows_file *file, const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	return name && *name && *name != '$' && strncmp(name, ".L", 2) != 0 && sym->st_shndx != SHN_UNDEF &&
	       sym->st_shndx < file->section_count && file->sections[sym->st_shndx].code &&
	       (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

static int read_symbols(struct rows_file *file, Elf_Scn *scn, const GElf_Shdr *header, bool relocatable)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t total = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
	GElf_Sym sym;

	free(file->symbols);
	file->symbol_count = 0;
	file->symbols = calloc(total + 1, sizeof(*file->symbols));
	if (!file->symbols)
		return cli_failed("no memory");
	for (int i = 1; (size_t)i < total && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(file->elf, header->sh_link, sym.st_name);

		if (is_function(file, &sym, name))
			file->symbols[file->symbol_count++] = (struct rows_symbol){
				.address = sym.st_value + (relocatable ? file->sections[sym.st_shndx].address : 0),
				.size = sym.st_size,
				.name = name,
			};
	}
	if (file->symbol_count)
		qsort(file->symbols, file->symbol_count, sizeof(*file->symbols), compare_symbols);
	return 0;
}

/* The full table, or the one for dynamic linking where only that is left. */
static int find_symbols(struct rows_file *file, bool relocatable)
{
	int status = 0;

	for (int turn = 0; turn < 2 && !file->symbol_count && status == 0; turn++) {
		for (size_t i = 1; i < file->section_count && status == 0; i++) {
			Elf_Scn *scn = elf_getscn(file->elf, i);
			GElf_Shdr header;

			if (scn && gelf_getshdr(scn, &header) && header.sh_type == (turn ? SHT_DYNSYM : SHT_SYMTAB))
				status = read_symbols(file, scn, &header, relocatable);
		}
	}
	return status;
}

static const struct rows_symbol *symbol_at(const struct rows_file *file, uint64_t address)
{
	size_t low = 0, high = file->symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0) {
		const struct rows_symbol *symbol = &file->symbols[low];

		if (address == symbol->address || address - symbol->address < symbol->size)
			return symbol;
		if (symbol->size)
			return NULL;
	}
	return NULL;
}

void rows_file_address(const struct rows_file *file, uint64_t address, char *text, size_t capacity)
{
	const struct rows_symbol *symbol = symbol_at(file, address);

	if (symbol)
		snprintf(text, capacity, "%s+0x%" PRIx64, symbol->name, address - symbol->address);
	else
		snprintf(text, capacity, "0x%" PRIx64, address);
}

/* ---- functions ------------------------------------------------------------------------------------------------ */

bool rows_file_add(struct rows_file *file, const struct jf_cfi_function *function)
{
	const struct rows_symbol *symbol = symbol_at(file, function->start);
	struct rows_function *place;

	/* The capacity is the next power of two. */
	if ((file->function_count & (file->function_count - 1)) == 0) {
		size_t capacity = file->function_count ? 2 * file->function_count : 1;

		place = realloc(file->functions, capacity * sizeof(*place));
		if (!place)
			return false;
		file->functions = place;
	}
	file->functions[file->function_count++] = (struct rows_function){
		.cfi = *function,
		.bytes = rows_file_code(file, function->start, function->end),
		.name = symbol ? symbol->name : NULL,
		.name_off = symbol ? function->start - symbol->address : 0,
	};
	return true;
}

static int read_eh_frame(struct rows_file *file, const struct rows_section *section)
{
	struct jf_cfi_section cfi = {.size = sizeof(cfi),
				     .bytes = file->eh_frame ? file->eh_frame : section->bytes,
				     .size_bytes = section->size,
				     .address = section->address};
	const struct jf_cfi_function *function;
	struct jf_error error = {0};

	if (jf_cfi_convert(file->backend, &cfi, file->path, &file->table, &error) != JF_OK)
		return cli_error(file->path, NULL, &error);
	for (size_t i = 0; (function = jf_cfi_table_at(file->table, i)); i++)
		if (!rows_file_add(file, function))
			return cli_failed("no memory");
	return 0;
}

static int read_rows(struct rows_file *file, bool relocatable)
{
	const struct rows_section *section = rows_file_section(file, ".eh_frame");
	int status;

	if (rows_file_section(file, ".orc_unwind"))
		return rows_orc_read(file);
	if (!section)
		return cli_bad_input("%s: it has neither .eh_frame nor .orc_unwind", file->path);
	status = relocatable ? rows_object_relocate(file, section) : 0;
	return status == 0 ? read_eh_frame(file, section) : status;
}

void rows_file_input(struct rows_file *file, const struct rows_function *function, struct jf_rows_input *input)
{
	size_t low = 0, high = file->unlinked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->unlinked[middle] < function->cfi.start)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < file->unlinked_count && file->unlinked[high] < function->cfi.end; high++)
		file->unlinked_offs[high] = (uint32_t)(file->unlinked[high] - function->cfi.start);
	*input = (struct jf_rows_input)JF_ROWS_INPUT_INIT;
	input->backend = file->backend;
	input->bytes = function->bytes;
	input->byte_count = (size_t)(function->cfi.end - function->cfi.start);
	input->address = function->cfi.start;
	input->rows = function->cfi.rows;
	input->row_count = function->cfi.row_count;
	input->slots = function->cfi.slots;
	input->slot_count = function->cfi.slot_count;
	input->unlinked = file->unlinked_offs;
	input->unlinked_count = high - low;
	if (high > low)
		input->unlinked += low;
	input->find = rows_file_find;
	input->never_returns = rows_noreturn;
	input->arg = file;
}

/* Of files without rows: what the symbols say. */
static int read_symbols_alone(struct rows_file *file)
{
	for (size_t i = 0; i < file->symbol_count; i++) {
		const struct rows_symbol *symbol = &file->symbols[i];
		struct jf_cfi_function function = {.start = symbol->address, .end = symbol->address + symbol->size};

		if (!symbol->size ||
		    (file->function_count && symbol->address < file->functions[file->function_count - 1].cfi.end))
			continue;
		if (!rows_file_add(file, &function))
			return cli_failed("no memory");
	}
	return 0;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static bool has_rows(const struct rows_file *file)
{
	return rows_file_section(file, ".eh_frame") || rows_file_section(file, ".orc_unwind");
}

static int read_elf(struct rows_file *file, bool need_rows)
{
	char machine[MACHINE_TEXT_MAX];
	GElf_Ehdr header;
	bool relocatable;
	int status;

	if (elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header))
		return cli_bad_input("%s: it is no ELF file, or cut short", file->path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return cli_bad_input("%s: only 64-bit little-endian files can be read", file->path);
	file->backend = machine_backend(header.e_machine);
	if (!file->backend)
		return cli_bad_input("%s: made for %s; `jitframe archs` lists what jitframe has", file->path,
				     machine_text(header.e_machine, machine, sizeof(machine)));
	relocatable = header.e_type == ET_REL;
	status = read_sections(file, relocatable);
	if (status == 0)
		status = find_symbols(file, relocatable);
	if (status == 0)
		status = relocatable ? rows_object_read(file) : rows_noreturn_read(file);
	if (status == 0)
		status = need_rows || has_rows(file) ? read_rows(file, relocatable) : read_symbols_alone(file);
	return status;
}

int rows_file_open(struct rows_file *file, const char *path, bool need_rows)
{
	*file = (struct rows_file){.path = path};
	elf_version(EV_CURRENT);
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return cli_bad_input("%s: %s", path, strerror(errno));
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!file->elf)
		return cli_bad_input("%s: %s", path, elf_errmsg(-1));
	return read_elf(file, need_rows);
}

void rows_file_close(struct rows_file *file)
{
	jf_cfi_table_free(file->table);
	rows_orc_free(file->orc);
	free(file->eh_frame);
	free(file->unlinked);
	free(file->unlinked_offs);
	free(file->jumps);
	free(file->entries);
	free(file->noreturn);
	free(file->functions);
	free(file->symbols);
	free(file->sections);
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}
