/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps.h"
#include "island.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "map_outer.h"
#include "map_ring.h"
#include "percpu.h"

#define MAP_BYTES_MAX ((uint64_t)1 << 30)

/* Numbers of linux/bpf.h, which a bare cross sysroot need not have. */
enum {
	TYPE_HASH = 1,
	TYPE_ARRAY = 2,
	TYPE_PROG_ARRAY = BUNDLE_TYPE_PROG_ARRAY,
	TYPE_PERCPU_HASH = 5,
	TYPE_PERCPU_ARRAY = 6,
	TYPE_LRU_HASH = 9,
	TYPE_LRU_PERCPU_HASH = 10,
	TYPE_ARRAY_OF_MAPS = BUNDLE_TYPE_ARRAY_OF_MAPS,
	TYPE_HASH_OF_MAPS = BUNDLE_TYPE_HASH_OF_MAPS,
	TYPE_RINGBUF = 27,
	TYPE_ARENA = BUNDLE_TYPE_ARENA,
};

static const struct {
	uint32_t type;
	const struct map_ops *ops;
	bool per_cpu;
	bool evicts;
} kinds[] = {
	{TYPE_HASH, &map_hash_ops, false, false},           {TYPE_ARRAY, &map_array_ops, false, false},
	{TYPE_PROG_ARRAY, &map_programs_ops, false, false}, {TYPE_PERCPU_HASH, &map_hash_ops, true, false},
	{TYPE_PERCPU_ARRAY, &map_array_ops, true, false},   {TYPE_LRU_HASH, &map_hash_ops, false, true},
	{TYPE_LRU_PERCPU_HASH, &map_hash_ops, true, true},  {TYPE_ARENA, &map_arena_ops, false, false},
	{TYPE_RINGBUF, &map_ring_ops, false, false},        {TYPE_ARRAY_OF_MAPS, &map_outer_ops, false, false},
	{TYPE_HASH_OF_MAPS, &map_outer_ops, false, false},
};

static struct {
	const struct bundle *bundle;
	struct map *maps;
	struct jf_map_ref *refs;
	uint32_t count;
} all;

static _Thread_local unsigned int this_cpu;

unsigned int map_cpu(void)
{
	return this_cpu;
}

void map_cpu_set(unsigned int cpu)
{
	this_cpu = cpu;
}

enum jf_status map_reserve(struct map *map, uint64_t count, uint64_t bytes, struct jf_error *error)
{
	uint64_t total;
	void *memory;

	if (__builtin_mul_overflow(count, bytes, &total) || total > MAP_BYTES_MAX)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "the map would take over %llu bytes",
				    (unsigned long long)MAP_BYTES_MAX);
	memory = map->place != NULL ?
			 island_map(map->place->value, total) :
			 mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || memory == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "no %llu bytes for the map",
				    (unsigned long long)total);
	map->memory = memory;
	map->memory_bytes = total;
	return JF_OK;
}

static enum jf_status check_sizes(const struct map *map, struct jf_error *error)
{
	bool sized = map->ops->sized;

	if (sized ? map->key_bytes == 0 || map->value_bytes == 0 : map->key_bytes != 0 || map->value_bytes != 0)
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name, "key of %u bytes, value of %u bytes: %s",
				    map->key_bytes, map->value_bytes,
				    sized ? "none may be 0" : "this type has no elements");
	if (map->max_entries == 0 || map->value_bytes > MAP_BYTES_MAX || map->key_bytes > MAP_BYTES_MAX)
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name,
				    "key of %u bytes, value of %u bytes, %u entries: none may be 0 or huge",
				    map->key_bytes, map->value_bytes, map->max_entries);
	return JF_OK;
}

/* An arena's variables are the last thing in it; a data map is its value. */
static enum jf_status init_value_bytes(struct map *map, const uint8_t *bytes, uint32_t count, struct jf_error *error)
{
	if (count > 0 && map->arena != NULL)
		return map_arena_fill(map, bytes, count, error);
	if (count > 0 && map->ops == &map_array_ops && count <= map->memory_bytes)
		memcpy(map->memory, bytes, count);
	return JF_OK;
}

static enum jf_status init_one(struct map *map, const struct bundle *bundle, const struct bundle_map *def,
			       uint32_t cpu_count, struct jf_error *error)
{
	enum jf_status status;

	map->name = bundle->strings + def->name;
	map->type = def->type;
	map->key_bytes = def->key_bytes;
	map->value_bytes = def->value_bytes;
	map->max_entries = def->max_entries;
	map->map_extra = def->map_extra;
	map->cpu_count = 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type == def->type) {
			map->ops = kinds[i].ops;
			map->evicts = kinds[i].evicts;
			map->cpu_count = kinds[i].per_cpu ? cpu_count : 1;
		}
	}
	if (map->ops == NULL)
		return JF_OK;
	status = check_sizes(map, error);
	if (status != JF_OK)
		return status;
	map->value_stride = (map->value_bytes + 7) & ~UINT32_C(7);
	pthread_mutex_init(&map->lock, NULL);
	status = map->ops->init(map, error);
	if (status != JF_OK)
		return status;
	return init_value_bytes(map, bundle->data + def->data_off, def->data_bytes, error);
}

/* The fields that the code of another JIT reads, where it takes the map to be. */
static bool show_fields(struct map *map)
{
	map->shown = island_map(map->place->object, sizeof(map->seen));
	if (map->shown != NULL)
		memcpy(map->shown, &map->seen, sizeof(map->seen));
	return map->shown != NULL;
}

enum jf_status maps_init(const struct bundle *bundle, uint32_t cpu_count, struct jf_error *error)
{
	uint32_t count = bundle->count[BUNDLE_MAPS];

	all.bundle = bundle;
	all.maps = calloc(count + 1, sizeof(*all.maps));
	all.refs = calloc(count + 1, sizeof(*all.refs));
	if (all.maps == NULL || all.refs == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "maps", "no memory for %u maps", count);
	all.count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct map *map = &all.maps[i];
		enum jf_status status;

		if (bundle->jit != NULL) {
			map->place = &bundle->places[i];
			map->jit = bundle->jit;
		}
		status = init_one(map, bundle, &bundle->maps[i], cpu_count, error);
		if (status != JF_OK)
			return status;
		all.refs[i].object = map->programs != NULL ? (uintptr_t)map->programs : (uintptr_t)map;
		if (map->place != NULL)
			all.refs[i].object = map->place->object;
		if (map->arena != NULL)
			all.refs[i].value = map_arena_variables(map);
		else if (bundle_map_is_percpu(&bundle->maps[i]))
			status = percpu_add(map, &all.refs[i].value, error);
		else if (map->ops == &map_array_ops && map->cpu_count == 1)
			all.refs[i].value = (uintptr_t)map->memory;
		if (status != JF_OK)
			return status;
		if (map->place != NULL && map->arena != NULL && !show_fields(map))
			return jf_error_set(error, JF_E_NO_MEMORY, map->name,
					    "no memory at 0x%llx, where its fields are",
					    (unsigned long long)map->place->object);
		if (map->arena != NULL && map->place != NULL && bundle->maps[i].data_bytes > 0 &&
		    all.refs[i].value != map->place->value)
			return jf_error_set(
				error, JF_E_UNSUPPORTED, map->name,
				"pages of this processor have another size than the code takes for granted");
	}
	return JF_OK;
}

void maps_fini(void)
{
	for (uint32_t i = 0; i < all.count; i++) {
		struct map *map = &all.maps[i];

		if (map->ops != NULL && map->ops->fini != NULL)
			map->ops->fini(map);
		if (map->memory != NULL)
			munmap(map->memory, map->memory_bytes);
		if (map->shown != NULL)
			munmap(map->shown, sizeof(map->seen));
		free(map->buckets);
	}
	free(all.maps);
	free(all.refs);
	memset(&all, 0, sizeof(all));
}

const struct jf_map_ref *maps_refs(void)
{
	return all.refs;
}

struct map *map_of(void *object)
{
	struct map *map = object;

	if (map >= all.maps && map < all.maps + all.count)
		return map;
	for (uint32_t i = 0; i < all.count; i++) {
		if (object != NULL && all.refs[i].object == (uintptr_t)object)
			return &all.maps[i];
	}
	return NULL;
}

struct map *maps_at(uint32_t index)
{
	return index < all.count ? &all.maps[index] : NULL;
}

int64_t maps_find(const char *name)
{
	for (uint32_t i = 0; i < all.count; i++) {
		if (strcmp(all.maps[i].name, name) == 0)
			return i;
	}
	return -1;
}

enum jf_status maps_usable(uint32_t index, struct jf_error *error)
{
	if (index >= all.count)
		return jf_error_set(error, JF_E_BAD_IMAGE, "maps", "there is no map %u", index);
	if (all.maps[index].ops == NULL)
		return jf_error_set(error, JF_E_UNSUPPORTED, all.maps[index].name, "maps of type %u are not supported",
				    all.maps[index].type);
	return JF_OK;
}

/* ---- static initialisers ---------------------------------------------------------------------- */

static uint64_t init_value(const struct bundle_init *init, uint64_t (*address)(uint32_t function))
{
	switch (init->kind) {
	case BUNDLE_INIT_VALUE_ADDRESS: return all.refs[init->target].value + (uint64_t)(int64_t)init->addend;
	case BUNDLE_INIT_FUNCTION_ADDRESS: return address(init->target);
	default: return all.refs[init->target].object;
	}
}

static enum jf_status apply(const struct bundle_init *init, uint64_t (*address)(uint32_t function),
			    struct jf_error *error)
{
	struct map *map = &all.maps[init->map];
	uint64_t value;

	/* Slots for programs are filled when a program that has the array is loaded. */
	if (init->kind == BUNDLE_INIT_PROGRAM_SLOT)
		return JF_OK;
	if (init->kind == BUNDLE_INIT_MAP_SLOT)
		return map_outer_set(map, init->key, all.refs[init->target].object) ?
			       JF_OK :
			       jf_error_set(error, JF_E_BAD_IMAGE, map->name, "no room for a map at %u", init->key);
	value = init_value(init, address);
	if (map->arena != NULL) {
		memcpy(map_arena_at(map, init->key), &value, sizeof(value));
		return JF_OK;
	}
	if (map->ops != &map_array_ops || map->memory_bytes < sizeof(value) ||
	    init->key > map->memory_bytes - sizeof(value))
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name, "no room for an address at byte %u", init->key);
	memcpy(map->memory + init->key, &value, sizeof(value));
	return JF_OK;
}

enum jf_status maps_apply_inits(uint64_t (*address)(uint32_t function), struct jf_error *error)
{
	const struct bundle *bundle = all.bundle;

	for (uint32_t i = 0; i < bundle->count[BUNDLE_INITS]; i++) {
		enum jf_status status = apply(&bundle->inits[i], address, error);

		if (status != JF_OK)
			return status;
	}
	for (uint32_t i = 0; i < all.count; i++) {
		struct map *map = &all.maps[i];

		if ((bundle->maps[i].flags & BUNDLE_MAP_READ_ONLY) == 0 || map->memory == NULL)
			continue;
		if (mprotect(map->memory, map->memory_bytes, PROT_READ) != 0)
			return jf_error_set(error, JF_E_NO_MEMORY, map->name, "cannot be made read-only");
	}
	return JF_OK;
}
