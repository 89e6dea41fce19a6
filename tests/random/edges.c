/* SPDX-License-Identifier: BSD-2-Clause */
#include "edges.h"

const uint64_t edge_values[EDGE_VALUES] = {
	0,
	1,
	2,
	3,
	7,
	31,
	32,
	33,
	63,
	64,
	65,
	0x7f,
	0x80,
	0xff,
	0x7fff,
	0x8000,
	0xffff,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x1ffffffff,
	0x8000000000000000,
	0x7fffffffffffffff,
	0xffffffffffffffff,
	0xfffffffffffffffe,
	0xffffffff80000000,
	0xffffffff7fffffff,
	0xffffffff00000000,
	0x8000000080000000,
	0x0123456789abcdef,
	0xfedcba9876543210,
};

/* Among them the ends of 8, 12, 16 and 20 bit immediates, powers of two and bit masks. */
const int32_t edge_imms[EDGE_IMMS] = {
	0,      1,      2,       7,      31,         32, 63, 64,   127,  128,   255,   0x7ff,    0x800,       0xfff,
	0x1000, 0xffff, 0x10000, 0xff00, 0x7fffffff, -1, -2, -128, -129, -2048, -2049, -0x10000, -0x7fffffff, INT32_MIN,
};

/* The ends of the offsets of loads and stores, scaled and not. */
const int16_t edge_offs[EDGE_OFFS] = {
	0, 1, 8, -1, -8, 127, -128, 255, 2047, -2048, 32760, -32760,
};

uint64_t edge_value(struct rng *rng)
{
	uint64_t any = rng_next(rng);

	switch (rng_below(rng, 4)) {
	case 0: return any >> rng_below(rng, 64);
	case 1: return UINT64_C(1) << rng_below(rng, 64) ^ (any & 1 ? 0 : UINT64_MAX);
	default: return edge_values[rng_below(rng, EDGE_VALUES)];
	}
}

int32_t edge_imm(struct rng *rng)
{
	uint32_t any = (uint32_t)rng_next(rng);

	switch (rng_below(rng, 4)) {
	case 0: return (int32_t)any >> rng_below(rng, 32);
	case 1: return (int32_t)(UINT32_C(1) << rng_below(rng, 32) ^ (any & 1 ? 0 : UINT32_MAX));
	default: return edge_imms[rng_below(rng, EDGE_IMMS)];
	}
}
