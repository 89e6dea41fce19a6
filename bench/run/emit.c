/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * emit FOLDER OBJECT: the code of each program for every architecture, to be run there by code.c, and the data:
 *
 *     FOLDER/data
 *     FOLDER/ARCH/PROGRAM.jitframe     by the convention "user"
 *     FOLDER/ARCH/PROGRAM.linux        by Linux's JIT, where scripts/kernel-jit has built the architecture's
 */

#include "../linux_jit.h"
#include "../measure.h"
#include "open.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROGRAM(name, flow) #name,
static const char *const names[] = {PROGRAMS(PROGRAM)};

static void write_file(const char *folder, const char *arch, const char *name, const char *who, const void *bytes,
		       size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, arch);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s%s%s%s%s", folder, arch, *arch ? "/" : "", name, *who ? "." : "", who);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		bench_fail("%s: cannot be written", path);
}

static void emit(const char *folder, const struct jf_convention *conv, const char *name,
		 const struct jf_program *program)
{
	size_t capacity = jf_compile_bound(conv, program), size;
	uint8_t *bytes = malloc(capacity), *linux_bytes;
	struct jf_image *image;
	struct jf_error error;

	if (!bytes || jf_compile(conv, program, NULL, bytes, capacity, CODE_ADDRESS, &image, &error) != JF_OK)
		bench_fail("%s: %s: %s", name, error.where, error.text);
	write_file(folder, conv->backend->name, name, "jitframe", bytes, image->size_bytes);
	size = linux_jit_code_of(conv->backend, program->functions,
				 jf_image_function_at(image, 0)->frame->spec.bpf_stack_bytes, &linux_bytes);
	if (size)
		write_file(folder, conv->backend->name, name, "linux", linux_bytes, size);
	free(linux_bytes);
	jf_image_free(image);
	free(bytes);
}

int main(int argc, char **argv)
{
	const struct jf_convention *conv;
	const struct jf_backend *backend;
	struct jf_error error;
	struct data data;
	char target[64];

	if (argc != 3)
		bench_fail("usage: emit FOLDER OBJECT");
	mkdir(argv[1], 0777);
	programs_data(&data);
	write_file(argv[1], "", "data", "", &data, sizeof(data));
	programs_open(argv[2]);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct bundle_selection selection;

		programs_select(names[i], &selection);
		for (size_t k = 0; (backend = jf_backend_at(k)); k++) {
			snprintf(target, sizeof(target), "%s/user", backend->name);
			if (jf_convention_find(target, &conv, &error) == JF_OK)
				emit(argv[1], conv, names[i], &selection.program);
		}
		bundle_selection_free(&selection);
	}
	return 0;
}
