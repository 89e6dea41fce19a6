/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_PLACES_H
#define JF_PUBLISH_PLACES_H

#include <jitframe/codemap.h>

/* A stretch of code begins here that comes from one line. */
struct place {
	uint64_t address;
	const struct jf_source_line *line;
	bool is_body; /* the first place behind the prologue */
};

/*
 * The next place of a range in order of addresses, for line tables. The prologue belongs to the first line; lines
 * without code have no place. in: *next = 0 at first. returns: false behind the last, and for a range without lines.
 */
bool jf_place_next(const struct jf_range *range, uint32_t *next, struct place *place);

#endif
