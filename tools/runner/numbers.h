/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_NUMBERS_H
#define JF_RUNNER_NUMBERS_H

#include <stdint.h>

/* bpf_strtol(), bpf_strtoul(): flags is the base, 0, 8, 10 or 16. returns: bytes read; -EINVAL, -ERANGE. */
int64_t number_signed(const char *text, uint64_t bytes, uint64_t flags, int64_t *value);
int64_t number_unsigned(const char *text, uint64_t bytes, uint64_t flags, uint64_t *value);

/* struct bpf_iter_num, as programs keep it on their stack. */
struct iter_num {
	int32_t current, end;
};

/* bpf_iter_num_new(), ..._next(), ..._destroy(): from `start` up to, not with, `end`. */
int32_t iter_num_new(struct iter_num *it, int32_t start, int32_t end);
int32_t *iter_num_next(struct iter_num *it);
void iter_num_destroy(struct iter_num *it);

/* struct bpf_iter_bits, as programs keep it on their stack. */
struct iter_bits {
	uint64_t *words; /* a copy, malloc(); NULL: none is left */
	uint32_t bit_count;
	int32_t bit; /* the last that next() gave */
};

_Static_assert(sizeof(struct iter_bits) == 16, "what programs have room for");

/* bpf_iter_bits_new(), ..._next(), ..._destroy(): the numbers of the bits that are set. */
int32_t iter_bits_new(struct iter_bits *it, uint64_t address, uint32_t words);
int32_t *iter_bits_next(struct iter_bits *it);
void iter_bits_destroy(struct iter_bits *it);

#endif
