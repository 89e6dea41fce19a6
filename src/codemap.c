/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap.h"

#include <jitframe/codemap.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * Readers see an immutable, sorted snapshot through one atomic pointer. Writers copy it, publish the
 * copy and wait until no reader can hold the old one before they free it.
 *
 * Readers announce themselves in one of two counters, chosen by the epoch's low bit. A writer moves the
 * epoch on twice and each time waits for the counter it left behind: a reader that chose its counter
 * just before the first move is waited for in the second. Readers never wait, so a signal handler may
 * read whatever its thread was doing.
 */
struct snapshot {
	size_t count;
	struct {
		uint64_t start;
		const struct jf_range *range;
	} entries[];
};

static _Atomic(struct snapshot *) current;
static atomic_uint epoch;
static atomic_uint readers[2];
static pthread_mutex_t writer = PTHREAD_MUTEX_INITIALIZER;

unsigned int jf_code_map_enter(void)
{
	unsigned int section = atomic_load(&epoch) & 1;

	atomic_fetch_add(&readers[section], 1);
	return section;
}

void jf_code_map_leave(unsigned int section)
{
	atomic_fetch_sub(&readers[section & 1], 1);
}

const struct jf_range *jf_code_map_find(uint64_t address)
{
	const struct snapshot *snapshot = atomic_load(&current);
	size_t low = 0, high = snapshot ? snapshot->count : 0;

	/* Invariant: entries before low start at or before address, entries from high on after it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address >= snapshot->entries[low - 1].range->end)
		return NULL;
	return snapshot->entries[low - 1].range;
}

static void wait_for_readers(void)
{
	for (int turn = 0; turn < 2; turn++) {
		unsigned int left = atomic_fetch_add(&epoch, 1) & 1;

		while (atomic_load(&readers[left]))
			sched_yield();
	}
}

void jf_code_map_wait(void)
{
	pthread_mutex_lock(&writer);
	wait_for_readers();
	pthread_mutex_unlock(&writer);
}

static void publish(struct snapshot *next)
{
	struct snapshot *old = atomic_exchange(&current, next);

	wait_for_readers();
	free(old);
}

static struct snapshot *snapshot_new(size_t capacity)
{
	struct snapshot *snapshot;

	if (capacity > (SIZE_MAX - sizeof(*snapshot)) / sizeof(snapshot->entries[0]))
		return NULL;
	snapshot = malloc(sizeof(*snapshot) + capacity * sizeof(snapshot->entries[0]));
	if (snapshot)
		snapshot->count = 0;
	return snapshot;
}

static void snapshot_append(struct snapshot *snapshot, const struct jf_range *range)
{
	snapshot->entries[snapshot->count].start = range->start;
	snapshot->entries[snapshot->count++].range = range;
}

/* Walks take all of this for granted: they index with what rows and slots say. */
static enum jf_status check_range(const struct jf_range *range)
{
	uint32_t restorable = 0; /* slots that hold a register */

	if (!range || range->size < sizeof(*range) || range->start >= range->end || range->kind >= JF_RANGE__COUNT ||
	    !range->name || !range->backend)
		return JF_E_INVAL;
	if (range->kind == JF_RANGE_ENTRY)
		return JF_OK;
	if (!range->rows || !range->row_count || range->rows[0].code_off || range->slot_count > JF_FRAME_SLOTS_MAX ||
	    (range->slot_count && !range->slots) || range->end - range->start > UINT32_MAX)
		return JF_E_INVAL;
	for (unsigned int i = 0; i < range->slot_count; i++)
		if (range->slots[i].reg < range->backend->reg_count)
			restorable |= UINT32_C(1) << i;
	for (size_t i = 0; i < range->row_count; i++) {
		if (i && range->rows[i].code_off <= range->rows[i - 1].code_off)
			return JF_E_INVAL;
		if (range->rows[i].cfa_reg >= range->backend->reg_count || range->rows[i].saved & ~restorable)
			return JF_E_INVAL;
	}
	if (range->kind == JF_RANGE_BOUNDARY && !range->callback)
		return JF_E_INVAL;
	return JF_OK;
}

static int compare_start(const void *a, const void *b)
{
	const struct jf_range *x = *(const struct jf_range *const *)a, *y = *(const struct jf_range *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Merges `sorted` into the current entries. returns: NULL with *status set. */
static struct snapshot *merge(const struct jf_range **sorted, size_t count, enum jf_status *status)
{
	const struct snapshot *old = atomic_load(&current);
	size_t old_count = old ? old->count : 0, i = 0, k = 0;
	struct snapshot *next = snapshot_new(old_count + count);

	*status = JF_E_NO_MEMORY;
	if (!next)
		return NULL;
	while (i < old_count || k < count) {
		bool take_old = k == count || (i < old_count && old->entries[i].start <= sorted[k]->start);
		const struct jf_range *range = take_old ? old->entries[i++].range : sorted[k++];

		if (next->count && next->entries[next->count - 1].range->end > range->start) {
			*status = JF_E_OVERLAP;
			free(next);
			return NULL;
		}
		snapshot_append(next, range);
	}
	return next;
}

enum jf_status jf_code_map_add_all(const struct jf_range *ranges, size_t count)
{
	const struct jf_range **sorted;
	struct snapshot *next;
	enum jf_status status;

	if (!ranges || !count)
		return JF_E_INVAL;
	for (size_t i = 0; i < count; i++) {
		status = check_range(&ranges[i]);
		if (status != JF_OK)
			return status;
	}
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return JF_E_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &ranges[i];
	qsort(sorted, count, sizeof(*sorted), compare_start);
	pthread_mutex_lock(&writer);
	next = merge(sorted, count, &status);
	if (next) {
		publish(next);
		status = JF_OK;
	}
	pthread_mutex_unlock(&writer);
	free(sorted);
	return status;
}

enum jf_status jf_code_map_add(const struct jf_range *range)
{
	return jf_code_map_add_all(range, 1);
}

static enum jf_status remove_locked(const struct jf_range *ranges, size_t count)
{
	const struct snapshot *old = atomic_load(&current);
	struct snapshot *next;
	size_t found = 0;

	if (!old)
		return JF_E_NOT_FOUND;
	next = snapshot_new(old->count);
	if (!next)
		return JF_E_NO_MEMORY;
	for (size_t i = 0; i < old->count; i++) {
		const struct jf_range *range = old->entries[i].range;

		if (range >= ranges && range < ranges + count)
			found++;
		else
			snapshot_append(next, range);
	}
	if (found != count) {
		free(next);
		return JF_E_NOT_FOUND;
	}
	publish(next);
	return JF_OK;
}

enum jf_status jf_code_map_remove_all(const struct jf_range *ranges, size_t count)
{
	enum jf_status status;

	if (!ranges || !count)
		return JF_E_INVAL;
	pthread_mutex_lock(&writer);
	status = remove_locked(ranges, count);
	pthread_mutex_unlock(&writer);
	return status;
}
