/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_RNG_H
#define TESTS_RANDOM_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* SplitMix64: the same numbers from the same seed on every machine. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

static inline uint64_t rng_next(struct rng *rng)
{
	rng->state += UINT64_C(0x9e3779b97f4a7c15);
	return rng_mix(rng->state);
}

/* 0 .. count - 1 */
static inline uint32_t rng_below(struct rng *rng, uint32_t count)
{
	return (uint32_t)((rng_next(rng) >> 32) * count >> 32);
}

static inline bool rng_percent(struct rng *rng, uint32_t percent)
{
	return rng_below(rng, 100) < percent;
}

#endif
