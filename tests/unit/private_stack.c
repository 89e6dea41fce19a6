/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/private_stack.h"
#include "walk/thread.h"

#include "check.h"

#include <jitframe/load.h>
#include <jitframe/walk.h>
#include <pthread.h>
#include <string.h>

/* The pool that private stacks come from, and the clock that may_goto asks. */

Test(private_stack, pieces_are_rounded_and_apart)
{
	uint32_t first, second, third;

	cr_assert_eq(jf_private_stack_take(1, &first), jf_private_stack_round(1));
	cr_assert_eq(jf_private_stack_take(100, &second), jf_private_stack_round(100));
	cr_assert_eq(jf_private_stack_take(64, &third), 64);
	cr_assert(first % 16 == 0 && second % 16 == 0 && third % 16 == 0);
	cr_assert(second >= first + jf_private_stack_round(1) && third >= second + jf_private_stack_round(100));
}

Test(private_stack, what_was_given_back_is_taken_again)
{
	uint32_t first, second, again;
	uint32_t bytes = jf_private_stack_take(200, &first);

	cr_assert(jf_private_stack_take(200, &second));
	jf_private_stack_give(first, bytes);
	cr_assert_eq(jf_private_stack_take(200, &again), bytes);
	cr_assert_eq(again, first);
	/* A gap that is too small is passed over. */
	jf_private_stack_give(first, bytes);
	cr_assert(jf_private_stack_take(300, &again));
	cr_assert_gt(again, second);
}

Test(private_stack, the_pool_has_an_end)
{
	uint32_t off = 77, total = 0, bytes;

	cr_assert_eq(jf_private_stack_take(THREAD_STACKS_BYTES + 1, &off), 0);
	cr_assert_eq(off, 77);
	while ((bytes = jf_private_stack_take(4096, &off)))
		total += bytes;
	cr_assert_geq(total, 32768);
	cr_assert_leq(total, THREAD_STACKS_BYTES);
}

struct seen {
	uint8_t *before, *here, *by_word;
};

static void *look(void *arg)
{
	struct seen *seen = arg;
	struct jf_values values;
	uint64_t word;

	seen->before = jf_private_stack_here(128);
	cr_assert_neq(jf_thread_init(), JF_E_NO_MEMORY);
	seen->here = jf_private_stack_here(128);
	jf_private_stack_values(128, &values);
	memcpy(&word, (uint8_t *)__builtin_thread_pointer() + values.private_stack_word, sizeof(word));
	seen->by_word = (uint8_t *)(uintptr_t)(word + values.private_stack);
	cr_assert_eq(*seen->here, 0);
	memset(seen->here, 0x55, 64);
	return NULL;
}

/* Generated code reads the same word and adds the same constant in all threads. */
Test(private_stack, each_thread_has_its_own_at_the_same_offset)
{
	struct seen mine, other;
	pthread_t thread;

	look(&mine);
	cr_assert_eq(pthread_create(&thread, NULL, look, &other), 0);
	pthread_join(thread, NULL);
	cr_assert_neq(mine.here, other.here);
	cr_assert_eq(mine.here, mine.by_word);
	cr_assert_eq(other.here, other.by_word);
	cr_assert_null(other.before, "a thread that was not set up has none");
}

/* ---- may_goto ------------------------------------------------------------------------------------------ */

Test(may_goto, starts_the_clock_and_refills_until_time_is_up)
{
	uint64_t slots[2] = {0, 0}, count = jf_may_goto_check(slots), start = slots[1];

	cr_assert_gt(count, 1000);
	cr_assert_neq(start, 0);
	cr_assert_eq(jf_may_goto_check(slots), count);
	cr_assert_eq(slots[1], start, "the start stays");
	slots[1] = start - UINT64_C(200000000);
	cr_assert_eq(jf_may_goto_check(slots), count);
	slots[1] = start - UINT64_C(300000000);
	cr_assert_eq(jf_may_goto_check(slots), 0);
}
