/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BPF_TEST_H
#define BPF_TEST_H

/*
 * What the test programs need of BPF's world: types, helpers by their numbers, the runner's kfuncs and
 * the BTF forms of maps and of the exception callback. No other header is included.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef signed short s16;
typedef signed int s32;
typedef signed long long s64;

#define NULL ((void *)0)

#define SEC(name)       __attribute__((section(name), used))
#define __ksym          __attribute__((section(".ksyms")))
#define __noinline      __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))

/* On main: names the global function that runs after a throw. */
#define EXCEPTION_CALLBACK(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

/* The compiler knows nothing of a value that went through here. */
#define opaque(value)                                 \
	({                                            \
		__typeof__(value) opaque_ = (value);  \
		__asm__ volatile("" : "+r"(opaque_)); \
		opaque_;                              \
	})

/* Maps, as libbpf reads them from BTF. */
#define __uint(name, number) int(*name)[number]
#define __type(name, type)   __typeof__(type) *name
#define __array(name, type)  __typeof__(type) *name[]
enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROG_ARRAY = 3,
	MAP_PERCPU_HASH = 5,
	MAP_PERCPU_ARRAY = 6,
	MAP_LRU_HASH = 9,
	MAP_ARENA = 33,
};
enum { UPDATE_ANY, UPDATE_NOEXIST, UPDATE_EXIST };
enum { ENOENT = 2, E2BIG = 7, EFAULT = 14, EEXIST = 17, EINVAL = 22 };

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static long (*const bpf_trace_printk)(const char *fmt, u32 fmt_bytes, ...) = (void *)6;
static u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*const bpf_get_current_comm)(void *buffer, u32 bytes) = (void *)16;
static long (*const bpf_tail_call)(void *ctx, void *array, u64 index) = (void *)12;
static long (*const bpf_probe_read_kernel)(void *dst, u32 bytes, const void *address) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *dst, u32 bytes, const void *address) = (void *)115;
static long (*const bpf_for_each_map_elem)(void *map, void *callback, void *ctx, u64 flags) = (void *)164;
static long (*const bpf_snprintf)(char *text, u32 bytes, const char *fmt, u64 *args, u32 args_bytes) = (void *)165;
static long (*const bpf_loop)(u32 count, void *callback, void *ctx, u64 flags) = (void *)181;
static long (*const bpf_strncmp)(const char *a, u32 a_bytes, const char *b) = (void *)182;
static void *(*const bpf_map_lookup_percpu_elem)(void *map, const void *key, u32 cpu) = (void *)195;

extern void bpf_throw(u64 cookie) __ksym;
extern u64 jf_run_program(u32 program, void *ctx) __ksym;
extern u64 jf_throw_from_c(u64 cookie) __ksym;
extern u64 jf_throw_from_deep_c(u64 cookie, u64 frames) __ksym;
extern u64 jf_call_without_rows(void *callback, u64 arg) __ksym;
extern void jf_scramble_registers(void) __ksym;

/* Arena pointers: clang puts a cast in front of every use. As integers they are what they are then. */
#define __arena __attribute__((address_space(1)))
extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, u32 pages, int node, u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *address, u32 pages) __ksym;

/* True as long as the loop may go on: until 250 ms have passed. */
#define can_loop                                                         \
	({                                                               \
		__label__ end_, next_;                                   \
		int may_ = 1;                                            \
		__asm__ volatile goto("may_goto %l[end_]" : : : : end_); \
		goto next_;                                              \
end_:                                                                    \
		may_ = 0;                                                \
next_:                                                                   \
		may_;                                                    \
	})

/* The context: plain memory, as the scenario's line gives it, zero behind that. */
struct args {
	u64 a[8];
};

/* For programs that give 0, or the number of the first check that failed: they count in `number`. */
#define CHECK(got, want)               \
	do {                           \
		number++;              \
		if ((got) != (want))   \
			return number; \
	} while (0)

/* A pattern in a function's BPF stack. `stack` has to be a volatile array. */
#define PATTERN(seed, i) ((u64)(seed)*0x9e3779b97f4a7c15ull + (u64)(i)*0x0101010101010101ull)
#define fill(stack, seed)                                                              \
	do {                                                                           \
		for (int i_ = 0; i_ < (int)(sizeof(stack) / sizeof((stack)[0])); i_++) \
			(stack)[i_] = PATTERN(seed, i_);                               \
	} while (0)
/* Gives how many words of the pattern are not there any more. */
#define damage(stack, seed)                                                            \
	({                                                                             \
		u64 wrong_ = 0;                                                        \
		for (int i_ = 0; i_ < (int)(sizeof(stack) / sizeof((stack)[0])); i_++) \
			wrong_ += (stack)[i_] != PATTERN(seed, i_);                    \
		wrong_;                                                                \
	})

#endif
