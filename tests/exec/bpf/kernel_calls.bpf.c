/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_test.h"

/* What programs call of a kernel that needs nothing of a kernel: strings, bits, rings, maps of maps, packets. */

enum { ERANGE = 34, EAGAIN = 11 };

static void (*const bpf_spin_lock)(void *lock) = (void *)93;
static void (*const bpf_spin_unlock)(void *lock) = (void *)94;
static long (*const bpf_skb_store_bytes)(void *ctx, u32 off, const void *from, u32 count, u64 flags) = (void *)9;
static long (*const bpf_skb_load_bytes)(const void *ctx, u32 off, void *to, u32 count) = (void *)26;
static long (*const bpf_csum_diff)(void *from, u32 from_count, void *to, u32 to_count, u32 seed) = (void *)28;
static long (*const bpf_skb_pull_data)(void *ctx, u32 count) = (void *)39;
static long (*const bpf_csum_update)(void *ctx, u32 csum) = (void *)40;
static long (*const bpf_ringbuf_output)(void *ring, void *bytes, u64 count, u64 flags) = (void *)130;
static void *(*const bpf_ringbuf_reserve)(void *ring, u64 count, u64 flags) = (void *)131;
static void (*const bpf_ringbuf_submit)(void *record, u64 flags) = (void *)132;
static void (*const bpf_ringbuf_discard)(void *record, u64 flags) = (void *)133;
static u64 (*const bpf_ringbuf_query)(void *ring, u64 what) = (void *)134;
static long (*const bpf_xdp_load_bytes)(const void *ctx, u32 off, void *to, u32 count) = (void *)189;
static long (*const bpf_xdp_store_bytes)(void *ctx, u32 off, const void *from, u32 count) = (void *)190;

struct bpf_iter_bits {
	u64 opaque[2];
};
extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const u64 *words, u32 count) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

extern int bpf_strcmp(const char *a, const char *b) __ksym;
extern int bpf_strcasecmp(const char *a, const char *b) __ksym;
extern int bpf_strncasecmp(const char *a, const char *b, unsigned long count) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, unsigned long count, char c) __ksym;
extern int bpf_strrchr(const char *s, int c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, unsigned long count) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strcspn(const char *s, const char *reject) __ksym;
extern int bpf_strstr(const char *s, const char *wanted) __ksym;
extern int bpf_strcasestr(const char *s, const char *wanted) __ksym;
extern int bpf_strnstr(const char *s, const char *wanted, unsigned long count) __ksym;
extern int bpf_strncasestr(const char *s, const char *wanted, unsigned long count) __ksym;

#define NOWHERE ((const char *)-1)
static const char text[] = "to be or not", upper[] = "TO BE", to[] = "to", be[] = "be";
static char endless[65537] = {1};

SEC("tc") u64 texts(void *ctx)
{
	u64 number = 0;

	CHECK(bpf_strcmp(text, text), 0);
	CHECK(bpf_strcmp(text, to), 1);
	CHECK(bpf_strcmp(be, to), -1);
	CHECK(bpf_strcmp(NULL, to), -ERANGE);
	CHECK(bpf_strcmp(to, NOWHERE), -EFAULT);
	CHECK(bpf_strcasecmp(text, upper), 1);
	CHECK(bpf_strncasecmp(text, upper, 5), 0);
	CHECK(bpf_strchr(text, 'o'), 1);
	CHECK(bpf_strchr(text, 0), 12);
	CHECK(bpf_strchr(text, 'x'), -ENOENT);
	CHECK(bpf_strchr(NOWHERE, 'x'), -EFAULT);
	CHECK(bpf_strchrnul(text, 'x'), 12);
	CHECK(bpf_strnchr(text, 3, 'b'), -ENOENT);
	CHECK(bpf_strnchr(text, 4, 'b'), 3);
	CHECK(bpf_strrchr(text, 'o'), 10);
	CHECK(bpf_strrchr(text, 0), 12);
	CHECK(bpf_strlen(text), 12);
	CHECK(bpf_strnlen(text, 5), 5);
	CHECK(bpf_strspn(text, "bet o"), 7);
	CHECK(bpf_strspn(text, NOWHERE), -EFAULT);
	CHECK(bpf_strcspn(text, "rb"), 3);
	CHECK(bpf_strstr(text, be), 3);
	CHECK(bpf_strstr(text, upper), -ENOENT);
	CHECK(bpf_strstr(text, ""), 0);
	CHECK(bpf_strcasestr(text, upper), 0);
	CHECK(bpf_strnstr(text, be, 4), -ENOENT);
	CHECK(bpf_strnstr(text, be, 5), 3);
	CHECK(bpf_strncasestr(text, "BE", 5), 3);
	for (u32 i = 0; i < sizeof(endless); i++)
		endless[opaque(i)] = 'a';
	CHECK(bpf_strlen(endless), -E2BIG);
	CHECK(bpf_strcmp(endless, endless), -E2BIG);
	CHECK(bpf_strspn(endless, "a"), -E2BIG);
	CHECK(bpf_strstr(endless, "b"), -E2BIG);
	return 0;
}

static u64 words[512];

SEC("tc") u64 bits(void *ctx)
{
	struct bpf_iter_bits it;
	u64 number = 0, sum = 0;
	int *bit;

	words[0] = 1ull << 63 | 4;
	words[2] = 1ull << 5;
	words[3] = ~0ull;
	CHECK(bpf_iter_bits_new(&it, words, 3), 0);
	while ((bit = bpf_iter_bits_next(&it)))
		sum = sum * 1000 + *bit;
	bpf_iter_bits_destroy(&it);
	CHECK(sum, 2063133);
	CHECK(bpf_iter_bits_new(&it, words, 512), -E2BIG);
	CHECK(bpf_iter_bits_new(&it, NULL, 1), -EINVAL);
	CHECK(bpf_iter_bits_new(&it, (const u64 *)-8, 1), -EFAULT);
	CHECK(bpf_iter_bits_next(&it), NULL);
	return 0;
}

struct {
	__uint(type, 27);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Nobody reads: what is full stays full. A record has 8 bytes of its own in front of it. */
SEC("tc") u64 rings(void *ctx)
{
	u64 number = 0, *record = bpf_ringbuf_reserve(&ring, 1000, 0);

	CHECK(record != NULL, 1);
	record[124] = 7;
	bpf_ringbuf_submit(record, 0);
	record = bpf_ringbuf_reserve(&ring, 1, 0);
	CHECK(record != NULL, 1);
	bpf_ringbuf_discard(record, 0);
	CHECK(bpf_ringbuf_query(&ring, 0), 1024);
	CHECK(bpf_ringbuf_query(&ring, 1), 4096);
	CHECK(bpf_ringbuf_output(&ring, words, 3000, 0), 0);
	CHECK(bpf_ringbuf_output(&ring, words, 60, 0), -EAGAIN);
	CHECK(bpf_ringbuf_output(&ring, words, 8, 4), -EINVAL);
	CHECK(bpf_ringbuf_reserve(&ring, 4096, 0), NULL);
	CHECK(bpf_ringbuf_reserve(&ring, 8, 1), NULL);
	return 0;
}

static struct {
	u32 lock;
	u64 count;
} shared;

/* On all threads: no count is lost. */
SEC("tc") u64 locks(struct args *ctx)
{
	u64 seen;

	for (int i = 0; i < 1000; i++) {
		bpf_spin_lock(&shared.lock);
		seen = shared.count;
		shared.count = opaque(seen) + 1;
		bpf_spin_unlock(&shared.lock);
	}
	__sync_fetch_and_add(&words[511], 1);
	while (__sync_fetch_and_add(&words[511], 0) < ctx->a[0])
		;
	return shared.count;
}

struct inner {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} one SEC(".maps"), two SEC(".maps");

struct {
	__uint(type, 12);
	__uint(max_entries, 3);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[0] = (void *)&one, [2] = (void *)&two}};

SEC("tc") u64 maps_of_maps(void *ctx)
{
	u64 number = 0, value = 5, *got;
	u32 key = 0, last = 2, none = 1;
	void *map = bpf_map_lookup_elem(&outer, &last);

	CHECK(map, &two);
	CHECK(bpf_map_update_elem(map, &key, &value, UPDATE_ANY), 0);
	got = bpf_map_lookup_elem(&two, &key);
	CHECK(*got, 5);
	CHECK(bpf_map_lookup_elem(&outer, &none), NULL);
	CHECK(bpf_map_lookup_elem(&outer, &key), &one);
	CHECK(bpf_map_update_elem(&outer, &none, &value, UPDATE_ANY), -EINVAL);
	return 0;
}

/* ---- packets ------------------------------------------------------------------------------------- */

struct skb {
	u32 len, before[18], data, data_end, between[21], sk;
};

/* data_end is 2 bytes behind data, and the packet is 8 bytes. */
SEC("tc") u64 packet_parts(struct skb *ctx)
{
	u8 got[4], put[2] = {9, 8};
	u64 number = 0;

	CHECK(ctx->len, 8);
	CHECK(ctx->data_end - ctx->data, 2);
	CHECK(bpf_skb_load_bytes(ctx, 4, got, 4), 0);
	CHECK(got[3], 8);
	CHECK(bpf_skb_load_bytes(ctx, 5, got, 4), -EFAULT);
	CHECK(got[3], 0);
	CHECK(bpf_skb_store_bytes(ctx, 6, put, 2, 0), 0);
	CHECK(bpf_skb_store_bytes(ctx, 7, put, 2, 0), -EFAULT);
	CHECK(bpf_skb_store_bytes(ctx, 6, put, 2, 4), -EINVAL);
	CHECK(bpf_skb_pull_data(ctx, 9) < 0, 1);
	CHECK(bpf_skb_pull_data(ctx, 8), 0);
	CHECK(ctx->data_end - ctx->data, 8);
	CHECK(((u8 *)(u64)ctx->data)[7], 8);
	CHECK(bpf_csum_update(ctx, 0), -524);
	return 0;
}

SEC("xdp") u64 packet_of_device(void *ctx)
{
	u8 got[2] = {0}, put[2] = {9, 8};
	u64 number = 0;

	CHECK(((u32 *)ctx)[3], 1);
	CHECK(bpf_xdp_store_bytes(ctx, 2, put, 2), 0);
	CHECK(bpf_xdp_load_bytes(ctx, 1, got, 2), 0);
	CHECK(got[1], 9);
	CHECK(bpf_xdp_load_bytes(ctx, 3, got, 2), -EINVAL);
	CHECK(bpf_xdp_store_bytes(ctx, 3, got, 2), -EINVAL);
	return 0;
}

SEC("tc") u64 packet_socket(struct skb *ctx)
{
	u64 sk = *(u64 *)((u8 *)ctx + 168);

	return sk ? *(u32 *)sk : 1;
}

/* The example of RFC 1071: these words sum up to ddf2, in network order. */
SEC("tc") u64 checksums(void *ctx)
{
	u32 data[2] = {0x03f20100, 0xf7f6f5f4};
	u64 number = 0;

	CHECK(bpf_csum_diff(NULL, 0, data, 8, 0), 0xf2dd);
	CHECK(bpf_csum_diff(data, 8, data, 8, 0), 0xffff);
	CHECK(bpf_csum_diff(data, 4, NULL, 0, bpf_csum_diff(NULL, 0, data, 8, 0)),
	      bpf_csum_diff(NULL, 0, data + 1, 4, 0));
	CHECK(bpf_csum_diff(NULL, 0, data, 3, 0), -EINVAL);
	return 0;
}
