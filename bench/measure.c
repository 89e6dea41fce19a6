/* SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define RUNS_MIN 11
#define RUNS_MAX 2000

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct measure measure(void (*work)(void *arg), void *arg, double units, double seconds)
{
	static double runs[RUNS_MAX];
	unsigned int count = 0;
	double start;

	work(arg);
	start = now_ns();
	while (count < RUNS_MIN || (count < RUNS_MAX && now_ns() - start < seconds * 1e9)) {
		double before = now_ns();

		work(arg);
		runs[count++] = (now_ns() - before) / units;
	}
	qsort(runs, count, sizeof(runs[0]), compare);
	return (struct measure){runs[count / 2], runs[count / 4], runs[3 * count / 4], count};
}

static void processor(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(text, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) == 0 && colon) {
			snprintf(text, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	if (file)
		fclose(file);
}

json_t *measure_machine(void)
{
	struct utsname uts;
	char cpu[128];

	processor(cpu, sizeof(cpu));
	uname(&uts);
	return json_pack("{s:s, s:s, s:s, s:s}", "processor", cpu, "machine", uts.machine, "kernel", uts.release,
			 "compiler", __VERSION__);
}

json_t *measure_json(const struct measure *m)
{
	return json_pack("{s:f, s:f, s:f, s:i}", "median_ns", m->median, "quartile_low_ns", m->low, "quartile_high_ns",
			 m->high, "runs", (int)m->runs);
}

int measure_finish(int argc, char **argv, const char *name, json_t *rows)
{
	json_t *all = json_pack("{s:s, s:o, s:o}", "bench", name, "machine", measure_machine(), "rows", rows);
	int status = 0;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--json") == 0 && json_dump_file(all, argv[i + 1], JSON_INDENT(2))) {
			fprintf(stderr, "%s: cannot be written\n", argv[i + 1]);
			status = 1;
		}
	json_decref(all);
	return status;
}
