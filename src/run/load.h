/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_LOAD_H
#define JF_RUN_LOAD_H

#include "run/code_room.h"

#include <jitframe/codemap.h>
#include <jitframe/load.h>

/* A loaded program, as the files of this folder see it. Ranges and image are behind it, in the same block. */
struct jf_loaded {
	const struct jf_native *native;
	struct jf_image *image;
	uint64_t entry; /* of main */
	struct code_room code;
	struct jf_range *ranges; /* one per function of the image */
	uint32_t private_off;    /* what it holds of the pool of private stacks */
	uint32_t private_bytes;
	uint32_t hardening; /* as in struct jf_program_array */
};

/* Whether a frame of this thread is in the program's code. Where a walk cannot go on, the answer is no. */
bool jf_loaded_is_running_here(const struct jf_loaded *loaded);

#endif
