/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <jitframe/codemap.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Readers look up while writers add and remove. Each range lives in memory that its writer frees as soon
 * as the removal has returned, so a reader that still saw it reads freed memory: the address and thread
 * sanitizers see that, and without them the range was overwritten before.
 */
#define WRITERS 2
#define READERS 3
#define ROUNDS 3000 /* or as many as a second has time for */
#define RANGES 8

static const struct jf_row one_row = { .cfa_reg = TOY_SP };
static atomic_bool stop;
static atomic_uint found_count, bad_count;
static struct jf_range constant;

static uint64_t start_of(unsigned int writer, unsigned int i)
{
	return 0x10000 * (writer + 1) + 0x100 * i;
}

static void fill(struct jf_range *range, uint64_t start)
{
	*range = (struct jf_range){
		.size = sizeof(*range),
		.kind = JF_RANGE_MAIN,
		.start = start,
		.end = start + 0x80,
		.name = "range",
		.backend = &toy_backend,
		.rows = &one_row,
		.row_count = 1,
		.owner = (void *)(uintptr_t)start,
	};
}

/* As a walk does: finds, and reads what it found. */
static void look(uint64_t address)
{
	unsigned int section = jf_code_map_enter();
	const struct jf_range *range = jf_code_map_find(address);

	if (range) {
		atomic_fetch_add(&found_count, 1);
		if (address < range->start || address >= range->end || range->backend != &toy_backend ||
		    range->owner != (void *)(uintptr_t)range->start)
			atomic_fetch_add(&bad_count, 1);
	}
	jf_code_map_leave(section);
}

static void *read_forever(void *arg)
{
	struct rng rng = { (uintptr_t)arg };

	while (!atomic_load(&stop)) {
		unsigned int section = jf_code_map_enter();

		look(start_of(rng_below(&rng, WRITERS), rng_below(&rng, RANGES)) + rng_below(&rng, 0x100));
		/* Sections nest. */
		if (jf_code_map_find(constant.start) != &constant)
			atomic_fetch_add(&bad_count, 1);
		jf_code_map_leave(section);
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *write_often(void *arg)
{
	unsigned int writer = (unsigned int)(uintptr_t)arg;
	double end = seconds() + 1;

	for (unsigned int round = 0; round < ROUNDS && (round < 10 || seconds() < end); round++) {
		struct jf_range *ranges = calloc(RANGES, sizeof(*ranges));
		unsigned int section, found_before = atomic_load(&found_count);

		for (unsigned int i = 0; i < RANGES; i++)
			fill(&ranges[i], start_of(writer, i));
		if (jf_code_map_add_all(ranges, RANGES) != JF_OK)
			atomic_fetch_add(&bad_count, 1);
		section = jf_code_map_enter();
		if (jf_code_map_find(ranges[3].start) != &ranges[3])
			atomic_fetch_add(&bad_count, 1);
		jf_code_map_leave(section);
		/* Readers are to hold what goes. */
		for (unsigned int i = 0; i < 20 && atomic_load(&found_count) == found_before; i++)
			sched_yield();
		if (jf_code_map_remove_all(ranges, RANGES) != JF_OK)
			atomic_fetch_add(&bad_count, 1);
		memset(ranges, 0xdd, RANGES * sizeof(*ranges));
		free(ranges);
	}
	return NULL;
}

static void check_result(void)
{
	cr_assert_eq(atomic_load(&bad_count), 0, "%u lookups or updates went wrong", atomic_load(&bad_count));
	cr_assert_gt(atomic_load(&found_count), 0);
	for (unsigned int writer = 0; writer < WRITERS; writer++)
		for (unsigned int i = 0; i < RANGES; i++)
			cr_assert_null(jf_code_map_find(start_of(writer, i)));
}

Test(codemap_threads, readers_see_whole_ranges_while_writers_work, .timeout = 120)
{
	pthread_t readers[READERS], writers[WRITERS];

	fill(&constant, 0x500);
	cr_assert_eq(jf_code_map_add(&constant), JF_OK);
	for (uintptr_t i = 0; i < READERS; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, read_forever, (void *)(i + 1)), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&writers[i], NULL, write_often, (void *)i), 0);
	for (unsigned int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	check_result();
}

/* ---- the same from a signal handler, which may come while its own thread is adding or removing ------- */

static void on_signal(int number)
{
	static uint64_t turn;

	(void)number;
	for (unsigned int i = 0; i < 20; i++)
		look(start_of(0, (unsigned int)(turn++ % RANGES)));
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

Test(codemap_threads, a_signal_handler_may_look_up_while_its_thread_writes, .timeout = 120)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), other;
	double end = seconds() + 60;

	fill(&constant, 0x500);
	cr_assert_eq(jf_code_map_add(&constant), JF_OK);
	sigaction(SIGUSR1, &action, NULL);
	cr_assert_eq(pthread_create(&other, NULL, interrupt, &self), 0);
	while (atomic_load(&found_count) < 100 && seconds() < end)
		write_often((void *)(uintptr_t)0);
	atomic_store(&stop, true);
	pthread_join(other, NULL);
	check_result();
}

/* A removal waits for a section that was open before it, and only for that long. */
static atomic_int removed;

static void *remove_constant(void *arg)
{
	(void)arg;
	atomic_store(&removed, jf_code_map_remove_all(&constant, 1) == JF_OK ? 1 : -1);
	return NULL;
}

Test(codemap_threads, a_removal_waits_for_open_sections, .timeout = 120)
{
	pthread_t other;
	unsigned int section;

	fill(&constant, 0x500);
	cr_assert_eq(jf_code_map_add(&constant), JF_OK);
	section = jf_code_map_enter();
	cr_assert_eq(jf_code_map_find(0x500), &constant);
	cr_assert_eq(pthread_create(&other, NULL, remove_constant, NULL), 0);
	/* It is out of sight soon, and not yet done. */
	while (jf_code_map_find(0x500))
		sched_yield();
	for (unsigned int i = 0; i < 1000; i++)
		sched_yield();
	cr_assert_eq(atomic_load(&removed), 0);
	jf_code_map_leave(section);
	pthread_join(other, NULL);
	cr_assert_eq(atomic_load(&removed), 1);
}
