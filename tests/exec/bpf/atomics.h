/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ATOMICS_H
#define ATOMICS_H

/*
 * Atomic operations of every kind, on memory of the kind MEMORY: nothing, or __arena. Each function gives
 * 0, or the number of the first check that failed.
 */
#include "bpf_test.h"

/* Results are not looked at: no fetch. */
static __noinline u64 plain64(u64 MEMORY *p)
{
	u64 number = 0;

	*p = 0xf0f0f0f0f0f0f0f0;
	__sync_fetch_and_add(p, opaque(0x1010101010101010ull));
	CHECK(*p, 0x101010101010100ull);
	__sync_fetch_and_or(p, opaque(0x8000000000000001ull));
	CHECK(*p, 0x8101010101010101ull);
	__sync_fetch_and_and(p, opaque(0xff00ff00ff00ff00ull));
	CHECK(*p, 0x8100010001000100ull);
	__sync_fetch_and_xor(p, opaque(0xffffffffffffffffull));
	CHECK(*p, 0x7efffefffefffeffull);
	return 0;
}

/* What lies beside the 32 bits stays. */
static __noinline u64 plain32(u32 MEMORY *p)
{
	u64 number = 0;

	p[0] = 0x11111111;
	p[1] = 0xf0f0f0f0;
	p[2] = 0x22222222;
	__sync_fetch_and_add(&p[1], opaque(0x10101010));
	CHECK(p[1], 0x01010100u);
	__sync_fetch_and_or(&p[1], opaque(0x80000001));
	CHECK(p[1], 0x81010101u);
	__sync_fetch_and_and(&p[1], opaque(0xff00ff00));
	CHECK(p[1], 0x81000100u);
	__sync_fetch_and_xor(&p[1], opaque(0xffffffff));
	CHECK(p[1], 0x7efffeffu);
	CHECK(p[0], 0x11111111u);
	CHECK(p[2], 0x22222222u);
	return 0;
}

static __noinline u64 fetch64(u64 MEMORY *p)
{
	u64 number = 0;

	*p = 0x8000000000000005;
	CHECK(__sync_fetch_and_add(p, opaque(0x8000000000000001ull)), 0x8000000000000005ull);
	CHECK(__sync_fetch_and_or(p, opaque(0xff00000000ull)), 6ull);
	CHECK(__sync_fetch_and_and(p, opaque(0xf0000000ffull)), 0xff00000006ull);
	CHECK(__sync_fetch_and_xor(p, opaque(0xfffull)), 0xf000000006ull);
	CHECK(__sync_lock_test_and_set(p, opaque(77ull)), 0xf000000ff9ull);
	CHECK(*p, 77ull);
	CHECK(__sync_val_compare_and_swap(p, opaque(78ull), opaque(1ull)), 77ull);
	CHECK(*p, 77ull);
	CHECK(__sync_val_compare_and_swap(p, opaque(0x10000004dull), opaque(1ull)), 77ull);
	CHECK(__sync_val_compare_and_swap(p, opaque(77ull), opaque(0x123456789abcdef0ull)), 77ull);
	CHECK(*p, 0x123456789abcdef0ull);
	return 0;
}

/* Old values come back as 32 bits, zero-extended; comparing looks at 32 bits. */
static __noinline u64 fetch32(u32 MEMORY *p)
{
	u64 number = 0;

	p[0] = 0x80000005;
	p[1] = 0x22222222;
	CHECK((u64)__sync_fetch_and_add(p, opaque(0x80000001)), 0x80000005ull);
	CHECK((u64)__sync_fetch_and_or(p, opaque(0xff000000)), 6ull);
	CHECK((u64)__sync_fetch_and_and(p, opaque(0xf00000ff)), 0xff000006ull);
	CHECK((u64)__sync_fetch_and_xor(p, opaque(0xfff)), 0xf0000006ull);
	CHECK((u64)__sync_lock_test_and_set(p, opaque(0x80000077)), 0xf0000ff9ull);
	CHECK((u64)__sync_val_compare_and_swap(p, opaque(78), opaque(1)), 0x80000077ull);
	CHECK(p[0], 0x80000077u);
	CHECK((u64)__sync_val_compare_and_swap(p, opaque(0x80000077), opaque(0x9abcdef0)), 0x80000077ull);
	CHECK(p[0], 0x9abcdef0u);
	CHECK(p[1], 0x22222222u);
	return 0;
}

/*
 * By hand, for what the compiler makes no code of: R0 with its upper half set before a 32-bit exchange,
 * the operand in every register, load-acquire and store-release in all widths.
 */
#define BY_HAND(p, code)                                                          \
	({                                                                        \
		u64 result_;                                                      \
		__asm__ volatile("r1 = %1\n\t" code "\n\t"                        \
				 "%0 = r0"                                        \
				 : "=r"(result_)                                  \
				 : "r"((void *)(p))                               \
				 : "r0", "r1", "r2", "r3", "r4", "r5", "memory"); \
		result_;                                                          \
	})
/* Opcode, src << 4 | dst, then immediate: how an assembler without the mnemonics takes them. */
#define LOAD_ACQUIRE(size)  ".8byte 0x00000100000010" size /* r0 = *r1 */
#define STORE_RELEASE(size) ".8byte 0x00000110000021" size /* *r1 = r2 */

static __noinline u64 by_hand(u64 MEMORY *p)
{
	u64 number = 0;

	*p = 0x1122334485667788;
	/* Equal in 32 bits: the exchange happens, and R0 is the old value, zero-extended. */
	CHECK(BY_HAND(p, "r0 = 0xabcdef85667788 ll\n\t"
			 "r2 = 0x55667788 ll\n\t"
			 "w0 = cmpxchg32_32(r1 + 0, w0, w2)"),
	      0x85667788ull);
	CHECK(*p, 0x1122334455667788ull);
	CHECK(BY_HAND(p, "r0 = 5\n\t"
			 "r2 = 6\n\t"
			 "w0 = cmpxchg32_32(r1 + 0, w0, w2)"),
	      0x55667788ull);
	CHECK(*p, 0x1122334455667788ull);
	/* R0 itself as the new value: equal or not, memory stays. */
	CHECK(BY_HAND(p, "r0 = 0x1122334455667788 ll\n\t"
			 "r0 = cmpxchg_64(r1 + 0, r0, r0)"),
	      0x1122334455667788ull);
	CHECK(*p, 0x1122334455667788ull);
	CHECK(BY_HAND(p, "r0 = 1\n\tr0 = atomic_fetch_add((u64 *)(r1 + 0), r0)"), 0x1122334455667788ull);
	CHECK(BY_HAND(p, "r5 = -1\n\tr5 = atomic_fetch_and((u64 *)(r1 + 0), r5)\n\tr0 = r5"), 0x1122334455667789ull);
	CHECK(BY_HAND(p, "r3 = 0\n\tr3 = atomic_fetch_or((u64 *)(r1 + 0), r3)\n\tr0 = r3"), 0x1122334455667789ull);
	CHECK(BY_HAND(p, "r4 = -1\n\tr4 = atomic_fetch_xor((u64 *)(r1 + 0), r4)\n\tr0 = r4"), 0x1122334455667789ull);
	CHECK(*p, ~0x1122334455667789ull);

	CHECK(BY_HAND(p, "r2 = 0x8899aabbccddeeff ll\n\t" STORE_RELEASE("db") "\n\tr0 = 0"), 0ull);
	CHECK(*p, 0x8899aabbccddeeffull);
	CHECK(BY_HAND(p, LOAD_ACQUIRE("db")), 0x8899aabbccddeeffull);
	CHECK(BY_HAND(p, "r0 = -1\n\t" LOAD_ACQUIRE("c3")), 0xccddeeffull);
	CHECK(BY_HAND(p, "r0 = -1\n\t" LOAD_ACQUIRE("cb")), 0xeeffull);
	CHECK(BY_HAND(p, "r0 = -1\n\t" LOAD_ACQUIRE("d3")), 0xffull);
	CHECK(BY_HAND(p, "r2 = 0x12345678\n\t" STORE_RELEASE("d3") "\n\tr0 = 0"), 0ull);
	CHECK(*p, 0x8899aabbccddee78ull);
	CHECK(BY_HAND(p, "r2 = 0x12345678\n\t" STORE_RELEASE("cb") "\n\tr0 = 0"), 0ull);
	CHECK(*p, 0x8899aabbccdd5678ull);
	CHECK(BY_HAND(p, "r2 = 0x12345678\n\t" STORE_RELEASE("c3") "\n\tr0 = 0"), 0ull);
	CHECK(*p, 0x8899aabb12345678ull);
	return 0;
}

/* Every operation at once, one after the other. */
static __always_inline u64 all_atomics(void MEMORY *p)
{
	u64 result = plain64(p);

	result = result ? result : plain32(p) + 100;
	result = result != 100 ? result : fetch64(p) + 200;
	result = result != 200 ? result : fetch32(p) + 300;
	result = result != 300 ? result : by_hand(p) + 400;
	return result == 400 ? 0 : result;
}

/*
 * Many threads on the same words; the last to come sees the sums. p[0] and p[1]: added to, p[2]: xored, an
 * even number of times, p[3]: a lock, p[4]: what it guards, p[7]: threads that are done.
 */
#define ROUNDS 500

static __noinline void locked_add(u64 MEMORY *lock, u64 MEMORY *sum)
{
	while (__sync_val_compare_and_swap(lock, 0ull, 1ull))
		;
	*sum += 3;
	__sync_lock_test_and_set(lock, 0ull);
}

static __noinline u64 sum_of_threads(u64 MEMORY *p, u64 threads)
{
	u64 number = 0, highest = 0;

	for (int i = 0; i < ROUNDS; i++) {
		u64 old = __sync_fetch_and_add(&p[0], 1ull);

		CHECK(old < highest, 0);
		highest = old + 1;
		number = 1;
		__sync_fetch_and_add((u32 MEMORY *)&p[1], 2u);
		__sync_fetch_and_xor(&p[2], 0x8000000000000001ull);
		locked_add(&p[3], &p[4]);
	}
	__sync_fetch_and_add(&p[7], 1ull);
	while (__sync_fetch_and_or(&p[7], 0ull) != threads)
		;
	CHECK(p[0], threads * ROUNDS);
	CHECK(p[1], threads * ROUNDS * 2);
	CHECK(p[2], 0ull);
	CHECK(p[4], threads * ROUNDS * 3);
	return 0;
}

#endif
