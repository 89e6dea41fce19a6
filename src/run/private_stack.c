/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/private_stack.h"

#include "base/bytes.h"
#include "run/load.h"
#include "walk/thread.h"

#include <pthread.h>
#include <string.h>

/*
 * Private stacks are pieces of the thread's record: a piece has the same offset in the record of every thread, which is
 * what generated code adds to the address of the record.
 */
#define UNIT_BYTES 64
#define UNITS      (THREAD_STACKS_BYTES / UNIT_BYTES)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool taken[UNITS];

uint32_t jf_private_stack_round(uint32_t bytes)
{
	return jf_round_up(bytes, UNIT_BYTES);
}

uint32_t jf_private_stack_take(uint32_t bytes, uint32_t *off)
{
	uint32_t want = jf_private_stack_round(bytes) / UNIT_BYTES, run = 0;
	bool found = false;
	uint8_t *here;

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < UNITS && !found; i++) {
		run = taken[i] ? 0 : run + 1;
		found = want && run == want;
		if (found) {
			*off = (i + 1 - want) * UNIT_BYTES;
			memset(&taken[i + 1 - want], true, want);
		}
	}
	pthread_mutex_unlock(&lock);
	if (!found)
		return 0;
	/* An earlier owner's data would look like an overrun guard. */
	here = jf_private_stack_here(*off);
	if (here)
		memset(here, 0, want * UNIT_BYTES);
	return want * UNIT_BYTES;
}

void jf_private_stack_give(uint32_t off, uint32_t bytes)
{
	pthread_mutex_lock(&lock);
	memset(&taken[off / UNIT_BYTES], false, bytes / UNIT_BYTES);
	pthread_mutex_unlock(&lock);
}

void jf_private_stack_values(uint32_t off, struct jf_values *values)
{
	values->private_stack = offsetof(struct jf_thread, private_stacks) + off;
	values->private_stack_word = jf_thread_word_off();
}

uint8_t *jf_private_stack_here(uint32_t off)
{
	struct jf_thread *own = jf_thread_own;

	return own ? own->private_stacks + off : NULL;
}

/* ---- guards ---------------------------------------------------------------------------------------- */

/* Guard n of the program's private stacks in this thread: two for each function that has one. */
static uint8_t *guard_at(const struct jf_loaded *loaded, uint32_t n)
{
	const struct jf_image_function *f = jf_image_function_at(loaded->image, n / 2);
	uint8_t *low = jf_private_stack_here(loaded->private_off);

	if (!low || !f->frame->spec.private_stack)
		return NULL;
	low += f->private_stack_off;
	return n % 2 ? low + jf_frame_private_stack(f->frame).top_off : low;
}

/* The pool may hold what a program that is gone has left there. */
void jf_private_stack_clear_guards(const struct jf_loaded *loaded)
{
	for (uint32_t n = 0; loaded->private_bytes && n < 2 * loaded->image->function_count; n++) {
		uint8_t *guard = guard_at(loaded, n);

		if (guard)
			memset(guard, 0, loaded->image->conv->private_stack_guard_bytes);
	}
}

enum jf_status jf_private_stack_check(const struct jf_loaded *loaded)
{
	if (!loaded)
		return JF_E_INVAL;
	for (uint32_t n = 0; loaded->private_bytes && n < 2 * loaded->image->function_count; n++) {
		const uint8_t *guard = guard_at(loaded, n);

		for (uint32_t i = 0; guard && i < loaded->image->conv->private_stack_guard_bytes; i++)
			if (guard[i])
				return JF_E_GUARD;
	}
	return JF_OK;
}
