/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet_access.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "packet.h"
#include "packet_fields.h"

/* Helpers that read and write the packet of --packet, whatever part of it data and data_end show. */

#define CSUM_UPDATE_ERROR 524 /* ENOTSUPP of a kernel: no checksum came with the packet */
#define STORE_FLAGS       3   /* BPF_F_RECOMPUTE_CSUM, BPF_F_INVALIDATE_HASH: there is neither checksum nor hash */

/* returns: where those bytes of the packet are, or NULL: it has not so many. */
static uint8_t *bytes_at(uint64_t off, uint64_t count)
{
	size_t packet_count;
	uint8_t *packet = packet_bytes(&packet_count);

	return packet != NULL && (uint64_t)(uint32_t)off + (uint32_t)count <= packet_count ? packet + (uint32_t)off :
											     NULL;
}

static bool load(uint64_t off, uint8_t *to, uint64_t count)
{
	const uint8_t *from = bytes_at(off, count);

	if (from != NULL)
		memcpy(to, from, (uint32_t)count);
	return from != NULL;
}

static bool store(uint64_t off, const uint8_t *from, uint64_t count)
{
	uint8_t *to = bytes_at(off, count);

	if (to != NULL)
		memcpy(to, from, (uint32_t)count);
	return to != NULL;
}

int64_t packet_skb_load(const void *ctx, uint64_t off, uint8_t *to, uint64_t count)
{
	(void)ctx;
	if (load(off, to, count))
		return 0;
	memset(to, 0, (uint32_t)count);
	return -EFAULT;
}

int64_t packet_skb_store(void *ctx, uint64_t off, const uint8_t *from, uint64_t count, uint64_t flags)
{
	(void)ctx;
	if (flags & ~(uint64_t)STORE_FLAGS)
		return -EINVAL;
	return store(off, from, count) ? 0 : -EFAULT;
}

int64_t packet_xdp_load(const void *ctx, uint64_t off, uint8_t *to, uint64_t count)
{
	(void)ctx;
	return load(off, to, count) ? 0 : -EINVAL;
}

int64_t packet_xdp_store(void *ctx, uint64_t off, const uint8_t *from, uint64_t count)
{
	(void)ctx;
	return store(off, from, count) ? 0 : -EINVAL;
}

int64_t packet_pull(uint8_t *ctx, uint64_t count)
{
	uint32_t data, data_end;

	if ((uint32_t)count > 0 && bytes_at(0, count) == NULL)
		return -ENOMEM;
	memcpy(&data, ctx + SKB_DATA, sizeof(data));
	memcpy(&data_end, ctx + SKB_DATA_END, sizeof(data_end));
	if (data_end - data < (uint32_t)count)
		data_end = data + (uint32_t)count;
	memcpy(ctx + SKB_DATA_END, &data_end, sizeof(data_end));
	return 0;
}

int64_t packet_csum_update(void *ctx, uint64_t csum)
{
	(void)ctx;
	(void)csum;
	return -CSUM_UPDATE_ERROR;
}

/* ---- the Internet checksum ------------------------------------------------------------------------ */

static uint64_t sum_words(const uint8_t *bytes, uint32_t count, bool inverted)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i += 4) {
		uint32_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += inverted ? ~word : word;
	}
	return sum;
}

int64_t packet_csum_diff(const uint8_t *from, uint64_t from_count, const uint8_t *to, uint64_t to_count, uint64_t seed)
{
	uint64_t sum = (uint32_t)seed;

	if ((from_count | to_count) & 3)
		return -EINVAL;
	sum += sum_words(from, (uint32_t)from_count, true) + sum_words(to, (uint32_t)to_count, false);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (int64_t)sum;
}
