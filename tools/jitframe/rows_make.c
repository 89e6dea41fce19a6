/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_args.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* Derived rows as a section of its own. */

#define PAGE UINT64_C(4096)

struct making {
	struct rows_file *file;
	struct jf_cfi_writer writer;
	struct jf_row *rows;
	size_t row_capacity;
	uint64_t code_start, code_end;
	size_t done, without, parts; /* functions: with rows, without any, and what begins in the middle of one */
};

/* ---- rows ----------------------------------------------------------------------------------------------------- */

static int no_memory(void)
{
	return cli_failed("no memory");
}

static bool grow(struct making *m)
{
	size_t capacity = m->writer.capacity ? 2 * m->writer.capacity : 65536;
	uint8_t *bytes = realloc(m->writer.bytes, capacity);

	if (!bytes)
		return false;
	m->writer.bytes = bytes;
	m->writer.capacity = capacity;
	return true;
}

static int derive(struct making *m, const struct rows_function *function, struct jf_slot *slots, size_t *row_count,
		  size_t *slot_count)
{
	struct jf_error error = {0};
	struct jf_rows_input input;
	enum jf_status status;

	rows_file_input(m->file, function, &input);
	*row_count = m->row_capacity;
	*slot_count = JF_FRAME_SLOTS_MAX;
	status = jf_rows_make(&input, m->rows, row_count, slots, slot_count, &error);
	if (status == JF_E_NOSPACE) {
		free(m->rows);
		m->row_capacity = *row_count;
		m->rows = malloc(m->row_capacity * sizeof(*m->rows));
		if (!m->rows)
			return no_memory();
		*slot_count = JF_FRAME_SLOTS_MAX;
		status = jf_rows_make(&input, m->rows, row_count, slots, slot_count, &error);
	}
	return status == JF_OK ? 0 : cli_error(function->name ? function->name : m->file->path, NULL, &error);
}

/*
 * A part of a function that was split: what its frame is like depends on where the other part jumps to it. The file's
 * own rows tell; a file without rows has no split functions.
 */
static bool is_part(struct making *m, const struct rows_function *function)
{
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_rows_input input;

	rows_file_input(m->file, function, &input);
	return input.row_count && jf_rows_verify(&input, &report, NULL) == JF_OK && report.is_part;
}

static int make_one(struct making *m, const struct rows_function *function)
{
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct jf_error error = {0};
	size_t row_count, slot_count, before = m->writer.size;
	int status = derive(m, function, slots, &row_count, &slot_count);

	while (status == 0 && jf_cfi_write_rows(&m->writer, function->cfi.start, function->cfi.end, m->rows, row_count,
						slots, (unsigned int)slot_count, &error) != JF_OK) {
		if (error.status != JF_E_NOSPACE)
			return cli_error(function->name, NULL, &error);
		if (!grow(m))
			return no_memory();
	}
	if (m->writer.size > before)
		m->done++;
	else
		m->without++;
	return status;
}

/* Behind everything that the file has. */
static uint64_t section_address(struct making *m)
{
	uint64_t end = 0;

	m->code_start = UINT64_MAX;
	for (size_t i = 1; i < m->file->section_count; i++) {
		const struct rows_section *section = &m->file->sections[i];

		if (section->address + section->size > end)
			end = section->address + section->size;
		if (!section->code)
			continue;
		if (section->address < m->code_start)
			m->code_start = section->address;
		if (section->address + section->size > m->code_end)
			m->code_end = section->address + section->size;
	}
	return (end + PAGE - 1) / PAGE * PAGE;
}

static int make_all(struct making *m, const struct rows_args *args)
{
	struct rows_file *file = m->file;
	uint64_t address = section_address(m);
	int status = 0;

	if (!grow(m))
		return no_memory();
	if (jf_cfi_writer_init(&m->writer, file->backend, m->writer.bytes, m->writer.capacity, address) != JF_OK)
		return cli_failed("%s: no section can be begun", file->path);
	for (size_t i = 0; status == 0 && i < file->function_count; i++) {
		const struct rows_function *function = &file->functions[i];

		if (!rows_wanted(args, function) || !function->bytes)
			continue;
		if (is_part(m, function))
			m->parts++;
		else
			status = make_one(m, function);
	}
	if (status == 0 && !m->done)
		return cli_bad_input("%s: there is no function%s%s that rows can be made of", file->path,
				     args->function ? " " : "", args->function ? args->function : "");
	while (status == 0 && jf_cfi_write_end(&m->writer) != JF_OK)
		if (!grow(m))
			return no_memory();
	return status;
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static const char names[] = "\0.text\0.eh_frame\0.shstrtab";
enum { NAME_TEXT = 1, NAME_EH_FRAME = 7, NAME_SHSTRTAB = 17 };

static bool add_section(Elf *elf, const GElf_Shdr *header, void *bytes)
{
	Elf_Scn *scn = elf_newscn(elf);
	Elf_Data *data = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr filled;

	if (!data || !gelf_getshdr(scn, &filled))
		return false;
	data->d_buf = bytes;
	data->d_size = header->sh_size;
	data->d_align = header->sh_addralign;
	data->d_type = ELF_T_BYTE;
	data->d_version = EV_CURRENT;
	filled.sh_name = header->sh_name;
	filled.sh_type = header->sh_type;
	filled.sh_flags = header->sh_flags;
	filled.sh_addr = header->sh_addr;
	filled.sh_size = header->sh_size;
	filled.sh_addralign = header->sh_addralign;
	return gelf_update_shdr(scn, &filled);
}

/* The code's addresses, without the code, and the rows. */
static bool fill_elf(Elf *elf, const struct making *m)
{
	const GElf_Shdr text = {.sh_name = NAME_TEXT,
				.sh_type = SHT_NOBITS,
				.sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				.sh_addr = m->code_start,
				.sh_size = m->code_end - m->code_start,
				.sh_addralign = 1};
	const GElf_Shdr frames = {.sh_name = NAME_EH_FRAME,
				  .sh_type = SHT_PROGBITS,
				  .sh_flags = SHF_ALLOC,
				  .sh_addr = m->writer.address,
				  .sh_size = m->writer.size,
				  .sh_addralign = 8};
	const GElf_Shdr strings = {
		.sh_name = NAME_SHSTRTAB, .sh_type = SHT_STRTAB, .sh_size = sizeof(names), .sh_addralign = 1};
	GElf_Ehdr header;

	if (!gelf_newehdr(elf, ELFCLASS64) || !gelf_getehdr(elf, &header))
		return false;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_type = ET_EXEC;
	header.e_machine = m->file->backend->elf_machine;
	header.e_version = EV_CURRENT;
	header.e_shstrndx = 3;
	return gelf_update_ehdr(elf, &header) && add_section(elf, &text, NULL) &&
	       add_section(elf, &frames, m->writer.bytes) && add_section(elf, &strings, (char *)(uintptr_t)names) &&
	       elf_update(elf, ELF_C_WRITE) >= 0;
}

/* libelf goes back and forth in a file, which standard output may not allow. */
static int write_elf(const struct making *m, const char *path, FILE *file)
{
	FILE *whole = tmpfile();
	Elf *elf = whole ? elf_begin(fileno(whole), ELF_C_WRITE, NULL) : NULL;
	bool good = elf && fill_elf(elf, m);
	char bytes[4096];
	size_t count;
	int status = 0;

	if (!good)
		status = cli_failed("%s: %s", path, whole ? elf_errmsg(-1) : strerror(errno));
	elf_end(elf);
	if (whole)
		rewind(whole);
	while (good && (count = fread(bytes, 1, sizeof(bytes), whole)) > 0)
		fwrite(bytes, 1, count, file);
	if (whole)
		fclose(whole);
	return status;
}

static int write_out(const struct making *m, const struct rows_args *args)
{
	FILE *file = cli_create(args->out);
	int status = 0;

	if (!file)
		return CLI_FAILED;
	if (args->elf)
		status = write_elf(m, args->out, file);
	else
		fwrite(m->writer.bytes, 1, m->writer.size, file);
	if (cli_close(file, args->out) != 0 && status == 0)
		status = CLI_FAILED;
	return status;
}

int rows_make(const struct rows_args *args)
{
	struct rows_file file;
	struct making m = {.file = &file};
	int status = rows_file_open(&file, args->path, false);

	if (status == 0)
		status = make_all(&m, args);
	if (status == 0)
		status = write_out(&m, args);
	if (status == 0)
		fprintf(cli_is_stdout(args->out) ? stderr : stdout,
			"%s: .eh_frame of %zu functions at 0x%llx, %zu bytes; left out: %zu functions, %zu parts of "
			"functions\n",
			cli_is_stdout(args->out) ? "standard output" : args->out, m.done,
			(unsigned long long)m.writer.address, m.writer.size, m.without, m.parts);
	free(m.writer.bytes);
	free(m.rows);
	rows_file_close(&file);
	return status;
}
