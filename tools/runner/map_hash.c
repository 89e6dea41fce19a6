/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps.h"

/*
 * Chained nodes in one piece of memory, so that a value's address never changes:
 *
 *     node n:  next | used | key, rounded up to 8 | value of cpu 0 | value of cpu 1 | ...
 *
 * Nodes are numbered from 1. The lock covers the chains; programs read and write values without it, as
 * they do in the kernel. It is not held while a program's callback runs.
 */
struct node {
	uint32_t next;
	uint32_t used;
	uint8_t bytes[];
};

static size_t key_stride(const struct map *map)
{
	return ((size_t)map->key_bytes + 7) & ~(size_t)7;
}

static struct node *node_at(const struct map *map, uint32_t number)
{
	return (struct node *)(void *)(map->memory + (size_t)(number - 1) * map->node_bytes);
}

static uint8_t *node_value(const struct map *map, struct node *node, unsigned int cpu)
{
	return node->bytes + key_stride(map) + (size_t)(map->cpu_count > 1 ? cpu : 0) * map->value_stride;
}

static enum jf_status hash_init(struct map *map, struct jf_error *error)
{
	uint64_t buckets = 1;

	if (map->max_entries > UINT32_C(1) << 28)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "%u entries are too many", map->max_entries);
	while (buckets < map->max_entries)
		buckets *= 2;
	map->buckets = calloc(buckets, sizeof(*map->buckets));
	if (map->buckets == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "no memory for %u entries", map->max_entries);
	map->bucket_mask = (uint32_t)(buckets - 1);
	map->fresh_node = 1;
	map->evict_node = 1;
	map->node_bytes = sizeof(struct node) + key_stride(map) + (size_t)map->cpu_count * map->value_stride;
	return map_reserve(map, map->max_entries, map->node_bytes, error);
}

/* FNV-1a */
static uint32_t *bucket_of(const struct map *map, const void *key)
{
	const uint8_t *bytes = key;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 0; i < map->key_bytes; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return &map->buckets[(hash ^ hash >> 32) & map->bucket_mask];
}

/* returns: where the node's number stands; *place is 0 when the key is not there. */
static uint32_t *find(const struct map *map, const void *key)
{
	uint32_t *place = bucket_of(map, key);

	while (*place != 0 && memcmp(node_at(map, *place)->bytes, key, map->key_bytes) != 0)
		place = &node_at(map, *place)->next;
	return place;
}

static void unlink_node(struct map *map, uint32_t *place)
{
	uint32_t number = *place;
	struct node *node = node_at(map, number);

	*place = node->next;
	node->used = 0;
	node->next = map->free_node;
	map->free_node = number;
}

/* The next used node from the last eviction on goes. */
static void evict_one(struct map *map)
{
	for (;;) {
		uint32_t number = map->evict_node;

		map->evict_node = number < map->max_entries ? number + 1 : 1;
		if (node_at(map, number)->used) {
			unlink_node(map, find(map, node_at(map, number)->bytes));
			return;
		}
	}
}

/* returns: 0 when the map is full. */
static uint32_t new_node(struct map *map)
{
	uint32_t number;

	if (map->free_node == 0 && map->fresh_node > map->max_entries && map->evicts)
		evict_one(map);
	number = map->free_node;
	if (number != 0) {
		map->free_node = node_at(map, number)->next;
		return number;
	}
	return map->fresh_node <= map->max_entries ? map->fresh_node++ : 0;
}

static void *hash_lookup(struct map *map, const void *key, unsigned int cpu)
{
	void *value = NULL;
	uint32_t number;

	pthread_mutex_lock(&map->lock);
	number = *find(map, key);
	if (number != 0)
		value = node_value(map, node_at(map, number), cpu);
	pthread_mutex_unlock(&map->lock);
	return value;
}

static int64_t update_locked(struct map *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t number = *find(map, key);
	struct node *node;
	uint32_t *bucket;

	if (number != 0 && flags == MAP_UPDATE_NOEXIST)
		return -EEXIST;
	if (number == 0) {
		if (flags == MAP_UPDATE_EXIST)
			return -ENOENT;
		number = new_node(map);
		if (number == 0)
			return -E2BIG;
		node = node_at(map, number);
		memset(node->bytes, 0, map->node_bytes - sizeof(*node));
		memcpy(node->bytes, key, map->key_bytes);
		node->used = 1;
		bucket = bucket_of(map, key);
		node->next = *bucket;
		*bucket = number;
	}
	memcpy(node_value(map, node_at(map, number), map_cpu()), value, map->value_bytes);
	return 0;
}

static int64_t hash_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	int64_t result;

	if (flags > MAP_UPDATE_EXIST)
		return -EINVAL;
	pthread_mutex_lock(&map->lock);
	result = update_locked(map, key, value, flags);
	pthread_mutex_unlock(&map->lock);
	return result;
}

static int64_t hash_delete(struct map *map, const void *key)
{
	int64_t result = -ENOENT;
	uint32_t *place;

	pthread_mutex_lock(&map->lock);
	place = find(map, key);
	if (*place != 0) {
		unlink_node(map, place);
		result = 0;
	}
	pthread_mutex_unlock(&map->lock);
	return result;
}

/* By node, not by chain: the callback may delete elements, its own too. */
static int64_t hash_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	int64_t calls = 0;

	for (uint32_t number = 1; number <= map->max_entries; number++) {
		struct node *node = node_at(map, number);
		uint64_t key = (uintptr_t)node->bytes, value = (uintptr_t)node_value(map, node, map_cpu());
		bool used;

		pthread_mutex_lock(&map->lock);
		used = number < map->fresh_node && node->used;
		pthread_mutex_unlock(&map->lock);
		if (!used)
			continue;
		calls++;
		if (callback((uintptr_t)map, key, value, ctx, 0) != 0)
			break;
	}
	return calls;
}

const struct map_ops map_hash_ops = {
	.sized = true,
	.init = hash_init,
	.lookup = hash_lookup,
	.update = hash_update,
	.delete = hash_delete,
	.for_each = hash_for_each,
};
