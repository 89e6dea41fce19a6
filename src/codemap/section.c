/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/section.h"

#include <errno.h>
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
 * readers execute their own. Where no other thread has a seat there is nobody to execute one.
 *
 * A signal handler may come at any point: it finds `since` 0 or not, and leaves it as it was.
 *
 * A thread with a record (src/walk/thread.c) gives its seat back when it ends. Of others, whose handlers could not have
 * asked for that, who needs a seat takes one whose thread is gone. A new thread may have the number of one that is
 * gone, and takes over its seat.
 */

#define SEATS   512
#define CLEARED (-1) /* the tid of a seat that is being made free */

static struct seat {
	_Atomic(uint64_t) since;
	atomic_int tid; /* whose it is; 0: free */
} __attribute__((aligned(64))) seats[SEATS];
static atomic_uint seats_used; /* all behind are free */

/*
 * Threads that found no seat count in words for all of them, which is slower: those that read an even age in one,
 * the others in the other. Who waits sees both at 0, one before and one after the new age begins; so sections that
 * come meanwhile count in the word that is not looked at any more.
 */
static atomic_uint standing[2];
static struct seat no_seat;
static atomic_bool crowded; /* somebody stands */
static atomic_bool vacant;  /* a seat has become free since */

static __thread _Atomic(struct seat *) mine __attribute__((tls_model("initial-exec")));

_Atomic(uint64_t) jf_code_map_age = 1;
atomic_bool jf_code_map_fences = true;

/* What jf_code_map_enter() returns. */
enum {
	SECTION_INNER, /* the thread was in one already */
	SECTION_SEAT,
	SECTION_STANDING, /* + which word + SECTION_FORK * forks */
	SECTION_FORK = 4,
};

/* Of this process and those before it: a section that was counted in the parent's words is not in the child's. */
static atomic_uint forks;

/* ---- seats ---------------------------------------------------------------------------------------------- */

/* That thread of this process: a signal 0 is not delivered. Leaves errno as it was, for a handler's sake. */
static bool is_gone(int tid)
{
	int before = errno;
	bool gone = tid > 0 && syscall(SYS_tgkill, getpid(), tid, 0) != 0 && errno == ESRCH;

	errno = before;
	return gone;
}

/* Makes a seat that was of `tid`, 0 = nobody, one of `self`. */
static bool take_over(unsigned int i, int tid, int self)
{
	unsigned int used = atomic_load(&seats_used);

	if (tid != self && !atomic_compare_exchange_strong(&seats[i].tid, &tid, self))
		return false;
	/* Its thread may have ended in a section. */
	atomic_store(&seats[i].since, 0);
	while (used <= i && !atomic_compare_exchange_weak(&seats_used, &used, i + 1))
		;
	return true;
}

static struct seat *find_seat(int self)
{
	static atomic_uint next; /* where the last one looked: the seats before are rather taken */

	for (unsigned int i = 0; i < SEATS; i++) {
		int tid = atomic_load(&seats[i].tid);

		if ((!tid || tid == self) && take_over(i, tid, self))
			return &seats[i];
	}
	for (unsigned int n = 0; n < SEATS; n++) {
		unsigned int i = atomic_fetch_add(&next, 1) % SEATS;
		int tid = atomic_load(&seats[i].tid);

		if (is_gone(tid) && take_over(i, tid, self))
			return &seats[i];
	}
	return &no_seat;
}

/*
 * For a thread that has none or stands: `mine` is `old`. A signal handler of this thread may find it a seat
 * meanwhile: then that one is kept.
 */
static struct seat *take_seat(struct seat *old)
{
	struct seat *seat = find_seat((int)syscall(SYS_gettid)), *other = old;

	if (seat == &no_seat)
		atomic_store(&crowded, true);
	if (atomic_compare_exchange_strong(&mine, &other, seat))
		return seat;
	if (seat != &no_seat && seat != other)
		atomic_store(&seat->tid, 0);
	return other;
}

void jf_code_map_give_seat(void)
{
	struct seat *seat = atomic_exchange(&mine, NULL);

	if (!seat || seat == &no_seat)
		return;
	/* The thread may end in a section. */
	atomic_store(&seat->since, 0);
	atomic_store(&seat->tid, 0);
	if (!atomic_load(&vacant))
		atomic_store(&vacant, true);
}

/* ---- readers -------------------------------------------------------------------------------------------- */

static unsigned int stand(void)
{
	unsigned int word = atomic_load(&jf_code_map_age) & 1;

	atomic_fetch_add(&standing[word], 1);
	return SECTION_STANDING + word + SECTION_FORK * atomic_load(&forks);
}

static struct seat *look_for_seat(struct seat *seat)
{
	if (seat == &no_seat && !atomic_exchange(&vacant, false))
		return seat;
	seat = take_seat(seat);
	if (seat != &no_seat)
		atomic_store(&vacant, true);       /* there may be more of them */
	atomic_thread_fence(memory_order_seq_cst); /* see others_have_seats() */
	return seat;
}

unsigned int jf_code_map_enter(void)
{
	struct seat *seat = atomic_load_explicit(&mine, memory_order_relaxed);

	if (!seat || seat == &no_seat)
		seat = look_for_seat(seat);
	if (seat == &no_seat)
		return stand();
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
	if (section == SECTION_SEAT)
		atomic_store_explicit(&atomic_load_explicit(&mine, memory_order_relaxed)->since, 0,
				      memory_order_release);
	else if (section & SECTION_STANDING && section / SECTION_FORK == atomic_load(&forks))
		atomic_fetch_sub(&standing[section & 1], 1);
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

/* In a forked child there is this thread alone, under a new number; who stood takes a seat. */
static void keep_own_seat(void)
{
	struct seat *own = atomic_load(&mine);

	for (unsigned int i = 0; i < SEATS; i++) {
		if (&seats[i] == own)
			continue;
		atomic_store(&seats[i].since, 0);
		atomic_store(&seats[i].tid, 0);
	}
	if (own == &no_seat)
		atomic_store(&mine, NULL);
	else if (own)
		atomic_store(&own->tid, (int)syscall(SYS_gettid));
	atomic_fetch_add(&forks, 1);
	for (unsigned int word = 0; word < 2; word++)
		atomic_store(&standing[word], 0);
	if (!atomic_load(&jf_code_map_fences)) {
		atomic_store(&jf_code_map_fences, true);
		choose_order();
	}
}

/* Before anybody has a seat: a process may fork that never waits. A reader cannot do this, for it may be a handler. */
static __attribute__((constructor)) void follow_forks(void)
{
	pthread_atfork(NULL, NULL, keep_own_seat);
}

/* Seats of threads that are gone become free, for those who stand. */
static void clear_seats(unsigned int used)
{
	for (unsigned int i = 0; i < used; i++) {
		int tid = atomic_load(&seats[i].tid);

		if (!is_gone(tid) || !atomic_compare_exchange_strong(&seats[i].tid, &tid, CLEARED))
			continue;
		atomic_store(&seats[i].since, 0);
		atomic_store(&seats[i].tid, 0);
		atomic_store(&vacant, true);
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

static void wait_for_standing(uint64_t age)
{
	while (atomic_load(&standing[age & 1]))
		sched_yield();
}

/* Whom this look misses has taken a seat behind it, and reads behind the fence of look_for_seat(): no longer what was
 * made unreachable before the fence here. */
static bool others_have_seats(void)
{
	const struct seat *own = atomic_load(&mine);
	unsigned int used;

	atomic_thread_fence(memory_order_seq_cst);
	used = atomic_load(&seats_used);
	for (unsigned int i = 0; i < used; i++)
		if (&seats[i] != own && atomic_load(&seats[i].tid))
			return true;
	return false;
}

void jf_code_map_wait(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t new_age;
	unsigned int used;

	pthread_once(&once, choose_order);
	pthread_mutex_lock(&lock);
	/* Some may have read an age long ago. They count in the word that is about to be the new age's. */
	wait_for_standing(atomic_load(&jf_code_map_age) + 1);
	new_age = atomic_fetch_add(&jf_code_map_age, 1) + 1;
	if (!atomic_load(&jf_code_map_fences) && others_have_seats())
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	used = atomic_load(&seats_used);
	for (unsigned int i = 0; i < used; i++)
		wait_for_seat(&seats[i], new_age);
	wait_for_standing(new_age - 1);
	if (atomic_exchange(&crowded, false))
		clear_seats(used);
	pthread_mutex_unlock(&lock);
}
