/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_KEPT_H
#define JF_PUBLISH_KEPT_H

#include "publish/unwinder.h"

/*
 * Objects of libgcc's list. A search that has found something reads its object once more after it has given up its lock
 * (GCC 12, the end of _Unwind_Find_FDE()). So an object stays as it is for a second after its removal, and only then
 * becomes another one. Under the map's lock.
 */
struct kept_object {
	struct unwinder_object object;
	struct kept_object *next;
	uint64_t since; /* ns, CLOCK_MONOTONIC */
};

/* returns: NULL without memory. */
struct kept_object *jf_kept_take(void);
/* The object was removed, or never registered. NULL: does nothing. */
void jf_kept_give(struct kept_object *object);
/* Frees those that were given, at once: nobody searches. */
void jf_kept_free(void);

#endif
