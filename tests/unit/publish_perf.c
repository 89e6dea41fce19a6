/* SPDX-License-Identifier: BSD-2-Clause */
#include "loads.h"

#include <fcntl.h>
#include <jitframe/publish.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* perf's files, in folders where others write. What perf makes of them is in tests/debuggers. */

static char folder[] = "/tmp/jitframe-perf-XXXXXX";
static char map_path[64], dump_path[64];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(jf_publish_folder_set(folder), JF_OK);
	snprintf(map_path, sizeof(map_path), "%s/perf-%d.map", folder, (int)getpid());
	snprintf(dump_path, sizeof(dump_path), "%s/jit-%d.dump", folder, (int)getpid());
	user_convention();
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(publish_perf, .init = make_folder, .fini = remove_folder);

static void start(uint32_t consumers)
{
	struct jf_error error = {0};

	CHECK_STATUS(jf_publish_start(consumers, &error), JF_OK, "%s: %s", error.where, error.text);
}

/* What a file holds; "" for one that is not there. */
static const char *content(const char *path, size_t *size)
{
	static char bytes[65536];
	FILE *file = fopen(path, "rb");

	*size = file ? fread(bytes, 1, sizeof(bytes) - 1, file) : 0;
	bytes[*size] = '\0';
	if (file)
		fclose(file);
	return bytes;
}

static bool has_line(const char *path, const struct jf_loaded *loaded)
{
	const struct jf_image *image = jf_loaded_image(loaded);
	const struct jf_image_function *f = jf_image_function_at(image, 0);
	char line[128];
	size_t size;

	snprintf(line, sizeof(line), "%llx %x %s\n", (unsigned long long)(image->address + f->start), f->size_bytes,
		 f->name);
	return strstr(content(path, &size), line);
}

static void check_line(const char *path, const struct jf_loaded *loaded)
{
	CHECK(has_line(path, loaded), "%s", path);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(publish_perf, a_map_has_a_line_for_each_function)
{
	struct jf_loaded *early = load_number(1), *late;
	struct stat file;

	start(JF_PUBLISH_PERF_MAP);
	late = load_number(2);
	check_line(map_path, early);
	check_line(map_path, late);
	cr_assert_eq(stat(map_path, &file), 0);
	cr_assert_eq(file.st_mode & 0777, 0600);
	unload(early);
	cr_assert_eq(jf_publish_stop(JF_PUBLISH_PERF_MAP), JF_OK);
	unload(late);
	cr_assert_eq(access(map_path, R_OK), 0, "perf needs it later");
}

Test(publish_perf, a_map_of_ours_is_appended_to)
{
	struct jf_loaded *loaded;
	size_t size;

	put(map_path, "1000 10 another_jit\n");
	start(JF_PUBLISH_PERF_MAP);
	loaded = load_number(1);
	cr_assert_eq(strncmp(content(map_path, &size), "1000 10 another_jit\n", 20), 0);
	check_line(map_path, loaded);
	unload(loaded);
}

Test(publish_perf, a_dump_of_ours_is_replaced)
{
	size_t size;

	put(dump_path, "of a process that is gone");
	start(JF_PUBLISH_PERF_DUMP);
	cr_assert_eq(memcmp(content(dump_path, &size), "DTiJ", 4), 0);
	cr_assert_eq(size, 40, "%zu bytes, not a header alone", size);
}

/* ---- what somebody else may have put there ----------------------------------------------------------------- */

static void by_symlink(const char *path, const char *target)
{
	cr_assert_eq(symlink(target, path), 0);
}

static void by_link(const char *path, const char *target)
{
	cr_assert_eq(link(target, path), 0);
}

static void by_pipe(const char *path, const char *target)
{
	(void)target;
	cr_assert_eq(mkfifo(path, 0600), 0);
}

static void by_folder(const char *path, const char *target)
{
	(void)target;
	cr_assert_eq(mkdir(path, 0700), 0);
}

Test(publish_perf, traps_are_refused)
{
	static void (*const traps[])(const char *path, const char *target) = {by_symlink, by_link, by_pipe, by_folder};
	static const enum jf_publish consumers[] = {JF_PUBLISH_PERF_MAP, JF_PUBLISH_PERF_DUMP};
	char target[64];
	size_t size;

	snprintf(target, sizeof(target), "%s/target", folder);
	put(target, "precious");
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 2; k++) {
			const char *path = k ? dump_path : map_path;
			struct jf_error error = {0};

			traps[i](path, target);
			CHECK_STATUS(jf_publish_start(consumers[k], &error), JF_E_UNSUPPORTED, "trap %zu", i);
			CHECK(strstr(error.text, path), "%s", error.text);
			cr_assert_str_eq(content(target, &size), "precious");
			cr_assert_eq(remove(path), 0);
		}
}

Test(publish_perf, a_folder_that_is_not_there)
{
	struct jf_error error = {0};
	char name[256];

	cr_assert_eq(jf_publish_folder_set(NULL), JF_E_INVAL);
	cr_assert_eq(jf_publish_folder_set(""), JF_E_INVAL);
	memset(name, 'x', sizeof(name));
	name[201] = '\0';
	cr_assert_eq(jf_publish_folder_set(name), JF_E_INVAL);
	name[200] = '\0';
	cr_assert_eq(jf_publish_folder_set(name), JF_OK);
	cr_assert_eq(jf_publish_start(JF_PUBLISH_PERF_MAP, &error), JF_E_UNSUPPORTED);
	cr_assert(strstr(error.text, "xxx"), "%s", error.text);
}

/* ---- children -------------------------------------------------------------------------------------------- */

/* An assertion here would end the child as if all were well. returns: its exit status. */
static int in_child(const struct jf_loaded *early)
{
	struct jf_loaded *own = load_number(2);
	char path[64];
	size_t size;

	snprintf(path, sizeof(path), "%s/perf-%d.map", folder, (int)getpid());
	if (!has_line(path, early) || !has_line(path, own))
		return 2;
	snprintf(path, sizeof(path), "%s/jit-%d.dump", folder, (int)getpid());
	content(path, &size);
	return size > 200 ? 0 : 1;
}

Test(publish_perf, a_forked_child_has_files_of_its_own)
{
	const uint32_t both = JF_PUBLISH_PERF_MAP | JF_PUBLISH_PERF_DUMP;
	struct jf_loaded *early = load_number(1);
	size_t before, after;
	pid_t pid;

	start(both);
	content(dump_path, &before);
	pid = fork();
	if (pid == 0)
		_exit(in_child(early));
	cr_assert_eq(end_of(pid), 100);
	content(dump_path, &after);
	cr_assert_eq(before, after, "the child wrote to its parent's");
	cr_assert_eq(jf_publish_stop(both), JF_OK);
	unload(early);
}
