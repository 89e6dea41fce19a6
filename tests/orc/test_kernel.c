/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The tables of a real kernel and of its modules, which scripts/fetch-kernel fetches: the command prints what
 * that kernel's objtool prints, and the library can write them again and finds in them what a search finds.
 */

#include "tables.h"

#include "../exec/command.h"

#include <dirent.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

static char path[1024];

/* A file of the kernel's folder; the test is skipped when nothing was fetched. */
static const char *kernel_file(const char *name)
{
	const char *folder = getenv("JITFRAME_KERNEL");
	FILE *version;

	cr_assert_not_null(folder, "JITFRAME_KERNEL has to name the folder");
	snprintf(path, sizeof(path), "%s/version", folder);
	version = fopen(path, "r");
	if (!version)
		cr_skip_test("scripts/fetch-kernel found no kernel");
	fclose(version);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* ---- objtool ---- */

static char *run(const char *const *argv)
{
	struct command command = {.argc = 0};

	for (; *argv; argv++)
		command_add(&command, *argv);
	command_run(&command);
	cr_assert(command.status == 0 && command.err[0] == '\0', "%s: %s", command.argv[0], command.err);
	free(command.err);
	return command.out;
}

static void first_difference(const char *file, const char *wanted, const char *found)
{
	unsigned int line = 1;

	while (*wanted && *wanted == *found) {
		line += *wanted == '\n';
		wanted++;
		found++;
	}
	cr_assert_fail("%s: line %u: ...%.60s, not ...%.60s", file, line, found, wanted);
}

/* returns: the number of entries. */
static size_t compare_dumps(const char *file)
{
	char *tool = strdup(kernel_file("objtool"));
	char *wanted = run((const char *const[]){tool, "--dump=orc", file, NULL});
	char *found = run((const char *const[]){getenv("JITFRAME"), "orc", "dump", file, NULL});
	size_t lines = 0;

	if (strcmp(wanted, found) != 0)
		first_difference(file, wanted, found);
	for (const char *c = found; *c; c++)
		lines += *c == '\n';
	free(tool);
	free(wanted);
	free(found);
	return lines;
}

Test(orc_kernel, dump_is_objtools_for_the_kernel, .timeout = 300)
{
	char *file = strdup(kernel_file("vmlinux"));
	size_t lines = compare_dumps(file);

	cr_assert(lines > 300000, "only %zu entries", lines);
	free(file);
}

static bool has_table(const char *file);

Test(orc_kernel, dump_is_objtools_for_modules, .timeout = 600)
{
	char *folder = strdup(kernel_file("modules")), file[2048];
	DIR *modules = opendir(folder);
	struct dirent *entry;
	size_t count = 0, lines = 0;

	cr_assert_not_null(modules);
	while ((entry = readdir(modules))) {
		snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !has_table(file))
			continue;
		lines += compare_dumps(file);
		count++;
	}
	closedir(modules);
	free(folder);
	cr_assert(count > 50 && lines > 20000, "%zu modules, %zu entries", count, lines);
}

/* ---- the library ---- */

struct elf {
	uint8_t *bytes;
	size_t size;
	Elf64_Shdr sections[256];
	unsigned int count, names;
};

/* These files are whole: they come out of a package. */
static void elf_read(struct elf *elf, const char *name)
{
	FILE *file = fopen(name, "rb");
	Elf64_Ehdr header;

	cr_assert_not_null(file, "%s", name);
	fseek(file, 0, SEEK_END);
	elf->size = (size_t)ftell(file);
	elf->bytes = malloc(elf->size);
	rewind(file);
	cr_assert_eq(fread(elf->bytes, 1, elf->size, file), elf->size);
	fclose(file);
	memcpy(&header, elf->bytes, sizeof(header));
	elf->count = header.e_shnum < 256 ? header.e_shnum : 256;
	elf->names = header.e_shstrndx;
	memcpy(elf->sections, elf->bytes + header.e_shoff, elf->count * sizeof(elf->sections[0]));
}

static const Elf64_Shdr *elf_section(const struct elf *elf, const char *name)
{
	const char *names = (const char *)elf->bytes + elf->sections[elf->names].sh_offset;

	for (unsigned int i = 1; i < elf->count; i++)
		if (strcmp(names + elf->sections[i].sh_name, name) == 0)
			return &elf->sections[i];
	return NULL;
}

static bool has_table(const char *file)
{
	struct elf elf;
	bool found;

	elf_read(&elf, file);
	found = elf_section(&elf, ".orc_unwind") != NULL;
	free(elf.bytes);
	return found;
}

static void open_kernel(struct elf *elf, struct jf_orc_table *table)
{
	struct jf_orc_sections sections = {.size = sizeof(sections)};
	const Elf64_Shdr *unwind, *ip, *header;

	elf_read(elf, kernel_file("vmlinux"));
	unwind = elf_section(elf, ".orc_unwind");
	ip = elf_section(elf, ".orc_unwind_ip");
	header = elf_section(elf, ".orc_header");
	cr_assert(unwind && ip && header);
	sections.unwind = elf->bytes + unwind->sh_offset;
	sections.unwind_bytes = unwind->sh_size;
	sections.unwind_ip = elf->bytes + ip->sh_offset;
	sections.unwind_ip_bytes = ip->sh_size;
	sections.unwind_ip_address = ip->sh_addr;
	sections.header = elf->bytes + header->sh_offset;
	sections.header_bytes = header->sh_size;
	cr_assert_eq(jf_orc_table_init(table, jf_backend_find("x86_64"), &sections, NULL), JF_OK);
	cr_assert_eq(table->header, JF_ORC_HEADER_KNOWN);
	cr_assert(jf_orc_is_sorted(table));
}

/* Through rows as far as rows can say it, and all of it through the writer. */
Test(orc_kernel, the_table_can_be_written_again, .timeout = 300)
{
	struct jf_orc_entry entry, next, made;
	struct jf_slot slots[JF_ORC_SLOTS];
	struct jf_orc_table table, again;
	struct jf_orc_writer writer;
	size_t rows = 0, dropped = 0;
	uint8_t *entries, *ips;
	struct jf_row row;
	struct elf elf;

	open_kernel(&elf, &table);
	entries = malloc(table.count * table.format->entry_bytes);
	ips = malloc(table.count * 4);
	cr_assert_eq(jf_orc_writer_init(&writer, table.format, entries, ips, table.count, table.ips_address), JF_OK);
	for (size_t i = 0; i < table.count; i++) {
		enum jf_status status;

		jf_orc_entry_at(&table, i, &entry);
		status = jf_orc_to_row(table.format, &entry, &row, slots);
		CHECK(status == JF_OK || status == JF_E_UNSUPPORTED || status == JF_END, "entry %zu", i);
		if (status == JF_OK) {
			CHECK_STATUS(jf_orc_from_row(table.format, &row, slots, JF_ORC_SLOTS, &made, NULL), JF_OK,
				     "entry %zu", i);
			CHECK(orc_same_entry(&entry, &made), "entry %zu", i);
			rows++;
		}
		CHECK_STATUS(jf_orc_write(&writer, jf_orc_address(&table, i), &entry), JF_OK, "entry %zu", i);
	}
	jf_orc_written(&writer, &again);
	/* The kernel's has some entries that say nothing new, where its sections meet. */
	for (size_t i = 0, k = 0; i < table.count; i++) {
		uint64_t address = jf_orc_address(&table, i);

		jf_orc_entry_at(&table, i, &entry);
		if (k < again.count && jf_orc_address(&again, k) == address) {
			jf_orc_entry_at(&again, k, &next);
			if (orc_same_entry(&entry, &next)) {
				k++;
				continue;
			}
		}
		dropped++;
	}
	cr_assert_eq(again.count + dropped, table.count);
	cr_assert(dropped < 20, "%zu entries are gone", dropped);
	cr_assert(rows * 1000 > table.count * 995, "%zu of %zu entries are rows", rows, table.count);
	free(entries);
	free(ips);
	free(elf.bytes);
}

static void check_range(const struct jf_orc_table *table, uint64_t start, uint64_t end)
{
	struct jf_orc_index *index;

	CHECK_STATUS(jf_orc_index_new(table, start, end, &index), JF_OK, "%#llx", (unsigned long long)start);
	for (size_t i = 0; i < table->count; i++) {
		uint64_t address = jf_orc_address(table, i) - 1;

		for (unsigned int k = 0; k < 3; k++, address++) {
			const struct jf_orc_entry *found;
			struct jf_orc_entry wanted;
			size_t at;

			if (address < start || address >= end)
				continue;
			found = jf_orc_index_find(index, address);
			CHECK_STATUS(jf_orc_search(table, address, &at), JF_OK, "entry %zu", i);
			jf_orc_entry_at(table, at, &wanted);
			CHECK(found && orc_same_entry(found, &wanted), "address %#llx", (unsigned long long)address);
		}
	}
	jf_orc_index_free(index);
}

Test(orc_kernel, the_index_finds_what_a_search_finds, .timeout = 300)
{
	static const char *const names[] = {".text", ".init.text"};
	struct jf_orc_table table;
	struct elf elf;

	open_kernel(&elf, &table);
	for (unsigned int i = 0; i < 2; i++) {
		const Elf64_Shdr *section = elf_section(&elf, names[i]);

		check_range(&table, section->sh_addr, section->sh_addr + section->sh_size);
	}
	/* Kernel text and init code in one, with the gap between. */
	check_range(&table, jf_orc_address(&table, 0), jf_orc_address(&table, table.count - 1) + 1);
	free(elf.bytes);
}
