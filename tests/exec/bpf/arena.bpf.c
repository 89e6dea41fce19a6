/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory in an arena: pointers in both forms, accesses of every kind, faults, throws. Where `number` is
 * counted, programs give 0 or the first check that failed. arena_far.bpf.c is the same with the arena at an
 * address of its own.
 */
#define MEMORY __arena
#include "atomics.h"

enum { BPF_F_MMAPABLE = 1 << 10 };

struct {
	__uint(type, MAP_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
#ifdef ARENA_ADDRESS
	enum { ADDRESS = ARENA_ADDRESS } map_extra;
#endif
} arena SEC(".maps");

#define pages(count) bpf_arena_alloc_pages(&arena, NULL, count, -1, 0)
/* Page sizes differ; none is larger. */
#define STEP 65536

/* Anything at all as an arena pointer, in the form in which programs keep them. */
#define at(type, address) ((type __arena *)(u64)(address))

struct node {
	struct node __arena *next;
	u64 value;
};

/* ---- pointers ------------------------------------------------------------------------------------------ */

static __noinline struct node __arena *push(struct node __arena *head, struct node __arena *node, u64 value)
{
	node->value = value;
	node->next = head;
	return node;
}

SEC("tc")
u64 arena_list(struct args *ctx)
{
	struct node __arena *nodes = pages(1), *head = NULL;
	u64 sum = 0;

	for (u64 i = 0; i < 100; i++)
		head = push(head, &nodes[opaque(i)], i);
	for (struct node __arena *node = head; node; node = node->next)
		sum += node->value;
	return sum;
}

/* NULL stays NULL whichever way it goes, and so does everything else. */
SEC("tc")
u64 arena_casts(struct args *ctx)
{
	struct node __arena *nodes = pages(1);
	struct node *plain;
	u64 number = 0;

	plain = opaque((struct node *)(struct node __arena *)ctx->a[0]);
	CHECK((u64)plain, 0);
	CHECK((u64)opaque((struct node __arena *)plain), 0);
	plain = opaque((struct node *)&nodes[3]);
	CHECK((u64)plain, (u32)(u64)&nodes[3]);
	CHECK((u64)opaque((struct node __arena *)plain), (u64)&nodes[3]);
	CHECK((u64)&nodes[3] - (u64)nodes, 3 * sizeof(*nodes));
	nodes[3].next = (struct node __arena *)plain;
	nodes[3].value = 8;
	CHECK(nodes[3].next->next->next->value, 8);
	/* Only the lower half of what a program keeps counts. */
	CHECK(at(struct node, (u32)(u64)&nodes[3])->value, 8);
	CHECK(at(struct node, (u32)(u64)&nodes[3] | 0xabcd00000000)->value, 8);
	/* Of NULL too: the upper half alone is not one, and becomes one. */
	plain = opaque((struct node *)at(struct node, ctx->a[0] + 0x123400000000));
	CHECK((u64)plain, 0);
	CHECK((u64)opaque((struct node __arena *)plain), 0);
	return 0;
}

/* ---- accesses ------------------------------------------------------------------------------------------- */

SEC("tc")
u64 arena_loads(struct args *ctx)
{
	u8 __arena *p = pages(1);
	u64 number = 0;

	p += 64;
	*(u64 __arena *)p = 0x8182838485868788;
	*(u64 __arena *)(p + 8) = 0x0102030405060708;
	CHECK(*(u8 __arena *)p, 0x88);
	CHECK(*(u16 __arena *)p, 0x8788);
	CHECK(*(u32 __arena *)p, 0x85868788u);
	CHECK(*(u64 __arena *)p, 0x8182838485868788ull);
	CHECK((u64) * (s8 __arena *)p, 0xffffffffffffff88ull);
	CHECK((u64) * (s16 __arena *)p, 0xffffffffffff8788ull);
	CHECK((u64) * (s32 __arena *)p, 0xffffffff85868788ull);
	CHECK((u64) * (s8 __arena *)(p + 8), 0x08);
	CHECK((u64) * (s16 __arena *)(p + 9), 0x0607);
	CHECK((u64) * (s32 __arena *)(p + 12), 0x01020304);
	CHECK(*(u64 __arena *)(p + 3), 0x0607088182838485ull);
	CHECK(p[-1], 0);
	return 0;
}

SEC("tc")
u64 arena_stores(struct args *ctx)
{
	u8 __arena *p = pages(1);
	volatile u64 __arena *words = (volatile u64 __arena *)(p + 64);
	u64 value = opaque(0xa1a2a3a4a5a6a7a8), number = 0;

	words[0] = -1ull;
	*(volatile u8 __arena *)words = value;
	CHECK(words[0], 0xffffffffffffffa8ull);
	*(volatile u16 __arena *)words = value;
	CHECK(words[0], 0xffffffffffffa7a8ull);
	*(volatile u32 __arena *)words = value;
	CHECK(words[0], 0xffffffffa5a6a7a8ull);
	words[0] = value;
	CHECK(words[0], value);
	*(volatile u8 __arena *)words = 0x11;
	CHECK(words[0], 0xa1a2a3a4a5a6a711ull);
	*(volatile u16 __arena *)words = 0x2222;
	CHECK(words[0], 0xa1a2a3a4a5a62222ull);
	*(volatile u32 __arena *)words = 0x83333333;
	CHECK(words[0], 0xa1a2a3a483333333ull);
	words[0] = 0x44444444;
	CHECK(words[0], 0x44444444);
	words[0] = -5;
	CHECK(words[0], -5ull);
	CHECK(words[-1] | words[1], 0);
	return 0;
}

/* Displacements from one end to the other: those of BPF instructions are 16 bits with a sign. */
SEC("tc")
u64 arena_displacements(struct args *ctx)
{
	u8 __arena *start = pages(64);
	u8 __arena *middle = opaque(start + 65536);
	u64 number = 0;

	for (int i = 0; i < 8; i++) {
		start[32768 + i] = 0x10 + i;
		start[65536 + 32760 + i] = 0x20 + i;
	}
	start[65536 + 2047] = 1;
	start[65536 + 2048] = 2;
	start[65536 - 2048] = 3;
	start[65536 - 2049] = 4;
	start[65536 - 256] = 5;
	start[65536 - 257] = 6;
	CHECK(*(u64 __arena *)(middle - 32768), 0x1716151413121110ull);
	CHECK(*(u64 __arena *)(middle + 32760), 0x2726252423222120ull);
	CHECK(*(s8 __arena *)(middle + 32767), 0x27);
	CHECK(middle[2047] + middle[2048] * 10 + middle[-2048] * 100, 321);
	CHECK(middle[-2049] + middle[-256] * 10 + middle[-257] * 100, 654);
	*(volatile u32 __arena *)(middle - 32768) = 7;
	*(volatile u32 __arena *)(middle + 32764) = opaque(8);
	CHECK(*(u64 __arena *)(start + 32768), 0x1716151400000007ull);
	CHECK(*(u64 __arena *)(start + 65536 + 32760), 0x0000000823222120ull);
	__sync_fetch_and_add((u32 __arena *)(middle - 32764), 1u);
	CHECK(__sync_fetch_and_add((u64 __arena *)(middle + 32760), opaque(1ull)), 0x0000000823222120ull);
	CHECK(*(u32 __arena *)(middle - 32764), 0x17161515u);
	return 0;
}

SEC("tc")
u64 arena_atomics(struct args *ctx)
{
	u64 __arena *p = pages(1);

	return all_atomics(p + 5);
}

u64 __arena shared[8];

SEC("tc")
u64 arena_threads(struct args *ctx)
{
	return sum_of_threads(shared, ctx->a[0]);
}

/* ---- faults ---------------------------------------------------------------------------------------------- */

static __noinline u64 faulting_loads(u8 __arena *p)
{
	u64 a = opaque(1), b = opaque(2), number = 0;

	CHECK(*(volatile u8 __arena *)p, 0);
	CHECK(*(volatile u16 __arena *)p, 0);
	CHECK(*(volatile u32 __arena *)p, 0);
	CHECK(*(volatile u64 __arena *)p, 0);
	CHECK(*(volatile s8 __arena *)(p + 1), 0);
	CHECK(*(volatile s16 __arena *)(p + 2), 0);
	CHECK(*(volatile s32 __arena *)(p + 4), 0);
	CHECK(*(volatile u64 __arena *)(p + 32000), 0);
	CHECK(*(volatile u64 __arena *)(p - 32000), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(u8 *)(r1 + 0)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(u16 *)(r1 + 0)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(u32 *)(r1 - 4)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(u64 *)(r1 + 0)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(s8 *)(r1 + 0)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(s16 *)(r1 + 0)"), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\tr0 = *(s32 *)(r1 + 32764)"), 0);
	CHECK(BY_HAND(p, "r1 = *(u64 *)(r1 + 0)\n\tr0 = r1"), 0);
	CHECK(BY_HAND(p, "r1 += 1\n\tr1 = *(s8 *)(r1 + 4095)\n\tr0 = r1"), 0);
	CHECK(a + b, 3);
	return 0;
}

static __noinline u64 faulting_stores(u8 __arena *p)
{
	u64 a = opaque(1), b = opaque(2), number = 0;

	*(volatile u8 __arena *)p = 5;
	*(volatile u16 __arena *)p = 5;
	*(volatile u32 __arena *)p = 5;
	*(volatile u64 __arena *)p = 5;
	*(volatile u8 __arena *)p = a;
	*(volatile u16 __arena *)p = a;
	*(volatile u32 __arena *)p = a;
	*(volatile u64 __arena *)p = a;
	CHECK(a + b, 3);
	CHECK(*(volatile u64 __arena *)p, 0);
	return 0;
}

/* What is fetched is 0; of what is not, nothing comes back, and the operand stays. */
static __noinline u64 faulting_atomics(u64 __arena *p)
{
	u64 number = 0;

	CHECK(BY_HAND(p, "r2 = 5\n\tlock *(u64 *)(r1 + 0) += r2\n\tr0 = r2"), 5);
	CHECK(BY_HAND(p, "r2 = 6\n\tlock *(u32 *)(r1 + 0) += w2\n\tr0 = r2"), 6);
	CHECK(BY_HAND(p, "r2 = 7\n\tlock *(u64 *)(r1 + 8) |= r2\n\tr0 = r2"), 7);
	CHECK(BY_HAND(p, "r2 = 8\n\tlock *(u64 *)(r1 + 8) &= r2\n\tr0 = r2"), 8);
	CHECK(BY_HAND(p, "r2 = 9\n\tlock *(u32 *)(r1 + 8) ^= w2\n\tr0 = r2"), 9);
	CHECK(BY_HAND(p, "r2 = 5\n\tr2 = atomic_fetch_add((u64 *)(r1 + 0), r2)\n\tr0 = r2"), 0);
	CHECK(BY_HAND(p, "r2 = 5\n\tr2 = atomic_fetch_or((u64 *)(r1 + 0), r2)\n\tr0 = r2"), 0);
	CHECK(BY_HAND(p, "r3 = 5\n\tr3 = atomic_fetch_and((u64 *)(r1 + 0), r3)\n\tr0 = r3"), 0);
	CHECK(BY_HAND(p, "r4 = 5\n\tr4 = atomic_fetch_xor((u64 *)(r1 + 0), r4)\n\tr0 = r4"), 0);
	CHECK(BY_HAND(p, "w5 = 5\n\tw5 = atomic_fetch_or((u32 *)(r1 + 4), w5)\n\tr0 = r5"), 0);
	CHECK(BY_HAND(p, "r0 = 5\n\tr0 = atomic_fetch_and((u64 *)(r1 + 0), r0)"), 0);
	CHECK(BY_HAND(p, "r2 = 5\n\tr2 = xchg_64(r1 + 0, r2)\n\tr0 = r2"), 0);
	CHECK(BY_HAND(p, "w2 = 5\n\tw2 = xchg32_32(r1 + 0, w2)\n\tr0 = r2"), 0);
	CHECK(BY_HAND(p, "r0 = 5\n\tr2 = 6\n\tr0 = cmpxchg_64(r1 + 0, r0, r2)\n\tr0 += r2"), 6);
	CHECK(BY_HAND(p, "r0 = -1\n\tw2 = 6\n\tw0 = cmpxchg32_32(r1 + 0, w0, w2)\n\tr0 += r2"), 6);
	CHECK(BY_HAND(p, "r0 = -1\n\t" LOAD_ACQUIRE("db")), 0);
	CHECK(BY_HAND(p, "r0 = -1\n\t" LOAD_ACQUIRE("d3")), 0);
	CHECK(BY_HAND(p, "r2 = 4\n\t" STORE_RELEASE("db") "\n\tr0 = r2"), 4);
	CHECK(BY_HAND(p, "r2 = 4\n\t" STORE_RELEASE("cb") "\n\tr0 = r2"), 4);
	return 0;
}

static __noinline u64 faults(void __arena *p)
{
	u64 result = faulting_loads(p);

	result = result ? result : faulting_stores(p) + 100;
	result = result != 100 ? result : faulting_atomics(p) + 200;
	return result == 200 ? 0 : result;
}

SEC("tc")
u64 arena_faults(struct args *ctx)
{
	u8 __arena *p = pages(1);
	volatile u64 stack[5];
	u64 a = opaque(5), b = opaque(6), number = 0;

	fill(stack, 1);
	CHECK(faults(p + 8 * STEP), 0);
	CHECK(faults(NULL), 0);
	CHECK(a * 10 + b, 56);
	CHECK(damage(stack, 1), 0);
	/* Both ends of 4 GiB, and over them by a displacement. */
	CHECK(*at(u64, 0), 0);
	CHECK(*at(u64, -1), 0);
	CHECK(*at(u64, 0xffffffff), 0);
	CHECK(((u8 __arena *)opaque(at(u8, 0)))[-32768], 0);
	CHECK(((u8 __arena *)opaque(at(u8, 0xffffffff)))[32767], 0);
	*at(volatile u64, 0xffffffff) = 3;
	CHECK(*p, 0);
	return 0;
}

/* The page where a fault ends: what is there stays, also of an access that is half on it. */
SEC("tc")
u64 arena_edge(struct args *ctx)
{
	u8 __arena *a = pages(1);
	u8 __arena *b = pages(1);
	u64 page = (u64)b - (u64)a, number = 0;
	u8 __arena *end;

	CHECK(page % 4096, 0);
	bpf_arena_free_pages(&arena, b, 1);
	end = opaque(a + page);
	*(volatile u64 __arena *)(end - 8) = 0x1122334455667788;
	CHECK(*(volatile u64 __arena *)(end - 8), 0x1122334455667788ull);
	CHECK(*(volatile u64 __arena *)(end - 7), 0);
	CHECK(*(volatile u32 __arena *)(end - 2), 0);
	*(volatile u64 __arena *)(end - 4) = 0;
	CHECK(*(volatile u64 __arena *)(end - 8), 0x1122334455667788ull);
	return 0;
}

static __noinline u64 fault_in_loop(u64 index, u64 *ctx)
{
	ctx[1] += *(volatile u64 __arena *)at(u64, ctx[0] + index * 8) + 1;
	return 0;
}

SEC("tc")
u64 arena_faults_often(struct args *ctx)
{
	u8 __arena *p = pages(1);
	u64 state[2] = {(u64)(p + 8 * STEP), 0};

	bpf_loop(300, fault_in_loop, state, 0);
	bpf_arena_free_pages(&arena, p, 1);
	return state[1];
}

/* ---- pages ------------------------------------------------------------------------------------------------ */

SEC("tc")
u64 arena_pages(struct args *ctx)
{
	u64 __arena *a = pages(1);
	u64 __arena *b = pages(2);
	u64 __arena *c;
	u64 page = (u64)b - (u64)a, number = 0;

	CHECK(!a || !b, 0);
	CHECK(page == 4096 || page == 16384 || page == 65536, 1);
	*a = 5;
	*(u64 __arena *)((u64)b + page) = 6;
	CHECK((u64)bpf_arena_alloc_pages(&arena, a, 1, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, NULL, 4097, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, NULL, 4094, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, NULL, 0, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, NULL, 1, -1, 1), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, (void __arena *)((u64)a + 8), 1, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, (void __arena *)((u64)a + 4096 * page), 1, -1, 0), 0);
	CHECK((u64)bpf_arena_alloc_pages(&arena, (void __arena *)((u64)a + 4095 * page), 2, -1, 0), 0);
	c = bpf_arena_alloc_pages(&arena, (void __arena *)((u64)a + 7 * page), 1, -1, 0);
	CHECK((u64)c - (u64)a, 7 * page);
	CHECK(*c, 0);
	*c = 7;
	bpf_arena_free_pages(&arena, a, 2);
	CHECK(*(volatile u64 __arena *)a, 0);
	CHECK(*(volatile u64 __arena *)((u64)b + page), 6);
	CHECK((u64)pages(3) - (u64)a, 3 * page);
	CHECK((u64)pages(2), (u64)a);
	CHECK(*(volatile u64 __arena *)a, 0);
	CHECK(*(volatile u64 __arena *)c, 7);
	bpf_arena_free_pages(&arena, a, 4095);
	bpf_arena_free_pages(&arena, a, 1);
	bpf_arena_free_pages(&arena, NULL, 1);
	CHECK(*(volatile u64 __arena *)c, 0);
	/* The last page holds this file's variables. */
	CHECK((u64)pages(4096), 0);
	CHECK((u64)pages(4095), (u64)a);
	bpf_arena_free_pages(&arena, a, 100000);
	CHECK((u64)pages(4096), (u64)a);
	return 0;
}
