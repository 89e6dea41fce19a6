/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_MAP_RING_H
#define JF_RUNNER_MAP_RING_H

#include "maps.h"

extern const struct map_ops map_ring_ops;

/* As the helpers bpf_ringbuf_*(); `object` is what the program holds as the map. A discarded record is as a submitted
 * one: nobody looks. */
void *ring_reserve(void *object, uint64_t bytes, uint64_t flags);
void ring_submit(void *record, uint64_t flags);
int64_t ring_output(void *object, const void *bytes, uint64_t count, uint64_t flags);
uint64_t ring_query(void *object, uint64_t what);

#endif
