/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_RUN_PROGRAMS_H
#define JF_BENCH_RUN_PROGRAMS_H

#include <stdint.h>

/*
 * Programs that are compiled twice from the same C: by clang to BPF, which JITs then compile, and by clang -O2 to the
 * machine's own code. Each gets the same data and changes nothing of it.
 */
#define DATA_BYTES 256

struct data {
	uint8_t bytes[DATA_BYTES];
	uint32_t words[64];
	uint32_t table[256]; /* of CRC-32 */
};

/* Where code lies whose instructions are counted, and how much room it has. */
#define CODE_ADDRESS 0x20000000
#define CODE_BYTES   0x10000

/* Those marked forward have no loop left after unrolling, which DPDK's verifier asks for. */
#define PROGRAMS(X)                   \
	X(hash_fnv, "a loop")         \
	X(hash_murmur, "forward")     \
	X(hash_siphash, "forward")    \
	X(checksum_ip, "forward")     \
	X(crc32_table, "a loop")      \
	X(parse_packet, "forward")    \
	X(parse_numbers, "a loop")    \
	X(sort_network, "forward")    \
	X(sort_insertion, "a loop")   \
	X(state_machine, "a loop")    \
	X(string_search, "a loop")    \
	X(greatest_divisor, "a loop") \
	X(matrix_product, "forward")  \
	X(random_numbers, "a loop")

#endif
