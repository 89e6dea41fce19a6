/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_LINUX_JIT_H
#define JF_BENCH_LINUX_JIT_H

#include <jitframe/jitframe.h>

/*
 * Linux's JIT for this machine, as scripts/kernel-jit has built it: a program ARCH/jit of the folder that the
 * environment variable JITFRAME_KERNEL_JIT names. Without it every call says no; the first one says what is missing.
 */
#define LINUX_JIT_SAMPLES 11

/* Times the JIT itself, in its own process. out: nanoseconds per instruction. */
bool linux_jit_time(const struct jf_function *function, double samples[LINUX_JIT_SAMPLES]);

/* The code of one function, which calls nothing. out: *code: malloc(); returns: bytes, 0 without it. */
size_t linux_jit_code(const struct jf_function *function, uint32_t stack_bytes, uint8_t **code);
/* The same for another architecture. */
size_t linux_jit_code_of(const struct jf_backend *backend, const struct jf_function *function, uint32_t stack_bytes,
			 uint8_t **code);

#endif
