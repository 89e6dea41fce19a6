/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_DPDK_H
#define JF_BENCH_DPDK_H

#include <jitframe/jitframe.h>

/* DPDK's JIT for BPF, librte_bpf. Without it every load fails, and says so once. */
struct dpdk_program;

/* Verifies and compiles, as rte_bpf_load() does. in: data_bytes: what the program's argument points to; 0: a number.
 * returns: NULL when it is refused; *reason says why. */
struct dpdk_program *dpdk_load(const struct jf_insn *insns, uint32_t count, size_t data_bytes, const char **reason);
uint64_t (*dpdk_code(const struct dpdk_program *program))(void *arg);
void dpdk_unload(struct dpdk_program *program);

#endif
