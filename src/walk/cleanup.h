/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_CLEANUP_H
#define JF_WALK_CLEANUP_H

#include "walk/walk.h"

/*
 * A throw whose pads run. JF_CLEANUP_RESUMED: while a pad runs, its frame's two slots of kind JF_SLOT_CLEANUP hold what
 * the rest of the throw needs. JF_CLEANUP_CALLED: a frame of C holds it, and struct jf_pad_call the cookie for others.
 */
struct cleanup_throw {
	uint64_t cookie;
	uint64_t landing; /* CFA of the boundary, which was found before any pad ran; 0 when read of a called pad */
};

/* The record that holds the call in which the walk's present frame is. returns: NULL: none does. */
const struct jf_cleanup_code *walk_cleanup_find(const struct walk *walk);

/* The throw whose pad runs in the present frame. returns: whether one does, and could be read. */
bool walk_cleanup_read(const struct walk *walk, struct cleanup_throw *running);
/* Puts a throw into the slots of the present frame, of this thread, whose pad is to be resumed. */
void walk_cleanup_write(const struct walk *walk, const struct cleanup_throw *running);

/* Whether all registers are known that a pad in the present frame is to find. */
bool walk_cleanup_knows_registers(const struct walk *walk);

#endif
