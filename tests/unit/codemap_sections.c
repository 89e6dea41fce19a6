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
	LOOK, /* enter a section, say whether the thread is known to be inside, leave it */
	END,
};

struct reader {
	pthread_t thread;
	sem_t told, done;
	enum order order;
	bool known;
};

/* A thread that has a word of its own is known to be inside of its section. */
static bool is_known_inside(void)
{
	unsigned int section = jf_code_map_enter();
	bool known = jf_code_map_in_section();

	jf_code_map_leave(section);
	return known;
}

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
		else if (reader->order == LOOK)
			reader->known = is_known_inside();
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

/* A removal has begun, and is to go on waiting: for sections that are open now, not for those that come. */
static void begin_removal(pthread_t *thread)
{
	uint64_t age = atomic_load(&jf_code_map_age);

	atomic_store(&removed, 0);
	cr_assert_eq(pthread_create(thread, NULL, remove_range, NULL), 0);
	while (jf_code_map_find(range.start) || atomic_load(&jf_code_map_age) == age)
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

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
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

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
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

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(pthread_create(&thread, NULL, enter_and_end, NULL), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
}

/* More threads at once than have a word of their own: some at the end have none. */
#define CROWD 600

static struct reader crowd[CROWD];

static void begin_crowd(void)
{
	for (unsigned int i = 0; i < CROWD; i++) {
		begin(&crowd[i]);
		tell(&crowd[i], OPEN);
		tell(&crowd[i], SHUT);
	}
	tell(&crowd[0], LOOK);
	tell(&crowd[CROWD - 1], LOOK);
	cr_assert(crowd[0].known && !crowd[CROWD - 1].known);
}

static void end_crowd(unsigned int first, unsigned int end_of)
{
	for (unsigned int i = first; i < end_of; i++)
		end(&crowd[i]);
}

Test(codemap_sections, a_crowd_of_threads, .timeout = 300)
{
	pthread_t remover;

	begin_crowd();
	for (unsigned int i = 0; i < CROWD; i += CROWD - 1) {
		cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
		tell(&crowd[i], OPEN);
		begin_removal(&remover);
		check_still_waiting(i ? "the last of a crowd" : "the first of a crowd");
		tell(&crowd[i], SHUT);
		check_removed(remover);
	}
	end_crowd(0, CROWD);
}

/* Of the threads without a word of their own one is always inside, none the whole time. */
Test(codemap_sections, a_crowd_that_never_leaves_holds_nothing_up, .timeout = 300)
{
	struct reader *inside = &crowd[CROWD - 1], *next = &crowd[CROWD - 2];
	pthread_t remover;

	begin_crowd();
	for (unsigned int round = 0; round < 4; round++) {
		struct reader *before = inside;

		cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
		tell(inside, OPEN);
		begin_removal(&remover);
		tell(next, OPEN);
		check_still_waiting("one of the crowd has been inside from before");
		tell(inside, SHUT);
		check_removed(remover);
		tell(next, SHUT);
		inside = next;
		next = before;
	}
	end_crowd(0, CROWD);
}

/* Who had none gets one when others have gone and something has been removed. */
Test(codemap_sections, a_crowd_that_thins_out, .timeout = 300)
{
	begin_crowd();
	end_crowd(0, CROWD / 2);
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	for (unsigned int i = CROWD / 2; i < CROWD; i++) {
		tell(&crowd[i], LOOK);
		CHECK(crowd[i].known, "thread %u has no word of its own", i);
	}
	end_crowd(CROWD / 2, CROWD);
}

static void *look(void *arg)
{
	*(bool *)arg = is_known_inside();
	return NULL;
}

/* The words of threads that are gone are used again, though nothing is ever removed. */
Test(codemap_sections, threads_come_and_go, .timeout = 300)
{
	for (unsigned int i = 0; i < 2000; i++) {
		bool known = false;
		pthread_t thread;

		cr_assert_eq(pthread_create(&thread, NULL, i % 3 ? look : enter_and_end, &known), 0);
		pthread_join(thread, NULL);
		CHECK(known || i % 3 == 0, "thread %u found no place", i);
	}
	/* A third of them has ended inside. */
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
}

/* ---- fork ------------------------------------------------------------------------------------------------- */

/* in: child = what runs there; returns whether all is well. */
static void fork_and(bool (*child)(void))
{
	int status = -1;
	pid_t pid = fork();

	cr_assert_neq(pid, -1);
	if (!pid) {
		alarm(110); /* rather than wait for ever */
		_exit(child() ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	CHECK(status == 0, "the child's status is %#x", (unsigned int)status);
}

static bool remove_in_child(void)
{
	return is_known_inside() && jf_code_map_remove(&range) == JF_OK;
}

/* A child has one thread, whatever the others were doing. */
static void fork_beside_a_reader(void)
{
	struct reader reader;

	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	cr_assert(is_known_inside());
	begin(&reader);
	tell(&reader, OPEN);
	fork_and(remove_in_child);
	tell(&reader, SHUT);
	end(&reader);
}

Test(codemap_sections, a_forked_child_waits_for_nobody_else, .timeout = 120)
{
	jf_code_map_wait();
	fork_beside_a_reader();
}

Test(codemap_sections, a_child_of_a_process_that_never_removed_waits_for_nobody_else, .timeout = 120)
{
	fork_beside_a_reader();
}

/* The child's first thread keeps the word that it had in the parent, whoever else comes. */
static bool read_beside_another(void)
{
	unsigned int section;
	struct reader other;
	pthread_t remover;
	bool held;

	if (jf_code_map_add(&range, NULL) != JF_OK || jf_code_map_remove(&range) != JF_OK ||
	    jf_code_map_add(&range, NULL) != JF_OK)
		return false;
	begin(&other);
	tell(&other, OPEN);
	section = jf_code_map_enter();
	tell(&other, SHUT);
	begin_removal(&remover);
	for (unsigned int i = 0; i < 200; i++)
		sched_yield();
	held = atomic_load(&removed) == 0;
	jf_code_map_leave(section);
	pthread_join(remover, NULL);
	end(&other);
	return held && atomic_load(&removed) == 1;
}

Test(codemap_sections, a_child_of_a_process_that_never_removed_keeps_its_place, .timeout = 120)
{
	cr_assert(is_known_inside());
	fork_and(read_beside_another);
}

Test(codemap_sections, a_child_of_a_process_that_removed_keeps_its_place, .timeout = 120)
{
	cr_assert(is_known_inside());
	jf_code_map_wait();
	fork_and(read_beside_another);
}

static unsigned int open_section;

static bool leave_in_child(void)
{
	jf_code_map_leave(open_section);
	return jf_code_map_remove(&range) == JF_OK && is_known_inside();
}

/* A thread without a word of its own forks inside of a section, and leaves it in both processes. */
Test(codemap_sections, a_child_leaves_what_its_parent_opened, .timeout = 120)
{
	begin_crowd();
	cr_assert(!is_known_inside());
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
	open_section = jf_code_map_enter();
	fork_and(leave_in_child);
	jf_code_map_leave(open_section);
	cr_assert_eq(jf_code_map_remove(&range), JF_OK);
	end_crowd(0, CROWD);
}
