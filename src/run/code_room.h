/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_CODE_ROOM_H
#define JF_RUN_CODE_ROOM_H

#include "run/exec_memory.h"

#include <jitframe/status.h>

struct code_region;

/*
 * Room for the code of one program: a piece of a region, which many programs share, or pages of its own. Executable
 * and never writable through the address at which it runs. All zero: none.
 */
struct code_room {
	uint8_t *bytes;
	size_t size;
	int more_prot;              /* of its pages: landing_pad_prot of struct jf_native, or 0 */
	struct code_region *region; /* NULL: `own` */
	struct exec_memory own;
};

/*
 * From here on there is no room in regions: for debuggers, which can put breakpoints into pages of this process's own,
 * and not into shared ones, and for profilers, which take shared ones for a file's. Counted: each `true` wants a
 * `false`. threads: any.
 */
void code_room_keep_apart(bool apart);
/* Takes at least `least` and at most `most` bytes of a region. returns: false where there is none; *room is
 * untouched. */
bool code_room_take_shared(struct code_room *room, size_t least, size_t most, int more_prot);
/* Takes pages. returns: false without memory; *room is untouched. */
bool code_room_take_own(struct code_room *room, size_t bytes, int more_prot);
/*
 * Writes code, gives back the room behind it, and lets every processor see it.
 * returns: JF_E_NOT_FOUND: the room cannot be written any more, for example because the process was forked since it
 *      was taken: give it back and take another one; JF_E_NO_MEMORY.
 */
enum jf_status code_room_fill(struct code_room *room, const uint8_t *code, size_t size);
/* Writes over code that is there and keeps all of the room. returns: as code_room_fill(). */
enum jf_status code_room_write(struct code_room *room, const uint8_t *code, size_t size);
/* Fills the room with traps and gives it back. No thread runs the code, no reader looks at it. */
void code_room_give(struct code_room *room);

#endif
