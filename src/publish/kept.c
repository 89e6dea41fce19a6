/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/kept.h"

#include "base/memory.h"

#include <time.h>

#define KEPT_NS UINT64_C(1000000000)

uint64_t jf_kept_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

bool jf_kept_is_over(uint64_t since)
{
	return jf_kept_now() - since >= KEPT_NS;
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
	memory->since = jf_kept_now();
	while (list->first && jf_kept_is_over(list->first->since))
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
