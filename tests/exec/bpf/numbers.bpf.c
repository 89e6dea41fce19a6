/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_test.h"

/* Numbers of text, numbers one after the other, and pages of an arena that are kept back. */

enum { ERANGE = 34, EBUSY = 16 };

static long (*const bpf_strtol)(const char *text, u64 bytes, u64 flags, long *value) = (void *)105;
static long (*const bpf_strtoul)(const char *text, u64 bytes, u64 flags, unsigned long *value) = (void *)106;

struct bpf_iter_num {
	u64 opaque;
};
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_arena_reserve_pages(void *map, void __arena *address, u32 count) __ksym;

#define TEXT(name, text) static const char name[sizeof(text) - 1] = text
TEXT(negative, " -12 3");
TEXT(octal, "0778");
TEXT(hex, "0xfFz");
TEXT(lowest, "-9223372036854775808");
TEXT(too_low, "-9223372036854775809");
TEXT(highest, "18446744073709551615");
TEXT(too_high, "18446744073709551616");
TEXT(word, "x1");

SEC("tc") u64 numbers_of_text(void *ctx)
{
	unsigned long u = 0;
	u64 number = 0;
	long s = 0;

	CHECK(bpf_strtol(negative, sizeof(negative), 0, &s), 4);
	CHECK(s, -12);
	CHECK(bpf_strtol(octal, sizeof(octal), 0, &s), 3);
	CHECK(s, 077);
	CHECK(bpf_strtol(octal, sizeof(octal), 10, &s), 4);
	CHECK(s, 778);
	CHECK(bpf_strtol(hex, sizeof(hex), 16, &s), 4);
	CHECK(s, 255);
	CHECK(bpf_strtol(lowest, sizeof(lowest), 0, &s), 20);
	CHECK((u64)s, 1ull << 63);
	CHECK(bpf_strtol(too_low, sizeof(too_low), 0, &s), -ERANGE);
	CHECK(bpf_strtol(word, sizeof(word), 0, &s), -EINVAL);
	CHECK(bpf_strtol(hex, sizeof(hex), 7, &s), -EINVAL);
	CHECK(bpf_strtoul(highest, sizeof(highest), 10, &u), 20);
	CHECK(u, ~0ull);
	CHECK(bpf_strtoul(too_high, sizeof(too_high), 10, &u), -ERANGE);
	CHECK(bpf_strtoul(negative, sizeof(negative), 10, &u), -EINVAL);
	return 0;
}

/* The status is in the upper half. */
static __noinline u64 sum(int start, int end)
{
	struct bpf_iter_num it;
	u64 all = 0;
	int *at;

	all += (u64)bpf_iter_num_new(&it, start, end) << 32;
	while ((at = bpf_iter_num_next(&it)))
		all += (u64)*at;
	bpf_iter_num_destroy(&it);
	return all;
}

SEC("tc") u64 numbers_in_a_row(void *ctx)
{
	u64 number = 0;

	CHECK(sum(opaque(1), opaque(5)), 10);
	CHECK(sum(opaque(-3), opaque(3)), (u64)-3);
	CHECK(sum(opaque(4), opaque(4)), 0);
	CHECK(sum(opaque(5), opaque(4)), (u64)-EINVAL << 32);
	CHECK(sum(opaque(0), opaque(0x7fffffff)), (u64)-E2BIG << 32);
	CHECK(sum(opaque(-0x7fffffff - 1), opaque(-0x7fffffff)), (u64)-0x80000000ll);
	return 0;
}

struct {
	__uint(type, MAP_ARENA);
	__uint(max_entries, 4);
	enum { ADDRESS = 1ull << 44 } map_extra;
} arena SEC(".maps");

u64 __arena variable = 5;

/* Four pages: the variable is in the last one, the first is kept back, and two are left. */
SEC("tc") u64 numbers_of_pages(struct args *ctx)
{
	u64 number = 0, base = 1ull << 44, page_bytes = ((u64)&variable - base) / 3;
	void __arena *page[3];

	CHECK(page_bytes == 4096 || page_bytes == 16384 || page_bytes == 65536, 1);
	CHECK(variable, 5);
	CHECK(bpf_arena_reserve_pages(&arena, (void __arena *)base, 1), 0);
	CHECK(bpf_arena_reserve_pages(&arena, (void __arena *)base, 2), -EBUSY);
	CHECK(bpf_arena_reserve_pages(&arena, (void __arena *)(base + 2 * page_bytes), 3), -EINVAL);
	CHECK(bpf_arena_reserve_pages(&arena, (void __arena *)base, 0), 0);
	for (int i = 0; i < 3; i++)
		page[i] = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);
	CHECK((u64)page[0], base + page_bytes);
	CHECK((u64)page[1], base + 2 * page_bytes);
	CHECK((u64)page[2], 0);
	return 0;
}
