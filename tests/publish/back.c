/* SPDX-License-Identifier: BSD-2-Clause */
#include "back.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "programs.h"

#define FRAMES_MAX 64

struct seen {
	unsigned int generated; /* frames */
	bool reaches_the_end;
};

static void *outermost; /* where run_marked() returns to */

static struct seen look_back(void)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX);
	struct seen seen = {0, false};

	for (int i = 0; i < count; i++) {
		unsigned int section = jf_code_map_enter();
		const struct jf_range *range = jf_code_map_find((uintptr_t)frames[i] - 1);

		seen.generated += range && range->kind != JF_RANGE_ENTRY && range->kind != JF_RANGE_STUB;
		jf_code_map_leave(section);
		seen.reaches_the_end |= frames[i] == outermost;
	}
	return seen;
}

static struct seen seen;

static uint64_t look_back_from_helper(uint64_t arg)
{
	seen = look_back();
	return arg;
}

static uint64_t call_on(uint64_t (*call)(uint64_t), uint64_t arg)
{
	return call(arg) + 1;
}

static __attribute__((noinline)) uint64_t run_marked(uint64_t arg)
{
	outermost = __builtin_return_address(0);
	return programs_run(arg) + 1;
}

bool backtrace_goes_to_the_end(void)
{
	programs_leaf = look_back_from_helper;
	programs_between = call_on;
	seen = (struct seen){0, false};
	run_marked(1);
	return seen.reaches_the_end && seen.generated == 4;
}

static uint64_t do_nothing(uint64_t arg)
{
	return arg;
}

static atomic_uint interruptions, stops;

static void look_back_from_handler(int number)
{
	struct seen here = look_back();

	(void)number;
	interruptions += here.generated > 0;
	stops += here.generated > 0 && !here.reaches_the_end;
}

#define INTERRUPTIONS 20
#define RUNS_MAX      200000000

static void interrupt(uint64_t (*run)(uint64_t))
{
	const struct itimerval often = {.it_interval = {.tv_usec = 500}, .it_value = {.tv_usec = 500}}, never = {0};

	interruptions = stops = 0;
	programs_leaf = do_nothing;
	programs_between = call_on;
	signal(SIGPROF, look_back_from_handler);
	setitimer(ITIMER_PROF, &often, NULL);
	for (unsigned int i = 0; i < RUNS_MAX && interruptions < INTERRUPTIONS; i++)
		run(1);
	setitimer(ITIMER_PROF, &never, NULL);
}

/* Of C code. */
static void look_back_once(int number)
{
	(void)number;
	_exit(look_back().reaches_the_end ? 7 : 1);
}

static __attribute__((noinline)) void interrupt_c(void)
{
	outermost = __builtin_return_address(0);
	signal(SIGUSR1, look_back_once);
	raise(SIGUSR1);
}

bool backtrace_from_a_signal_goes_to_the_end(void)
{
	int end = programs_in_a_child(interrupt_c);

	if (end != 107) {
		printf("# left out: backtrace(3) in a handler that interrupts C ends with %d\n", end);
		return true;
	}
	interrupt(run_marked);
	printf("# %u signals in generated code, %u backtraces that stopped\n", interruptions, stops);
	return interruptions >= INTERRUPTIONS && !stops;
}
