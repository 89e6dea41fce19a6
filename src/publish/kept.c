/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/kept.h"

#include "base/memory.h"

#include <time.h>

#define KEPT_NS UINT64_C(1000000000)

static struct kept_object *first, *last; /* that were given, the oldest first */

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct kept_object *jf_kept_take(void)
{
	struct kept_object *object = first;

	if (!object || now() - object->since < KEPT_NS)
		return jf_alloc(sizeof(*object));
	first = object->next;
	return object;
}

void jf_kept_give(struct kept_object *object)
{
	if (!object)
		return;
	object->next = NULL;
	object->since = now();
	if (first)
		last->next = object;
	else
		first = object;
	last = object;
}

void jf_kept_free(void)
{
	while (first) {
		struct kept_object *object = first;

		first = object->next;
		jf_free(object);
	}
}
