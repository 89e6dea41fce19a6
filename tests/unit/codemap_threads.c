/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Readers look up while writers add and remove.
 *
 *     codemap_threads [SECONDS]     for each test; 1 unless told otherwise
 *
 * Each range lives in memory that its writer frees as soon as the removal has returned, so a reader that still
 * saw it reads freed memory: the sanitizers see that, and without them the range was overwritten before. No
 * test framework, for the thread sanitizer's sake:
 *
 *     meson setup -Dtools=enabled -Db_sanitize=thread -Db_lundef=false build/tsan
 *     ninja -C build/tsan tests/unit/codemap_threads && build/tsan/tests/unit/codemap_threads 10
 */

#include "codemap/section.h"
#include "toy.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WRITERS 2
#define READERS 3
#define RANGES  8

static const struct jf_row one_row = {.cfa_reg = TOY_SP};
static double duration = 1;
static atomic_bool stop;
static atomic_uint found_count, bad_count;
static struct jf_range constant;

static uint64_t start_of(unsigned int writer, unsigned int i)
{
	/* Of one block, of one leaf, and across regions. */
	static const uint64_t apart[] = {0x20, 0x100, 0x1f000};

	return 0x1000000 * (writer + 1) + apart[writer % 3] * i;
}

static void fill(struct jf_range *range, uint64_t start)
{
	*range = (struct jf_range){
		.size = sizeof(*range),
		.kind = JF_RANGE_MAIN,
		.start = start,
		.end = start + 0x18,
		.name = "range",
		.backend = &toy_backend,
		.rows = &one_row,
		.row_count = 1,
		.owner = (void *)(uintptr_t)start,
	};
}

static void count(atomic_uint *counter, bool really)
{
	if (really)
		atomic_fetch_add(counter, 1);
}

/* As a walk does: finds, and reads what it found. */
static void look(uint64_t address)
{
	unsigned int section = jf_code_map_enter();
	const struct jf_range *range = jf_code_map_find(address);

	count(&found_count, range != NULL);
	if (range)
		count(&bad_count, address < range->start || address >= range->end || range->backend != &toy_backend ||
					  range->owner != (void *)(uintptr_t)range->start);
	jf_code_map_leave(section);
}

static void read_once(unsigned int turn)
{
	unsigned int section = jf_code_map_enter();

	look(start_of(turn % WRITERS, turn / WRITERS % RANGES) + turn % 0x1c);
	/* Sections nest. */
	count(&bad_count, jf_code_map_find(constant.start) != &constant);
	jf_code_map_leave(section);
}

static void *read_forever(void *arg)
{
	for (unsigned int turn = (unsigned int)(uintptr_t)arg; !atomic_load(&stop); turn += 7)
		read_once(turn);
	return NULL;
}

static void *read_a_little(void *arg)
{
	for (unsigned int turn = (unsigned int)(uintptr_t)arg, end = turn + 2000; turn != end; turn++)
		read_once(turn);
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_round(unsigned int writer)
{
	unsigned int section, found_before = atomic_load(&found_count);
	struct jf_range *ranges = calloc(RANGES, sizeof(*ranges));

	for (unsigned int i = 0; i < RANGES; i++)
		fill(&ranges[i], start_of(writer, i));
	count(&bad_count, jf_code_map_add_all(ranges, RANGES, NULL) != JF_OK);
	section = jf_code_map_enter();
	count(&bad_count, jf_code_map_find(ranges[3].start) != &ranges[3]);
	jf_code_map_leave(section);
	/* Readers are to hold what goes. */
	for (unsigned int i = 0; i < 20 && atomic_load(&found_count) == found_before; i++)
		sched_yield();
	for (unsigned int i = 0; i < RANGES; i += 4)
		count(&bad_count, jf_code_map_remove_all(&ranges[i], 4) != JF_OK);
	memset(ranges, 0xdd, RANGES * sizeof(*ranges));
	free(ranges);
}

static void *write_often(void *arg)
{
	double end = seconds() + duration;

	for (unsigned int round = 0; round < 10 || seconds() < end; round++)
		write_round((unsigned int)(uintptr_t)arg);
	return NULL;
}

/* ---- the tests ------------------------------------------------------------------------------------------- */

static void begin(pthread_t *thread, void *(*function)(void *), uintptr_t arg)
{
	if (pthread_create(thread, NULL, function, (void *)arg))
		abort();
}

static void readers_and_writers(void)
{
	pthread_t readers[READERS], writers[WRITERS];

	for (unsigned int i = 0; i < READERS; i++)
		begin(&readers[i], read_forever, i);
	for (unsigned int i = 0; i < WRITERS; i++)
		begin(&writers[i], write_often, i);
	for (unsigned int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
}

static void short_lived_readers(void)
{
	pthread_t writers[WRITERS], readers[READERS];
	double end = seconds() + duration;

	for (unsigned int i = 0; i < WRITERS; i++)
		begin(&writers[i], write_often, i);
	for (unsigned int round = 0; seconds() < end; round++) {
		for (unsigned int i = 0; i < READERS; i++)
			begin(&readers[i], read_a_little, round + i);
		for (unsigned int i = 0; i < READERS; i++)
			pthread_join(readers[i], NULL);
	}
	for (unsigned int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
}

static void on_signal(int number)
{
	static unsigned int turn;

	(void)number;
	for (unsigned int i = 0; i < 20; i++)
		read_once(turn++);
}

static void *interrupt(void *arg)
{
	pthread_t target = *(pthread_t *)arg;

	while (!atomic_load(&stop)) {
		pthread_kill(target, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

/* Which may come while its own thread is adding or removing. */
static void signal_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t self = pthread_self(), other;
	double end = seconds() + 60;

	sigaction(SIGUSR1, &action, NULL);
	begin(&other, interrupt, (uintptr_t)&self);
	do
		write_often(NULL);
	while (atomic_load(&found_count) < 100 && seconds() < end);
	atomic_store(&stop, true);
	pthread_join(other, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"readers see whole ranges while writers work", readers_and_writers},
	{"threads come and go while writers work", short_lived_readers},
	{"a signal handler may look up while its thread writes", signal_handler},
};
#define TEST_COUNT (sizeof(tests) / sizeof(tests[0]))

/* Returns: whether all was as it should be. */
static bool run(size_t test, bool fences, unsigned int number)
{
	bool nothing_left = true, ok;

	atomic_store(&stop, false);
	atomic_store(&found_count, 0);
	tests[test].run();
	for (unsigned int writer = 0; writer < WRITERS; writer++)
		for (unsigned int i = 0; i < RANGES; i++)
			nothing_left = nothing_left && !jf_code_map_find(start_of(writer, i));
	ok = nothing_left && !atomic_load(&bad_count) && atomic_load(&found_count);
	printf("%sok %u - %s%s\n", ok ? "" : "not ", number, tests[test].name, fences ? ", with fences" : "");
	printf("# found %u times, wrong %u times%s\n", atomic_load(&found_count), atomic_load(&bad_count),
	       nothing_left ? "" : "; something is left");
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;

	if (argc > 1)
		duration = strtod(argv[1], NULL);
	fill(&constant, 0x500);
	if (jf_code_map_add(&constant, NULL) != JF_OK)
		return 2;
	jf_code_map_wait(); /* decides on fences */
	printf("1..%zu\n", 2 * TEST_COUNT);
	for (unsigned int number = 1; number <= 2 * TEST_COUNT; number++) {
		if (number == TEST_COUNT + 1)
			atomic_store(&jf_code_map_fences, true);
		ok = run((number - 1) % TEST_COUNT, number > TEST_COUNT, number) && ok;
	}
	return !ok;
}
