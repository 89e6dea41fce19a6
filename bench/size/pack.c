/* SPDX-License-Identifier: BSD-2-Clause */
/* pack OUT OBJECT...: the programs of BPF object files, linked, as bench/size/capture.c takes them. */
#include "job.h"

#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "link.h"

static const struct {
	const char *section;
	uint32_t type;
} types[] = {
	{"tc", BPF_PROG_TYPE_SCHED_CLS},
	{"xdp", BPF_PROG_TYPE_XDP},
	{"socket", BPF_PROG_TYPE_SOCKET_FILTER},
};

static int fail(const char *what, const struct jf_error *error)
{
	fprintf(stderr, "pack: %s: %s%s%s\n", what, error ? error->where : "", error ? ": " : "",
		error ? error->text : "failed");
	return 1;
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long length;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0) {
		bytes = malloc((size_t)length);
		*size = (size_t)length;
		if (bytes && fread(bytes, 1, *size, file) != *size) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* "build/packets-v3.bpf.o", "reflect" -> "packets-v3/reflect" */
static int name_job(struct job *job, const char *path, const char *program)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int length = snprintf(job->name, sizeof(job->name), "%.*s/%s", (int)strcspn(base, "."), base, program);

	return length > 0 && (size_t)length < sizeof(job->name) ? 0 : -1;
}

static void write_maps(const struct bundle *bundle, FILE *out)
{
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++) {
		const struct bundle_map *m = &bundle->maps[i];
		struct job_map map = {m->type,        m->key_bytes, m->value_bytes,
				      m->max_entries, m->map_flags, (m->flags & BUNDLE_MAP_DATA) != 0};

		fwrite(&map, sizeof(map), 1, out);
	}
}

/* Functions one behind the other, main first; calls become distances. */
static void write_insns(const struct jf_program *program, FILE *out)
{
	uint32_t *start = calloc(program->function_count, sizeof(*start)), place = 0;

	if (!start)
		exit(fail("no memory", NULL));
	for (uint32_t f = 1; f < program->function_count; f++)
		start[f] = start[f - 1] + program->functions[f - 1].insn_count;
	for (uint32_t f = 0; f < program->function_count; f++) {
		for (uint32_t i = 0; i < program->functions[f].insn_count; i++, place++) {
			struct jf_insn insn = program->functions[f].insns[i];

			if (insn.opcode == (BPF_JMP | BPF_CALL) && insn.regs >> 4 == BPF_PSEUDO_CALL)
				insn.imm = (int32_t)(start[insn.imm] - place - 1);
			fwrite(&insn, sizeof(insn), 1, out);
		}
	}
	free(start);
}

static int write_program(const struct bundle *bundle, uint32_t index, const char *path, FILE *out)
{
	const char *section = bundle->strings + bundle->programs[index].section;
	struct job job = {.map_count = bundle->count[BUNDLE_MAPS]};
	struct bundle_selection selection;
	struct jf_error error = {0};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].section, section) == 0)
			job.type = types[i].type;
	if (job.type == 0)
		return fail(section, NULL);
	if (name_job(&job, path, bundle->strings + bundle->programs[index].name) != 0)
		return fail(path, NULL);
	if (bundle_select(bundle, index, &selection, &error) != JF_OK)
		return fail(path, &error);
	for (uint32_t f = 0; f < selection.program.function_count; f++)
		job.insn_count += selection.program.functions[f].insn_count;
	fwrite(&job, sizeof(job), 1, out);
	write_maps(bundle, out);
	write_insns(&selection.program, out);
	bundle_selection_free(&selection);
	return 0;
}

static int write_object(const char *path, FILE *out)
{
	size_t object_size = 0, size;
	void *object = read_file(path, &object_size), *bytes = NULL;
	struct jf_error error = {0};
	struct bundle bundle;
	int status = 0;

	if (!object)
		return fail(path, NULL);
	if (link_object(object, object_size, NULL, LINK_TO_RUN, &bytes, &size, &error) != JF_OK ||
	    bundle_open(&bundle, bytes, size, &error) != JF_OK)
		status = fail(path, &error);
	for (uint32_t i = 0; status == 0 && i < bundle.count[BUNDLE_PROGRAMS]; i++)
		status = write_program(&bundle, i, path, out);
	free(bytes);
	free(object);
	return status;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 2 ? fopen(argv[1], "wb") : NULL;
	int status = 0;

	if (!out) {
		fprintf(stderr, "usage: pack OUT OBJECT...\n");
		return 1;
	}
	for (int i = 2; status == 0 && i < argc; i++)
		status = write_object(argv[i], out);
	if (fclose(out) != 0 && status == 0)
		status = fail(argv[1], NULL);
	return status;
}
