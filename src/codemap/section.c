/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/section.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Reader sections and the wait for them.
 *
 * A thread has a seat, with one word that it alone writes: `since`, the number of the age in which its present
 * section was opened, 0 outside of sections. Who has made something unreachable begins a new age and waits
 * for every seat until it shows 0 or an age that is no older:
 *
 *     reader                                  writer
 *     since = age                             make it unreachable
 *     (ordered)                               new = ++age
 *     read what is reachable                  (ordered)
 *     since = 0                               for each seat: while (since && since < new) wait
 *
 * A reader that shows an age >= new had read it after the writer counted it up, so it does not reach what was
 * made unreachable before. Of the others: either the writer sees the reader's `since`, and waits; or it does
 * not, and then the reader reads after the writer's change, by the order of the two lines marked so. Sections
 * that are opened while a writer waits show the new age and hold nothing up, so one pass is enough.
 *
 * Readers would need a full memory barrier for that order, at twice the cost of a throw. Instead the writer
 * has the kernel execute one in every running thread of the process: membarrier(2). Where that is refused,
 * readers execute their own.
 *
 * A signal handler may come at any point: it finds `since` 0 or not, and leaves it as it was.
 */

#define SEATS 512

static struct seat {
	_Atomic(uint64_t) since;
	atomic_int tid; /* whose it is; 0: free */
} __attribute__((aligned(64))) seats[SEATS];
static atomic_uint seats_used; /* all behind are free */

/* Threads that found no seat count here, in one word for all: slower, and waited for until it is 0 for once. */
static atomic_uint standing;
static struct seat no_seat;

static __thread _Atomic(struct seat *) mine __attribute__((tls_model("initial-exec")));

_Atomic(uint64_t) jf_code_map_age = 1;
atomic_bool jf_code_map_fences = true;

/* What jf_code_map_enter() returns. */
enum {
	SECTION_INNER, /* the thread was in one already */
	SECTION_SEAT,
	SECTION_STANDING,
};

/* ---- seats ---------------------------------------------------------------------------------------------- */

static struct seat *find_seat(int self)
{
	for (unsigned int i = 0; i < SEATS; i++) {
		unsigned int used = atomic_load(&seats_used);
		int nobody = 0;

		if (atomic_load(&seats[i].tid) || !atomic_compare_exchange_strong(&seats[i].tid, &nobody, self))
			continue;
		while (used <= i && !atomic_compare_exchange_weak(&seats_used, &used, i + 1))
			;
		return &seats[i];
	}
	return &no_seat;
}

/* A signal handler of this thread may find it a seat meanwhile: then that one is kept. */
static struct seat *take_seat(void)
{
	struct seat *seat = find_seat((int)syscall(SYS_gettid)), *other = NULL;

	if (atomic_compare_exchange_strong(&mine, &other, seat))
		return seat;
	if (seat != &no_seat)
		atomic_store(&seat->tid, 0);
	return other;
}

/* ---- readers -------------------------------------------------------------------------------------------- */

unsigned int jf_code_map_enter(void)
{
	struct seat *seat = atomic_load_explicit(&mine, memory_order_relaxed);

	if (!seat)
		seat = take_seat();
	if (seat == &no_seat) {
		atomic_fetch_add(&standing, 1);
		return SECTION_STANDING;
	}
	if (atomic_load_explicit(&seat->since, memory_order_relaxed))
		return SECTION_INNER;
	if (atomic_load_explicit(&jf_code_map_fences, memory_order_relaxed)) {
		atomic_store(&seat->since, atomic_load(&jf_code_map_age));
	} else {
		/* Who sees this knows that sections before it are over. */
		atomic_store_explicit(&seat->since, atomic_load(&jf_code_map_age), memory_order_release);
		atomic_signal_fence(memory_order_seq_cst);
	}
	return SECTION_SEAT;
}

void jf_code_map_leave(unsigned int section)
{
	if (section == SECTION_STANDING)
		atomic_fetch_sub(&standing, 1);
	else if (section == SECTION_SEAT)
		atomic_store_explicit(&atomic_load_explicit(&mine, memory_order_relaxed)->since, 0,
				      memory_order_release);
}

bool jf_code_map_in_section(void)
{
	struct seat *seat = atomic_load_explicit(&mine, memory_order_relaxed);

	return seat && atomic_load_explicit(&seat->since, memory_order_relaxed);
}

/* ---- waiting for them ----------------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose_order(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
		atomic_store(&jf_code_map_fences, false);
}

/* In a forked child there is this thread alone, under a new number. */
static void keep_own_seat(void)
{
	struct seat *own = atomic_load(&mine);

	for (unsigned int i = 0; i < SEATS; i++) {
		if (&seats[i] == own)
			continue;
		atomic_store(&seats[i].since, 0);
		atomic_store(&seats[i].tid, 0);
	}
	if (own && own != &no_seat)
		atomic_store(&own->tid, (int)syscall(SYS_gettid));
	atomic_store(&standing, 0);
	choose_order();
}

static void prepare(void)
{
	choose_order();
	pthread_atfork(NULL, NULL, keep_own_seat);
}

/* That thread of this process: a signal 0 is not delivered, and fails only where there is none. */
static bool is_gone(int tid)
{
	return tid && syscall(SYS_tgkill, getpid(), tid, 0) != 0;
}

/* Threads do not give their seats back. Of a few seats at a time, those whose threads are gone become free. */
static void clear_seats(unsigned int used)
{
	static unsigned int next;

	for (unsigned int i = 0; i < used && i < 4; i++) {
		struct seat *seat = &seats[next++ % used];

		if (!is_gone(atomic_load(&seat->tid)))
			continue;
		if (atomic_load(&seat->since))
			atomic_store(&seat->since, 0);
		atomic_store(&seat->tid, 0);
	}
}

/* A thread may have ended in a section; its word is looked at once more after that. */
static void wait_for_seat(const struct seat *seat, uint64_t new_age)
{
	for (bool gone = false;; gone = is_gone(atomic_load(&seat->tid))) {
		uint64_t since = atomic_load(&seat->since);

		if (!since || since >= new_age || gone)
			return;
		sched_yield();
	}
}

void jf_code_map_wait(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t new_age;
	unsigned int used;

	pthread_once(&once, prepare);
	pthread_mutex_lock(&lock);
	new_age = atomic_fetch_add(&jf_code_map_age, 1) + 1;
	if (!atomic_load(&jf_code_map_fences))
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	used = atomic_load(&seats_used);
	for (unsigned int i = 0; i < used; i++)
		wait_for_seat(&seats[i], new_age);
	while (atomic_load(&standing))
		sched_yield();
	clear_seats(used);
	pthread_mutex_unlock(&lock);
}
