/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_HOST_H
#define JF_BENCH_HOST_H

#include <jitframe/jitframe.h>

/* The convention of this machine that is sound in user space; ends the program where there is none. */
const struct jf_convention *host_convention(void);

/* Loads functions, which may call kfunc 0. in: callback: kfunc 0 may throw, and the last
 * function is the callback. Ends the program on an error. */
struct jf_loaded *host_load(const struct jf_function *functions, uint32_t count, bool callback, uintptr_t kfunc);

#endif
