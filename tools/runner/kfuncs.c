/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpers.h"

#include <unistd.h>

#include <jitframe/load.h>
#include <jitframe/throw.h>

#include "bundle.h"
#include "foreign.h"
#include "maps.h"
#include "no_rows.h"
#include "numbers.h"
#include "objects.h"
#include "packet.h"
#include "programs.h"
#include "registers.h"
#include "report.h"
#include "texts.h"

/* The kfuncs of kfuncs.def, with the types that are there. */

/* The inner program runs in frames of its own: its throws end at its own boundary. */
static uint64_t run_program(uint32_t index, void *ctx)
{
	const struct program *program;
	struct jf_error error = {0};

	if (programs_load(index, &program, &error) != JF_OK)
		_exit(report_error(&error));
	return program_run(program, (uintptr_t)ctx);
}

static uint64_t throw_from_c(uint64_t cookie)
{
	int64_t status = programs_are_foreign() ? (int64_t)kernel_throw(cookie) : jf_throw(cookie);

	/* Comes back only when nothing was thrown. And this is a call: a jump would be the BPF program's throw. */
	__asm__ volatile("" : "+r"(status));
	return (uint64_t)status;
}

static uint64_t throw_from_deep_c(uint64_t cookie, uint64_t frames)
{
	return registers_deep((unsigned int)frames, throw_from_c, cookie);
}

/* Another weight for each, to tell which argument came where. */
static uint64_t sum6(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}

static uint64_t sum8(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
	return sum6(a, b, c, d, e, f) + 7 * g + 8 * h;
}

static uint64_t sum10(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h,
		      uint64_t i, uint64_t j)
{
	return sum8(a, b, c, d, e, f, g, h) + 9 * i + 10 * j;
}

/* Narrow arguments and results: compilers count on what the ABI says of a register's upper bits. */
static int32_t seventh(int32_t x)
{
	return x / 7;
}

static int64_t weigh(int8_t a, uint16_t b, int32_t c, uint32_t d, bool e)
{
	return a + 2 * (int64_t)b + 3 * (int64_t)c + 4 * (int64_t)d + 5 * (int64_t)e;
}

static int8_t low_byte(uint64_t x)
{
	return (int8_t)x;
}

static bool is_odd(uint8_t x)
{
	return x % 2;
}

static void nothing(void)
{
}

static uint64_t kfunc_address(unsigned int number)
{
	enum kfunc {
#define KFUNC(name, ...) name,
#include "kfuncs.def"
#undef KFUNC
	};

	switch ((enum kfunc)number) {
	case bpf_throw: return programs_are_foreign() ? (uintptr_t)kernel_throw : (uintptr_t)jf_throw;
	case bpf_unwind_resume: return (uintptr_t)jf_throw_resume;
	case jf_run_program: return (uintptr_t)run_program;
	case jf_throw_from_c: return (uintptr_t)throw_from_c;
	case jf_throw_from_deep_c: return (uintptr_t)throw_from_deep_c;
	case jf_call_without_rows: return (uintptr_t)call_without_rows;
	case jf_scramble_registers: return (uintptr_t)registers_scramble;
	case jf_sum6: return (uintptr_t)sum6;
	case jf_sum8: return (uintptr_t)sum8;
	case jf_sum10: return (uintptr_t)sum10;
	case jf_seventh: return (uintptr_t)seventh;
	case jf_weigh: return (uintptr_t)weigh;
	case jf_low_byte: return (uintptr_t)low_byte;
	case jf_is_odd: return (uintptr_t)is_odd;
	case bpf_arena_alloc_pages: return (uintptr_t)arena_alloc_pages;
	case bpf_arena_free_pages: return (uintptr_t)arena_free_pages;
	case bpf_skb_load_helper_8: return (uintptr_t)packet_load_8;
	case bpf_skb_load_helper_16: return (uintptr_t)packet_load_16;
	case bpf_skb_load_helper_32: return (uintptr_t)packet_load_32;
	case bpf_arena_reserve_pages: return (uintptr_t)arena_reserve_pages;
	case bpf_iter_num_new: return (uintptr_t)iter_num_new;
	case bpf_iter_num_next: return (uintptr_t)iter_num_next;
	case bpf_iter_num_destroy: return (uintptr_t)iter_num_destroy;
	case bpf_iter_bits_new: return (uintptr_t)iter_bits_new;
	case bpf_iter_bits_next: return (uintptr_t)iter_bits_next;
	case bpf_iter_bits_destroy: return (uintptr_t)iter_bits_destroy;
	case bpf_obj_new:
	case bpf_obj_new_impl: return (uintptr_t)object_new;
	case bpf_obj_drop:
	case bpf_obj_drop_impl: return (uintptr_t)object_drop;
	case bpf_refcount_acquire:
	case bpf_refcount_acquire_impl: return (uintptr_t)object_acquire;
	case bpf_list_push_front:
	case bpf_list_push_front_impl: return (uintptr_t)list_push_front;
	case bpf_list_push_back:
	case bpf_list_push_back_impl: return (uintptr_t)list_push_back;
	case bpf_list_add: return (uintptr_t)list_add;
	case bpf_list_pop_front: return (uintptr_t)list_pop_front;
	case bpf_list_pop_back: return (uintptr_t)list_pop_back;
	case bpf_list_front: return (uintptr_t)list_front;
	case bpf_list_back: return (uintptr_t)list_back;
	case bpf_list_del: return (uintptr_t)list_del;
	case bpf_list_is_first: return (uintptr_t)list_is_first;
	case bpf_list_is_last: return (uintptr_t)list_is_last;
	case bpf_list_empty: return (uintptr_t)list_empty;
	case bpf_rbtree_add:
	case bpf_rbtree_add_impl: return (uintptr_t)tree_add;
	case bpf_rbtree_remove: return (uintptr_t)tree_remove;
	case bpf_rbtree_first: return (uintptr_t)tree_first;
	case bpf_rbtree_root: return (uintptr_t)tree_top;
	case bpf_rbtree_left: return (uintptr_t)tree_left;
	case bpf_rbtree_right: return (uintptr_t)tree_right;
	case bpf_strcmp: return (uintptr_t)string_compare;
	case bpf_strcasecmp: return (uintptr_t)string_compare_folded;
	case bpf_strncasecmp: return (uintptr_t)string_compare_count_folded;
	case bpf_strchr: return (uintptr_t)string_find;
	case bpf_strchrnul: return (uintptr_t)string_find_or_end;
	case bpf_strnchr: return (uintptr_t)string_find_count;
	case bpf_strrchr: return (uintptr_t)string_find_last;
	case bpf_strlen: return (uintptr_t)string_length;
	case bpf_strnlen: return (uintptr_t)string_length_count;
	case bpf_strspn: return (uintptr_t)string_span;
	case bpf_strcspn: return (uintptr_t)string_span_not;
	case bpf_strstr: return (uintptr_t)string_search;
	case bpf_strcasestr: return (uintptr_t)string_search_folded;
	case bpf_strnstr: return (uintptr_t)string_search_count;
	case bpf_strncasestr: return (uintptr_t)string_search_count_folded;
	case bpf_preempt_disable:
	case bpf_preempt_enable:
	case bpf_rcu_read_lock:
	case bpf_rcu_read_unlock: return (uintptr_t)nothing;
	}
	return 0;
}

enum jf_status kfunc_import(const char *name, struct jf_import *import, struct jf_error *error)
{
	int number = bundle_kfunc(name, import);

	if (number < 0)
		return jf_error_set(error, JF_E_NOT_FOUND, name, "the runner has no such kfunc");
	import->address = kfunc_address((unsigned int)number);
	return JF_OK;
}

const char *kfunc_name(uint64_t address)
{
	static const char *const names[] = {
/* clang-format off */
#define KFUNC(name, ...) #name,
/* clang-format on */
#include "kfuncs.def"
#undef KFUNC
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (kfunc_address(i) == address)
			return names[i];
	}
	return NULL;
}
