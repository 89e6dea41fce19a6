/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/thread.h"
#include "base/memory.h"

#include "walk/here.h"
#include "walk/sanitizer.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/* Records of threads: made when a thread is set up, given back when it ends, and in a forked child. */

__thread struct jf_thread *volatile jf_thread_own;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor sees threads end */
static bool has_key;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct jf_thread *first;
static unsigned int count;

uint64_t jf_thread_word_off(void)
{
	return (uint64_t)(uintptr_t)&jf_thread_own - (uint64_t)(uintptr_t)__builtin_thread_pointer();
}

unsigned int jf_thread_count(void)
{
	unsigned int now;

	pthread_mutex_lock(&lock);
	now = count;
	pthread_mutex_unlock(&lock);
	return now;
}

static void link_record(struct jf_thread *thread)
{
	pthread_mutex_lock(&lock);
	thread->next = first;
	if (first)
		first->previous = thread;
	first = thread;
	count++;
	pthread_mutex_unlock(&lock);
}

static void unlink_record(struct jf_thread *thread)
{
	pthread_mutex_lock(&lock);
	if (thread->previous)
		thread->previous->next = thread->next;
	else
		first = thread->next;
	if (thread->next)
		thread->next->previous = thread->previous;
	count--;
	pthread_mutex_unlock(&lock);
}

/*
 * The thread ends. Destructors that come later may walk and throw, as a thread without a record does; one that runs a
 * program has a new record made, and this is called again. A signal's handler may walk before and behind this.
 */
static void end_thread(void *arg)
{
	struct jf_thread *thread = arg;
	sigset_t all, before;

	sanitizer_thread_ends();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	jf_thread_own = NULL;
	unlink_record(thread);
	jf_unmap(thread, sizeof(*thread));
	jf_code_map_give_seat();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/*
 * In a forked child there is this thread alone: the records of the others are given back. Another thread may have been
 * at work on the list in the parent; then the list is not to be followed, and their records stay.
 */
static void keep_own_record(void)
{
	struct jf_thread *own = jf_thread_own, *next;

	if (pthread_mutex_trylock(&lock) == 0) {
		for (struct jf_thread *thread = first; thread; thread = next) {
			next = thread->next;
			if (thread != own)
				jf_unmap(thread, sizeof(*thread));
		}
		pthread_mutex_unlock(&lock);
	} else {
		pthread_mutex_init(&lock, NULL);
	}
	first = own;
	count = own != NULL;
	if (own)
		own->previous = own->next = NULL;
}

static void prepare(void)
{
	has_key = pthread_key_create(&key, end_thread) == 0;
	pthread_atfork(NULL, NULL, keep_own_record);
}

static bool make_record(void)
{
	struct jf_thread *thread;

	pthread_once(&once, prepare);
	if (!has_key)
		return false;
	thread = jf_map(sizeof(*thread), PROT_READ | PROT_WRITE, -1);
	if (!thread)
		return false;
	/* A thread touches a few pages of it. */
	madvise(thread, sizeof(*thread), MADV_NOHUGEPAGE);
	if (pthread_setspecific(key, thread)) {
		jf_unmap(thread, sizeof(*thread));
		return false;
	}
	link_record(thread);
	atomic_signal_fence(memory_order_seq_cst);
	jf_thread_own = thread;
	return true;
}

enum jf_status jf_thread_init(void)
{
	if (!jf_thread_own && !make_record())
		return JF_E_NO_MEMORY;
	return jf_walk_find_own_stack();
}
