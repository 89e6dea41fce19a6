/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "map_ring.h"

/*
 * Ring buffers that nobody reads: records lie one behind the other from the start of the memory on, each behind a head
 * of 8 bytes, until there is no more room.
 */
#define HEAD_BYTES 8

enum { QUERY_AVAIL_DATA, QUERY_RING_SIZE, QUERY_CONS_POS, QUERY_PROD_POS, FLAGS_WAKEUP = 3 };

static enum jf_status ring_init(struct map *map, struct jf_error *error)
{
	if (map->max_entries & (map->max_entries - 1) || map->max_entries % 4096 != 0)
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name,
				    "a ring buffer of %u bytes: a power of 2 of whole pages is wanted",
				    map->max_entries);
	return map_reserve(map, 1, map->max_entries, error);
}

static void *ring_lookup(struct map *map, const void *key, unsigned int cpu)
{
	(void)map;
	(void)key;
	(void)cpu;
	return NULL;
}

static int64_t ring_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	(void)map;
	(void)key;
	(void)value;
	(void)flags;
	return -EOPNOTSUPP;
}

static int64_t ring_delete(struct map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EOPNOTSUPP;
}

static int64_t ring_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	(void)map;
	(void)callback;
	(void)ctx;
	return -EOPNOTSUPP;
}

const struct map_ops map_ring_ops = {
	.init = ring_init,
	.lookup = ring_lookup,
	.update = ring_update,
	.delete = ring_delete,
	.for_each = ring_for_each,
};

static struct map *ring_of(void *object)
{
	struct map *map = map_of(object);

	return map != NULL && map->ops == &map_ring_ops ? map : NULL;
}

void *ring_reserve(void *object, uint64_t bytes, uint64_t flags)
{
	struct map *map = ring_of(object);
	uint64_t taken = ((bytes + 7) & ~UINT64_C(7)) + HEAD_BYTES;
	void *record = NULL;

	if (map == NULL || flags != 0 || bytes > map->max_entries)
		return NULL;
	pthread_mutex_lock(&map->lock);
	if (taken <= map->max_entries - map->ring_used) {
		record = map->memory + map->ring_used + HEAD_BYTES;
		map->ring_used += taken;
	}
	pthread_mutex_unlock(&map->lock);
	return record;
}

void ring_submit(void *record, uint64_t flags)
{
	(void)record;
	(void)flags;
}

int64_t ring_output(void *object, const void *bytes, uint64_t count, uint64_t flags)
{
	void *record;

	if (flags & ~(uint64_t)FLAGS_WAKEUP)
		return -EINVAL;
	record = ring_reserve(object, count, 0);
	if (record == NULL)
		return -EAGAIN;
	memcpy(record, bytes, count);
	return 0;
}

uint64_t ring_query(void *object, uint64_t what)
{
	const struct map *map = ring_of(object);

	if (map == NULL)
		return 0;
	switch (what) {
	case QUERY_AVAIL_DATA:
	case QUERY_PROD_POS: return map->ring_used;
	case QUERY_RING_SIZE: return map->max_entries;
	default: return 0;
	}
}
