/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BASE_BYTES_H
#define JF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JF_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The lowest multiple of `align` (0 or 1: any number) that is not below `value`. */
static inline uint32_t jf_round_up(uint32_t value, uint32_t align)
{
	return align ? (value + align - 1) / align * align : value;
}

static inline bool jf_is_power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

/* Little-endian numbers at any alignment. Written so that compilers see one load. */
static inline uint16_t jf_get_le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t jf_get_le32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t jf_get_le64(const uint8_t *at)
{
	return jf_get_le32(at) | (uint64_t)jf_get_le32(at + 4) << 32;
}

/* `bytes` (at most 8) bytes, zero-extended. */
static inline uint64_t jf_get_le(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static inline void jf_put_le32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* A word of this process, in its own byte order. */
static inline uint64_t jf_load_word(uint64_t address)
{
	uint64_t value;

	memcpy(&value, (const void *)(uintptr_t)address, sizeof(value));
	return value;
}

#endif
