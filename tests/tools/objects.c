/* SPDX-License-Identifier: BSD-2-Clause */
#include "objects.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)

uint8_t *object_read(const char *name, size_t *size)
{
	uint8_t *bytes = malloc(FILE_BYTES_MAX);
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", OBJECT_DIR, name);
	file = fopen(path, "rb");
	cr_assert(file && bytes, "%s: cannot be read", path);
	*size = fread(bytes, 1, FILE_BYTES_MAX, file);
	fclose(file);
	return bytes;
}

void object_bundle(const char *name, const char *program, void **bytes, struct bundle *bundle)
{
	struct jf_error error = {0};
	size_t object_size, size;
	uint8_t *object = object_read(name, &object_size);
	enum jf_status status = link_object(object, object_size, program, LINK_TO_RUN, bytes, &size, &error);

	free(object);
	cr_assert_eq(status, JF_OK, "%s: %s: %s", name, error.where, error.text);
	status = bundle_open(bundle, *bytes, size, &error);
	cr_assert_eq(status, JF_OK, "%s: %s: %s", name, error.where, error.text);
}

/* Every helper number that a program could name, with an address. */
static void fill_imports(struct jf_program *program, const struct bundle *bundle, struct jf_import *helpers,
			 uint32_t helper_count, struct jf_import *kfuncs, struct jf_map_ref *maps)
{
	for (uint32_t i = 0; i < helper_count; i++)
		helpers[i] =
			(struct jf_import){.name = "helper", .address = 0x7f1000000000 + i * 64, .throws = i % 2 != 0};
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++) {
		kfuncs[i] =
			(struct jf_import){.name = bundle->strings + bundle->kfuncs[i].name, .address = 0x7f2000000000};
		kfuncs[i].resumes = strcmp(kfuncs[i].name, "bpf_unwind_resume") == 0;
		kfuncs[i].throws = !kfuncs[i].resumes;
	}
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++)
		maps[i] = (struct jf_map_ref){0x7f3000000000, 0x7f4000000000};
	program->helpers = helpers;
	program->helper_count = helper_count;
	program->kfuncs = kfuncs;
	program->kfunc_count = bundle->count[BUNDLE_KFUNCS];
	program->maps = maps;
	program->map_count = bundle->count[BUNDLE_MAPS];
}

static void compile_for(const struct jf_convention *conv, const struct jf_program *program)
{
	size_t capacity = jf_compile_bound(conv, program);
	uint8_t *code = malloc(capacity);
	struct jf_error error = {0};
	struct jf_image *image;

	cr_assert_not_null(code);
	if (jf_compile(conv, program, NULL, code, capacity, 0x7f0000000000, &image, &error) == JF_OK)
		jf_image_free(image);
	else
		cr_assert(error.text[0], "a refusal without a word");
	free(code);
}

static void compile_everywhere(const struct jf_program *program)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		for (unsigned int k = 0; k < backend->convention_count; k++)
			compile_for(backend->conventions[k], program);
}

static void exercise_program(const struct bundle *bundle, uint32_t index)
{
	struct jf_import helpers[256];
	struct jf_import *kfuncs = calloc((size_t)bundle->count[BUNDLE_KFUNCS] + 1, sizeof(*kfuncs));
	struct jf_map_ref *maps = calloc((size_t)bundle->count[BUNDLE_MAPS] + 1, sizeof(*maps));
	struct bundle_selection selection;
	struct jf_error error = {0};

	if (kfuncs && maps && bundle_select(bundle, index, &selection, &error) == JF_OK) {
		fill_imports(&selection.program, bundle, helpers, 256, kfuncs, maps);
		compile_everywhere(&selection.program);
		bundle_selection_free(&selection);
	}
	free(kfuncs);
	free(maps);
}

int bundle_exercise(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	struct jf_error error = {0};
	struct bundle bundle;
	enum jf_status status;
	uint32_t index;

	if (size > 0)
		memcpy(copy, bytes, size);
	status = bundle_open(&bundle, copy, size, &error);
	if (status == JF_OK) {
		for (uint32_t i = 0; i < bundle.count[BUNDLE_PROGRAMS]; i++)
			exercise_program(&bundle, i);
		if (bundle_find(&bundle, NULL, &index, &error) != JF_OK)
			(void)!bundle_find(&bundle, "program_b", &index, &error);
	} else if (!error.text[0]) {
		cr_assert_fail("bundle_open() refuses without a word");
	}
	free(copy);
	return status == JF_OK;
}

uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
