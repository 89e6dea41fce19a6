/* SPDX-License-Identifier: BSD-2-Clause */

/* Variables and maps that are set before a run and looked at behind it. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

int counter = 3;
const volatile short limit = 5;
static volatile long hidden;
char name[12] = "abc";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

SEC("tc") int program(void *ctx)
{
	__u32 key = 7;
	__u64 *value = bpf_map_lookup_elem(&hash, &key);

	if (value)
		++*value;
	counter += limit;
	hidden = -2;
	name[1]++;
	return counter;
}
