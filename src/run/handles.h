/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_HANDLES_H
#define JF_RUN_HANDLES_H

#include <jitframe/types.h>

struct jf_loaded;

/* The programs that are loaded: a pointer is asked for here before anything is read through it. threads: any. */

/* returns: false without memory. */
bool jf_handles_add(const struct jf_loaded *loaded);
/* returns: whether the program was loaded. It is not any more; one of the next two says what comes of it. */
bool jf_handles_take(const struct jf_loaded *loaded);
/* It is loaded after all. Allocates nothing. */
void jf_handles_put_back(const struct jf_loaded *loaded);
/* One that was taken is gone. */
void jf_handles_forget(void);

#endif
