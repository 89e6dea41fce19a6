/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpers.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "map_ring.h"
#include "maps.h"
#include "numbers.h"
#include "packet_access.h"
#include "probe.h"
#include "report.h"

/*
 * The helpers of helpers.def. Their arguments are whole 64-bit registers: BPF code does not extend
 * narrow values in the way the platform's ABI may want, so each helper takes 64 bits and narrows itself.
 * Results are 64 bits too; errors are negative errno values, as in linux/bpf.h.
 */
#define LOOPS_MAX          (UINT64_C(1) << 23)
#define JIFFIES_PER_SECOND 250
#define NSEC_PER_SEC       UINT64_C(1000000000)

typedef uint64_t (*loop_callback)(uint64_t index, uint64_t ctx, uint64_t, uint64_t, uint64_t);

/* ---- maps ------------------------------------------------------------------------------------ */

static void *lookup_elem(void *object, const void *key)
{
	struct map *map = map_of(object);

	return map != NULL ? map->ops->lookup(map, key, map_cpu()) : NULL;
}

static int64_t update_elem(void *object, const void *key, const void *value, uint64_t flags)
{
	struct map *map = map_of(object);

	return map != NULL ? map->ops->update(map, key, value, flags) : -EINVAL;
}

static int64_t delete_elem(void *object, const void *key)
{
	struct map *map = map_of(object);

	return map != NULL ? map->ops->delete (map, key) : -EINVAL;
}

static void *lookup_percpu_elem(void *object, const void *key, uint64_t cpu)
{
	struct map *map = map_of(object);

	return map != NULL && (uint32_t)cpu < map->cpu_count ? map->ops->lookup(map, key, (uint32_t)cpu) : NULL;
}

static int64_t for_each_elem(void *object, map_callback callback, uint64_t ctx, uint64_t flags)
{
	struct map *map = map_of(object);

	if (flags != 0 || callback == NULL || map == NULL)
		return -EINVAL;
	return map->ops->for_each(map, callback, ctx);
}

/* ---- time and place --------------------------------------------------------------------------- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

static uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static uint64_t coarse_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

static uint64_t jiffies(void)
{
	return monotonic_ns() / (NSEC_PER_SEC / JIFFIES_PER_SECOND);
}

/* xorshift64*, one state per thread. */
static uint64_t random_u32(void)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = monotonic_ns() ^ (uint64_t)(uintptr_t)&state;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
}

static uint64_t processor_id(void)
{
	return map_cpu();
}

static uint64_t node_id(void)
{
	return 0;
}

static uint64_t pid_tgid(void)
{
	return (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);
}

static uint64_t uid_gid(void)
{
	return (uint64_t)getgid() << 32 | getuid();
}

static int64_t current_comm(char *buffer, uint64_t bytes)
{
	char name[16] = "";

	if ((uint32_t)bytes == 0)
		return -EINVAL;
	prctl(PR_GET_NAME, name);
	memset(buffer, 0, (uint32_t)bytes);
	strncpy(buffer, name, (uint32_t)bytes - 1);
	return 0;
}

/* ---- memory and text -------------------------------------------------------------------------- */

static int64_t read_memory(void *dst, uint64_t bytes, uint64_t address)
{
	return probe_memory(dst, (uint32_t)bytes, address);
}

static int64_t read_string(char *dst, uint64_t bytes, uint64_t address)
{
	return probe_read_string(dst, (uint32_t)bytes, address);
}

static int64_t compare_strings(const char *a, uint64_t a_bytes, const char *b)
{
	return strncmp(a, b, (uint32_t)a_bytes);
}

/* One line on standard error, in one write. */
static int64_t trace_text(const char *fmt, uint64_t fmt_bytes, const uint64_t *args, size_t count)
{
	char text[1024];
	int64_t length = format_text(text, sizeof(text) - 1, fmt, (uint32_t)fmt_bytes, args, count);
	size_t end = strlen(text);

	if (length < 0)
		return length;
	if (end == 0 || text[end - 1] != '\n')
		text[end++] = '\n';
	return write(STDERR_FILENO, text, end) < 0 ? -EIO : length;
}

static int64_t trace_args(const char *fmt, uint64_t fmt_bytes, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	const uint64_t args[] = {arg1, arg2, arg3};

	return trace_text(fmt, fmt_bytes, args, 3);
}

static int64_t trace_array(const char *fmt, uint64_t fmt_bytes, const uint64_t *args, uint64_t args_bytes)
{
	uint32_t bytes = (uint32_t)args_bytes;

	if (bytes % 8 != 0 || bytes > FORMAT_ARGS_MAX * 8 || (bytes > 0 && args == NULL))
		return -EINVAL;
	return trace_text(fmt, fmt_bytes, args, bytes / 8);
}

static int64_t format_to(char *text, uint64_t capacity, const char *fmt, const uint64_t *args, uint64_t args_bytes)
{
	uint32_t bytes = (uint32_t)args_bytes;
	int64_t length;

	if (bytes % 8 != 0 || bytes > FORMAT_ARGS_MAX * 8 || (bytes > 0 && args == NULL))
		return -EINVAL;
	length = format_text(text, (uint32_t)capacity, fmt, strlen(fmt) + 1, args, bytes / 8);
	return length < 0 ? length : length + 1;
}

/* ---- control ----------------------------------------------------------------------------------- */

static int64_t loop_calls(uint64_t count, loop_callback callback, uint64_t ctx, uint64_t flags)
{
	uint32_t loops = (uint32_t)count;

	if (flags != 0 || callback == NULL)
		return -EINVAL;
	if (loops > LOOPS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < loops; i++) {
		if (callback(i, ctx, 0, 0, 0) != 0)
			return (int64_t)i + 1;
	}
	return loops;
}

static uintptr_t exchange(atomic_uintptr_t *place, uintptr_t value)
{
	return atomic_exchange(place, value);
}

/* A struct bpf_spin_lock: 0 is free. */
static void lock_take(atomic_uint *lock)
{
	unsigned int is_free = 0;

	while (!atomic_compare_exchange_weak(lock, &is_free, 1)) {
		is_free = 0;
		sched_yield();
	}
}

static void lock_give(atomic_uint *lock)
{
	atomic_store(lock, 0);
}

/* ---- the table --------------------------------------------------------------------------------- */

/*
 * helpers.def and this switch hold each other: a helper of the list that has no case is a compiler's
 * warning, a case that is not on the list an error. Some names hide those of the C library, here alone.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
static uint64_t helper_address(unsigned int number)
{
	enum helper {
#define HELPER(number, name) name = number,
#include "helpers.def"
#undef HELPER
	};

	switch ((enum helper)number) {
	case map_lookup_elem: return (uintptr_t)lookup_elem;
	case map_update_elem: return (uintptr_t)update_elem;
	case map_delete_elem: return (uintptr_t)delete_elem;
	case map_lookup_percpu_elem: return (uintptr_t)lookup_percpu_elem;
	case for_each_map_elem: return (uintptr_t)for_each_elem;
	case ktime_get_ns: return (uintptr_t)monotonic_ns;
	case ktime_get_boot_ns: return (uintptr_t)boot_ns;
	case ktime_get_coarse_ns: return (uintptr_t)coarse_ns;
	case jiffies64: return (uintptr_t)jiffies;
	case get_prandom_u32: return (uintptr_t)random_u32;
	case get_smp_processor_id: return (uintptr_t)processor_id;
	case get_numa_node_id: return (uintptr_t)node_id;
	case get_current_pid_tgid: return (uintptr_t)pid_tgid;
	case get_current_uid_gid: return (uintptr_t)uid_gid;
	case get_current_comm: return (uintptr_t)current_comm;
	case probe_read:
	case probe_read_user:
	case probe_read_kernel: return (uintptr_t)read_memory;
	case probe_read_str:
	case probe_read_user_str:
	case probe_read_kernel_str: return (uintptr_t)read_string;
	case strtol: return (uintptr_t)number_signed;
	case strtoul: return (uintptr_t)number_unsigned;
	case strncmp: return (uintptr_t)compare_strings;
	case snprintf: return (uintptr_t)format_to;
	case trace_printk: return (uintptr_t)trace_args;
	case trace_vprintk: return (uintptr_t)trace_array;
	case loop: return (uintptr_t)loop_calls;
	case kptr_xchg: return (uintptr_t)exchange;
	case spin_lock: return (uintptr_t)lock_take;
	case spin_unlock: return (uintptr_t)lock_give;
	case skb_load_bytes: return (uintptr_t)packet_skb_load;
	case skb_store_bytes: return (uintptr_t)packet_skb_store;
	case skb_pull_data: return (uintptr_t)packet_pull;
	case xdp_load_bytes: return (uintptr_t)packet_xdp_load;
	case xdp_store_bytes: return (uintptr_t)packet_xdp_store;
	case csum_diff: return (uintptr_t)packet_csum_diff;
	case csum_update: return (uintptr_t)packet_csum_update;
	case ringbuf_output: return (uintptr_t)ring_output;
	case ringbuf_reserve: return (uintptr_t)ring_reserve;
	case ringbuf_submit:
	case ringbuf_discard: return (uintptr_t)ring_submit;
	case ringbuf_query: return (uintptr_t)ring_query;
	case tail_call: return 0;
	}
	return 0;
}
#pragma GCC diagnostic pop

static const char *const names[] = {
/* clang-format off */
#define HELPER(number, name) [number] = "bpf_" #name,
/* clang-format on */
#include "helpers.def"
#undef HELPER
};
#define HELPER_COUNT (sizeof(names) / sizeof(names[0]))

const struct jf_import *helpers_table(uint32_t *count)
{
	static struct jf_import table[HELPER_COUNT];

	for (uint32_t i = 0; i < HELPER_COUNT; i++) {
		table[i].name = names[i] != NULL ? names[i] : "a helper that the runner lacks";
		table[i].address = helper_address(i);
	}
	*count = HELPER_COUNT;
	return table;
}

const char *helpers_name(uint64_t address)
{
	for (uint32_t i = 0; i < HELPER_COUNT; i++) {
		if (names[i] != NULL && address != 0 && helper_address(i) == address)
			return names[i];
	}
	return NULL;
}

/* ---- calls through a register ------------------------------------------------------------------- */

typedef uint64_t (*called)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);

static uint64_t call_register(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, uint64_t value)
{
	uint64_t address = value < HELPER_COUNT ? helper_address((unsigned int)value) : value;
	uint64_t result;

	if (address == 0) {
		report_error_text("a call through a register: there is no helper %u", (unsigned int)value);
		_exit(EXIT_FAILED);
	}
	result = ((called)(uintptr_t)address)(r1, r2, r3, r4, r5);
	/* Keeps this a call: whether a throw finds C code in its way must not hang on the optimizer. */
	__asm__ volatile("" : "+r"(result));
	return result;
}

struct jf_import helpers_call_register(void)
{
	return (struct jf_import){.name = "call_register", .address = (uintptr_t)call_register};
}
