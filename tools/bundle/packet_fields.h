/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_PACKET_FIELDS_H
#define JF_TOOLS_PACKET_FIELDS_H

/* Where struct __sk_buff and struct xdp_md of linux/bpf.h have what a packet fills in, in bytes; link/lower.c holds
 * these numbers to that header, which the side that runs programs need not have. */
enum packet_field {
	SKB_LEN = 0,
	SKB_PROTOCOL = 16,
	SKB_IFINDEX = 40,
	SKB_DATA = 76,
	SKB_DATA_END = 80,
	SKB_DATA_META = 140,
	SKB_SK = 168,

	XDP_DATA = 0,
	XDP_DATA_END = 4,
	XDP_DATA_META = 8,
	XDP_INGRESS_IFINDEX = 12,
};

#endif
