/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/handles.h"

#include "base/memory.h"

#include <pthread.h>

/*
 * A hash table with linear probing: at most half of its places are used, counting those that are kept for a program
 * that may be put back. Removal moves later entries up, so nothing is left behind.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct jf_loaded **places;
static size_t place_count, used, kept;

static size_t home(const struct jf_loaded *loaded)
{
	return (size_t)((uint64_t)(uintptr_t)loaded * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (place_count - 1);
}

static size_t find(const struct jf_loaded *loaded)
{
	size_t i = home(loaded);

	while (places[i] && places[i] != loaded)
		i = (i + 1) & (place_count - 1);
	return i;
}

static void put(const struct jf_loaded *loaded)
{
	places[find(loaded)] = loaded;
	used++;
}

static bool resize(size_t count)
{
	const struct jf_loaded **old = places;
	size_t old_count = place_count;

	if (count == place_count)
		return true;
	places = count ? jf_calloc(count, sizeof(*places)) : NULL;
	if (count && !places) {
		places = old;
		return false;
	}
	place_count = count;
	used = 0;
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			put(old[i]);
	jf_free(old);
	return true;
}

bool jf_handles_add(const struct jf_loaded *loaded)
{
	bool good;

	pthread_mutex_lock(&lock);
	good = 2 * (used + kept + 1) <= place_count || resize(place_count ? 2 * place_count : 16);
	if (good)
		put(loaded);
	pthread_mutex_unlock(&lock);
	return good;
}

/* Entries behind a gap that their homes are not behind. */
static void close_gap(size_t gap)
{
	size_t mask = place_count - 1;

	for (size_t i = (gap + 1) & mask; places[i]; i = (i + 1) & mask) {
		if (((i - home(places[i])) & mask) < ((i - gap) & mask))
			continue;
		places[gap] = places[i];
		gap = i;
	}
	places[gap] = NULL;
}

bool jf_handles_take(const struct jf_loaded *loaded)
{
	size_t i;
	bool found = false;

	pthread_mutex_lock(&lock);
	if (place_count) {
		i = find(loaded);
		found = places[i] != NULL;
		if (found) {
			close_gap(i);
			used--;
			kept++;
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

void jf_handles_put_back(const struct jf_loaded *loaded)
{
	pthread_mutex_lock(&lock);
	put(loaded);
	kept--;
	pthread_mutex_unlock(&lock);
}

void jf_handles_forget(void)
{
	pthread_mutex_lock(&lock);
	kept--;
	/* Without memory the table stays as large as it is. */
	if (!used && !kept)
		resize(0);
	else if (place_count > 16 && 8 * (used + kept) < place_count)
		resize(place_count / 2);
	pthread_mutex_unlock(&lock);
}
