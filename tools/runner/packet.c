/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "packet_fields.h"

/*
 * A kernel's verifier turns loads of data and data_end, which have 32 bits in the context, into loads of pointers. Here
 * packets lie where 32 bits are the whole address, so that programs load the pointers as they are written.
 */

#define AREA_BYTES   ((size_t)128 << 10)
#define HEADROOM     256 /* as XDP has */
#define LOWEST       UINT64_C(0x10000000)
#define BEYOND       UINT64_C(0xf0000000)
#define ETHER_HEADER 14
#define SOCKET_BYTES 4096
#define ETHER_TYPE   12
#define LOOPBACK     1 /* the device that BPF_PROG_TEST_RUN lets packets come from, by its index */

/* Offsets of classic BPF that count from where the packet as a whole begins (SKF_LL_OFF of linux/filter.h) ... */
#define FROM_LINK_LAYER (-0x200000)
/* ... and, refused, from behind its first header (SKF_NET_OFF). */
#define FROM_NETWORK_LAYER (-0x100000)

static struct {
	const uint8_t *bytes;
	size_t count;
	bool is_xdp;
} packet;

static _Thread_local uint8_t *area; /* of this thread: HEADROOM, then the packet */

static const uint8_t *socket; /* of the packet: there is one, and it is a kernel's, so nobody can look into it */

/* Programs whose context is a packet's, by the section's name up to a '/' or '.'. */
static const struct {
	const char *name;
	bool is_xdp;
} kinds[] = {
	{"xdp", true},     {"tc", false},         {"tcx", false},      {"classifier", false},
	{"action", false}, {"cgroup_skb", false}, {"socket", false},   {"netkit", false},
	{"lwt_in", false}, {"lwt_out", false},    {"lwt_xmit", false}, {"lwt_seg6local", false},
	{"sk_skb", false},
};

enum jf_status packet_init(const char *section, const uint8_t *bytes, size_t count, struct jf_error *error)
{
	size_t length;

	section += section[0] == '?';
	length = strcspn(section, "/.");
	if (count > PACKET_BYTES_MAX)
		return jf_error_set(error, JF_E_UNSUPPORTED, "--packet", "%zu bytes are more than %d", count,
				    PACKET_BYTES_MAX);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != length || strncmp(kinds[i].name, section, length) != 0)
			continue;
		packet.bytes = bytes;
		packet.count = count;
		packet.is_xdp = kinds[i].is_xdp;
		socket = mmap(NULL, SOCKET_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return socket != MAP_FAILED ? JF_OK : jf_error_set(error, JF_E_NO_MEMORY, "--packet", "no memory");
	}
	return jf_error_set(error, JF_E_UNSUPPORTED, "--packet",
			    "programs of section %s get no packet: those of xdp, tc, tcx, cgroup_skb, socket, sk_skb, "
			    "netkit and lwt_* do",
			    section);
}

bool packet_is_socket(uint64_t address)
{
	return packet.bytes != NULL && address - (uintptr_t)socket < SOCKET_BYTES;
}

void packet_fini(void)
{
	if (packet.bytes != NULL)
		munmap((void *)(uintptr_t)socket, SOCKET_BYTES);
	memset(&packet, 0, sizeof(packet));
}

/* Hints are only hints: an address is tried after the other until the memory is where it has to be. */
static uint8_t *low_memory(void)
{
	for (uint64_t at = LOWEST; at < BEYOND; at += UINT64_C(16) << 20) {
		uint8_t *memory = mmap((void *)(uintptr_t)at, AREA_BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return NULL;
		if ((uintptr_t)memory + AREA_BYTES <= UINT32_MAX)
			return memory;
		munmap(memory, AREA_BYTES);
	}
	return NULL;
}

static void put_32(uint8_t *ctx, enum packet_field field, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(ctx + field, &word, sizeof(word));
}

static void fill_skb(uint8_t *ctx, uintptr_t data)
{
	uint32_t shown;
	uint16_t type = 0;

	memcpy(&shown, ctx + SKB_DATA_END, sizeof(shown));
	if (shown == 0 || shown > packet.count)
		shown = (uint32_t)packet.count;

	/* As the kernel's skb->protocol: in network order. */
	if (packet.count >= ETHER_HEADER)
		memcpy(&type, packet.bytes + ETHER_TYPE, sizeof(type));
	put_32(ctx, SKB_LEN, packet.count);
	put_32(ctx, SKB_IFINDEX, LOOPBACK);
	put_32(ctx, SKB_PROTOCOL, type);
	put_32(ctx, SKB_DATA, data);
	put_32(ctx, SKB_DATA_END, data + shown);
	put_32(ctx, SKB_DATA_META, data);
	memcpy(ctx + SKB_SK, &(uint64_t){(uintptr_t)socket}, sizeof(uint64_t));
}

bool packet_begin(uint8_t *ctx)
{
	uintptr_t data;

	if (packet.bytes == NULL)
		return true;
	if (area == NULL)
		area = low_memory();
	if (area == NULL)
		return false;
	memcpy(area + HEADROOM, packet.bytes, packet.count);
	data = (uintptr_t)area + HEADROOM;
	if (!packet.is_xdp) {
		fill_skb(ctx, data);
		return true;
	}
	put_32(ctx, XDP_DATA, data);
	put_32(ctx, XDP_DATA_END, data + packet.count);
	put_32(ctx, XDP_DATA_META, data);
	put_32(ctx, XDP_INGRESS_IFINDEX, LOOPBACK);
	return true;
}

void packet_end(void)
{
	if (area != NULL)
		munmap(area, AREA_BYTES);
	area = NULL;
}

uint8_t *packet_bytes(size_t *count)
{
	*count = packet.count;
	return area != NULL ? area + HEADROOM : NULL;
}

static int64_t load(int32_t off, uint32_t bytes)
{
	uint64_t value = 0;

	if (off >= FROM_LINK_LAYER && off < FROM_NETWORK_LAYER)
		off -= FROM_LINK_LAYER;

	if (area == NULL || off < 0 || (size_t)off + bytes > packet.count)
		return -EFAULT;
	for (uint32_t i = 0; i < bytes; i++)
		value = value << 8 | area[HEADROOM + (uint32_t)off + i];
	return (int64_t)value;
}

int64_t packet_load_8(const void *ctx, int32_t off)
{
	(void)ctx;
	return load(off, 1);
}

int64_t packet_load_16(const void *ctx, int32_t off)
{
	(void)ctx;
	return load(off, 2);
}

int64_t packet_load_32(const void *ctx, int32_t off)
{
	(void)ctx;
	return load(off, 4);
}
