/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PROBE_H
#define JF_RUNNER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads memory that may not be there. out: dst[0, bytes), all zero on failure. returns: 0 or -EFAULT.
 * dst itself is trusted. Any thread.
 */
int64_t probe_memory(void *dst, size_t bytes, uint64_t address);

/*
 * Reads a string, cuts it to bytes - 1 and terminates it.
 * returns: its length with the NUL, 0 when bytes is 0, -EFAULT with dst[0, bytes) zero.
 */
int64_t probe_read_string(char *dst, size_t bytes, uint64_t address);

/* A string, up to a NUL, `bytes` or memory that is not there; in the last case *is_whole is false.
 * returns: how many characters are in front of any of these. */
size_t probe_text(uint8_t *dst, size_t bytes, uint64_t address, bool *is_whole);

#endif
