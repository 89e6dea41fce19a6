/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_ORC_H
#define JF_BENCH_ORC_H

#include <stdbool.h>
#include <stdint.h>

/* LLVM's JIT, ORC (no relation of the unwind tables). Opens libLLVM and makes a JIT; returns: false without it. */
bool orc_open(void);
/* Compiles one more function that returns 7, in a module of its own. returns: NULL on an error. */
uint64_t (*orc_function(void))(uint64_t);

#endif
