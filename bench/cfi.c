/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * .eh_frame: the row of a first address, from nothing known on; then those of a thousand functions, then of all, in
 * libc and in a large library. Time and memory count from the start. The peers: elfutils' libdw, which gives rows too,
 * and libgcc's _Unwind_Find_FDE(), which finds the entry and does not read it. Each sample is a process of its own.
 */

#include "host.h"
#include "measure.h"

#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURNS 5

enum mark { FIRST, THOUSAND, ALL, MARKS };

struct sample {
	double ns[MARKS], bytes[MARKS];
};

static struct {
	const char *path;
	uint64_t base;
	uint64_t *addresses; /* a byte of each function, as loaded, in no order */
	size_t count;
} object;

/* ---- what is looked up --------------------------------------------------------------------------------------- */

/* The functions of .eh_frame, as jitframe converts the section of the file. */
static void find_addresses(void)
{
	int fd = open(object.path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 || elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	struct jf_cfi_section section = {.size = sizeof(section)};
	const struct jf_cfi_function *function;
	struct jf_cfi_table *table;
	struct jf_error error;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		bench_fail("%s: no ELF file", object.path);
	while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &header)) {
		const char *name = elf_strptr(elf, names, header.sh_name);
		Elf_Data *data = name && strcmp(name, ".eh_frame") == 0 ? elf_rawdata(scn, NULL) : NULL;

		if (data) {
			section.bytes = data->d_buf;
			section.size_bytes = data->d_size;
			section.address = header.sh_addr;
		}
	}
	if (jf_cfi_convert(jf_backend_host(), &section, object.path, &table, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
	object.count = jf_cfi_table_counts(table)->functions;
	object.addresses = calloc(object.count, sizeof(*object.addresses));
	for (size_t i = 0; object.addresses && (function = jf_cfi_table_at(table, i)); i++)
		object.addresses[i * 611953 % object.count] = object.base + (function->start + function->end) / 2;
	jf_cfi_table_free(table);
	elf_end(elf);
	close(fd);
}

/* ---- who looks it up ----------------------------------------------------------------------------------------- */

static void ours_start(void)
{
	if (jf_cfi_load_objects(NULL) != JF_OK)
		bench_fail("no objects");
}

static bool ours_find(uint64_t address)
{
	struct jf_cfi_room room;
	unsigned int section = jf_code_map_enter();
	bool found = jf_cfi_find(jf_backend_host(), address, &room, NULL);

	jf_code_map_leave(section);
	return found;
}

static Dwarf_CFI *dwarf_cfi;

static void libdw_start(void)
{
	int fd = open(object.path, O_RDONLY | O_CLOEXEC);

	elf_version(EV_CURRENT);
	dwarf_cfi = dwarf_getcfi_elf(elf_begin(fd, ELF_C_READ_MMAP, NULL));
}

static bool libdw_find(uint64_t address)
{
	Dwarf_Frame *frame;

	if (dwarf_cfi_addrframe(dwarf_cfi, address - object.base, &frame))
		return false;
	free(frame);
	return true;
}

extern const void *_Unwind_Find_FDE(void *, void *);

static void libgcc_start(void)
{
}

static bool libgcc_find(uint64_t address)
{
	void *bases[3];

	return _Unwind_Find_FDE((void *)(uintptr_t)address, bases);
}

static const struct {
	const char *who;
	void (*start)(void);
	bool (*find)(uint64_t address);
} readers[] = {
	{"jitframe", ours_start, ours_find},
	{"libdw", libdw_start, libdw_find},
	{"libgcc, found and not read", libgcc_start, libgcc_find},
};

/* ---- samples ------------------------------------------------------------------------------------------------- */

static struct sample take_sample(unsigned int who)
{
	const size_t ends[MARKS] = {1, object.count < 1000 ? object.count : 1000, object.count};
	struct sample sample;
	double bytes, ns = 0;
	size_t i = 0, missed = 0;

	/* What the parent has freed would serve somebody first. */
	malloc_trim(0);
	bytes = bench_resident_bytes();
	for (enum mark mark = FIRST; mark < MARKS; mark++) {
		double before = bench_now_ns();

		if (mark == FIRST)
			readers[who].start();
		for (; i < ends[mark]; i++)
			missed += !readers[who].find(object.addresses[i]);
		ns += bench_now_ns() - before;
		sample.ns[mark] = ns;
		sample.bytes[mark] = bench_resident_bytes() - bytes;
	}
	if (missed > object.count / 100)
		bench_fail("%s finds %zu of %zu functions only", readers[who].who, object.count - missed, object.count);
	return sample;
}

static struct sample child_sample(unsigned int who)
{
	struct sample sample;
	int ends[2], status = 1;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		bench_fail("no process");
	if (!pid) {
		sample = take_sample(who);
		_exit(write(ends[1], &sample, sizeof(sample)) != sizeof(sample));
	}
	close(ends[1]);
	if (read(ends[0], &sample, sizeof(sample)) != sizeof(sample) || waitpid(pid, &status, 0) != pid || status)
		bench_fail("a sample of %s failed", readers[who].who);
	close(ends[0]);
	return sample;
}

static void add(const char *x, size_t turns, struct sample (*samples)[COUNT(readers)], enum mark mark, bool bytes)
{
	double values[COUNT(readers)][TURNS];

	for (unsigned int who = 0; who < COUNT(readers) && !(who && bench_ours_only()); who++) {
		for (size_t t = 0; t < turns; t++)
			values[who][t] = bytes ? samples[t][who].bytes[mark] / 1024 : samples[t][who].ns[mark] / 1000;
		bench_add(x, readers[who].who, values[who], turns, values[0]);
	}
}

static void measure_object(const char *path)
{
	struct sample samples[TURNS][COUNT(readers)];
	size_t turns = bench_size(TURNS, 2);
	void *library = dlopen(path, RTLD_NOW);
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct link_map *map;
	char title[256], all[32];

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map))
		bench_fail("%s", dlerror());
	object.path = map->l_name;
	object.base = map->l_addr;
	find_addresses();
	for (size_t t = 0; t < turns; t++)
		for (unsigned int who = 0; who < COUNT(readers); who++)
			samples[t][who] = child_sample(who);
	snprintf(all, sizeof(all), "%zu", object.count);
	for (int bytes = 0; bytes <= 1; bytes++) {
		snprintf(title, sizeof(title), "Rows of %s from nothing, %s", name, bytes ? "memory" : "time");
		bench_table(title, "functions", bytes ? "KiB" : "us");
		add("1", turns, samples, FIRST, bytes);
		add("1000", turns, samples, THOUSAND, bytes);
		add(all, turns, samples, ALL, bytes);
	}
	free(object.addresses);
}

int main(int argc, char **argv)
{
	const char *large;

	bench_begin(argc, argv, "cfi");
	large = bench_large_file();
	measure_object("libc.so.6");
	if (large && strcmp(strrchr(large, '/'), "/libc.so.6") != 0)
		measure_object(large);
	return bench_end();
}
