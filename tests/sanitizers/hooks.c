/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a throw tells sanitizers, on every architecture: this program has their functions itself, and writes down what
 * these are told.
 */

#include "thrower.h"

#include "walk/sanitizer.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#define FRAMES 5

static struct {
	unsigned int unpoisoned, no_return, longjmps;
	uintptr_t low, high; /* of what was unpoisoned last */
	uintptr_t sp;
	uintptr_t calls; /* functions that were entered and not left */
} seen;

void __asan_unpoison_memory_region(const volatile void *address, size_t bytes)
{
	seen.unpoisoned++;
	seen.low = (uintptr_t)address;
	seen.high = seen.low + bytes;
}

void *__asan_get_current_fake_stack(void)
{
	return &seen;
}

void __asan_handle_no_return(void)
{
	seen.no_return++;
}

void __hwasan_handle_longjmp(const void *sp)
{
	seen.longjmps++;
	seen.sp = (uintptr_t)sp;
}

void __tsan_func_exit(void)
{
	seen.calls--;
}

uintptr_t __tsan_testonly_shadow_stack_current_size(void)
{
	return seen.calls;
}

/* ---- programs ----------------------------------------------------------------------------------------- */

static volatile uint64_t unknown;
static uintptr_t innermost_local, outermost_local;
static struct jf_loaded *thrower, *nester, *jumper, *jumped_over, *returner;
static jmp_buf here;

static __attribute__((noinline)) uint64_t down(uint64_t frames, uint64_t cookie)
{
	volatile uint64_t local = cookie;
	uint64_t result;

	seen.calls++;
	innermost_local = (uintptr_t)&local;
	if (frames == FRAMES)
		outermost_local = (uintptr_t)&local;
	result = frames > 1 ? down(frames - 1, local) : (uint64_t)jf_throw(local);
	seen.calls--;
	return result + unknown;
}

static uint64_t throw_deep(uint64_t cookie)
{
	return down(FRAMES, cookie) + unknown;
}

static uint64_t throw_twice(uint64_t cookie)
{
	uintptr_t calls = ++seen.calls;

	if (jf_run(thrower, cookie + 1) != cookie + 1 || seen.calls != calls)
		return 0;
	return down(FRAMES, cookie) + unknown;
}

static uint64_t jump(uint64_t value)
{
	seen.calls += 3;
	if (value)
		longjmp(here, 1);
	return unknown;
}

/* The entry of the program that longjmp() leaves stays behind, and is written over. */
static uint64_t throw_behind_a_jump(uint64_t cookie)
{
	uintptr_t calls = ++seen.calls;

	if (!setjmp(here))
		jf_run(jumped_over, 1);
	seen.calls = calls;
	return down(FRAMES, cookie) + unknown;
}

static uint64_t just_return(uint64_t value)
{
	return value + 1;
}

/* ---- tests -------------------------------------------------------------------------------------------- */

static bool run_all(const struct jf_loaded *loaded, unsigned int throws)
{
	unsigned int before = seen.unpoisoned;

	seen.calls = 10;
	return jf_run(loaded, 77) == 77 && seen.calls == 10 && seen.unpoisoned == before + throws &&
	       seen.no_return == seen.unpoisoned && seen.longjmps == seen.unpoisoned;
}

static bool one_throw(void)
{
	volatile uint64_t local = 0;

	/* The second time from what the thread remembers. */
	return run_all(thrower, 1) && run_all(thrower, 1) && seen.low < innermost_local &&
	       seen.high > outermost_local && seen.high < (uintptr_t)&local && seen.sp == seen.high;
}

static bool nested(void)
{
	return run_all(nester, 2);
}

/* Too many calls may stay then; too few never do. */
static bool behind_a_jump(void)
{
	seen.calls = 10;
	return jf_run(jumper, 77) == 77 && seen.calls >= 10 && run_all(thrower, 1);
}

static bool no_throw(void)
{
	unsigned int before = seen.unpoisoned;

	seen.calls = 10;
	return jf_run(returner, 4) == 5 && seen.unpoisoned == before && seen.calls == 10;
}

static bool checked_run(void)
{
	struct jf_regs in, out;

	memset(&in, 0, sizeof(in));
	seen.calls = 10;
	return jf_run_checked(thrower, 78, &in, &out) == 78 && seen.calls == 10;
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{"a throw names the frames that it leaves, and no others", one_throw},
	{"a program in a program", nested},
	{"a program that longjmp has left", behind_a_jump},
	{"a run without a throw says nothing", no_throw},
	{"jf_run_checked", checked_run},
};

int main(void)
{
	size_t count = sizeof(tests) / sizeof(tests[0]), good = 0;

	thrower = thrower_load(throw_deep);
	nester = thrower_load(throw_twice);
	jumper = thrower_load(throw_behind_a_jump);
	jumped_over = thrower_load(jump);
	returner = thrower_load(just_return);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		bool ok = tests[i].run();

		good += ok;
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	return good == count ? 0 : 1;
}
