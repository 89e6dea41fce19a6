/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_BACKTRACE_H
#define JF_WALK_BACKTRACE_H

#include "base/text.h"
#include "walk/walk.h"

#include <jitframe/backtrace.h>

/* The lines of the frame at which a walk stands, the last newline included. */
void jf_backtrace_put(struct text *text, const struct walk *walk, unsigned int number,
		      const struct jf_backtrace_opts *opts);

#endif
