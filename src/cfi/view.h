/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_VIEW_H
#define JF_CFI_VIEW_H

#include "cfi/objects.h"

#include <pthread.h>

/* What the view of walks is made from, under the lock. */
struct cfi_member {
	const struct jf_cfi_table *table; /* NULL, and no object: one without rows */
	struct jf_cfi_table *owned;       /* the same, of an object that was converted; NULL: jf_cfi_add()'s */
	struct cfi_object *object;        /* one that is searched */
	bool is_object;
	bool seen;          /* still loaded */
	bool is_new;        /* since the present scan */
	uint64_t base, sum; /* of an object that is not searched: its load address and jf_cfi_object_sum() */
};

extern pthread_mutex_t jf_cfi_lock;
extern struct cfi_list jf_cfi_members; /* struct cfi_member */

/* Whether another member of the same backend has some of the addresses. */
bool jf_cfi_overlaps(const struct cfi_member *added);

/* Shows the members as they are now, and waits until nobody sees them as they were. returns: false = no memory. */
bool jf_cfi_show(void);
/* As jf_cfi_show(), for more room, if little is left for the rows of objects. Without memory all stays as it is. */
void jf_cfi_make_room(void);

#endif
