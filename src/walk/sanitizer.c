/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/sanitizer.h"

/* ---- stacks that are poisoned or tagged --------------------------------------------------------------- */

void sanitizer_unpoison(uint64_t sp, uint64_t landing_sp)
{
	/* These frames alone, so that an overflow in a frame that stays is still found. */
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region((const void *)(uintptr_t)sp, landing_sp - sp);
	/* Gives back the copies of locals that no frame on the stack has any more. */
	if (__asan_get_current_fake_stack && __asan_handle_no_return && __asan_get_current_fake_stack())
		__asan_handle_no_return();
	if (__hwasan_handle_longjmp)
		__hwasan_handle_longjmp((const void *)(uintptr_t)landing_sp);
}

/* ---- stacks of calls ------------------------------------------------------------------------------------ */

/*
 * The entry of the innermost program. An entry whose function was left by longjmp(3) stays here until the next one
 * outside of it is left. Where its memory has been used again, it and those outside of it are not to be believed: the
 * calls of a throw then stay on the stack of calls.
 */
static __thread const struct sanitizer_entry *innermost __attribute__((tls_model("initial-exec")));

/* Of all of the entry: its memory may have been used again in part. */
static uintptr_t check_of(const struct sanitizer_entry *entry)
{
	const uintptr_t odd = (uintptr_t)UINT64_C(0x6a66656e74727921);

	return (((uintptr_t)entry ^ odd) * odd ^ (uintptr_t)entry->outer) * odd ^ entry->calls;
}

void sanitizer_enter(struct sanitizer_entry *entry)
{
	*entry = (struct sanitizer_entry){.outer = innermost,
					  .calls = __tsan_testonly_shadow_stack_current_size() - SANITIZER_OWN_CALLS};
	entry->check = check_of(entry);
	innermost = entry;
}

void sanitizer_leave(const struct sanitizer_entry *entry)
{
	innermost = entry->outer;
}

uintptr_t sanitizer_calls_outside(uint64_t landing_sp)
{
	for (const struct sanitizer_entry *entry = innermost; entry && entry->check == check_of(entry);
	     entry = entry->outer)
		if ((uintptr_t)entry >= landing_sp)
			return entry->calls;
	return UINTPTR_MAX;
}
