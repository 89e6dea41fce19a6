/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_SIZE_JOB_H
#define JF_BENCH_SIZE_JOB_H

#include <stdint.h>

/*
 * What the side with the kernel gets: BPF programs as bpf(2) takes them, one behind the other until the
 * file ends. Little-endian. Each is a struct job, then its maps, then its instructions (8 bytes each):
 * calls of subprograms relative, as the kernel wants them; map references with the map's index in place
 * of a file descriptor.
 */
struct job {
	char name[56];
	uint32_t type; /* enum bpf_prog_type */
	uint32_t map_count;
	uint32_t insn_count;
	uint32_t reserved;
};

struct job_map {
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t max_entries;
	uint32_t map_flags;
	uint32_t is_data; /* its value is addressed directly */
};

#endif
