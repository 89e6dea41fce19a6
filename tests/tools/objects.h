/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_OBJECTS_H
#define JF_TESTS_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "bundle.h"
#include "link.h"

/* A BPF object of bpf/, as the build compiled it: "kinds". Ends the test when it is not there. free(). */
uint8_t *object_read(const char *name, size_t *size);

/* bundle_open() on a bundle linked from such an object; *bytes is the caller's to free. */
void object_bundle(const char *name, const char *program, void **bytes, struct bundle *bundle);

/* Opens, selects and compiles all that is in the bytes, for every convention; whatever they hold. returns:
 * whether bundle_open() took them. The bytes are copied to memory of just their size. */
int bundle_exercise(const void *bytes, size_t size);

/* Deterministic numbers, a sequence for each state; the state must not be 0. */
uint64_t random_next(uint64_t *state);

#endif
