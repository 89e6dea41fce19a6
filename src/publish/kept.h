/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_KEPT_H
#define JF_PUBLISH_KEPT_H

#include <jitframe/types.h>

/*
 * Memory that an unwinder may still read for a moment after it was told to forget it. A search of libgcc's that has
 * found something reads its object once more after it has given up its lock (GCC 12, the end of _Unwind_Find_FDE());
 * nongnu's libunwind goes through its list without a lock. So such memory stays as it is for a second, and only then is
 * freed. Under the map's lock.
 */
struct kept {
	struct kept *next;
	uint64_t since; /* ns, CLOCK_MONOTONIC */
};

/* That were given, the oldest first. Start with all 0. */
struct kept_list {
	struct kept *first, *last;
};

/* Takes memory of jf_alloc(), which begins with struct kept. */
void jf_kept_give(struct kept_list *list, struct kept *memory);
/* returns: the time, in ns of CLOCK_MONOTONIC. */
uint64_t jf_kept_now(void);
/* returns: whether searches of that time have ended. */
bool jf_kept_is_over(uint64_t since);
/* Frees what was given, at once: nobody searches. */
void jf_kept_free(struct kept_list *list);

#endif
