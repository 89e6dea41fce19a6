/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_FOUND_H
#define JF_CHECK_FOUND_H

#include "check/checker.h"

/* Rows that are derived from code, on their way. */
struct found {
	struct jf_row *by_off; /* one for each byte of the code; UNKNOWN until something is found */
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	unsigned int slot_count;
};

/* returns: false without memory. owns: found->by_off is the caller's, jf_free(). */
bool found_init(struct found *found, size_t byte_count);

/* The slot of that register there, a new one if need be. returns: -1 when there is no room. */
int found_slot(struct found *found, const struct jf_backend *backend, uint8_t reg, int32_t off);

/*
 * The rows and slots in the caller's memory; as jf_check_rows() has them.
 * returns: JF_E_NOSPACE, with the counts that are needed.
 */
enum jf_status found_give(const struct checker *c, const struct found *found, struct jf_row *rows, size_t *row_count,
			  struct jf_slot *slots, size_t *slot_count, struct jf_error *error);

#endif
