/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "codemap/section.h"
#include "toy.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What a removal waits for, and what not. Each test runs twice: with readers that order their own accesses,
 * and with the kernel doing that for them where it can.
 */

static const struct jf_row one_row = {.cfa_reg = TOY_SP};
static struct jf_range range = {
	.size = sizeof(range),
	.kind = JF_RANGE_MAIN,
	.start = 0x500,
	.end = 0x580,
	.name = "range",
	.backend = &toy_backend,
	.rows = &one_row,
	.row_count = 1,
};

/* A thread that does as it is told, and sleeps otherwise. */
enum order {
	OPEN, /* enter a section */
	SHUT, /* leave it */
	END,
};

struct reader {
	pthread_t thread;
	sem_t told, done;
	enum order order;
};

static void *read_when_told(void *arg)
{
	struct reader *reader = arg;
	unsigned int section = 0;
	bool ends = false;

	while (!ends) {
		sem_wait(&reader->told);
		if (reader->order == OPEN)
			section = jf_code_map_enter();
		else if (reader->order == SHUT)
			jf_code_map_leave(section);
		ends = reader->order == END;
		sem_post(&reader->done);
	}
	return NULL;
}

static void tell(struct reader *reader, enum order order)
{
	reader->order = order;
	sem_post(&reader->told);
	sem_wait(&reader->done);
}

static void begin(struct reader *reader)
{
	sem_init(&reader->told, 0, 0);
	sem_init(&reader->done, 0, 0);
	cr_assert_eq(pthread_create(&reader->thread, NULL, read_when_told, reader), 0);
}

static void end(struct reader *reader)
{
	tell(reader, END);
	pthread_join(reader->thread, NULL);
}

static atomic_int removed;

static void *remove_range(void *arg)
{
	(void)arg;
	atomic_store(&removed, jf_code_map_remove(&range) == JF_OK ? 1 : -1);
	return NULL;
}

/* A removal has begun, and is to go on waiting. */
static void begin_removal(pthread_t *thread)
{
	atomic_store(&removed, 0);
	cr_assert_eq(pthread_create(thread, NULL, remove_range, NULL), 0);
	while (jf_code_map_find(range.start))
		sched_yield();
}

static void check_still_waiting(const char *what)
{
	for (unsigned int i = 0; i < 200; i++)
		sched_yield();
	CHECK(atomic_load(&removed) == 0, "%s", what);
}

static void check_removed(pthread_t thread)
{
	pthread_join(thread, NULL);
	cr_assert_eq(atomic_load(&removed), 1);
}

static void in_both_ways(void (*test)(void))
{
	jf_code_map_wait();
	test();
	atomic_store(&jf_code_map_fences, true);
	test();
}

/* ---- which sections hold a removal up -------------------------------------------------------------------- */

static void old_and_new_sections(void)
{
	struct reader old[2], new[3];
	pthread_t remover;

	cr_assert_eq(jf_code_map_add(&range), JF_OK);
	for (unsigned int i = 0; i < 5; i++)
		begin(i < 2 ? &old[i] : &new[i - 2]);
	tell(&old[0], OPEN);
	tell(&old[1], OPEN);
	begin_removal(&remover);
	check_still_waiting("two sections are open");
	/* Those that are opened now do not see the range. */
	for (unsigned int i = 0; i < 3; i++)
		tell(&new[i], OPEN);
	tell(&old[1], SHUT);
	check_still_waiting("one section is open");
	/* A new one of the same thread is not the old one. */
	tell(&old[1], OPEN);
	tell(&old[0], SHUT);
	check_removed(remover);
	tell(&old[1], SHUT);
	for (unsigned int i = 0; i < 3; i++)
		tell(&new[i], SHUT);
	for (unsigned int i = 0; i < 5; i++)
		end(i < 2 ? &old[i] : &new[i - 2]);
}

Test(codemap_sections, only_sections_from_before_are_waited_for, .timeout = 120)
{
	in_both_ways(old_and_new_sections);
}

/* The outermost one counts. */
static void nested_sections(void)
{
	unsigned int sections[3];
	pthread_t remover;

	cr_assert_eq(jf_code_map_add(&range), JF_OK);
	for (unsigned int i = 0; i < 3; i++)
		sections[i] = jf_code_map_enter();
	begin_removal(&remover);
	for (unsigned int i = 3; i-- > 0;) {
		check_still_waiting("the outermost section is open");
		jf_code_map_leave(sections[i]);
	}
	check_removed(remover);
}

Test(codemap_sections, nested_ones_end_with_the_outermost, .timeout = 120)
{
	in_both_ways(nested_sections);
}

/* ---- threads ---------------------------------------------------------------------------------------------- */

static void *enter_and_end(void *arg)
{
	(void)arg;
	(void)jf_code_map_enter();
	return NULL;
}

Test(codemap_sections, a_thread_that_ended_in_a_section_holds_nothing_up, .timeout = 120)
{
	pthread_t thread;

	cr_assert_eq(jf_code_map_add(&range), JF_OK);
	cr_assert_eq(pthread_create(&thread, NULL, enter_and_end, NULL), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
}

/* More threads at once than have a word of their own. */
#define CROWD 600

static void crowd(void)
{
	static struct reader readers[CROWD];
	pthread_t remover;

	cr_assert_eq(jf_code_map_add(&range), JF_OK);
	for (unsigned int i = 0; i < CROWD; i++) {
		begin(&readers[i]);
		tell(&readers[i], OPEN);
		tell(&readers[i], SHUT);
	}
	for (unsigned int i = 0; i < CROWD; i += CROWD - 1) {
		tell(&readers[i], OPEN);
		begin_removal(&remover);
		check_still_waiting(i ? "the last of a crowd" : "the first of a crowd");
		tell(&readers[i], SHUT);
		check_removed(remover);
		cr_assert_eq(jf_code_map_add(&range), JF_OK);
	}
	for (unsigned int i = 0; i < CROWD; i++)
		end(&readers[i]);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
}

Test(codemap_sections, a_crowd_of_threads, .timeout = 300)
{
	crowd();
}

static void *is_known_inside(void *arg)
{
	unsigned int section = jf_code_map_enter();

	*(bool *)arg = jf_code_map_in_section();
	jf_code_map_leave(section);
	return NULL;
}

/* The words of threads that are gone are used again. */
Test(codemap_sections, threads_come_and_go, .timeout = 300)
{
	bool known = false;

	for (unsigned int i = 0; i < 2000; i++) {
		pthread_t thread;

		cr_assert_eq(pthread_create(&thread, NULL, is_known_inside, &known), 0);
		pthread_join(thread, NULL);
		CHECK(known, "thread %u found no place", i);
		jf_code_map_wait();
	}
}

/* A child has one thread, whatever the others were doing. */
Test(codemap_sections, a_forked_child_waits_for_nobody_else, .timeout = 120)
{
	struct reader reader;
	unsigned int section;
	int status = -1;
	pid_t child;

	cr_assert_eq(jf_code_map_add(&range), JF_OK);
	section = jf_code_map_enter();
	jf_code_map_leave(section);
	jf_code_map_wait();
	begin(&reader);
	tell(&reader, OPEN);
	child = fork();
	cr_assert_neq(child, -1);
	if (!child) {
		bool known = false;

		is_known_inside(&known);
		_exit(known && jf_code_map_remove(&range) == JF_OK ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	tell(&reader, SHUT);
	end(&reader);
}
