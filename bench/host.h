/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_HOST_H
#define JF_BENCH_HOST_H

#include <jitframe/jitframe.h>

/* The convention of this machine that is sound in user space; ends the program where there is none. */
const struct jf_convention *host_convention(void);

/* Loads functions, which may call kfunc 0. in: callback: kfunc 0 may throw, and the last
 * function is the callback. Ends the program on an error. */
struct jf_loaded *host_load(const struct jf_function *functions, uint32_t count, bool callback, uintptr_t kfunc);

/* The same for a program that throws by kfunc 0; clean-up pads resume the throw by kfunc 1. in: cleanups: each
 * function's records. */
struct jf_loaded *host_load_cleanups(const struct jf_function *functions, uint32_t count, uintptr_t kfunc,
				     const struct jf_cleanups *cleanups);

#endif
