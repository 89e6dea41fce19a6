/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * ELF files that somebody damaged, through the same code as `jitframe orc`: each either has a table that can be
 * dumped, sorted and searched, or is refused. Under the address sanitizer nothing outside the file is read.
 */

#include "image.h"

#include "../../tools/jitframe/orc_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char file_name[64];
static unsigned int tables, refused;

static int file_fd;

static void write_file(const uint8_t *bytes, size_t size)
{
	CHECK(ftruncate(file_fd, 0) == 0 && pwrite(file_fd, bytes, size, 0) == (ssize_t)size, "%s", file_name);
}

static void read_table(struct orc_file *file)
{
	static const char *const places[] = {".text+20", "ffffffff81000020", "init_function", "+1"};
	struct jf_orc_entry entry;
	char name[512], text[256];
	uint64_t address;
	size_t index;

	for (size_t i = 0; i < file->table.count; i++) {
		(void)orc_file_entry_name(file, i, name, sizeof(name));
		jf_orc_entry_at(&file->table, i, &entry);
		jf_orc_text(file->table.format, &entry, text, sizeof(text));
	}
	if (orc_file_sort(file) != 0)
		return;
	CHECK(jf_orc_is_sorted(&file->table), "it is not sorted");
	for (unsigned int i = 0; i < 4; i++) {
		if (orc_file_parse(file, places[i], &address) != 0 ||
		    jf_orc_search(&file->table, address, &index) != JF_OK)
			continue;
		orc_file_address_name(file, address, name, sizeof(name));
		orc_file_address_name(file, jf_orc_address(&file->table, index), name, sizeof(name));
	}
}

static void try_file(const uint8_t *bytes, size_t size)
{
	struct orc_file file;

	write_file(bytes, size);
	if (orc_file_open(&file, file_name, NULL) == 0) {
		tables++;
		read_table(&file);
	} else {
		refused++;
	}
	orc_file_close(&file);
}

static void damage_file(const uint8_t *good, size_t size, struct rng *rng, unsigned int rounds)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	uint8_t *bytes = malloc(size);

	while (rounds--) {
		unsigned int changes = 1 + rng_below(rng, 6);

		memcpy(bytes, good, size);
		while (changes--) {
			size_t at = rng_below(rng, (uint32_t)size), length = 1 + rng_below(rng, 8);
			uint8_t value = rng_below(rng, 2) ? values[rng_below(rng, 5)] : (uint8_t)rng_next(rng);

			memset(bytes + at, value, length < size - at ? length : size - at);
		}
		try_file(bytes, rng_below(rng, 8) ? size : rng_below(rng, (uint32_t)size));
	}
	free(bytes);
}

/* A file in memory; and what the code has to say of the files is of no interest. */
static void set_up(void)
{
	int fd = open("/dev/null", O_WRONLY);

	dup2(fd, STDERR_FILENO);
	close(fd);
	file_fd = memfd_create("orc", 0);
	CHECK(file_fd >= 0, "memfd_create");
	snprintf(file_name, sizeof(file_name), "/proc/self/fd/%d", file_fd);
}

static void tear_down(void)
{
	close(file_fd);
}

TestSuite(orc_file, .init = set_up, .fini = tear_down, .timeout = 600);

static void damage_object(const char *path, uint64_t seed)
{
	FILE *file = fopen(path, "rb");
	struct rng rng = {seed};
	uint8_t bytes[65536];
	size_t size;

	CHECK(file, "%s", path);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	try_file(bytes, size);
	CHECK(tables == 1, "%s was refused", path);
	damage_file(bytes, size, &rng, 4000);
	CHECK(tables > 400 && refused > 400, "%u tables, %u refused", tables, refused);
}

Test(orc_file, damaged_x86_64_object)
{
	damage_object(OBJECT_DIR "/x86_64.o", 13);
}

Test(orc_file, damaged_loongarch64_object)
{
	damage_object(OBJECT_DIR "/loongarch64.o", 14);
}

Test(orc_file, damaged_linked_file)
{
	const struct jf_orc_format *format = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 3};
	struct rng rng = {15};
	struct memory_table m;
	uint8_t *bytes;
	size_t size;

	orc_memory_new(&m, format, 40);
	for (size_t i = 0; i < 40; i++) {
		entry.sp_off = (int16_t)i;
		orc_memory_set(&m, i, IMAGE_TEXT_ADDRESS + rng_below(&rng, 0x1000), &entry);
	}
	bytes = orc_image(&m.table, format->headers[0], &size);
	try_file(bytes, size);
	CHECK(tables == 1, "it was refused");
	damage_file(bytes, size, &rng, 4000);
	CHECK(tables > 400 && refused > 400, "%u tables, %u refused", tables, refused);
	free(bytes);
	orc_memory_free(&m);
}
