/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "maps.h"

/*
 *     memory:  element 0             element 1
 *              cpu 0 | cpu 1 | ...   cpu 0 | cpu 1 | ...      each value_stride bytes
 */

static enum jf_status array_init(struct map *map, struct jf_error *error)
{
	if (map->key_bytes != sizeof(uint32_t))
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name, "an array's key has 4 bytes, not %u",
				    map->key_bytes);
	return map_reserve(map, (uint64_t)map->max_entries * map->cpu_count, map->value_stride, error);
}

static uint32_t read_index(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static uint8_t *element(const struct map *map, uint32_t index, unsigned int cpu)
{
	size_t number = (size_t)index * map->cpu_count + (map->cpu_count > 1 ? cpu : 0);

	return map->memory + number * map->value_stride;
}

static void *array_lookup(struct map *map, const void *key, unsigned int cpu)
{
	uint32_t index = read_index(key);

	return index < map->max_entries ? element(map, index, cpu) : NULL;
}

static int64_t array_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t index = read_index(key);

	if (flags > MAP_UPDATE_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags == MAP_UPDATE_NOEXIST)
		return -EEXIST;
	memcpy(element(map, index, map_cpu()), value, map->value_bytes);
	return 0;
}

static int64_t array_delete(struct map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EINVAL;
}

static int64_t array_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	for (uint32_t index = 0; index < map->max_entries; index++) {
		uint32_t key = index;
		uint8_t *value = element(map, index, map_cpu());

		if (callback((uintptr_t)map, (uintptr_t)&key, (uintptr_t)value, ctx, 0) != 0)
			return (int64_t)index + 1;
	}
	return map->max_entries;
}

const struct map_ops map_array_ops = {
	.sized = true,
	.init = array_init,
	.lookup = array_lookup,
	.update = array_update,
	.delete = array_delete,
	.for_each = array_for_each,
};
