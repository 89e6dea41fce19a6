/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a walk costs per frame: the time from many frames deep less that from a few, by the frames between. Through
 * C code compiled without frame pointers, and through BPF functions: one that calls itself, and 32 that call one
 * another. Beside it libunwind's unw_backtrace() and unw_step() through the C code, by walk_libunwind.c.
 */

#include "walk.h"
#include "measure.h"

#include <jitframe/jitframe.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHAIN        32

static const unsigned int depths[] = WALK_DEPTHS;

/* ---- one walk ---------------------------------------------------------------------------------------------- */

static unsigned int frames;
static enum jf_status ended;

static void walk_bpf(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < WALK_REPEAT; i++) {
		struct jf_walk walk;

		frames = 0;
		for (ended = jf_walk_here(&walk, NULL); ended == JF_OK; ended = jf_walk_step(&walk))
			frames++;
		jf_walk_end(&walk);
	}
}

static void walk_all(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < WALK_REPEAT; i++) {
		struct jf_walk walk;

		frames = 0;
		for (ended = jf_walk_here(&walk, NULL); ended == JF_OK; ended = jf_walk_step_past_entry(&walk))
			frames++;
		jf_walk_end(&walk);
	}
}

/* Of the deepest so far, and of the one before. */
static struct {
	struct measure time;
	unsigned int frames;
} deep, flat;

static void note(void (*walk)(void *))
{
	flat = deep;
	deep.time = measure(walk, NULL, WALK_REPEAT, 0.3);
	deep.frames = frames;
	if (ended != JF_END) {
		fprintf(stderr, "the walk ended with %s\n", jf_status_name(ended));
		exit(1);
	}
}

static uint64_t note_bpf(uint64_t arg)
{
	note(walk_bpf);
	return arg;
}

static uint64_t note_all(uint64_t arg)
{
	note(walk_all);
	return arg;
}

/* ---- BPF code ---------------------------------------------------------------------------------------------- */

static struct jf_loaded *load(const struct jf_function *functions, uint32_t count)
{
	const struct jf_import kfuncs[] = {{.name = "note", .address = (uintptr_t)note_bpf}};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = count,
		.callback = -1,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
	};
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_loaded *loaded = NULL;
	struct jf_error error = {.text = "there is no backend for this host"};
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "");
	if (!host || jf_convention_find(target, &conv, &error) != JF_OK ||
	    jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		exit(1);
	}
	return loaded;
}

/* main(depth) calls down, which calls itself `depth` deep. */
static struct jf_loaded *load_recursion(void)
{
	static const struct jf_insn main_insns[] = {
		{0x85, 0x10, 0, 1}, /* call function 1 */
		{0x95, 0x00, 0, 0}, /* exit */
	};
	static const struct jf_insn down_insns[] = {
		{0x17, 0x01, 0, 1}, /* r1 -= 1 */
		{0x55, 0x01, 2, 0}, /* if r1 != 0 goto call */
		{0x85, 0x20, 0, 0}, /* call kfunc 0 */
		{0x05, 0x00, 1, 0}, /* goto exit */
		{0x85, 0x10, 0, 1}, /* call function 1, this one */
		{0x95, 0x00, 0, 0}, /* exit */
	};
	static const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns)},
		{"down", down_insns, COUNT(down_insns)},
	};

	return load(functions, COUNT(functions));
}

/* Each function keeps something in r6 over its call of the next; from the last on it goes round, `depth` deep. */
static struct jf_loaded *load_chain(void)
{
	static struct jf_insn insns[CHAIN][8];
	static struct jf_function functions[CHAIN];

	for (unsigned int i = 0; i < CHAIN; i++) {
		const struct jf_insn body[] = {
			{0xbf, 0x16, 0, 0}, /* r6 = r1 */
			{0x17, 0x01, 0, 1}, /* r1 -= 1 */
			{0x55, 0x01, 2, 0}, /* if r1 != 0 goto call */
			{0x85, 0x20, 0, 0}, /* call kfunc 0 */
			{0x05, 0x00, 1, 0}, /* goto end */
			{0x85, 0x10, 0, (int32_t)((i + 1) % CHAIN)},
			{0x0f, 0x60, 0, 0}, /* r0 += r6 */
			{0x95, 0x00, 0, 0}, /* exit */
		};

		memcpy(insns[i], body, sizeof(body));
		functions[i] = (struct jf_function){"link", insns[i], COUNT(body)};
	}
	return load(functions, CHAIN);
}

/* ---- libunwind --------------------------------------------------------------------------------------------- */

struct peer {
	double backtrace, step; /* ns per frame */
};

static double per_frame(double flat_ns, double deep_ns, unsigned int flat_frames, unsigned int deep_frames)
{
	return (deep_ns - flat_ns) / (deep_frames - flat_frames);
}

/* Its lines: one per depth. returns: NULL when it cannot be run. */
static json_t *run_libunwind(void)
{
	char path[4096] = "", command[4200], line[4096];
	json_t *lines = json_array();
	FILE *pipe;

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		return NULL;
	snprintf(command, sizeof(command), "'%s/bench_walk_libunwind' 2>/dev/null", dirname(path));
	pipe = popen(command, "r");
	while (pipe && fgets(line, sizeof(line), pipe))
		json_array_append_new(lines, json_loads(line, 0, NULL));
	if (!pipe || pclose(pipe) || json_array_size(lines) != 2)
		return NULL;
	return lines;
}

static double from_line(json_t *lines, size_t index, const char *what, const char *count, double *frame_count)
{
	json_t *line = json_array_get(lines, index);

	*frame_count = json_number_value(json_object_get(line, count));
	return json_number_value(json_object_get(json_object_get(line, what), "median_ns"));
}

static double line_per_frame(json_t *lines, const char *what, const char *count)
{
	double few, many, flat_ns = from_line(lines, 0, what, count, &few),
			  deep_ns = from_line(lines, 1, what, count, &many);

	return per_frame(flat_ns, deep_ns, (unsigned int)few, (unsigned int)many);
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static void print(const char *what, double ns, const struct peer *peer, json_t *rows)
{
	printf("%-34s %9.2f", what, ns);
	if (peer->step > 0)
		printf(" %9.2f %9.1f", peer->backtrace / ns, peer->step / ns);
	printf("\n");
	json_array_append_new(rows, json_pack("{s:s, s:f}", "walk", what, "ns_per_frame", ns));
}

static void print_measured(const char *what, const struct peer *peer, json_t *rows)
{
	double ns = per_frame(flat.time.median, deep.time.median, flat.frames, deep.frames);

	print(what, ns, peer, rows);
	json_array_append_new(rows, json_pack("{s:s, s:i, s:o, s:i, s:o}", "walk", what, "frames", (int)flat.frames,
					      "time", measure_json(&flat.time), "more_frames", (int)deep.frames,
					      "more_time", measure_json(&deep.time)));
}

int main(int argc, char **argv)
{
	json_t *rows = json_array(), *lines = run_libunwind();
	struct jf_loaded *recursion = load_recursion(), *chain = load_chain();
	struct peer peer = {0};

	if (jf_thread_init() != JF_OK)
		return 1;
	if (lines) {
		peer.backtrace = line_per_frame(lines, "unw_backtrace", "backtrace_frames");
		peer.step = line_per_frame(lines, "unw_step", "step_frames");
		json_array_append_new(rows, json_pack("{s:s, s:o}", "walk", "libunwind", "lines", lines));
	} else {
		printf("libunwind is missing (libunwind-dev): there are no figures of it\n\n");
	}
	printf("%-34s %9s %9s %9s\n", "", "", "backtrace", "step");
	printf("%-34s %9s %9s %9s\n", "frames of", "ns/frame", "ratio", "ratio");
	if (lines) {
		print("C, by unw_backtrace", peer.backtrace, &peer, rows);
		print("C, by unw_step", peer.step, &peer, rows);
	}
	for (unsigned int i = 0; i < COUNT(depths); i++)
		jf_run(recursion, depths[i]);
	print_measured("a BPF function that calls itself", &peer, rows);
	for (unsigned int i = 0; i < COUNT(depths); i++)
		jf_run(chain, depths[i]);
	print_measured("32 BPF functions in turn", &peer, rows);
	for (unsigned int i = 0; i < COUNT(depths); i++)
		walk_down(depths[i], note_all, 0);
	print_measured("C", &peer, rows);
	jf_unload(recursion);
	jf_unload(chain);
	return measure_finish(argc, argv, "walk", rows);
}
