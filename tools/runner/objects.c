/* SPDX-License-Identifier: BSD-2-Clause */
#include "objects.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define BYTES_MAX 4096 /* more than a kernel allocates for a program in one piece */

/* Each object is behind one of these, and all are in a ring. */
struct object {
	struct object *next, *prev;
	uint64_t bytes;
	uint64_t references;
	_Alignas(16) uint8_t memory[];
};

static struct object ring = {&ring, &ring, 0, 0};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct object *object_of(void *memory)
{
	return (struct object *)(void *)((uint8_t *)memory - offsetof(struct object, memory));
}

void *object_new(uint64_t bytes)
{
	struct object *object = bytes <= BYTES_MAX ? calloc(1, sizeof(*object) + bytes) : NULL;

	if (object == NULL)
		return NULL;
	object->bytes = bytes;
	object->references = 1;
	pthread_mutex_lock(&lock);
	object->next = &ring;
	object->prev = ring.prev;
	ring.prev->next = object;
	ring.prev = object;
	pthread_mutex_unlock(&lock);
	return object->memory;
}

static void drop_locked(struct object *object)
{
	if (--object->references > 0)
		return;
	object->prev->next = object->next;
	object->next->prev = object->prev;
	free(object);
}

void object_drop(void *memory)
{
	pthread_mutex_lock(&lock);
	drop_locked(object_of(memory));
	pthread_mutex_unlock(&lock);
}

void *object_acquire(void *memory)
{
	pthread_mutex_lock(&lock);
	object_of(memory)->references++;
	pthread_mutex_unlock(&lock);
	return memory;
}

void object_drop_around(const void *address)
{
	struct object *object;

	pthread_mutex_lock(&lock);
	for (object = ring.next; object != &ring; object = object->next)
		if ((uintptr_t)address - (uintptr_t)object->memory < object->bytes)
			break;
	if (object != &ring)
		drop_locked(object);
	pthread_mutex_unlock(&lock);
}

void objects_fini(void)
{
	while (ring.next != &ring) {
		ring.next->references = 1;
		drop_locked(ring.next);
	}
}
