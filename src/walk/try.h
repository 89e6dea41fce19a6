/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_TRY_H
#define JF_WALK_TRY_H

#include <stdatomic.h>

/* Whether some jf_try() of the process may be on a stack: without one, a throw does not look past ENTRY ranges. */
extern atomic_bool jf_try_is_known;

#endif
