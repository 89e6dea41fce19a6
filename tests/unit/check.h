/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_H
#define JF_TESTS_CHECK_H

#include <criterion/criterion.h>
#include <jitframe/status.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Criterion reports every assertion to its parent process, passed ones too. CHECK() only speaks when it
 * fails, so it can stand in loops of millions. CHECK(condition, format, ...)
 */
#define CHECK(condition, ...)                                                      \
	do {                                                                       \
		if (!(condition))                                                  \
			check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__); \
	} while (0)

/* CHECK() that a status is the one wanted. */
#define CHECK_STATUS(call, wanted, ...)                                                               \
	do {                                                                                          \
		enum jf_status status_ = (call);                                                      \
                                                                                                      \
		if (status_ != (wanted))                                                              \
			check_status_failed(__FILE__, __LINE__, #call, status_, wanted, __VA_ARGS__); \
	} while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...) JF_PRINTF(4, 5);
_Noreturn void check_status_failed(const char *file, int line, const char *call, enum jf_status status,
				   enum jf_status wanted, const char *format, ...) JF_PRINTF(6, 7);

/* A small generator of numbers: the same ones in every run. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	/* splitmix64 */
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)(rng_next(rng) % limit);
}

#endif
