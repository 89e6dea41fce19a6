/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-storm-ARCH: walks from signal handlers, as often as timers go, while threads run programs that call, throw and
 * tail call, and others load and unload them.
 *
 *     jf-storm-ARCH [--target ARCH/CONVENTION] [--seconds N] [--threads N]
 *
 * Without --target each convention of this processor has its turn.
 *
 * Prints lines of key=value: a "fault" for each place where a walk went wrong, a "kind" of code and a "status" each,
 * and sums. Exits with 1 when a walk did not end with the thread's outermost frames, or a program's result was wrong.
 *
 *     places       instructions of generated code where walks began
 *     signals      frames of interrupted signal handlers
 *     forbidden    calls of malloc(), pthread_mutex_lock() and their kin by handlers
 *     untrue_rows  walks that went wrong from C code whose compiler does not describe all of it
 *     gaps         walks that started where a library has no FDE: at most one of a thousand
 */

#include "storm.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jitframe/load.h>
#include <jitframe/walk.h>

#include "each_convention.h"

#define PROGRAMS_MAX 32
#define THREADS_MAX  16

static const struct jf_convention *conv;
static struct jf_loaded *shared[PROGRAMS_MAX];
static atomic_bool stop;
static atomic_ullong runs, loads, wrong_results, failures;
static bool keeps_registers; /* a boundary of this convention saves what C wants back */

struct worker {
	pthread_t thread;
	unsigned int number;
	bool loads; /* programs of its own, each time */
};

/* ---- programs ------------------------------------------------------------------------------------------------ */

static bool can_do(const struct storm_program *p)
{
	return !p->user_only || jf_convention_supports(conv, JF_CAP_USER_BASE | JF_CAP_OUT_ARGS);
}

static struct jf_loaded *load(const struct storm_program *p)
{
	struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = p->private_stack};
	struct jf_error error = {.text = ""};
	struct jf_loaded *loaded = NULL;

	opts.values.arena_base = storm_arena();
	if (jf_load(conv, &p->program, &opts, NULL, &loaded, &error) == JF_OK)
		return loaded;
	fprintf(stderr, "storm: %s: %s: %s\n", p->name, error.where, error.text);
	atomic_fetch_add(&failures, 1);
	atomic_store(&stop, true);
	return NULL;
}

static void run(const struct storm_program *p, const struct jf_loaded *loaded, bool checked)
{
	struct jf_regs in, out;
	uint64_t result;

	memset(&in, 0, sizeof(in));
	for (unsigned int reg = 0; reg < conv->backend->reg_count; reg++)
		if (conv->backend->regs[reg].cls == JF_REG_CONTROL)
			in.value[reg] = conv->backend->regs[reg].size_bytes == 4 ? 0x1f80 : 0x037f;
	result = checked || !keeps_registers ? jf_run_checked(loaded, STORM_ARG, &in, &out) : jf_run(loaded, STORM_ARG);
	atomic_fetch_add(&runs, 1);
	if (result == p->result || atomic_fetch_add(&wrong_results, 1))
		return;
	fprintf(stderr, "storm: %s: result %llu, not %llu\n", p->name, (unsigned long long)result,
		(unsigned long long)p->result);
}

/* ---- threads --------------------------------------------------------------------------------------------------- */

static void work(const struct worker *worker)
{
	unsigned int at = worker->number;

	while (!atomic_load(&stop)) {
		const struct storm_program *p = &storm_programs[at % storm_program_count];
		struct jf_loaded *own = NULL;

		if (!p->tail_called && can_do(p)) {
			if (worker->loads) {
				own = load(p);
				atomic_fetch_add(&loads, 1);
			}
			for (unsigned int i = 0; i < p->repeat && (own || !worker->loads); i++)
				run(p, own ? own : shared[at % storm_program_count], i % 2);
			jf_unload(own);
		}
		at++;
	}
}

/* Every other thread has its handlers on a stack of their own. */
static void *thread_main(void *arg)
{
	const struct worker *worker = arg;
	stack_t stack = {.ss_size = 65536 + (size_t)SIGSTKSZ}, off = {.ss_flags = SS_DISABLE};
	void *memory = worker->number % 2 ? malloc(stack.ss_size) : NULL;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	stack.ss_sp = memory;
	if (memory && sigaltstack(&stack, NULL))
		atomic_fetch_add(&failures, 1);
	if (storm_begin(worker->number + 1)) {
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		work(worker);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		storm_end();
	} else {
		atomic_fetch_add(&failures, 1);
	}
	sigaltstack(&off, NULL);
	free(memory);
	return NULL;
}

static void run_threads(struct worker *workers, unsigned int count, unsigned int seconds)
{
	struct timespec time = {.tv_sec = seconds};
	unsigned int started = 0;

	for (; started < count; started++) {
		workers[started].number = started;
		workers[started].loads = started % 4 == 3;
		if (pthread_create(&workers[started].thread, NULL, thread_main, &workers[started]))
			break;
	}
	if (started < count)
		atomic_fetch_add(&failures, 1);
	while (!atomic_load(&stop) && nanosleep(&time, &time))
		;
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

/* ---- the command line ---------------------------------------------------------------------------------------- */

struct options {
	const char *target;
	unsigned int seconds, threads;
};

static bool parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){.seconds = 5, .threads = 4};
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned int number = (unsigned int)strtoul(argv[i + 1], NULL, 10);

		if (!strcmp(argv[i], "--target"))
			o->target = argv[i + 1];
		else if (!strcmp(argv[i], "--seconds") && number)
			o->seconds = number;
		else if (!strcmp(argv[i], "--threads") && number && number <= THREADS_MAX)
			o->threads = number;
		else
			return false;
	}
	return argc % 2 == 1;
}

/* The main thread takes no part: its SIGPROF is blocked, as that of every thread until it begins. */
static bool set_up(void)
{
	unsigned int slot = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	keeps_registers = jf_convention_unsaved(conv, NULL, 0) == 0;
	if (jf_thread_init() != JF_OK || !storm_programs_init() || jf_fault_handler_install() != JF_OK)
		return false;
	for (unsigned int i = 0; i < storm_program_count; i++) {
		if (!can_do(&storm_programs[i]))
			continue;
		shared[i] = load(&storm_programs[i]);
		if (!shared[i] ||
		    (storm_programs[i].tail_called && jf_program_array_set(storm_array(), slot++, shared[i]) != JF_OK))
			return false;
	}
	/* What is bound at its first call is bound: not all dynamic linkers have rows for that. */
	for (unsigned int i = 0; i < storm_program_count; i++)
		if (shared[i] && !storm_programs[i].tail_called)
			run(&storm_programs[i], shared[i], i % 2);
	return storm_walks_init();
}

static int run_convention(const struct jf_convention *chosen, const void *arg)
{
	struct worker workers[THREADS_MAX];
	const struct options *o = arg;
	bool good;

	conv = chosen;
	if (!set_up())
		return 2;
	run_threads(workers, o->threads, o->seconds);
	good = storm_report(stdout);
	printf("done target=%s/%s runs=%llu loads=%llu wrong_results=%llu\n", conv->backend->name, conv->name, runs,
	       loads, wrong_results);
	return good && !wrong_results && !failures ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct jf_convention *chosen;
	struct jf_error error = {.text = ""};
	struct options o;

	if (!parse(&o, argc, argv)) {
		fprintf(stderr, "usage: %s [--target ARCH/CONVENTION] [--seconds N] [--threads N]\n", argv[0]);
		return 2;
	}
	if (!o.target)
		return each_convention(run_convention, &o);
	if (jf_convention_find(o.target, &chosen, &error) != JF_OK || chosen->backend != jf_backend_host()) {
		fprintf(stderr, "%s: this program does not run %s\n", argv[0], o.target);
		return 2;
	}
	return run_convention(chosen, &o);
}
