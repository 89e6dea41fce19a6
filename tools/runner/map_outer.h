/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_MAP_OUTER_H
#define JF_RUNNER_MAP_OUTER_H

#include "maps.h"

extern const struct map_ops map_outer_ops;

/* Puts a map, as programs hold it, into a map of maps. returns: false: the key is not one of 4 bytes, or not there. */
bool map_outer_set(struct map *map, uint32_t key, uint64_t inner);

#endif
