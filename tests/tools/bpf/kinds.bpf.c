/* SPDX-License-Identifier: BSD-2-Clause */

/* One of each kind of thing that an object may hold. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define EXCEPTION_CB(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

extern void bpf_throw(__u64 cookie) __ksym;
extern void bpf_preempt_disable(void) __ksym __weak;
extern void kfunc_of_tomorrow(__u64 x) __ksym __weak;
extern const int variable_of_tomorrow __ksym __weak;

int program_b(void *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10);
	__uint(map_flags, 1);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 10);
	__uint(key_size, 4);
	__array(values, int(void *));
} programs SEC(".maps") = {.values = {[3] = (void *)&program_b}};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 24);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[2] = (void *)&inner}};

static volatile int static_data = 5;
int global_data = 7;
const volatile int read_only = 9;
int zeroed[4];
int *to_data = &global_data;
int *to_zeroed = &zeroed[3];
int own_section SEC(".data.own") = 11;

static __noinline int static_sub(int x)
{
	if (x > 5)
		bpf_throw(x);
	return x + static_data;
}

__noinline int global_sub(int x)
{
	return static_sub(x) + global_data + read_only + zeroed[1] + *to_data + *to_zeroed + own_section;
}

__noinline int callback(__u64 cookie)
{
	return cookie + 1;
}

static int each(__u32 i, void *ctx)
{
	zeroed[0] += i;
	return 0;
}

SEC("tc") EXCEPTION_CB(callback) int program_a(void *ctx)
{
	int key = 1;
	long *value = bpf_map_lookup_elem(&hash, &key);

	bpf_printk("hello %d", key);
	bpf_loop(10, each, &key, 0);
	return global_sub(value ? *value : 3);
}

SEC("tc") int program_b(void *ctx)
{
	if (bpf_preempt_disable)
		bpf_preempt_disable();
	if (kfunc_of_tomorrow)
		kfunc_of_tomorrow(3);
	if (&variable_of_tomorrow)
		return 1;
	return bpf_map_lookup_elem(&outer, ctx) != 0;
}

/* Another section, whose program cannot be linked; only run by name. */
SEC("?xdp") int program_c(void *ctx)
{
	return bpf_get_current_task();
}

static __noinline int half(int x)
{
	return x / 2u;
}

__noinline int calling_callback(__u64 cookie)
{
	return half(cookie) + cookie + 10;
}

/* Main reaches no function by itself; its callback does. */
SEC("?tc") EXCEPTION_CB(calling_callback) int program_d(void *ctx)
{
	bpf_throw(20);
	return 0;
}

/* No program reaches it. */
__noinline int unreached(int x)
{
	return bpf_get_current_task() + x;
}

char LICENSE[] SEC("license") = "BSD";
