/* SPDX-License-Identifier: BSD-2-Clause */
#include "callees.h"

#include <stdbool.h>

struct seen callees_seen[JF_ARGS_MAX];
uint64_t callees_limit;

/* X(number, name, C type, bytes, signed) */
#define TYPE_LIST(X)                  \
	X(0, bool, bool, 1, false)    \
	X(1, u8, uint8_t, 1, false)   \
	X(2, s8, int8_t, 1, true)     \
	X(3, u16, uint16_t, 2, false) \
	X(4, s16, int16_t, 2, true)   \
	X(5, u32, uint32_t, 4, false) \
	X(6, s32, int32_t, 4, true)   \
	X(7, u64, uint64_t, 8, false) \
	X(8, s64, int64_t, 8, true)

const struct type types[TYPES] = {
#define TYPE(number, name, c_type, bytes, is_signed) {#name, {bytes, is_signed}},
	TYPE_LIST(TYPE)
#undef TYPE
};

#define SEEN(x)                                                  \
	((struct seen){                                          \
		.whole = (uint64_t)(x),                          \
		.seventh = (uint64_t)((x) / 7),                  \
		.is_small = (x) <= (__typeof__(x))callees_limit, \
	})

/* Types by number, round and round. */
typedef bool t0;
typedef uint8_t t1;
typedef int8_t t2;
typedef uint16_t t3;
typedef int16_t t4;
typedef uint32_t t5;
typedef int32_t t6;
typedef uint64_t t7;
typedef int64_t t8;

#define SEE(i, x) callees_seen[i] = SEEN(x)

#define TAKE(k, A, B, C, D, E, F, G, H, I)                                                              \
	static uint64_t take5_##k(A a, B b, C c, D d, E e)                                              \
	{                                                                                               \
		SEE(0, a), SEE(1, b), SEE(2, c), SEE(3, d), SEE(4, e);                                  \
		return 5;                                                                               \
	}                                                                                               \
	static uint64_t take6_##k(A a, B b, C c, D d, E e, F f)                                         \
	{                                                                                               \
		SEE(0, a), SEE(1, b), SEE(2, c), SEE(3, d), SEE(4, e), SEE(5, f);                       \
		return 6;                                                                               \
	}                                                                                               \
	static uint64_t take8_##k(A a, B b, C c, D d, E e, F f, G g, H h)                               \
	{                                                                                               \
		SEE(0, a), SEE(1, b), SEE(2, c), SEE(3, d), SEE(4, e), SEE(5, f), SEE(6, g), SEE(7, h); \
		return 8;                                                                               \
	}                                                                                               \
	static uint64_t take12_##k(A a, B b, C c, D d, E e, F f, G g, H h, I i, A j, B k_, C l)         \
	{                                                                                               \
		SEE(0, a), SEE(1, b), SEE(2, c), SEE(3, d), SEE(4, e), SEE(5, f), SEE(6, g), SEE(7, h); \
		SEE(8, i), SEE(9, j), SEE(10, k_), SEE(11, l);                                          \
		return 12;                                                                              \
	}
TAKE(0, t0, t1, t2, t3, t4, t5, t6, t7, t8)
TAKE(1, t1, t2, t3, t4, t5, t6, t7, t8, t0)
TAKE(2, t2, t3, t4, t5, t6, t7, t8, t0, t1)
TAKE(3, t3, t4, t5, t6, t7, t8, t0, t1, t2)
TAKE(4, t4, t5, t6, t7, t8, t0, t1, t2, t3)
TAKE(5, t5, t6, t7, t8, t0, t1, t2, t3, t4)
TAKE(6, t6, t7, t8, t0, t1, t2, t3, t4, t5)
TAKE(7, t7, t8, t0, t1, t2, t3, t4, t5, t6)
TAKE(8, t8, t0, t1, t2, t3, t4, t5, t6, t7)

uint64_t callees_take(unsigned int count, unsigned int first_type)
{
#define TAKES(k)                                                                                         \
	{                                                                                                \
		(uintptr_t) take5_##k, (uintptr_t)take6_##k, (uintptr_t)take8_##k, (uintptr_t)take12_##k \
	}
	const uintptr_t all[TYPES][4] = {TAKES(0), TAKES(1), TAKES(2), TAKES(3), TAKES(4),
					 TAKES(5), TAKES(6), TAKES(7), TAKES(8)};

	switch (count) {
	case 5: return all[first_type][0];
	case 6: return all[first_type][1];
	case 8: return all[first_type][2];
	case 12: return all[first_type][3];
	default: return 0;
	}
}

#define FUNCTIONS(type)                                \
	static type give_##type(uint64_t raw)          \
	{                                              \
		return (type)raw;                      \
	}                                              \
	static struct seen expect_##type(uint64_t raw) \
	{                                              \
		type value = (type)raw;                \
                                                       \
		return SEEN(value);                    \
	}
FUNCTIONS(t0)
FUNCTIONS(t1)
FUNCTIONS(t2)
FUNCTIONS(t3)
FUNCTIONS(t4)
FUNCTIONS(t5)
FUNCTIONS(t6)
FUNCTIONS(t7)
FUNCTIONS(t8)

uint64_t callees_give(unsigned int type)
{
	const uintptr_t all[TYPES] = {(uintptr_t)give_t0, (uintptr_t)give_t1, (uintptr_t)give_t2,
				      (uintptr_t)give_t3, (uintptr_t)give_t4, (uintptr_t)give_t5,
				      (uintptr_t)give_t6, (uintptr_t)give_t7, (uintptr_t)give_t8};

	return all[type];
}

struct seen callees_expect(unsigned int type, uint64_t raw)
{
	static struct seen (*const all[TYPES])(uint64_t raw) = {
		expect_t0, expect_t1, expect_t2, expect_t3, expect_t4, expect_t5, expect_t6, expect_t7, expect_t8,
	};

	return all[type](raw);
}
