/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_THROW_H
#define JF_BENCH_THROW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Throws an exception through `depth` functions and catches it. returns: what was thrown. */
uint64_t cxx_throw(unsigned int depth);

#ifdef __cplusplus
}
#endif

#endif
