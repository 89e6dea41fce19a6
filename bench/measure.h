/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_MEASURE_H
#define JF_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What every program of scripts/bench is made of: tables of figures. A table has a row for each x (a depth, a size, a
 * program) and a column for each side (jitframe, a peer). The sides of one row are timed in turn: one sample of each,
 * then again one sample of each, so that what disturbs the machine disturbs all of them. The process stays on one
 * processor. A program writes JSON; bench/report.py makes tables, plots and docs/performance.md of that.
 *
 *     {"bench": NAME, "machine": {...}, "missing": [TEXT...], "tables": [
 *        {"title": T, "x": WHAT, "unit": U, "rows": [
 *           {"x": "32", "who": "jitframe", "median": 11.8, "low": 11.7, "high": 12.0, "min": 11.6, "runs": 400,
 *            "ratio": 1, "ratio_low": 1, "ratio_high": 1}]}]}
 *
 * low and high are the quartiles. ratio is the median of the side's sample by the first side's of the same turn, which
 * is jitframe's: 3 means that this side takes three times as long.
 */

/* One who takes part: work(arg) does `units` units of work. */
struct bench_side {
	const char *who;
	void (*work)(void *arg);
	void *arg;
	double units; /* what the time of one call is divided by */
};

/*
 * Reads the arguments of every program: --json FILE, --tiny (sizes that a test has time for), --ours (no peers), --time
 * FACTOR (of what is spent on each row). Pins the process to one processor. in: name, what scripts/bench calls it.
 * returns: the index of the first argument behind these.
 */
int bench_begin(int argc, char **argv, const char *name);
/* `usual`, or `tiny` with --tiny. */
size_t bench_size(size_t usual, size_t tiny);
bool bench_ours_only(void);
/* Lets the calling thread run on every processor that the process had. */
void bench_unpin(void);

/* Begins a table: later rows are its. in: all copied. */
void bench_table(const char *title, const char *x, const char *unit);
/* Says what is not there, and why. */
void bench_missing(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Adds a row: times all sides in turn for about 0.05 seconds each, at least 5 times. Skips sides without `work`. */
void bench_turns(const char *x, const struct bench_side *sides, size_t count);
/* The same with a number as x. */
void bench_turns_at(size_t x, const struct bench_side *sides, size_t count);

/* Samples in turn, without a row: samples[side * turns + turn], nanoseconds per unit. owns: the caller, free(). */
double *bench_samples(const struct bench_side *sides, size_t count, size_t turns);
/* Adds a side to a row, with samples that were made anywhere; base (NULL: none): the first side's, as many. */
void bench_add(const char *x, const char *who, const double *samples, size_t count, const double *base);
/* Adds a figure that is the same each time: bytes, counted instructions. */
void bench_count(const char *x, const char *who, double value, double base);

/* The time that this thread has had a processor: others do not count. bench_count_waiting(): all time, from then on. */
double bench_now_ns(void);
void bench_count_waiting(void);
/* Bytes that the process has in memory, which no file has. */
double bench_resident_bytes(void);
/* The largest library that this machine has of those that clang brings; libc with --tiny. returns: NULL: none. */
const char *bench_large_file(void);
/* Writes what --json asks for. returns: exit status. */
int bench_end(void);

_Noreturn void bench_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
