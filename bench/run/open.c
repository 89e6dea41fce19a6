/* SPDX-License-Identifier: BSD-2-Clause */
#include "open.h"

#include "../measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

void programs_data(struct data *data)
{
	static const char text[] = "a frame pointer is 8 bytes; \"quoted 12 words\" and 345 frames, 17 of them C ";
	static const uint8_t packet[] = {2, 0, 0, 0,  0, 1, 2, 0,  0, 0, 0, 2,  8, 0, 0x45, 0,  0,   60, 1,
					 2, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,    31, 144, 0,  80};
	uint32_t x = 1;

	for (unsigned int i = 0; i < DATA_BYTES; i++)
		data->bytes[i] = (uint8_t)text[i % (sizeof(text) - 1)];
	memcpy(data->bytes, packet, sizeof(packet));
	/* What is searched for comes late. */
	for (unsigned int i = 64; i < DATA_BYTES - 20; i++)
		if (data->bytes[i] == 'f')
			data->bytes[i] = 'g';
	for (unsigned int i = 0; i < COUNT(data->words); i++)
		data->words[i] = x = x * 1664525 + 1013904223;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (unsigned int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
		data->table[i] = crc;
	}
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(1 << 20);

	if (!file || !bytes)
		bench_fail("%s: cannot be read", path);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static struct bundle bundle;

void programs_open(const char *path)
{
	size_t object_size, bundle_size;
	void *object = read_file(path, &object_size), *bytes;
	struct jf_error error = {.text = ""};

	if (link_object(object, object_size, NULL, LINK_TO_RUN, &bytes, &bundle_size, &error) != JF_OK ||
	    bundle_open(&bundle, bytes, bundle_size, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
	free(object);
}

void programs_select(const char *name, struct bundle_selection *selection)
{
	struct jf_error error = {.text = ""};
	uint32_t index;

	if (bundle_find(&bundle, name, &index, &error) != JF_OK ||
	    bundle_select(&bundle, index, selection, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
}
