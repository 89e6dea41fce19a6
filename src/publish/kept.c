/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/kept.h"

#include "base/memory.h"

#include <time.h>

#define KEPT_NS UINT64_C(1000000000)

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void free_first(struct kept_list *list)
{
	struct kept *memory = list->first;

	list->first = memory->next;
	jf_free(memory);
}

void jf_kept_give(struct kept_list *list, struct kept *memory)
{
	memory->next = NULL;
	memory->since = now();
	while (list->first && memory->since - list->first->since >= KEPT_NS)
		free_first(list);
	if (list->first)
		list->last->next = memory;
	else
		list->first = memory;
	list->last = memory;
}

void jf_kept_free(struct kept_list *list)
{
	while (list->first)
		free_first(list);
}
