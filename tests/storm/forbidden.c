/* SPDX-License-Identifier: BSD-2-Clause */
#include "storm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What a walk in a handler must not do: the linker leads these calls here (--wrap), those of the library too. */

static atomic_ullong forbidden;
static __thread volatile bool walking __attribute__((tls_model("initial-exec")));

void storm_forbid(bool on)
{
	walking = on;
}

unsigned long long storm_forbidden_calls(void)
{
	return forbidden;
}

static void note(void)
{
	if (walking)
		atomic_fetch_add(&forbidden, 1);
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t bytes)
{
	note();
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	note();
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
	note();
	return __real_realloc(memory, bytes);
}

void __wrap_free(void *memory)
{
	note();
	__real_free(memory);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	note();
	return __real_pthread_mutex_lock(mutex);
}
