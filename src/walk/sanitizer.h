/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_SANITIZER_H
#define JF_WALK_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What sanitizers are told of the C frames that a throw leaves. Each C function of a program that is built with a
 * sanitizer keeps books from entry to exit, and a function that a throw leaves has no exit:
 *
 *     address    the stack around arrays is poisoned; the copies of locals on the heap (fake stack) are taken
 *     hwaddress  the stack is tagged
 *     thread     the function is on a stack of calls, which has room for 65,536
 *
 * The references are weak: without a sanitizer in the process each function below is NULL, and nothing is linked.
 * Sources: <sanitizer/asan_interface.h>, <sanitizer/hwasan_interface.h>; of the thread sanitizer, the calls that
 * compilers make, and a function of its run-time library that has no header.
 */
#define SANITIZER_FUNCTION extern __attribute__((weak, visibility("default")))
SANITIZER_FUNCTION void __asan_unpoison_memory_region(const volatile void *address, size_t bytes);
SANITIZER_FUNCTION void *__asan_get_current_fake_stack(void);
SANITIZER_FUNCTION void __asan_handle_no_return(void);
SANITIZER_FUNCTION void __hwasan_handle_longjmp(const void *sp);
SANITIZER_FUNCTION void __tsan_func_exit(void);
SANITIZER_FUNCTION uintptr_t __tsan_testonly_shadow_stack_current_size(void);

/* Whether this file is built for the thread sanitizer: then its functions are on the stack of calls themselves. */
#ifdef __SANITIZE_THREAD__
#define SANITIZER_OWN_CALLS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER_OWN_CALLS 1
#endif
#endif
#ifndef SANITIZER_OWN_CALLS
#define SANITIZER_OWN_CALLS 0
#endif

static inline bool sanitizer_counts_calls(void)
{
	return __tsan_func_exit && __tsan_testonly_shadow_stack_current_size;
}

static inline bool sanitizer_is_there(void)
{
	return __asan_unpoison_memory_region || __hwasan_handle_longjmp || sanitizer_counts_calls();
}

/* On the stack above the frames of a program that C enters: how many calls there are outside of it. */
struct sanitizer_entry {
	uintptr_t check;
	const struct sanitizer_entry *outer;
	uintptr_t calls;
};

/* Around the call that enters BPF code, where sanitizer_counts_calls(). threads: any, async-signal-safe. */
void sanitizer_enter(struct sanitizer_entry *entry);
void sanitizer_leave(const struct sanitizer_entry *entry);

/* Forgets what the frames in [sp, landing_sp) have poisoned. */
void sanitizer_unpoison(uint64_t sp, uint64_t landing_sp);
/* The thread was cancelled, perhaps: pthread_cancel(3) leaves frames without a word to the sanitizer. */
static inline void sanitizer_thread_ends(void)
{
	if (__asan_handle_no_return)
		__asan_handle_no_return();
}

/* The calls outside of the program whose boundary's frame ends at `landing_sp`. returns: UINTPTR_MAX: not known. */
uintptr_t sanitizer_calls_outside(uint64_t landing_sp);

/*
 * A throw leaves the frames in [sp, landing_sp). In the very function that jf_throw()'s stub calls, for that one alone
 * is on the stack of calls by then.
 */
static inline __attribute__((always_inline)) void sanitizer_frames_left(uint64_t sp, uint64_t landing_sp)
{
	if (!sanitizer_is_there())
		return;
	sanitizer_unpoison(sp, landing_sp);
	if (sanitizer_counts_calls()) {
		uintptr_t outside = sanitizer_calls_outside(landing_sp);

		while (outside != UINTPTR_MAX &&
		       __tsan_testonly_shadow_stack_current_size() > outside + SANITIZER_OWN_CALLS)
			__tsan_func_exit();
	}
}

#endif
