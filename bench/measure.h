/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_MEASURE_H
#define JF_BENCH_MEASURE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* One figure: nanoseconds per unit of work, over a number of runs. */
struct measure {
	double median;
	double low, high; /* the quartiles */
	unsigned int runs;
};

/*
 * Runs work(arg) again and again for about `seconds`, at least 11 times, after one run to warm up.
 * in: units = what one run is divided by.
 */
struct measure measure(void (*work)(void *arg), void *arg, double units, double seconds);

/* Processor, kernel, compiler: what figures are worth nothing without. */
json_t *measure_machine(void);
json_t *measure_json(const struct measure *m);

/* Prints {"bench": name, "machine": ..., "rows": rows} to the file named by --json FILE among the
 * arguments, if any. returns: exit status. Steals `rows`. */
int measure_finish(int argc, char **argv, const char *name, json_t *rows);

#endif
