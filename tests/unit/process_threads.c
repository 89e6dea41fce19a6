/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/thread.h"

#include "bpf.h"
#include "check.h"
#include "child.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include <jitframe/jitframe.h>

/* What a thread has of the library: how it comes, what fork, exit, cancellation and signals do to it. */

static const struct jf_convention *user_convention(void)
{
	const struct jf_backend *host = jf_backend_host();

	for (unsigned int i = 0; host && i < host->convention_count; i++)
		if (jf_convention_supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			return host->conventions[i];
	cr_skip_test("this host has no native stubs");
	return NULL;
}

/* ---- programs ----------------------------------------------------------------------------------------- */

static sem_t helper_runs;

/* Sleeps until the thread is cancelled. */
static uint64_t sleep_for_ever(void)
{
	sem_post(&helper_runs);
	for (;;)
		sleep(1);
	return 0;
}

/* Puts its argument on the BPF stack, calls the helper with it, returns 1. */
static struct jf_loaded *load(bool throws, bool private_stack)
{
	static const struct jf_insn insns[] = {STX(DW, 10, 1, -8), LDX(DW, 1, 10, -8), CALL_HELPER(0), MOV_K(0, 1),
					       EXIT};
	static const struct jf_function function = FUNCTION("main", insns);
	const struct jf_import helper = {.name = "helper",
					 .address = throws ? (uintptr_t)jf_throw : (uintptr_t)sleep_for_ever,
					 .throws = throws};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = &helper,
					   .helper_count = 1};
	const struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = private_stack};
	struct jf_loaded *loaded = NULL;

	cr_assert_eq(jf_load(user_convention(), &program, &opts, NULL, &loaded, NULL), JF_OK);
	return loaded;
}

static struct jf_loaded *thrower;

static uint64_t enter_directly(uint64_t arg)
{
	return jf_backend_host()->native->enter(jf_loaded_entry(thrower), arg, 0);
}

/* ---- threads that come and go ------------------------------------------------------------------------- */

static void *run_once(void *arg)
{
	bool had = jf_thread_own;
	uint64_t result = jf_run(thrower, (uintptr_t)arg);

	return (void *)(uintptr_t)(!had && jf_thread_own && result == (uintptr_t)arg);
}

static void check_thread(void *(*body)(void *), void *arg)
{
	pthread_t thread;
	void *is_right;

	cr_assert_eq(pthread_create(&thread, NULL, body, arg), 0);
	cr_assert_eq(pthread_join(thread, &is_right), 0);
	cr_expect(is_right);
}

Test(process_threads, the_end_of_a_thread_gives_its_record_back)
{
	unsigned int before;

	thrower = load(true, true);
	before = jf_thread_count();
	cr_expect_eq(before, 1, "of the thread that has loaded");
	for (uintptr_t i = 0; i < 100; i++)
		check_thread(run_once, (void *)(i + 5));
	cr_expect_eq(jf_thread_count(), before);
}

static pthread_key_t later_key;
static uint64_t later_results[2];
static bool later_had;

/* Behind the library's own destructor: keys of a thread go in their order. */
static void run_later(void *arg)
{
	(void)arg;
	later_had = jf_thread_own;
	later_results[0] = enter_directly(11);
	later_results[1] = jf_run(thrower, 12);
}

static void *leave_it_to_the_destructor(void *arg)
{
	return (void *)(uintptr_t)(run_once(arg) && pthread_setspecific(later_key, arg) == 0);
}

Test(process_threads, destructors_behind_the_librarys_run_programs)
{
	unsigned int before;

	thrower = load(true, false);
	before = jf_thread_count();
	cr_assert_eq(pthread_key_create(&later_key, run_later), 0);
	check_thread(leave_it_to_the_destructor, &later_key);
	cr_expect_not(later_had, "the record has gone before");
	cr_expect_eq(later_results[0], 11);
	cr_expect_eq(later_results[1], 12);
	cr_expect_eq(jf_thread_count(), before);
}

/* ---- fork --------------------------------------------------------------------------------------------- */

#define OTHERS 3
static pthread_barrier_t together;

static void *have_a_record(void *arg)
{
	void *is_right = run_once(arg);

	pthread_barrier_wait(&together);
	pthread_barrier_wait(&together);
	return is_right;
}

/* The child has this thread's record, whose memos hold, and makes others. */
static void use_the_record(void)
{
	pthread_t thread;
	void *is_right;

	if (jf_thread_count() != 1 || !jf_thread_own || jf_run(thrower, 9) != 9)
		_exit(1);
	if (pthread_create(&thread, NULL, run_once, (void *)10) || pthread_join(thread, &is_right) || !is_right)
		_exit(2);
	_exit(jf_thread_count() == 1 ? 7 : 3);
}

static void *fork_here(void *arg)
{
	return (void *)(uintptr_t)(run_once(arg) && in_a_child(use_the_record) == 107);
}

Test(process_threads, a_forked_child_keeps_one_record)
{
	pthread_t threads[OTHERS];

	thrower = load(true, true);
	pthread_barrier_init(&together, NULL, OTHERS + 1);
	for (uintptr_t i = 0; i < OTHERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, have_a_record, (void *)(i + 5)), 0);
	pthread_barrier_wait(&together);
	cr_expect_eq(jf_thread_count(), 1 + OTHERS);
	cr_expect_eq(in_a_child(use_the_record), 107, "of the first thread");
	check_thread(fork_here, (void *)8);
	cr_expect_eq(jf_thread_count(), 1 + OTHERS, "the parent has all");
	pthread_barrier_wait(&together);
	for (unsigned int i = 0; i < OTHERS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(jf_thread_count(), 1);
}

/* ---- the end of the process --------------------------------------------------------------------------- */

static void throw_at_exit(void)
{
	_exit(jf_run(thrower, 7) == 7 ? 7 : 1);
}

static void leave_by_exit(void)
{
	atexit(throw_at_exit);
	exit(0);
}

Test(process_threads, exit_handlers_throw)
{
	thrower = load(true, true);
	cr_expect_eq(in_a_child(leave_by_exit), 107);
}

/* ---- cancellation ------------------------------------------------------------------------------------- */

static struct jf_loaded *sleeper;

static void *sleep_in_a_program(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)jf_run(sleeper, 1);
}

static void *sleep_in_a_section(void *arg)
{
	(void)arg;
	if (jf_thread_init() != JF_OK)
		return NULL;
	jf_code_map_enter();
	return (void *)(uintptr_t)sleep_for_ever();
}

static void cancel(void *(*body)(void *))
{
	pthread_t thread;
	void *result;

	cr_assert_eq(pthread_create(&thread, NULL, body, NULL), 0);
	sem_wait(&helper_runs);
	cr_assert_eq(pthread_cancel(thread), 0);
	cr_assert_eq(pthread_join(thread, &result), 0);
	cr_expect_eq(result, PTHREAD_CANCELED);
}

/* Unloading waits for readers, and the second thread has not left its section. */
Test(process_threads, cancelled_threads_leave_nothing, .timeout = 60)
{
	sem_init(&helper_runs, 0, 0);
	sleeper = load(false, true);
	cancel(sleep_in_a_program);
	cancel(sleep_in_a_section);
	cr_expect_eq(jf_thread_count(), 1);
	jf_unload(sleeper);
}

/* ---- a signal handler in a thread that was never set up ----------------------------------------------- */

static sem_t handled;
static volatile struct {
	bool had, has;
	enum jf_status walk;
	uint64_t result;
} seen;

static void walk_and_throw(int number, siginfo_t *info, void *ucontext)
{
	struct jf_walk walk;

	(void)number;
	(void)info;
	seen.had = jf_thread_own;
	seen.walk = jf_walk_context(&walk, ucontext, NULL);
	jf_walk_end(&walk);
	seen.result = enter_directly(21);
	seen.has = jf_thread_own;
	sem_post(&handled);
}

static void *wait_for_the_signal(void *arg)
{
	pthread_barrier_wait(&together);
	while (!seen.result)
		sched_yield();
	return arg;
}

Test(process_threads, handlers_need_no_record)
{
	struct sigaction action = {.sa_sigaction = walk_and_throw, .sa_flags = SA_SIGINFO};
	pthread_t thread;

	thrower = load(true, false);
	sem_init(&handled, 0, 0);
	pthread_barrier_init(&together, NULL, 2);
	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_the_signal, NULL), 0);
	pthread_barrier_wait(&together);
	cr_assert_eq(pthread_kill(thread, SIGUSR1), 0);
	sem_wait(&handled);
	pthread_join(thread, NULL);
	cr_expect_eq(seen.walk, JF_E_NO_THREAD, "nobody has looked for the stack's bounds");
	cr_expect_eq(seen.result, 21, "a throw needs none");
	cr_expect(!seen.had && !seen.has, "nothing was made in the handler");
	cr_expect_eq(jf_thread_count(), 1);
}
