/* SPDX-License-Identifier: BSD-2-Clause */
#include "../support/jit_interface.h"
#include "loads.h"

#include "base/memory.h"

#include <elf.h>
#include <jitframe/publish.h>
#include <stdio.h>
#include <string.h>

/*
 * GDB's JIT interface, seen from the debugger's side: the list, and the function that debuggers stop in. What GDB makes
 * of the files is in tests/debuggers.
 */

static unsigned int registered, unregistered;

static bool is_in_list(const struct jit_code_entry *wanted)
{
	const struct jit_code_entry *before = NULL;
	bool found = false;

	for (const struct jit_code_entry *e = __jit_debug_descriptor.first; e; before = e, e = e->next) {
		cr_assert_eq(e->prev, before);
		found |= e == wanted;
	}
	return found;
}

/* In place of the library's, which is weak. */
void __jit_debug_register_code(void)
{
	const struct jit_code_entry *entry = __jit_debug_descriptor.relevant;
	bool added = __jit_debug_descriptor.action == 1;

	cr_assert_eq(__jit_debug_descriptor.version, 1);
	cr_assert(added || __jit_debug_descriptor.action == 2);
	CHECK(is_in_list(entry) == added, "action %u", __jit_debug_descriptor.action);
	cr_assert_eq(memcmp(entry->file, ELFMAG, SELFMAG), 0);
	registered += added;
	unregistered += !added;
}

static unsigned int listed(void)
{
	unsigned int count = 0;

	for (const struct jit_code_entry *e = __jit_debug_descriptor.first; e; e = e->next)
		count++;
	return count;
}

/* The functions of the newest file, by the sections of their code. */
static unsigned int functions_of_first(void)
{
	const uint8_t *file = __jit_debug_descriptor.first->file;
	const Elf64_Ehdr *header = (const void *)file;
	const Elf64_Shdr *sections = (const void *)(file + header->e_shoff);
	unsigned int count = 0;

	for (unsigned int i = 0; i < header->e_shnum; i++)
		count += sections[i].sh_type == SHT_NOBITS;
	return count;
}

static struct jf_publish_counts counts(void)
{
	struct jf_publish_counts made = {.size = sizeof(made)};

	cr_assert_eq(jf_publish_count(JF_PUBLISH_GDB, &made), JF_OK);
	return made;
}

static void start(void)
{
	struct jf_error error = {0};

	CHECK_STATUS(jf_publish_start(JF_PUBLISH_GDB, &error), JF_OK, "%s", error.text);
}

static void stop(void)
{
	cr_assert_eq(jf_publish_stop(JF_PUBLISH_GDB), JF_OK);
}

Test(publish_gdb, programs_come_and_go)
{
	struct jf_loaded *early = load_number(1), *late;

	cr_assert_eq(listed(), 0);
	start();
	cr_assert_eq(listed(), 1, "what was there before the start");
	late = load_number(2);
	cr_assert_eq(listed(), 2);
	unload(early);
	cr_assert_eq(listed(), 1);
	cr_assert_eq(functions_of_first(), 1);
	stop();
	cr_assert_eq(listed(), 0);
	unload(late);
	unload(load_number(3));
	cr_assert_eq(registered, 2);
	cr_assert_eq(unregistered, 2);
}

/* A debugger must not look at code that is gone, and has to see what is still there. */
Test(publish_gdb, a_file_loses_ranges_one_by_one)
{
	static const struct jf_row row = {.cfa_reg = 1};
	struct jf_range ranges[3];

	user_convention();
	for (uint64_t i = 0; i < 3; i++)
		ranges[i] = (struct jf_range){.size = sizeof(ranges[i]),
					      .kind = JF_RANGE_SUBPROGRAM,
					      .start = 0x100000 + i * 0x100,
					      .end = 0x100080 + i * 0x100,
					      .name = "range",
					      .backend = jf_backend_host(),
					      .rows = &row,
					      .row_count = 1};
	start();
	cr_assert_eq(jf_code_map_add_all(ranges, 3, NULL), JF_OK);
	cr_assert_eq(functions_of_first(), 3);
	cr_assert_eq(jf_code_map_remove(&ranges[1]), JF_OK);
	cr_assert_eq(listed(), 1);
	cr_assert_eq(functions_of_first(), 2);
	cr_assert_eq(counts().ranges, 2);
	cr_assert_eq(jf_code_map_remove(&ranges[0]), JF_OK);
	cr_assert_eq(jf_code_map_remove(&ranges[2]), JF_OK);
	cr_assert_eq(listed(), 0);
	cr_assert_eq(counts().ranges, 0);
	stop();
}

static unsigned int asked;

static const struct jf_range_rows *ask(void *arg, const struct jf_range *range)
{
	(void)range;
	asked++;
	return arg;
}

/* A name is worth telling without rows; an answer of NULL, and rows. */
Test(publish_gdb, lazy_ranges_are_asked_once)
{
	static const struct jf_row row = {.cfa_reg = 1};
	static struct jf_range_rows answer = {.rows = &row, .row_count = 1};
	struct jf_lazy_rows lazy[2] = {{ask, NULL, NULL}, {ask, &answer, NULL}};
	size_t bytes[2];

	user_convention();
	start();
	for (size_t i = 0; i < 2; i++) {
		struct jf_range range = {.size = sizeof(range),
					 .kind = JF_RANGE_SUBPROGRAM,
					 .start = 0x100000,
					 .end = 0x100080,
					 .name = "range",
					 .backend = jf_backend_host(),
					 .lazy = &lazy[i]};

		cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
		cr_assert_eq(listed(), 1);
		cr_assert_eq(asked, i + 1);
		bytes[i] = __jit_debug_descriptor.first->file_bytes;
		cr_assert_eq(jf_code_map_remove(&range), JF_OK);
		cr_assert_eq(listed(), 0);
	}
	cr_assert_gt(bytes[1], bytes[0], "rows add to the file");
	cr_assert_eq(counts().ranges, 0);
	stop();
}

/* Far apart: distances in one .eh_frame have 32 bits. */
Test(publish_gdb, ranges_far_apart_are_in_files_of_their_own)
{
	static const struct jf_row row = {.cfa_reg = 1};
	struct jf_range ranges[2];

	user_convention();
	for (uint64_t i = 0; i < 2; i++)
		ranges[i] = (struct jf_range){.size = sizeof(ranges[i]),
					      .kind = JF_RANGE_SUBPROGRAM,
					      .start = 0x100000 + (i << 33),
					      .end = 0x100080 + (i << 33),
					      .name = "range",
					      .backend = jf_backend_host(),
					      .rows = &row,
					      .row_count = 1};
	start();
	cr_assert_eq(jf_code_map_add_all(ranges, 2, NULL), JF_OK);
	cr_assert_eq(listed(), 2);
	cr_assert_eq(jf_code_map_remove_all(ranges, 2), JF_OK);
	cr_assert_eq(listed(), 0);
	stop();
}

/* Debuggers write breakpoints into private memory alone. */
Test(publish_gdb, code_is_in_private_memory)
{
	struct jf_loaded *loaded;
	unsigned long long low, high;
	char line[512], access[8] = "";
	FILE *maps = fopen("/proc/self/maps", "r");

	user_convention();
	start();
	loaded = load_number(4);
	cr_assert_not_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %7s", &low, &high, access) == 3 && low <= jf_loaded_entry(loaded) &&
		    jf_loaded_entry(loaded) < high)
			break;
	fclose(maps);
	cr_assert_str_eq(access, "r-xp");
	run_number(loaded, 4);
	unload(loaded);
	stop();
}

static long left; /* allocations that are still given */

static bool few(enum jf_memory_event event, size_t bytes)
{
	(void)bytes;
	return event == JF_MEMORY_FREE || event == JF_MEMORY_UNMAP || left-- > 0;
}

/* Programs load and run all the same; what could not be told is counted. */
Test(publish_gdb, without_memory)
{
	unsigned int told = 0, refused = 0;

	unload(load_number(0));
	start();
	for (long given = 0; given < 60; given++) {
		struct jf_loaded *loaded = NULL;
		uint64_t before = counts().refused;
		enum jf_status status;

		left = given;
		jf_memory_hook = few;
		status = try_number(5, &loaded);
		jf_memory_hook = NULL;
		if (status != JF_OK)
			continue;
		run_number(loaded, 5);
		told += listed() == 1;
		refused += counts().refused == before + 1 && listed() == 0;
		unload(loaded);
		cr_assert_eq(listed(), 0);
	}
	CHECK(told > 0 && refused > 0, "%u told, %u refused", told, refused);
	cr_assert_eq(counts().ranges, 0);
	stop();
}

Test(publish_gdb, a_forked_child_goes_on)
{
	struct jf_loaded *loaded;
	pid_t pid;

	user_convention();
	start();
	loaded = load_number(6);
	pid = fork();
	if (pid == 0) {
		struct jf_loaded *own = load_number(7);

		run_number(own, 7);
		if (listed() != 2)
			_exit(1);
		unload(loaded);
		_exit(listed() == 1 ? 0 : 2);
	}
	cr_assert_eq(end_of(pid), 100);
	cr_assert_eq(listed(), 1);
	unload(loaded);
	stop();
}
