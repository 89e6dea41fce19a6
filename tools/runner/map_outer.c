/* SPDX-License-Identifier: BSD-2-Clause */
#include "map_outer.h"

#include <errno.h>

/* Maps of maps: an array or a hash of what programs hold as the inner maps. Only static initialisers fill them. */

static const struct map_ops *below(const struct map *map)
{
	return map->type == BUNDLE_TYPE_ARRAY_OF_MAPS ? &map_array_ops : &map_hash_ops;
}

static enum jf_status outer_init(struct map *map, struct jf_error *error)
{
	map->value_bytes = sizeof(uint64_t);
	map->value_stride = sizeof(uint64_t);
	return below(map)->init(map, error);
}

static void *outer_lookup(struct map *map, const void *key, unsigned int cpu)
{
	uint64_t *inner = below(map)->lookup(map, key, cpu);

	return inner != NULL ? (void *)(uintptr_t)*inner : NULL;
}

/* A kernel lets no program do so either. */
static int64_t outer_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	(void)map;
	(void)key;
	(void)value;
	(void)flags;
	return -EINVAL;
}

static int64_t outer_delete(struct map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EINVAL;
}

static int64_t outer_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	(void)map;
	(void)callback;
	(void)ctx;
	return -EINVAL;
}

const struct map_ops map_outer_ops = {
	.sized = true,
	.init = outer_init,
	.lookup = outer_lookup,
	.update = outer_update,
	.delete = outer_delete,
	.for_each = outer_for_each,
};

bool map_outer_set(struct map *map, uint32_t key, uint64_t inner)
{
	return map->key_bytes == sizeof(key) && below(map)->update(map, &key, &inner, MAP_UPDATE_ANY) == 0;
}
