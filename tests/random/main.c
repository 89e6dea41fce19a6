/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-random-ARCH: random programs on the interpreter and as generated code of this processor.
 *
 *     jf-random-ARCH [--target ARCH/CONVENTION] [--kind single|mixed|long] [--seed N] [--count N] [--stride N]
 *                    [--keep-going]
 *
 * Without --target each convention of this processor has its turn.
 *
 * Program i has the seed N + i; for `single` seeds are numbers of an enumeration, and --count 0 goes to its
 * end. --stride N goes on to every Nth; --keep-going leaves out what the compiler refuses. Last line:
 * "done target= kind= programs= runs= refused= endless= largest=", the last one bytes of code. Exits with
 * 1 after a difference, which standard error tells with the program.
 */

#include <errno.h>
#include <inttypes.h>
#include <jitframe/backend.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "compare.h"
#include "each_convention.h"

struct options {
	const char *target;
	enum compare_kind kind;
	uint64_t seed, count, stride;
	bool keep_going;
};

#define PROGRAM_SECONDS 120 /* of processor time: a machine may stand still */

static struct compare compare;

/* From a handler: the process is at its end, and what it knows is worth the risk. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	char what[128];

	(void)context;
	snprintf(what, sizeof(what), number == SIGPROF ? "generated code does not end" : "signal %d, address %p",
		 number, number == SIGPROF ? NULL : info->si_addr);
	compare_tell(&compare, what);
	_exit(1);
}

/* Before compare_init(), whose handler passes on what is not the arena's. */
static void handle_faults(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGPROF};
	static uint8_t memory[256 << 10];
	struct sigaction action;
	stack_t stack;

	memset(&stack, 0, sizeof(stack));
	stack.ss_sp = memory;
	stack.ss_size = sizeof(memory);
	sigaltstack(&stack, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static void watch(void)
{
	const struct itimerval limit = {.it_value = {.tv_sec = PROGRAM_SECONDS}};

	setitimer(ITIMER_PROF, &limit, NULL);
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0';
}

static bool parse_kind(const char *text, enum compare_kind *kind)
{
	static const char *const names[] = {"single", "mixed", "long"};

	for (unsigned int i = 0; i < 3; i++) {
		if (!strcmp(text, names[i])) {
			*kind = (enum compare_kind)i;
			return true;
		}
	}
	return false;
}

static bool parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){.kind = COMPARE_MIXED, .seed = 1, .count = 1000, .stride = 1};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--keep-going"))
			o->keep_going = true;
		else if (!strcmp(argv[i], "--target") && i++)
			o->target = value;
		else if (!strcmp(argv[i], "--kind") && i++ && parse_kind(value, &o->kind))
			continue;
		else if (!strcmp(argv[i], "--seed") && i++ && parse_number(value, &o->seed))
			continue;
		else if (!strcmp(argv[i], "--count") && i++ && parse_number(value, &o->count))
			continue;
		else if (!strcmp(argv[i], "--stride") && i++ && parse_number(value, &o->stride) && o->stride)
			continue;
		else
			return false;
	}
	return true;
}

static bool run(const struct jf_convention *conv, const struct options *o)
{
	uint64_t count = o->count;

	if (o->kind == COMPARE_SINGLE) {
		uint64_t all = generate_single_count(&compare.opts);
		uint64_t left = o->seed < all ? (all - o->seed + o->stride - 1) / o->stride : 0;

		count = count == 0 || count > left ? left : count;
	}
	for (uint64_t i = 0; i < count; i++) {
		watch();
		if (!compare_program(&compare, o->seed + i * o->stride))
			return false;
	}
	printf("done target=%s/%s kind=%d programs=%" PRIu64 " runs=%" PRIu64 " refused=%" PRIu64 " endless=%" PRIu64
	       " largest=%" PRIu64 "\n",
	       conv->backend->name, conv->name, (int)o->kind, compare.programs, compare.runs, compare.refused,
	       compare.endless, compare.largest);
	return true;
}

static int run_convention(const struct jf_convention *conv, const void *arg)
{
	const struct options *o = arg;
	bool same;

	handle_faults();
	if (!compare_init(&compare, conv, o->kind))
		return 2;
	compare.keep_going = o->keep_going;
	same = run(conv, o);
	compare_fini(&compare);
	return same ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct jf_convention *conv;
	struct jf_error error = {0};
	struct options o;

	if (!parse(&o, argc, argv)) {
		fprintf(stderr,
			"usage: %s [--target ARCH/CONVENTION] [--kind single|mixed|long] [--seed N] "
			"[--count N] [--stride N] [--keep-going]\n",
			argv[0]);
		return 2;
	}
	if (!o.target)
		return each_convention(run_convention, &o);
	if (jf_convention_find(o.target, &conv, &error) != JF_OK || conv->backend != jf_backend_host()) {
		fprintf(stderr, "%s: this program does not run %s\n", argv[0], o.target);
		return 2;
	}
	return run_convention(conv, &o);
}
