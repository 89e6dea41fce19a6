/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_WATCH_H
#define JF_CODEMAP_WATCH_H

#include <jitframe/codemap.h>

#include <stdatomic.h>

/*
 * Who is told of each change of the map; a floor above sets the pointer, under the map's lock. Both functions are
 * called under that lock: changes come in their order, and none is missed between jf_code_map_each() and a new pointer.
 * A function here may allocate and write files. A function here calls nothing that takes the dynamic linker's lock, for
 * a constructor of a library, which runs under that one, may wait for the map's. Nor does it change the map.
 */
struct map_watch {
	/* These ranges are in the map now. Nobody runs their code before the return. */
	void (*added)(const struct jf_range *ranges, size_t count);
	/* These ranges are about to go: they can be read until the return. */
	void (*removed)(const struct jf_range *ranges, size_t count);
};
extern _Atomic(const struct map_watch *) jf_code_map_watch;

/* The lock of those who change the map. Not in a reader section: the holder may wait for that section's end. */
void jf_code_map_lock(void);
void jf_code_map_unlock(void);

/* Calls `visit` for each range once, in no order. Under the map's lock. */
void jf_code_map_each(void (*visit)(const struct jf_range *range));

#endif
