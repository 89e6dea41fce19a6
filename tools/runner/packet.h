/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PACKET_H
#define JF_RUNNER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jitframe/status.h>

#define PACKET_BYTES_MAX 65535

/*
 * The packet of --packet, for programs of a section: "xdp", "tc", "tcx/ingress" ... bytes[0, count) outlive all runs.
 * returns: JF_E_UNSUPPORTED: programs of that section get none.
 */
enum jf_status packet_init(const char *section, const uint8_t *bytes, size_t count, struct jf_error *error);
void packet_fini(void);
/* Whether an access there was one of the packet's socket, which is a kernel's. Async-signal-safe. */
bool packet_is_socket(uint64_t address);

/*
 * The calling thread's own copy, before each run: fresh bytes, and ctx, of RUN_CTX_BYTES, says where they are. Nothing
 * when there is no packet. in: data_end of ctx, as BPF_PROG_TEST_RUN has it for programs of skbs: how many bytes data
 * and data_end show, 0 for all. returns: false: there is no memory where 32 bits of the context reach.
 */
bool packet_begin(uint8_t *ctx);
void packet_end(void);

/* The calling thread's packet. returns: NULL: there is none. */
uint8_t *packet_bytes(size_t *count);

/* As bpf_skb_load_helper_*() of a kernel: the bytes at `off`, in network order; -EFAULT beyond the packet. */
int64_t packet_load_8(const void *ctx, int32_t off);
int64_t packet_load_16(const void *ctx, int32_t off);
int64_t packet_load_32(const void *ctx, int32_t off);

#endif
