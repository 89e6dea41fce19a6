/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "foreign.h"
#include "island.h"
#include "maps.h"
#include "programs.h"

/*
 * Program arrays. Keys are indexes, values the numbers of programs in the bundle; what tail calls read is
 * the library's struct jf_program_array. Programs may change them here, as only user space may in Linux:
 * how else would they change under programs that run.
 */

#define PROGRAMS_MAX (1 << 20)

/* As the code of another JIT reads it. */
static enum jf_status init_foreign(struct map *map, struct jf_error *error)
{
	size_t bytes = map->jit->array_programs_off + (size_t)map->max_entries * sizeof(*map->slots);

	map->memory = island_map(map->place->object, bytes);
	if (map->memory == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "no memory for %u entries at 0x%llx",
				    map->max_entries, (unsigned long long)map->place->object);
	map->memory_bytes = bytes;
	memcpy(map->memory + map->jit->array_count_off, &map->max_entries, sizeof(map->max_entries));
	map->slots = (uint64_t *)(void *)(map->memory + map->jit->array_programs_off);
	return JF_OK;
}

static enum jf_status programs_map_init(struct map *map, struct jf_error *error)
{
	if (map->key_bytes != sizeof(uint32_t) || map->value_bytes != sizeof(uint32_t))
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name,
				    "keys and values of a program array have 4 bytes, not %u and %u", map->key_bytes,
				    map->value_bytes);
	if (map->max_entries > PROGRAMS_MAX)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "%u programs are too many", map->max_entries);
	if (map->place != NULL)
		return init_foreign(map, error);
	map->programs =
		calloc(1, sizeof(*map->programs) + (size_t)map->max_entries * sizeof(map->programs->entries[0]));
	if (map->programs == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "no memory for %u entries", map->max_entries);
	map->programs->max_entries = map->max_entries;
	map->slots = map->programs->entries;
	return JF_OK;
}

static void programs_map_fini(struct map *map)
{
	free(map->programs);
}

/* What a slot holds is nobody's business: in Linux too. */
static void *programs_map_lookup(struct map *map, const void *key, unsigned int cpu)
{
	(void)map;
	(void)key;
	(void)cpu;
	return NULL;
}

static enum jf_status set_foreign(struct map *map, uint32_t index, const struct program *program)
{
	if (index >= map->max_entries)
		return JF_E_INVAL;
	__atomic_store_n(&map->slots[index], program != NULL ? foreign_object(program_foreign(program)) : 0,
			 __ATOMIC_RELEASE);
	return JF_OK;
}

enum jf_status map_programs_set(struct map *map, uint32_t index, const struct program *program)
{
	enum jf_status status;

	pthread_mutex_lock(&map->lock);
	if (map->place != NULL)
		status = set_foreign(map, index, program);
	else
		status = jf_program_array_set(map->programs, index, program != NULL ? program_loaded(program) : NULL);
	pthread_mutex_unlock(&map->lock);
	return status;
}

static int64_t programs_map_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	const struct program *loaded;
	uint32_t index, program;

	memcpy(&index, key, sizeof(index));
	memcpy(&program, value, sizeof(program));
	if (flags != MAP_UPDATE_ANY)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (programs_load(program, &loaded, NULL) != JF_OK || map_programs_set(map, index, loaded) != JF_OK)
		return -EINVAL;
	return 0;
}

static int64_t programs_map_delete(struct map *map, const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->max_entries)
		return -E2BIG;
	if (__atomic_load_n(&map->slots[index], __ATOMIC_RELAXED) == 0)
		return -ENOENT;
	return map_programs_set(map, index, NULL) == JF_OK ? 0 : -EINVAL;
}

static int64_t programs_map_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	(void)map;
	(void)callback;
	(void)ctx;
	return -EINVAL;
}

const struct map_ops map_programs_ops = {
	.sized = true,
	.init = programs_map_init,
	.fini = programs_map_fini,
	.lookup = programs_map_lookup,
	.update = programs_map_update,
	.delete = programs_map_delete,
	.for_each = programs_map_for_each,
};
