/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PERCPU_H
#define JF_RUNNER_PERCPU_H

#include "maps.h"

/*
 * Variables of section .percpu: each thread has its own, as a processor has in a kernel. Programs find them by their
 * distance from the thread pointer, which is what the `user` conventions take for a per-CPU address.
 */

/* A place for the map's value. out: *distance from the thread pointer. returns: JF_E_NO_MEMORY: over 32 KiB of them. */
enum jf_status percpu_add(struct map *map, uint64_t *distance, struct jf_error *error);
void percpu_fini(void);

/* The calling thread's variables begin with what the maps hold for CPU 0, and go back to the maps at its end. All
 * threads have begun before one of them ends. */
void percpu_begin(void);
void percpu_end(void);

#endif
