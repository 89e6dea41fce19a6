/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A profiler in the process itself: SIGPROF walks the stack at any instruction, BPF and C alike, and each function on
 * the stack is counted by its name.
 *
 *     cc -g -rdynamic profiler.c $(pkg-config --cflags --libs jitframe) -ldl -o profiler
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr(3) */
#endif
#include <dlfcn.h>
#include <inttypes.h>
#include <jitframe/jitframe.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAMPLES      100
#define DEPTH_MAX    16

/* ---- what is profiled: main calls mix, which calls burn(), which is C ------------------------------------- */

static const struct jf_insn main_insns[] = {
	{0xbf, 0x16, 0, 0},  /* r6 = r1 */
	{0xb7, 0x07, 0, 0},  /* r7 = 0 */
	{0xbf, 0x61, 0, 0},  /* r1 = r6 */
	{0x85, 0x10, 0, 1},  /* call mix */
	{0x0f, 0x07, 0, 0},  /* r7 += r0 */
	{0x17, 0x06, 0, 1},  /* r6 -= 1 */
	{0x55, 0x06, -5, 0}, /* if r6 != 0 goto -5 */
	{0xbf, 0x70, 0, 0},  /* r0 = r7 */
	{0x95, 0x00, 0, 0},  /* exit */
};
static const struct jf_insn mix_insns[] = {
	{0xb7, 0x06, 0, 400}, /* r6 = 400 */
	{0x27, 0x01, 0, 31},  /* r1 *= 31 */
	{0x17, 0x06, 0, 1},   /* r6 -= 1 */
	{0x55, 0x06, -3, 0},  /* if r6 != 0 goto -3 */
	{0x85, 0x20, 0, 0},   /* call burn */
	{0x95, 0x00, 0, 0},   /* exit */
};

uint64_t burn(uint64_t x);
__attribute__((noinline)) uint64_t burn(uint64_t x)
{
	for (volatile unsigned int i = 0; i < 200; i++)
		x = x * 31 + i;
	return x;
}

static struct jf_loaded *load(void)
{
	const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns)},
		{"mix", mix_insns, COUNT(mix_insns)},
	};
	const struct jf_import kfuncs[] = {{.name = "burn", .address = (uintptr_t)burn}};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = COUNT(functions),
		.callback = -1,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
	};
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_loaded *loaded = NULL;
	struct jf_error error;
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "none");
	if (jf_convention_find(target, &conv, &error) != JF_OK ||
	    jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK)
		fprintf(stderr, "%s: %s: %s\n", jf_status_name(error.status), error.where, error.text);
	return loaded;
}

/* ---- sampling: in the handler nothing is allocated, and no name is looked for ------------------------------ */

static struct sample {
	uint64_t pcs[DEPTH_MAX];
	const char *names[DEPTH_MAX]; /* of generated code; NULL: C */
	unsigned int depth;
} samples[SAMPLES];
static volatile sig_atomic_t sample_count;

static void on_sigprof(int signal, siginfo_t *info, void *context)
{
	struct sample *sample = &samples[sample_count];
	struct jf_walk walk;
	enum jf_status status;

	(void)signal;
	(void)info;
	if (sample_count == SAMPLES)
		return;
	status = jf_walk_context(&walk, context, NULL);
	for (; status == JF_OK && sample->depth < DEPTH_MAX; status = jf_walk_step_past_entry(&walk)) {
		const struct jf_walk_frame *frame = jf_walk_at(&walk);

		if (frame->range && frame->range->kind >= JF_RANGE_STUB)
			continue; /* between C and BPF */
		/* The name outlives the walk: the program stays loaded. */
		sample->names[sample->depth] = frame->range ? frame->name : NULL;
		sample->pcs[sample->depth++] = frame->pc_is_return ? frame->pc - 1 : frame->pc;
	}
	jf_walk_end(&walk);
	if (sample->depth)
		sample_count++;
}

/* ---- the report ---------------------------------------------------------------------------------------- */

static struct line {
	char name[64];
	unsigned int samples;
	unsigned int last; /* sample that was counted last, + 1 */
} lines[64];
static size_t line_count;

static void count(const char *name, unsigned int sample)
{
	size_t i = 0;

	while (i < line_count && strcmp(lines[i].name, name))
		i++;
	if (i == COUNT(lines))
		return;
	if (i == line_count)
		snprintf(lines[line_count++].name, sizeof(lines[i].name), "%s", name);
	if (lines[i].last == sample + 1)
		return;
	lines[i].last = sample + 1;
	lines[i].samples++;
}

static void report(void)
{
	for (unsigned int s = 0; s < (unsigned int)sample_count; s++) {
		for (unsigned int i = 0; i < samples[s].depth; i++) {
			char name[64];
			Dl_info info;

			if (samples[s].names[i])
				snprintf(name, sizeof(name), "%s (BPF)", samples[s].names[i]);
			else if (dladdr((void *)(uintptr_t)samples[s].pcs[i], &info) && info.dli_sname)
				snprintf(name, sizeof(name), "%s", info.dli_sname);
			else
				snprintf(name, sizeof(name), "?");
			count(name, s);
		}
	}
	printf("%d samples; with the function on the stack:\n", (int)sample_count);
	for (size_t i = 0; i < line_count; i++)
		printf("%5.1f%%  %s\n", 100.0 * lines[i].samples / sample_count, lines[i].name);
}

int main(void)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_sigaction = on_sigprof, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct jf_loaded *loaded = load();

	if (!loaded || jf_thread_init() != JF_OK || sigaction(SIGPROF, &action, NULL) ||
	    setitimer(ITIMER_PROF, &often, NULL))
		return 1;
	for (unsigned int i = 0; sample_count < SAMPLES && i < 1000000; i++)
		jf_run(loaded, 100);
	setitimer(ITIMER_PROF, &never, NULL);
	report();
	return jf_unload(loaded) != JF_OK;
}
