/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a process pays in memory for a library that it has and hardly uses: memory that no file has. From nothing to one
 * program loaded, run and walked from; each more program; each thread that has run a program once; and thread-local
 * storage. The peers: nongnu's libunwind, which walks, and LLVM's ORC, which compiles. Each sample is a process.
 */

#include "host.h"
#include "measure.h"
#include "orc.h"
#include "walk.h"

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURNS    5
#define PROGRAMS 200
#define THREADS  32

enum figure { FIRST_USE, PROGRAM, THREAD, TLS, FIGURES };

static const struct jf_insn insns[] = {{0x85, 0x20, 0, 0}, {0x95, 0, 0, 0}}; /* call kfunc 0; exit */
static const struct jf_function function = {"main", insns, COUNT(insns)};

/* ---- jitframe ---------------------------------------------------------------------------------------------- */

static struct jf_loaded *loaded;

static void ours_start(void)
{
	loaded = host_load(&function, 1, false, (uintptr_t)walk_jitframe);
	jf_run(loaded, 0);
}

static void ours_program(void)
{
	(void)host_load(&function, 1, false, (uintptr_t)walk_jitframe);
}

static void ours_use(void)
{
	jf_run(loaded, 0);
}

/* ---- libunwind --------------------------------------------------------------------------------------------- */

static walker unw_backtrace_walk;

static void unwind_use(void)
{
	unw_backtrace_walk();
}

static void unwind_start(void)
{
	walker step;

	walk_libunwind(&unw_backtrace_walk, &step);
	if (!unw_backtrace_walk)
		_exit(2);
	unwind_use();
}

/* ---- LLVM ------------------------------------------------------------------------------------------------- */

static uint64_t (*orc_code)(uint64_t);

static void orc_start(void)
{
	if (!orc_open())
		_exit(2);
	orc_code = orc_function();
	orc_code(0);
}

static void orc_program(void)
{
	if (!orc_function())
		_exit(1);
}

static void orc_use(void)
{
	orc_code(0);
}

static const struct {
	const char *who, *library;
	void (*start)(void), (*program)(void), (*use)(void);
} sides[] = {
	{"jitframe", "libjitframe", ours_start, ours_program, ours_use},
	{"libunwind", "libunwind.so", unwind_start, NULL, unwind_use},
	{"LLVM ORC", "libLLVM", orc_start, orc_program, orc_use},
};

/* ---- samples ----------------------------------------------------------------------------------------------- */

/* What the library has taken already, because this program is linked with it. */
static double taken_before(const char *library)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	bool own = false;
	double sum = 0, kib;

	while (file && fgets(line, sizeof(line), file)) {
		if (strchr(line, '-') && strchr(line, '-') < strchr(line, ' '))
			own = strstr(line, library);
		else if (own && sscanf(line, "Anonymous: %lf", &kib) == 1)
			sum += kib * 1024;
	}
	if (file)
		fclose(file);
	return sum;
}

struct tls {
	const char *library;
	double bytes;
};

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct tls *wanted = arg;

	(void)size;
	for (unsigned int i = 0; strstr(info->dlpi_name, wanted->library) && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			wanted->bytes += (double)info->dlpi_phdr[i].p_memsz;
	return 0;
}

static pthread_barrier_t used, measured;

static void *idle(void *arg)
{
	void (*use)(void);

	memcpy(&use, arg, sizeof(use));
	if (use)
		use();
	pthread_barrier_wait(&used);
	pthread_barrier_wait(&measured);
	return NULL;
}

/* Memory of THREADS threads that have done `use`. */
static double thread_bytes(void (*use)(void))
{
	pthread_t threads[THREADS];
	double before = bench_resident_bytes(), after;

	pthread_barrier_init(&used, NULL, THREADS + 1);
	pthread_barrier_init(&measured, NULL, THREADS + 1);
	for (unsigned int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, idle, &use))
			_exit(1);
	pthread_barrier_wait(&used);
	after = bench_resident_bytes();
	pthread_barrier_wait(&measured);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return (after - before) / THREADS;
}

struct sample {
	double bytes[FIGURES];
};

static struct sample take_sample(unsigned int who)
{
	struct tls tls = {sides[who].library, 0};
	struct sample sample = {.bytes = {0}};
	double before = bench_resident_bytes() - taken_before(sides[who].library), plain;

	sides[who].start();
	sample.bytes[FIRST_USE] = bench_resident_bytes() - before;
	before = bench_resident_bytes();
	for (unsigned int i = 0; sides[who].program && i < PROGRAMS; i++)
		sides[who].program();
	sample.bytes[PROGRAM] = (bench_resident_bytes() - before) / PROGRAMS;
	/* The second time: stacks of threads that have ended are used again. */
	thread_bytes(NULL);
	plain = thread_bytes(NULL);
	sample.bytes[THREAD] = thread_bytes(sides[who].use) - plain;
	dl_iterate_phdr(find_tls, &tls);
	sample.bytes[TLS] = tls.bytes;
	return sample;
}

/* returns: false when the library is missing. */
static bool child_sample(unsigned int who, struct sample *sample)
{
	int ends[2], status = 1;
	bool whole;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		bench_fail("no process");
	if (!pid) {
		*sample = take_sample(who);
		_exit(write(ends[1], sample, sizeof(*sample)) != sizeof(*sample));
	}
	close(ends[1]);
	whole = read(ends[0], sample, sizeof(*sample)) == sizeof(*sample);
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || (!whole && !(WIFEXITED(status) && WEXITSTATUS(status) == 2)))
		bench_fail("a sample of %s failed", sides[who].who);
	return whole;
}

int main(int argc, char **argv)
{
	static const char *const figures[FIGURES] = {"first use", "each more program", "each thread",
						     "thread-local storage"};
	struct sample samples[COUNT(sides)][TURNS];
	size_t turns;
	bool there[COUNT(sides)];

	bench_begin(argc, argv, "memory");
	turns = bench_size(TURNS, 2);
	for (size_t t = 0; t < turns; t++)
		for (unsigned int who = 0; who < COUNT(sides); who++)
			there[who] = child_sample(who, &samples[who][t]);
	bench_table("An embedding that is idle", "what", "KiB");
	for (enum figure f = 0; f < FIGURES; f++) {
		double values[COUNT(sides)][TURNS];

		for (unsigned int who = 0; who < COUNT(sides) && !(who && bench_ours_only()); who++) {
			for (size_t t = 0; there[who] && t < turns; t++)
				values[who][t] = samples[who][t].bytes[f] / 1024;
			if (there[who] && !(f == PROGRAM && !sides[who].program))
				bench_add(figures[f], sides[who].who, values[who], turns, values[0]);
		}
	}
	for (unsigned int who = 0; who < COUNT(sides); who++)
		if (!there[who])
			bench_missing("%s: its library", sides[who].who);
	return bench_end();
}
