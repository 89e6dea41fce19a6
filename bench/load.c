/* SPDX-License-Identifier: BSD-2-Clause */

#include "measure.h"

#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/*
 * What a program costs that is loaded: time and memory for up to a million programs of two instructions, and the time
 * to load and unload one more beside ten of them and beside all. The peer is what a program costs that has pages of its
 * own: mmap, a copy of its code, mprotect, munmap. With an argument as "cfi,gdb" programs are published meanwhile.
 */

#ifndef PROGRAMS
#define PROGRAMS 1000000
#endif
#define ONE_MORES 200

static const struct jf_insn insns[] = {{.opcode = 0xb7, .imm = 7}, {.opcode = 0x95}}; /* r0 = 7; exit */
static const struct jf_function function = {"main", insns, 2};
static const struct jf_program program = {
	.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};

static const struct jf_convention *conv;
static struct jf_loaded *loaded[PROGRAMS];

static struct jf_loaded *load(void)
{
	struct jf_loaded *one;
	struct jf_error error;

	if (jf_load(conv, &program, NULL, NULL, &one, &error) == JF_OK)
		return one;
	fprintf(stderr, "%s\n", error.text);
	exit(1);
}

static void unload(struct jf_loaded *one)
{
	if (jf_unload(one) != JF_OK)
		abort();
}

/* Memory that is there and would not be without this process, of files without a name too. */
static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	double size, resident = 0;

	if (file && fscanf(file, "%lf %lf", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (double)sysconf(_SC_PAGESIZE);
}

static void load_and_unload(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++)
		unload(load());
}

/* The ones in the middle, which leave gaps, and back again. */
static void unload_some(void *arg)
{
	size_t count = *(const size_t *)arg;

	for (size_t i = 0; i < ONE_MORES && i < count; i++) {
		unload(loaded[i * 611953 % count]);
		loaded[i * 611953 % count] = load();
	}
}

static void map_pages(void *arg)
{
	uint8_t code[64] = {0};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++) {
		void *pages = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED)
			abort();
		memcpy(pages, code, sizeof(code));
		if (mprotect(pages, page, PROT_READ | PROT_EXEC) || munmap(pages, page))
			abort();
	}
}

static void run_it(void *arg)
{
	for (unsigned int i = 0; i < ONE_MORES; i++)
		if (jf_run(arg, 0) != 7)
			abort();
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void row(json_t *rows, const char *what, size_t count, const char *unit, double value)
{
	printf("%-36s %9zu %10.0f %s\n", what, count, value, unit);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:s, s:f}", "what", what, "programs", (json_int_t)count,
					      "unit", unit, "value", value));
}

/* From `from` programs to `to`. */
static void fill(json_t *rows, size_t from, size_t to)
{
	double bytes = resident_bytes(), start = seconds();

	for (size_t i = from; i < to; i++)
		loaded[i] = load();
	if (to - from < 1000)
		return;
	row(rows, "load, each", to, "ns", (seconds() - start) * 1e9 / (double)(to - from));
	row(rows, "memory, each", to, "bytes", (resident_bytes() - bytes) / (double)(to - from));
}

static void changes(json_t *rows, size_t count)
{
	struct measure one_more = measure(load_and_unload, NULL, ONE_MORES, 0.2);
	struct measure some = measure(unload_some, &count, ONE_MORES < count ? ONE_MORES : (double)count, 0.2);

	row(rows, "load and unload one more", count, "ns", one_more.median);
	row(rows, "unload one of them, load another", count, "ns", some.median);
}

/* Removal alone: what a change costs less what a load costs is not it. */
static void empty(json_t *rows, size_t count, size_t left)
{
	double start = seconds();

	for (size_t i = left; i < count; i++)
		unload(loaded[i]);
	if (count - left >= 10)
		row(rows, "unload, each", count, "ns", (seconds() - start) * 1e9 / (double)(count - left));
}

/* The last argument, unless it is an option's. */
static void publish(int argc, char **argv)
{
	struct jf_error error;
	uint32_t consumers;

	if (argc % 2)
		return;
	if (jf_publish_parse(argv[argc - 1], &consumers, &error) == JF_OK &&
	    jf_publish_start(consumers, &error) == JF_OK)
		return;
	fprintf(stderr, "%s: %s\n", error.where, error.text);
	exit(1);
}

int main(int argc, char **argv)
{
	static const size_t counts[] = {10, 1000, 100000, PROGRAMS};
	const struct jf_backend *host = jf_backend_host();
	json_t *rows = json_array();
	struct measure pages;
	size_t count = 0;

	for (unsigned int i = 0; host && i < host->convention_count && !conv; i++)
		if (jf_convention_supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			conv = host->conventions[i];
	if (!conv) {
		fprintf(stderr, "this host runs no programs\n");
		return 1;
	}
	publish(argc, argv);
	printf("%-36s %9s\n", "", "programs");
	memset(loaded, 0, sizeof(loaded)); /* no part of what a load costs */
	unload(load());
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); count = counts[i++]) {
		fill(rows, count, counts[i]);
		changes(rows, counts[i]);
	}
	pages = measure(run_it, loaded[0], ONE_MORES, 0.1);
	row(rows, "jf_run", count, "ns", pages.median);
	empty(rows, count, 10);
	empty(rows, 10, 0);
	pages = measure(map_pages, NULL, ONE_MORES, 0.2);
	row(rows, "peer: map and unmap pages of its own", 1, "ns", pages.median);
	return measure_finish(argc, argv, "load", rows);
}
