/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PACKET_ACCESS_H
#define JF_RUNNER_PACKET_ACCESS_H

#include <stdint.h>

/*
 * As the helpers of linux/bpf.h, for the packet of --packet; without one it has no bytes. Of numbers the low 32 bits
 * count. returns: 0, or negative errno values; of the sum the 16 bits, or -EINVAL: counts are no multiples of 4.
 */
int64_t packet_skb_load(const void *ctx, uint64_t off, uint8_t *to, uint64_t count);
int64_t packet_skb_store(void *ctx, uint64_t off, const uint8_t *from, uint64_t count, uint64_t flags);
int64_t packet_xdp_load(const void *ctx, uint64_t off, uint8_t *to, uint64_t count);
int64_t packet_xdp_store(void *ctx, uint64_t off, const uint8_t *from, uint64_t count);
/* Moves data_end behind so many bytes. */
int64_t packet_pull(uint8_t *ctx, uint64_t count);
/* No packet brings a checksum with it: an error. */
int64_t packet_csum_update(void *ctx, uint64_t csum);
int64_t packet_csum_diff(const uint8_t *from, uint64_t from_count, const uint8_t *to, uint64_t to_count, uint64_t seed);

#endif
