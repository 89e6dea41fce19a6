/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler makes of ordinary C. Each expression is evaluated twice: by the program, on values
 * that the compiler does not know, and by the compiler. A program gives 0, or the number of the first
 * check that failed.
 */
#include "bpf_test.h"

/* Both ways of one operation, for one pair of values. */
#define CHECK_OP(type, op, a, b) CHECK((type)(opaque((type)(a)) op opaque((type)(b))), (type)((type)(a)op(type)(b)))
/* The second operand as an immediate, where it fits one. */
#define CHECK_IMM(type, op, a, b) CHECK((type)(opaque((type)(a)) op(type)(b)), (type)((type)(a)op(type)(b)))

#define MIN64 0x8000000000000000ull
#define MAX64 0x7fffffffffffffffull

#define FOR_PAIRS(CASE, type, op)                   \
	CASE(type, op, 1, 2);                       \
	CASE(type, op, -1, 1);                      \
	CASE(type, op, 0x7fffffff, 3);              \
	CASE(type, op, 0x80000000, 0x7fffffff);     \
	CASE(type, op, 0x123456789abcdef0, 0x1234); \
	CASE(type, op, 0xfedcba9876543210, -5);     \
	CASE(type, op, MIN64, 7);                   \
	CASE(type, op, MAX64, -2048);               \
	CASE(type, op, 5, 2047);                    \
	CASE(type, op, 4096, 4097)

SEC("tc")
int arithmetic64(struct args *ctx)
{
	int number = 0;

	FOR_PAIRS(CHECK_OP, u64, +);
	FOR_PAIRS(CHECK_OP, u64, -);
	FOR_PAIRS(CHECK_OP, u64, *);
	FOR_PAIRS(CHECK_OP, u64, /);
	FOR_PAIRS(CHECK_OP, u64, %);
	FOR_PAIRS(CHECK_OP, u64, &);
	FOR_PAIRS(CHECK_OP, u64, |);
	FOR_PAIRS(CHECK_OP, u64, ^);
	CHECK(-opaque(5ll), -5ll);
	CHECK(~opaque(5ull), ~5ull);
	return 0;
}

SEC("tc")
int arithmetic64_imm(struct args *ctx)
{
	int number = 0;

	FOR_PAIRS(CHECK_IMM, u64, +);
	FOR_PAIRS(CHECK_IMM, u64, -);
	FOR_PAIRS(CHECK_IMM, u64, *);
	FOR_PAIRS(CHECK_IMM, u64, /);
	FOR_PAIRS(CHECK_IMM, u64, %);
	FOR_PAIRS(CHECK_IMM, u64, &);
	FOR_PAIRS(CHECK_IMM, u64, |);
	FOR_PAIRS(CHECK_IMM, u64, ^);
	return 0;
}

SEC("tc")
int arithmetic32(struct args *ctx)
{
	int number = 0;

	FOR_PAIRS(CHECK_OP, u32, +);
	FOR_PAIRS(CHECK_OP, u32, -);
	FOR_PAIRS(CHECK_OP, u32, *);
	FOR_PAIRS(CHECK_OP, u32, /);
	FOR_PAIRS(CHECK_OP, u32, %);
	FOR_PAIRS(CHECK_OP, u32, &);
	FOR_PAIRS(CHECK_OP, u32, |);
	FOR_PAIRS(CHECK_OP, u32, ^);
	CHECK(-opaque(5), -5);
	CHECK(~opaque(5u), ~5u);
	/* A 32-bit result has zeros above. */
	CHECK((u64)(opaque(0xffffffffu) + opaque(1u)), 0ull);
	CHECK((u64)(opaque(0x7fffffffu) + opaque(1u)), 0x80000000ull);
	return 0;
}

SEC("tc")
int arithmetic32_imm(struct args *ctx)
{
	int number = 0;

	FOR_PAIRS(CHECK_IMM, u32, +);
	FOR_PAIRS(CHECK_IMM, u32, -);
	FOR_PAIRS(CHECK_IMM, u32, *);
	FOR_PAIRS(CHECK_IMM, u32, /);
	FOR_PAIRS(CHECK_IMM, u32, %);
	FOR_PAIRS(CHECK_IMM, u32, &);
	FOR_PAIRS(CHECK_IMM, u32, |);
	FOR_PAIRS(CHECK_IMM, u32, ^);
	return 0;
}

#define FOR_SHIFTS(CASE, type, op)              \
	CASE(type, op, 0x123456789abcdef1, 0);  \
	CASE(type, op, 0x923456789abcdef1, 1);  \
	CASE(type, op, 0x923456789abcdef1, 12); \
	CASE(type, op, 0xfffffffffffffff5, 31)

SEC("tc")
int shifts(struct args *ctx)
{
	int number = 0;

	FOR_SHIFTS(CHECK_OP, u64, <<);
	FOR_SHIFTS(CHECK_OP, u64, >>);
	FOR_SHIFTS(CHECK_OP, s64, >>);
	FOR_SHIFTS(CHECK_OP, u32, <<);
	FOR_SHIFTS(CHECK_OP, u32, >>);
	FOR_SHIFTS(CHECK_OP, s32, >>);
	FOR_SHIFTS(CHECK_IMM, u64, <<);
	FOR_SHIFTS(CHECK_IMM, u64, >>);
	FOR_SHIFTS(CHECK_IMM, s64, >>);
	FOR_SHIFTS(CHECK_IMM, u32, <<);
	FOR_SHIFTS(CHECK_IMM, u32, >>);
	FOR_SHIFTS(CHECK_IMM, s32, >>);
	CHECK_OP(u64, <<, 3, 63);
	CHECK_OP(u64, >>, MIN64, 63);
	CHECK_OP(s64, >>, MIN64, 63);
	CHECK_IMM(u64, <<, 3, 32);
	CHECK_IMM(u64, <<, 3, 63);
	CHECK_IMM(s64, >>, MIN64, 63);
	return 0;
}

#define FOR_COMPARED(CASE, type, op)            \
	CASE(type, op, 0, 0);                   \
	CASE(type, op, 1, 2);                   \
	CASE(type, op, 2, 1);                   \
	CASE(type, op, -1, 1);                  \
	CASE(type, op, 1, -1);                  \
	CASE(type, op, MIN64, MAX64);           \
	CASE(type, op, 0x80000000, 0x7fffffff); \
	CASE(type, op, 0x100000000, 0);         \
	CASE(type, op, 0x5ffffffff, 0x5fffffffe)

#define FOR_COMPARISONS(CASE, type)   \
	FOR_COMPARED(CASE, type, ==); \
	FOR_COMPARED(CASE, type, !=); \
	FOR_COMPARED(CASE, type, <);  \
	FOR_COMPARED(CASE, type, <=); \
	FOR_COMPARED(CASE, type, >);  \
	FOR_COMPARED(CASE, type, >=)

/* As branches: the value of a comparison could come without one. */
#define CHECK_BRANCH(type, op, a, b)                        \
	do {                                                \
		int way_ = opaque(1);                       \
                                                            \
		if (opaque((type)(a)) op opaque((type)(b))) \
			way_ = opaque(2);                   \
		CHECK(way_, (type)(a)op(type)(b) ? 2 : 1);  \
	} while (0)
#define CHECK_BRANCH_IMM(type, op, a, b)                   \
	do {                                               \
		int way_ = opaque(1);                      \
                                                           \
		if (opaque((type)(a)) op(type)(b))         \
			way_ = opaque(2);                  \
		CHECK(way_, (type)(a)op(type)(b) ? 2 : 1); \
	} while (0)

SEC("tc")
int branches64(struct args *ctx)
{
	int number = 0;

	FOR_COMPARISONS(CHECK_BRANCH, u64);
	FOR_COMPARISONS(CHECK_BRANCH, s64);
	return 0;
}

SEC("tc")
int branches64_imm(struct args *ctx)
{
	int number = 0;

	FOR_COMPARISONS(CHECK_BRANCH_IMM, u64);
	FOR_COMPARISONS(CHECK_BRANCH_IMM, s64);
	return 0;
}

SEC("tc")
int branches32(struct args *ctx)
{
	int number = 0;

	FOR_COMPARISONS(CHECK_BRANCH, u32);
	FOR_COMPARISONS(CHECK_BRANCH, s32);
	return 0;
}

SEC("tc")
int branches32_imm(struct args *ctx)
{
	int number = 0;

	FOR_COMPARISONS(CHECK_BRANCH_IMM, u32);
	FOR_COMPARISONS(CHECK_BRANCH_IMM, s32);
	return 0;
}

SEC("tc")
int widths(struct args *ctx)
{
	u64 x = opaque(0xfedcba9885868788ull);
	int number = 0;

	CHECK((u64)(u8)x, 0x88ull);
	CHECK((u64)(u16)x, 0x8788ull);
	CHECK((u64)(u32)x, 0x85868788ull);
	CHECK((s64)(s8)x, -0x78ll);
	CHECK((s64)(s16)x, -0x7878ll);
	CHECK((s64)(s32)x, (s64)(s32)0x85868788);
	CHECK((u32)(s32)(s8)x, 0xffffff88u);
	CHECK((u32)(s32)(s16)x, 0xffff8788u);
	CHECK(__builtin_bswap16(opaque((u16)0x1234)), 0x3412);
	CHECK(__builtin_bswap32(opaque(0x12345678u)), 0x78563412u);
	CHECK(__builtin_bswap64(opaque(0x123456789abcdef0ull)), 0xf0debc9a78563412ull);
	return 0;
}

/* ---- memory --------------------------------------------------------------------------------------- */

struct mixed {
	u8 b;
	s8 sb;
	u16 h;
	s16 sh;
	u32 w;
	s32 sw;
	u64 d;
	u8 tail[5];
};

static __noinline void set_mixed(struct mixed *m, u64 x)
{
	m->b = x;
	m->sb = x >> 8;
	m->h = x >> 16;
	m->sh = x;
	m->w = x >> 8;
	m->sw = x;
	m->d = x;
	for (int i = 0; i < 5; i++)
		m->tail[i] = x >> i;
}

SEC("tc")
int memory(struct args *ctx)
{
	volatile u64 wide[4];
	struct mixed m, copy;
	int number = 0;

	set_mixed(&m, opaque(0xfedcba9885868788ull));
	copy = m;
	__asm__ volatile("" : : "r"(&copy) : "memory");
	CHECK((u64)copy.b, 0x88ull);
	CHECK((s64)copy.sb, -0x79ll);
	CHECK((u64)copy.h, 0x8586ull);
	CHECK((s64)copy.sh, -0x7878ll);
	CHECK((u64)copy.w, 0x98858687ull);
	CHECK((s64)copy.sw, (s64)(s32)0x85868788);
	CHECK(copy.d, 0xfedcba9885868788ull);
	CHECK(copy.tail[4], (u8)(0x85868788 >> 4));
	for (int i = 0; i < 4; i++)
		wide[i] = 0x1111111111111111ull * i;
	((volatile u8 *)wide)[9] = 0xee;
	((volatile u16 *)wide)[6] = 0xbeef;
	((volatile u32 *)wide)[5] = 0xfeedf00d;
	CHECK(wide[1], 0x1111beef1111ee11ull);
	CHECK(wide[2], 0xfeedf00d22222222ull);
	CHECK(wide[3], 0x3333333333333333ull);
	/* The context is memory like any other. */
	CHECK(ctx->a[0], 0ull);
	ctx->a[7] = opaque(5ull);
	CHECK(((volatile u32 *)ctx)[14], 5u);
	return 0;
}

/* ---- control --------------------------------------------------------------------------------------- */

/* Dense enough for a table in .rodata. */
static __noinline u64 by_table(u64 x)
{
	switch (x) {
	case 0: return 0x1111;
	case 1: return 77;
	case 2: return 0xdeadbeefcafe;
	case 3: return 1;
	case 4: return 0;
	case 5: return 12;
	case 6: return 0xffffffff;
	case 7: return 5;
	default: return 42;
	}
}

static __noinline u64 by_tree(u64 x, u64 y)
{
	switch (x) {
	case 1: return opaque(y) + 1;
	case 10: return opaque(y) * 3;
	case 100: return opaque(y) - 8;
	case 1000: return opaque(y) ^ 0xff;
	case 10000: return opaque(y) << 3;
	case 100000: return opaque(y) >> 2;
	default: return y;
	}
}

static __noinline u64 collatz(u64 x)
{
	u64 steps = 0;

	while (x != 1 && steps < 1000) {
		x = x & 1 ? 3 * x + 1 : x / 2;
		steps++;
	}
	return steps;
}

static __noinline u64 sum5(u64 a, u32 b, s16 c, u8 d, s64 e)
{
	return a + b * 2 + (s64)c * 3 + d * 4 + (u64)e * 5;
}

static __noinline s32 returns_negative(s32 x)
{
	return -x;
}

SEC("tc")
int control(struct args *ctx)
{
	int number = 0;

	CHECK(by_table(opaque(2)), 0xdeadbeefcafeull);
	CHECK(by_table(opaque(6)), 0xffffffffull);
	CHECK(by_table(opaque(8)), 42ull);
	CHECK(by_tree(opaque(10), opaque(5)), 15ull);
	CHECK(by_tree(opaque(1000), opaque(5)), 0xfaull);
	CHECK(by_tree(opaque(99999), opaque(5)), 5ull);
	CHECK(collatz(opaque(27)), 111ull);
	CHECK(sum5(opaque(1ull), opaque(0xffffffffu), opaque((s16)-3), opaque((u8)200), opaque(-7ll)),
	      1ull + (u32)(0xffffffffu * 2) - 9 + 800 - 35);
	CHECK(returns_negative(opaque(5)), -5);
	CHECK(returns_negative(opaque(5)) < 0, 1);
	return 0;
}

/* ---- what C leaves open and BPF does not: by hand -------------------------------------------------- */

#define BINARY(op, a, b)                                                   \
	({                                                                 \
		u64 dst_ = (a), src_ = (b);                                \
		__asm__ volatile("%0 " op " %1" : "+r"(dst_) : "r"(src_)); \
		dst_;                                                      \
	})

SEC("tc")
int defined_by_bpf(struct args *ctx)
{
	int number = 0;

	CHECK(BINARY("/=", 7, 0), 0ull);
	CHECK(BINARY("%%=", 7, 0), 7ull);
	CHECK(BINARY("%%=", 0xfedcba9876543210ull, 0), 0xfedcba9876543210ull);
	CHECK(BINARY("<<=", 3, 65), 6ull);
	CHECK(BINARY(">>=", MIN64, 127), 1ull);
	CHECK(BINARY("s>>=", MIN64, 64 + 62), ~1ull);
	return 0;
}
