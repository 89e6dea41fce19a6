/* SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <glob.h>
#include <jansson.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define SIDE_SECONDS 0.05
#define TURNS_MIN    5
#define TURNS_MAX    1000
#define SIDES_MAX    16

static struct {
	const char *name, *json;
	double time, clock_cost;
	clockid_t clock;
	bool tiny, ours;
	cpu_set_t processors;
	json_t *tables, *missing, *rows; /* rows: of the last table */
} bench;

static double now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

double bench_now_ns(void)
{
	return now_ns(bench.clock);
}

void bench_count_waiting(void)
{
	bench.clock = CLOCK_MONOTONIC;
}

/* What reading the clock takes: the thread's own is a system call. */
static double clock_cost(void)
{
	double least = 1e9;

	for (unsigned int i = 0; i < 1000; i++) {
		double before = bench_now_ns(), ns = bench_now_ns() - before;

		least = ns < least ? ns : least;
	}
	return least;
}

void bench_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "bench %s: ", bench.name ? bench.name : "");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

/* ---- the process ------------------------------------------------------------------------------------------ */

/* The last processor: interrupts prefer the first. */
static void pin(void)
{
	cpu_set_t one;

	if (sched_getaffinity(0, sizeof(bench.processors), &bench.processors))
		return;
	for (int i = CPU_SETSIZE - 1; i >= 0; i--) {
		if (!CPU_ISSET(i, &bench.processors))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		(void)sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

void bench_unpin(void)
{
	(void)sched_setaffinity(0, sizeof(bench.processors), &bench.processors);
}

static double factor(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || !(number > 0))
		bench_fail("--time %s: no number above 0", text);
	return number;
}

int bench_begin(int argc, char **argv, const char *name)
{
	int i;

	bench.name = name;
	bench.time = 1;
	bench.clock = CLOCK_THREAD_CPUTIME_ID;
	bench.tables = json_array();
	bench.missing = json_array();
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--tiny") == 0)
			bench.tiny = true;
		else if (strcmp(argv[i], "--ours") == 0)
			bench.ours = true;
		else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
			bench.json = argv[++i];
		else if (strcmp(argv[i], "--time") == 0 && i + 1 < argc)
			bench.time = factor(argv[++i]);
		else
			bench_fail("%s is none of --json FILE, --tiny, --ours, --time FACTOR", argv[i]);
	}
	if (bench.tiny)
		bench.time = 0;
	pin();
	return i;
}

size_t bench_size(size_t usual, size_t tiny)
{
	return bench.tiny ? tiny : usual;
}

bool bench_ours_only(void)
{
	return bench.ours;
}

double bench_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %lf", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

const char *bench_large_file(void)
{
	static const char *const patterns[] = {"/usr/lib/*/libLLVM*.so.*", "/usr/lib/llvm-*/lib/libLLVM*.so*",
					       "/usr/lib/*/libc.so.6", "/lib*/libc.so.6"};
	static glob_t found;

	for (size_t i = bench_size(0, 2); i < COUNT(patterns); i++)
		if (glob(patterns[i], 0, NULL, &found) == 0)
			return found.gl_pathv[found.gl_pathc - 1];
	return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

void bench_table(const char *title, const char *x, const char *unit)
{
	bench.rows = json_array();
	json_array_append_new(bench.tables, json_pack("{s:s, s:s, s:s, s:O}", "title", title, "x", x, "unit", unit,
						      "rows", bench.rows));
	json_decref(bench.rows);
}

void bench_missing(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_array_append_new(bench.missing, json_string(text));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Puts median and quartiles of the samples, which are sorted, under these names. */
static void put(json_t *row, double *samples, size_t count, const char *median, const char *low, const char *high)
{
	qsort(samples, count, sizeof(samples[0]), compare);
	json_object_set_new(row, median, json_real(samples[count / 2]));
	json_object_set_new(row, low, json_real(samples[count / 4]));
	json_object_set_new(row, high, json_real(samples[3 * count / 4]));
}

void bench_add(const char *x, const char *who, const double *samples, size_t count, const double *base)
{
	json_t *row = json_pack("{s:s, s:s, s:I}", "x", x, "who", who, "runs", (json_int_t)count);
	double *own = calloc(count, sizeof(*own));

	if (!own || !count)
		bench_fail("no samples of %s", who);
	if (base) {
		for (size_t i = 0; i < count; i++)
			own[i] = base[i] > 0 ? samples[i] / base[i] : 0;
		put(row, own, count, "ratio", "ratio_low", "ratio_high");
	}
	memcpy(own, samples, count * sizeof(*own));
	put(row, own, count, "median", "low", "high");
	json_object_set_new(row, "min", json_real(own[0]));
	json_array_append_new(bench.rows, row);
	free(own);
}

void bench_count(const char *x, const char *who, double value, double base)
{
	bench_add(x, who, &value, 1, base > 0 ? &base : NULL);
}

/* ---- turns ------------------------------------------------------------------------------------------------ */

static void turn(const struct bench_side *sides, size_t count, double *samples, size_t stride)
{
	if (!bench.clock_cost)
		bench.clock_cost = clock_cost();
	for (size_t i = 0; i < count; i++) {
		double before = bench_now_ns();

		sides[i].work(sides[i].arg);
		samples[i * stride] = (bench_now_ns() - before - bench.clock_cost) / sides[i].units;
	}
}

double *bench_samples(const struct bench_side *sides, size_t count, size_t turns)
{
	double *samples = calloc(count * turns, sizeof(*samples));

	if (!samples)
		bench_fail("no memory");
	for (size_t t = 0; t < turns; t++)
		turn(sides, count, samples + t, turns);
	return samples;
}

void bench_turns(const char *x, const struct bench_side *sides, size_t count)
{
	static double samples[SIDES_MAX * TURNS_MAX];
	struct bench_side there[SIDES_MAX];
	size_t present = 0, turns = 0;
	double end;

	for (size_t i = 0; i < count && !(bench.ours && present); i++)
		if (sides[i].work)
			there[present++] = sides[i];
	turn(there, present, samples, TURNS_MAX);
	end = now_ns(CLOCK_MONOTONIC) + (double)present * SIDE_SECONDS * bench.time * 1e9;
	while (turns < TURNS_MIN || (turns < TURNS_MAX && now_ns(CLOCK_MONOTONIC) < end)) {
		turn(there, present, samples + turns, TURNS_MAX);
		turns++;
	}
	for (size_t i = 0; i < present; i++)
		bench_add(x, there[i].who, samples + i * TURNS_MAX, turns, samples);
}

void bench_turns_at(size_t x, const struct bench_side *sides, size_t count)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", x);
	bench_turns(text, sides, count);
}

/* ---- the machine and the end ------------------------------------------------------------------------------ */

/* The value of the first line of a file under /proc that begins with `key`, or "unknown". */
static void proc_value(const char *path, const char *key, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[512];

	snprintf(text, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, key, strlen(key)) != 0 || !colon)
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		snprintf(text, size, "%.*s", (int)strcspn(colon, "\n"), colon);
		break;
	}
	if (file)
		fclose(file);
}

static json_t *machine(void)
{
	char cpu[256], cache[256], memory[256];
	double load = 0;
	struct utsname uts;

	proc_value("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	proc_value("/proc/cpuinfo", "cache size", cache, sizeof(cache));
	proc_value("/proc/meminfo", "MemTotal", memory, sizeof(memory));
	uname(&uts);
	(void)getloadavg(&load, 1);
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:f}", "processor", cpu, "cache", cache, "machine",
			 uts.machine, "processors", CPU_COUNT(&bench.processors), "memory", memory, "kernel",
			 uts.release, "compiler", __VERSION__, "load", load);
}

int bench_end(void)
{
	json_t *all = json_pack("{s:s, s:o, s:o, s:o}", "bench", bench.name, "machine", machine(), "missing",
				bench.missing, "tables", bench.tables);
	int status = 0;

	if (!all)
		bench_fail("the figures are no JSON");
	if (!bench.json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		printf("\n");
	} else if (json_dump_file(all, bench.json, JSON_INDENT(2))) {
		fprintf(stderr, "%s: cannot be written\n", bench.json);
		status = 1;
	}
	json_decref(all);
	return status;
}
