/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_THREAD_H
#define JF_WALK_THREAD_H

#include "walk/memo.h"

/* Of each thread, for the BPF stacks of all programs that have private ones. */
#define THREAD_STACKS_BYTES (1 << 20)

/*
 * What a thread has beside a few words of thread-local storage: one mapping, of which the thread uses the pages that it
 * touches. jf_thread_init() makes the record, the end of the thread gives it back.
 *
 *     thread-local storage            the thread's record
 *     jf_thread_own ---------------->  memos
 *     stack's low, floor, high         neighbours
 *     seat in the code map             private stacks: generated code adds an offset to jf_thread_own
 */
struct jf_thread {
	struct walk_memos memos;
	struct jf_thread *previous, *next; /* of all records of the process */
	uint8_t private_stacks[THREAD_STACKS_BYTES] __attribute__((aligned(64)));
};

/* NULL: the thread has none, and does without: walks and throws look everything up. Signal handlers read the word. */
extern __thread struct jf_thread *volatile jf_thread_own
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline struct walk_memos *walk_own_memos(void)
{
	struct jf_thread *own = jf_thread_own;

	return own ? &own->memos : NULL;
}

/* Of jf_thread_own from the thread pointer, in bytes: the same in all threads. */
uint64_t jf_thread_word_off(void);

/* How many records the process has. */
unsigned int jf_thread_count(void);

#endif
