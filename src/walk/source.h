/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_SOURCE_H
#define JF_WALK_SOURCE_H

#include "walk/walk.h"

/* Finds range, C function or ORC entry, row and CFA of the present pc. returns: as jf_walk_start(). */
enum jf_status jf_walk_locate(struct walk *walk);

#endif
