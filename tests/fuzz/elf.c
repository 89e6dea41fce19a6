/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a file for `jitframe orc`: opened, every entry named and shown, sorted and searched. */

#include "cli.h"
#include "image.h"
#include "orc_file.h"
#include "target.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the command would print is of no interest here. */
int cli_bad_input(const char *fmt, ...)
{
	(void)fmt;
	return 3;
}

int cli_failed(const char *fmt, ...)
{
	(void)fmt;
	return 1;
}

int cli_error(const char *context, const char *kind, const struct jf_error *error)
{
	(void)context, (void)kind;
	MUST(error->status < 0 && memchr(error->text, 0, sizeof(error->text)));
	return 3;
}

bool cli_number(const char *text, unsigned int base, uint64_t max, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, (int)base);
	return end != text && !*end && *value <= max;
}

static void show(struct orc_file *file)
{
	char text[256];

	for (size_t i = 0; i < file->table.count; i++) {
		struct jf_orc_entry entry;
		uint64_t address;

		if (orc_file_entry_name(file, i, text, sizeof(text))) {
			MUST(memchr(text, 0, sizeof(text)));
			(void)orc_file_parse(file, text, &address);
		}
		orc_file_address_name(file, jf_orc_address(&file->table, i), text, sizeof(text));
		jf_orc_entry_at(&file->table, i, &entry);
		(void)jf_orc_text(file->table.format, &entry, text, sizeof(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	struct orc_file file;
	char path[32];

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (orc_file_open(&file, path, NULL) == 0) {
		show(&file);
		if (orc_file_sort(&file) == 0) {
			struct jf_orc_index *index;

			MUST(jf_orc_is_sorted(&file.table));
			if (jf_orc_index_new(&file.table, 0, UINT32_MAX, &index) == JF_OK)
				jf_orc_index_free(index);
		}
	}
	orc_file_close(&file);
	close(fd);
	return 0;
}

/* Linked kernels in miniature, with and without a header. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	static const struct jf_orc_format *formats[8];
	uint8_t entries[40 * 8], ips[40 * 4], *bytes;
	struct jf_orc_writer writer;
	struct jf_orc_table table;
	size_t count = 0, size;

	for (size_t i = 0; jf_backend_at(i); i++)
		for (const struct jf_orc_format *f = jf_backend_at(i)->orc; f && count < 8; f = f->older)
			formats[count++] = f;
	if (number >= 2 * count ||
	    jf_orc_writer_init(&writer, formats[number / 2], entries, ips, 40, TABLE_ADDRESS) != JF_OK)
		return 0;
	for (unsigned int i = 0; i < 40; i++) {
		struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 3, .sp_off = (int16_t)(8 + 8 * (i % 5))};

		if (i % 9 == 8)
			entry = (struct jf_orc_entry){.type = JF_ORC_UNDEFINED};
		if (jf_orc_write(&writer, IMAGE_TEXT_ADDRESS + 0x40 * (uint64_t)i, &entry) != JF_OK)
			return 0;
	}
	jf_orc_written(&writer, &table);
	bytes = orc_image(&table, number % 2 && table.format->header_count ? table.format->headers[0] : NULL, &size);
	if (size > capacity)
		size = 0;
	memcpy(data, bytes, size);
	free(bytes);
	return size;
}
