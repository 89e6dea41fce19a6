/* SPDX-License-Identifier: BSD-2-Clause */
#include "percpu.h"

#include <string.h>

#define BYTES_MAX 32768 /* as much as a kernel has room for on each processor */
#define MAPS_MAX  16

static _Thread_local _Alignas(16) uint8_t area[BYTES_MAX];

static struct {
	struct map *maps[MAPS_MAX];
	uint32_t off[MAPS_MAX]; /* in the area */
	uint32_t count;
	uint32_t bytes;
} all;

enum jf_status percpu_add(struct map *map, uint64_t *distance, struct jf_error *error)
{
	if (all.count == MAPS_MAX || map->value_stride > BYTES_MAX - all.bytes)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name,
				    "per-CPU variables of over %d bytes, or %d sections", BYTES_MAX, MAPS_MAX);
	*distance = (uintptr_t)area + all.bytes - (uintptr_t)__builtin_thread_pointer();
	all.maps[all.count] = map;
	all.off[all.count++] = all.bytes;
	all.bytes += map->value_stride;
	return JF_OK;
}

void percpu_fini(void)
{
	memset(&all, 0, sizeof(all));
}

void percpu_begin(void)
{
	for (uint32_t i = 0; i < all.count; i++)
		memcpy(area + all.off[i], all.maps[i]->memory, all.maps[i]->value_bytes);
}

void percpu_end(void)
{
	for (uint32_t i = 0; i < all.count; i++)
		memcpy(all.maps[i]->memory + (size_t)map_cpu() * all.maps[i]->value_stride, area + all.off[i],
		       all.maps[i]->value_bytes);
}
