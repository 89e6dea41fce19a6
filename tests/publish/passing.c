/* SPDX-License-Identifier: BSD-2-Clause */

/* What passes through frames of generated code whose CFI is published; docs/passing-through.md names each test. TAP. */

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "back.h"
#include "beside.h"
#include "cxx.h"
#include "lazy.h"
#include "programs.h"

static const struct jf_convention *conv; /* the one whose turn it is */

static bool is_published(uint64_t ranges)
{
	struct jf_publish_counts counts = {.size = sizeof(counts)};

	return jf_publish_count(JF_PUBLISH_CFI, &counts) == JF_OK && !counts.refused && counts.ranges == ranges;
}

/* ---- C++ exceptions --------------------------------------------------------------------------------------- */

/* The objects in both C++ frames go, and the value comes. */
static bool throw_passes_from(uint64_t (*run)(uint64_t))
{
	int before = cxx_destroyed;

	programs_leaf = cxx_throw;
	programs_between = cxx_between;
	return cxx_catch(run, 42) == 42 && cxx_destroyed == before + 2;
}

static bool throw_passes(void)
{
	return throw_passes_from(programs_run);
}

static void throw_in_vain(void)
{
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	throw_passes();
}

/* The rest of this file proves something. */
static bool nothing_passes_unpublished(void)
{
	return programs_in_a_child(throw_in_vain) == SIGABRT;
}

static bool stops_and_starts_again(void)
{
	return jf_publish_stop(JF_PUBLISH_CFI) == JF_OK && programs_in_a_child(throw_in_vain) == SIGABRT &&
	       is_published(0) && jf_publish_start(JF_PUBLISH_CFI, NULL) == JF_OK && throw_passes();
}

/* All that changes a frame. */
static bool each_frame_passes(void)
{
	unsigned int tried = 0;

	for (unsigned int how = 0; how < PROGRAMS__COUNT; how++) {
		struct jf_error error = {.text = "a throw did not pass"};
		enum jf_status status = programs_load(conv, how, &error);

		if (status == JF_E_UNSUPPORTED || status == JF_E_BAD_SPEC)
			continue;
		tried++;
		if (status != JF_OK || !throw_passes() || programs_unload() != JF_OK || !is_published(0)) {
			printf("# combination %u: %s\n", how, error.text);
			return false;
		}
	}
	printf("# %u combinations\n", tried);
	return tried > 0;
}

/* A function of another JIT, with rows that are asked for, runs the programs. */
static bool rows_on_first_need_pass(void)
{
	return lazy_add() && throw_passes_from(lazy_run) && lazy_remove();
}

static uint64_t run_as_try_does(void *arg)
{
	return programs_run((uintptr_t)arg);
}

static uint64_t run_in_a_try(uint64_t arg)
{
	return (uint64_t)jf_try(run_as_try_does, (void *)(uintptr_t)arg, NULL);
}

/* C++'s exception is none of jf_try()'s, and is caught further out. */
static bool passes_jf_try(void)
{
	programs_leaf = cxx_throw;
	programs_between = cxx_between;
	return cxx_catch(run_in_a_try, 42) == 42;
}

static uint64_t throw_cookie(uint64_t arg)
{
	return (uint64_t)jf_throw(arg);
}

static uint64_t run_behind_an_object_of_its_own(void *arg)
{
	return cxx_between(programs_run, (uintptr_t)arg);
}

/* The objects of both C++ frames stay. */
static bool jf_throw_runs_no_destructors(void)
{
	int before = cxx_destroyed;
	uint64_t cookie = 0;

	programs_leaf = throw_cookie;
	programs_between = cxx_between;
	return jf_try(run_behind_an_object_of_its_own, (void *)9, &cookie) == JF_CAUGHT && cookie == 9 &&
	       cxx_destroyed == before && throw_passes();
}

/* ---- forced unwinding --------------------------------------------------------------------------------------- */

static uint64_t exit_thread(uint64_t arg)
{
	pthread_exit((void *)(uintptr_t)arg);
}

static pthread_barrier_t is_in_helper;

static uint64_t wait_for_the_end(uint64_t arg)
{
	pthread_barrier_wait(&is_in_helper);
	for (;;)
		pause();
	return arg;
}

static void *run_behind_an_object(void *arg)
{
	return (void *)(uintptr_t)cxx_between(programs_run, (uintptr_t)arg);
}

/* returns: whether the objects of both C++ frames went. */
static bool ends(uint64_t (*leaf)(uint64_t), bool is_cancelled, void *expected)
{
	int before = cxx_destroyed;
	pthread_t thread;
	void *result;

	programs_leaf = leaf;
	programs_between = cxx_between;
	if (pthread_create(&thread, NULL, run_behind_an_object, (void *)7))
		return false;
	if (is_cancelled) {
		pthread_barrier_wait(&is_in_helper);
		pthread_cancel(thread);
	}
	return pthread_join(thread, &result) == 0 && result == expected && cxx_destroyed == before + 2;
}

static bool pthread_exit_cleans_up(void)
{
	return ends(exit_thread, false, (void *)7);
}

static bool pthread_cancel_cleans_up(void)
{
	pthread_barrier_init(&is_in_helper, NULL, 2);
	return ends(wait_for_the_end, true, PTHREAD_CANCELED);
}

/* ---- longjmp(3) --------------------------------------------------------------------------------------------- */

static jmp_buf back;

static uint64_t jump_back(uint64_t arg)
{
	longjmp(back, (int)arg);
}

static bool longjmp_passes(void)
{
	programs_leaf = jump_back;
	programs_between = cxx_between;
	if (setjmp(back) == 0) {
		programs_run(5);
		return false;
	}
	return throw_passes();
}

/* ---- the process -------------------------------------------------------------------------------------------- */

static void throw_and_load(void)
{
	struct jf_loaded *loaded = NULL;

	if (!throw_passes() || programs_load_small(conv, 3, &loaded) != JF_OK || !throw_passes())
		_exit(1);
	_exit(jf_unload(loaded) == JF_OK && throw_passes() ? 7 : 2);
}

static bool a_forked_child_goes_on(void)
{
	return programs_in_a_child(throw_and_load) == 107 && throw_passes();
}

static bool passes_at_exit;

static void throw_at_exit(void)
{
	passes_at_exit = throw_passes();
}

static void check_at_exit(void)
{
	if (!passes_at_exit)
		_exit(1);
}

static void leave_by_exit(void)
{
	atexit(check_at_exit);
	atexit(throw_at_exit);
	exit(7);
}

static bool exit_leaves_all_as_it_is(void)
{
	return programs_in_a_child(leave_by_exit) == 107;
}

/* ---- all of it ---------------------------------------------------------------------------------------------- */

static unsigned int test_count, failed_count;

static void report(bool is_ok, const char *name)
{
	printf("%sok %u - %s: %s\n", is_ok ? "" : "not ", ++test_count, conv->name, name);
	failed_count += !is_ok;
}

/* By what is loaded: LLVM's unwinder, and glibc's with it, do not unwind a thread's end together. */
static bool with_llvm;

static void test_convention(void)
{
	if (programs_load(conv, 0, NULL) != JF_OK) {
		report(false, "programs load");
		return;
	}
	report(nothing_passes_unpublished(), "nothing_passes_unpublished");
	report(jf_publish_start(JF_PUBLISH_CFI, NULL) == JF_OK && throw_passes(), "start_finds_what_is_there");
	report(stops_and_starts_again(), "stops_and_starts_again");
	if (!with_llvm) {
		report(pthread_exit_cleans_up(), "pthread_exit_cleans_up");
		report(pthread_cancel_cleans_up(), "pthread_cancel_cleans_up");
		report(backtrace_goes_to_the_end(), "backtrace_goes_to_the_end");
		report(backtrace_from_a_signal_goes_to_the_end(), "backtrace_from_a_signal_goes_to_the_end");
	}
	report(longjmp_passes(), "longjmp_passes");
	report(rows_on_first_need_pass(), "rows_on_first_need_pass");
	report(passes_jf_try(), "passes_jf_try");
	report(jf_throw_runs_no_destructors(), "jf_throw_runs_no_destructors");
	report(throws_pass_while_others_load(conv), "throws_pass_while_others_load");
	report(a_forked_child_goes_on(), "a_forked_child_goes_on");
	report(exit_leaves_all_as_it_is(), "exit_leaves_all_as_it_is");
	report(programs_unload() == JF_OK && is_published(0), "unload_takes_back");
	report(each_frame_passes(), "each_frame_passes");
	report(jf_publish_stop(JF_PUBLISH_CFI) == JF_OK, "stops");
}

/* passing [llvm]: with LLVM's libunwind, which LD_PRELOAD has put before libgcc. */
int main(int argc, char **argv)
{
	const struct jf_backend *host = jf_backend_host();

	with_llvm = argc > 1 && strcmp(argv[1], "llvm") == 0;
	if (with_llvm && !dlopen("libunwind.so.1", RTLD_NOW | RTLD_NOLOAD)) {
		printf("1..0 # SKIP there is no libunwind.so.1, LLVM's\n");
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < host->convention_count; i++) {
		conv = host->conventions[i];
		if (jf_convention_supports(conv, JF_CAP_RUN))
			test_convention();
	}
	printf("1..%u\n", test_count);
	return failed_count ? 1 : 0;
}
