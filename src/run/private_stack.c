/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/private_stack.h"

#include <pthread.h>
#include <string.h>

/*
 * Private stacks are pieces of one thread-local buffer: a piece has the same offset from the thread
 * pointer in every thread, which is what generated code adds.
 */
#define POOL_BYTES 65536
#define UNIT_BYTES 64
#define UNITS      (POOL_BYTES / UNIT_BYTES)

static __thread uint8_t pool[POOL_BYTES] __attribute__((aligned(64), tls_model("initial-exec")));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool taken[UNITS];

uint32_t jf_private_stack_round(uint32_t bytes)
{
	return (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
}

uint32_t jf_private_stack_take(uint32_t bytes, uint32_t *off)
{
	uint32_t want = jf_private_stack_round(bytes) / UNIT_BYTES, run = 0;
	bool found = false;

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
	memset(pool + *off, 0, want * UNIT_BYTES);
	return want * UNIT_BYTES;
}

void jf_private_stack_give(uint32_t off, uint32_t bytes)
{
	pthread_mutex_lock(&lock);
	memset(&taken[off / UNIT_BYTES], false, bytes / UNIT_BYTES);
	pthread_mutex_unlock(&lock);
}

uint64_t jf_private_stack_tp_off(uint32_t off)
{
	return (uint64_t)(uintptr_t)(pool + off) - (uint64_t)(uintptr_t)__builtin_thread_pointer();
}

uint8_t *jf_private_stack_here(uint32_t off)
{
	return pool + off;
}
