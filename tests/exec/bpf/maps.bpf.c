/* SPDX-License-Identifier: BSD-2-Clause */
/* Map helpers with the results of linux/bpf.h. 0, or the number of the first failed check. */
#include "bpf_test.h"

struct value {
	u64 number;
	u8 text[5];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 3);
	__type(key, u32);
	__type(value, struct value);
} array SEC(".maps");

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4);
	__type(key, u64);
	__type(value, struct value);
} hash SEC(".maps");

struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} lru SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} per_cpu SEC(".maps");

struct {
	__uint(type, MAP_PERCPU_HASH);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
} per_cpu_hash SEC(".maps");

SEC("tc")
int map_array(struct args *ctx)
{
	struct value value = {7, "text"}, *found;
	u32 key = 2;
	int number = 0;

	CHECK(bpf_map_update_elem(&array, &key, &value, UPDATE_ANY), 0);
	found = bpf_map_lookup_elem(&array, &key);
	CHECK(found != NULL, 1);
	CHECK(found->number, 7ull);
	CHECK(found->text[3], 't');
	found->number = 8;
	found = bpf_map_lookup_elem(&array, &key);
	CHECK(found->number, 8ull);
	CHECK(bpf_map_update_elem(&array, &key, &value, UPDATE_NOEXIST), -EEXIST);
	CHECK(bpf_map_update_elem(&array, &key, &value, 3), -EINVAL);
	CHECK(bpf_map_delete_elem(&array, &key), -EINVAL);
	key = 1;
	found = bpf_map_lookup_elem(&array, &key);
	CHECK(found->number, 0ull);
	key = 3;
	CHECK(bpf_map_lookup_elem(&array, &key) == NULL, 1);
	CHECK(bpf_map_update_elem(&array, &key, &value, UPDATE_ANY), -E2BIG);
	return 0;
}

SEC("tc")
int map_hash(struct args *ctx)
{
	struct value value = {7, "text"}, *found;
	u64 key = 0x100000001ull;
	int number = 0;

	CHECK(bpf_map_lookup_elem(&hash, &key) == NULL, 1);
	CHECK(bpf_map_delete_elem(&hash, &key), -ENOENT);
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_EXIST), -ENOENT);
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_NOEXIST), 0);
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_NOEXIST), -EEXIST);
	value.number = 9;
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_EXIST), 0);
	CHECK(bpf_map_update_elem(&hash, &key, &value, 4), -EINVAL);
	found = bpf_map_lookup_elem(&hash, &key);
	CHECK(found != NULL, 1);
	CHECK(found->number, 9ull);
	for (key = 1; key < 4; key++)
		CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_ANY), 0);
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_ANY), -E2BIG);
	key = 2;
	CHECK(bpf_map_delete_elem(&hash, &key), 0);
	CHECK(bpf_map_lookup_elem(&hash, &key) == NULL, 1);
	key = 5;
	value.number = 55;
	CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_ANY), 0);
	found = bpf_map_lookup_elem(&hash, &key);
	CHECK(found->number, 55ull);
	key = 0x100000001ull;
	found = bpf_map_lookup_elem(&hash, &key);
	CHECK(found->number, 9ull);
	return 0;
}

SEC("tc")
int map_lru(struct args *ctx)
{
	int number = 0;
	u32 key, present = 0;

	for (key = 0; key < 10; key++)
		CHECK(bpf_map_update_elem(&lru, &key, &key, UPDATE_ANY), 0);
	for (key = 0; key < 10; key++)
		present += bpf_map_lookup_elem(&lru, &key) != NULL;
	CHECK(present, 2u);
	key = 9;
	CHECK(bpf_map_lookup_elem(&lru, &key) != NULL, 1);
	return 0;
}

SEC("tc")
int map_per_cpu(struct args *ctx)
{
	u32 key = 1, value = 12, *found, cpu = bpf_get_smp_processor_id();
	u64 wide = 34, *found_wide;
	int number = 0;

	CHECK(bpf_map_update_elem(&per_cpu, &key, &value, UPDATE_ANY), 0);
	found = bpf_map_lookup_percpu_elem(&per_cpu, &key, cpu);
	CHECK(found == bpf_map_lookup_elem(&per_cpu, &key), 1);
	CHECK(found != NULL, 1);
	CHECK(*found, 12u);
	CHECK(bpf_map_lookup_percpu_elem(&per_cpu, &key, 100000) == NULL, 1);
	CHECK(bpf_map_update_elem(&per_cpu_hash, &key, &wide, UPDATE_ANY), 0);
	found_wide = bpf_map_lookup_elem(&per_cpu_hash, &key);
	CHECK(found_wide != NULL, 1);
	CHECK(*found_wide, 34ull);
	return 0;
}

struct walk {
	u64 calls, keys, values;
};

static long add_element(void *map, u64 *key, struct value *value, struct walk *walk)
{
	walk->calls++;
	walk->keys += *key;
	walk->values += value->number;
	bpf_map_delete_elem(map, key);
	return 0;
}

static long stop_at_second(void *map, u32 *key, struct value *value, struct walk *walk)
{
	walk->calls++;
	return *key == 1;
}

SEC("tc")
int map_for_each(struct args *ctx)
{
	struct walk walk = {0};
	struct value value = {0};
	int number = 0;
	u64 key;

	for (key = 1; key <= 3; key++) {
		value.number = key * 10;
		CHECK(bpf_map_update_elem(&hash, &key, &value, UPDATE_ANY), 0);
	}
	CHECK(bpf_for_each_map_elem(&hash, add_element, &walk, 0), 3);
	CHECK(walk.calls, 3ull);
	CHECK(walk.keys, 6ull);
	CHECK(walk.values, 60ull);
	CHECK(bpf_for_each_map_elem(&hash, add_element, &walk, 0), 0);
	CHECK(bpf_for_each_map_elem(&array, stop_at_second, &walk, 0), 2);
	CHECK(walk.calls, 5ull);
	CHECK(bpf_for_each_map_elem(&array, stop_at_second, &walk, 1), -EINVAL);
	return 0;
}

/* Many threads, one map: each adds to an element of its own, and the program throws what it finds. */
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} shared SEC(".maps");

static __noinline u64 check_own(u32 me, u64 want)
{
	u64 *found = bpf_map_lookup_elem(&shared, &me);

	if (!found || *found != want)
		bpf_throw(13);
	return bpf_map_delete_elem(&shared, &me);
}

SEC("tc")
u64 map_threads(struct args *ctx)
{
	u32 me = bpf_get_smp_processor_id();
	u64 value = me * 3 + 1;

	if (bpf_map_update_elem(&shared, &me, &value, UPDATE_NOEXIST))
		bpf_throw(11);
	if (check_own(me, value))
		bpf_throw(12);
	bpf_throw(20);
	return 1;
}
