/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "codemap/section.h"
#include "walk/walk.h"

#include <jitframe/load.h>
#include <jitframe/throw.h>

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

/* Walks of the present thread from itself, and from signal handlers, against libgcc's unwinder. */

#define FRAMES 64

struct trace {
	uint64_t pcs[FRAMES], sps[FRAMES];
	unsigned int count;
	enum jf_status status;
};

static struct trace ours, theirs;
static volatile sig_atomic_t landed_in_handler;

/* raise() is declared to call nothing back here, which a handler does. */
static void raise_signal(int number)
{
	__asm__ volatile("" ::: "memory");
	raise(number);
	__asm__ volatile("" ::: "memory");
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;

	if (trace->count == FRAMES)
		return _URC_END_OF_STACK;
	trace->pcs[trace->count] = _Unwind_GetIP(context);
	trace->sps[trace->count++] = _Unwind_GetCFA(context);
	return _URC_NO_REASON;
}

/* The whole walk, which is ended then. */
static void follow(struct jf_walk *walk, enum jf_status status)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	ours.count = 0;
	while (status == JF_OK && ours.count < FRAMES) {
		ours.pcs[ours.count] = frame->pc;
		ours.sps[ours.count++] = jf_walk_sp(walk);
		status = jf_walk_step_past_entry(walk);
	}
	ours.status = status;
	jf_walk_end(walk);
}

__attribute__((noinline)) static void walk_both(void)
{
	struct jf_walk walk;

	theirs.count = 0;
	_Unwind_Backtrace(add_frame, &theirs);
	follow(&walk, jf_walk_here(&walk, NULL));
}

/* From frame `first` of ours on, which theirs has somewhere too. libgcc adds one at pc 0, or not. */
static void check_same(unsigned int first)
{
	unsigned int at = 0;

	cr_assert_eq(ours.status, JF_END, "%s after %u frames", jf_status_name(ours.status), ours.count);
	cr_assert_gt(ours.count, first + 1);
	while (at < theirs.count && theirs.pcs[at] != ours.pcs[first])
		at++;
	cr_assert_lt(at, theirs.count, "libgcc has no frame at %" PRIx64, ours.pcs[first]);
	for (unsigned int i = first; i < ours.count; i++, at++)
		cr_assert(at < theirs.count && ours.pcs[i] == theirs.pcs[at] && ours.sps[i] == theirs.sps[at],
			  "frame %u: pc %" PRIx64 ", libgcc %" PRIx64, i, ours.pcs[i], theirs.pcs[at]);
}

static void set_up(void)
{
	if (!jf_backend_host())
		cr_skip_test("no native stubs");
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	cr_assert_eq(jf_thread_init(), JF_OK);
}

TestSuite(walk_native, .init = set_up);

Test(walk_native, here)
{
	walk_both();
	check_same(1);
}

static uint64_t walk_from_stub(uint64_t a, uint64_t b)
{
	walk_both();
	return a + b;
}

/* The frame of call_checked() gives back every register that this frame, with a frame pointer or not, is found by. */
Test(walk_native, from_under_call_checked)
{
	const struct jf_backend *host = jf_backend_host();
	struct jf_regs in, out;

	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		in.value[reg] = host->regs[reg].control ? host->regs[reg].control->at_start : 0xbad;
	cr_assert_eq(host->native->call_checked((uintptr_t)walk_from_stub, 3, 4, &in, &out), 7);
	check_same(1);
}

/* ---- through a signal handler ---------------------------------------------------------------------- */

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	landed_in_handler++;
	if (context)
		walk_both();
}

static void on_signal_by_context(int number, siginfo_t *info, void *context)
{
	struct jf_walk walk;

	(void)number;
	(void)info;
	landed_in_handler++;
	theirs.count = 0;
	_Unwind_Backtrace(add_frame, &theirs);
	follow(&walk, jf_walk_context(&walk, context, NULL));
}

static void raise_with(void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	landed_in_handler = 0;
	raise_signal(SIGUSR1);
	cr_assert_eq(landed_in_handler, 1);
}

static void use_alternate_stack(void)
{
	static uint8_t memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

	cr_assert_eq(sigaltstack(&stack, NULL), 0);
}

Test(walk_native, out_of_a_handler)
{
	raise_with(on_signal, 0);
	check_same(1);
}

Test(walk_native, out_of_a_handler_on_another_stack)
{
	use_alternate_stack();
	raise_with(on_signal, SA_ONSTACK);
	check_same(1);
}

Test(walk_native, from_a_context)
{
	raise_with(on_signal_by_context, 0);
	check_same(0);
	use_alternate_stack();
	raise_with(on_signal_by_context, SA_ONSTACK);
	check_same(0);
}

/* One signal's handler interrupted by another one's, the second walking from what it has interrupted. */
static void on_outer(int number, siginfo_t *info, void *context)
{
	struct sigaction action;

	(void)number;
	(void)info;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_signal_by_context;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	if (context && !sigaction(SIGUSR2, &action, NULL))
		raise_signal(SIGUSR2);
}

static void raise_nested(int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_outer;
	action.sa_flags = SA_SIGINFO | flags;
	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	raise_signal(SIGUSR1);
	check_same(0);
}

Test(walk_native, from_a_context_in_a_handler)
{
	raise_nested(0);
	use_alternate_stack();
	raise_nested(0);
	raise_nested(SA_ONSTACK);
}

/* ---- throws stay in ---------------------------------------------------------------------------------- */

static sigjmp_buf back;
static enum jf_status uncaught_why;

static void on_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	/* The walk is ended: this handler leaves by siglongjmp(). */
	*(bool *)arg = !jf_code_map_in_section() && frame->pc && !frame->range && !frame->function && jf_walk_sp(walk);
	uncaught_why = cookie == 5 ? why : JF_OK;
	siglongjmp(back, 1);
}

static void on_signal_throw(int number)
{
	(void)number;
	cr_assert_neq(jf_throw(5), JF_OK);
}

static uint64_t raises(void)
{
	raise_signal(SIGUSR1);
	return 1;
}

/* The program that the signal has interrupted is a boundary, but has not called the handler. */
Test(walk_native, a_throw_does_not_leave_a_handler)
{
	static const struct jf_insn insns[] = {CALL_HELPER(0), EXIT};
	struct jf_import helper = {.name = "raises", .address = (uintptr_t)raises, .throws = true};
	struct jf_function function = FUNCTION("main", insns);
	struct jf_program program = {.size = sizeof(program),
				     .functions = &function,
				     .function_count = 1,
				     .callback = -1,
				     .helpers = &helper,
				     .helper_count = 1};
	bool called = false;
	const struct jf_uncaught_handler handler = {sizeof(handler), on_uncaught, &called};
	const struct jf_convention *conv;
	struct jf_loaded *loaded;
	char target[32];

	snprintf(target, sizeof(target), "%s/user", jf_backend_host()->name);
	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK);
	cr_assert_eq(jf_load(conv, &program, NULL, NULL, &loaded, NULL), JF_OK);
	cr_assert_eq(jf_uncaught_handler_set(&handler, NULL), JF_OK);
	signal(SIGUSR1, on_signal_throw);
	if (sigsetjmp(back, 1) == 0) {
		jf_run(loaded, 0);
		cr_assert_fail("the program went on");
	}
	cr_assert_eq(uncaught_why, JF_E_NO_BOUNDARY, "%s", jf_status_name(uncaught_why));
	cr_assert(called, "the handler got no pointer, or a walk that is not ended");
	cr_assert_eq(jf_uncaught_handler_set(NULL, NULL), JF_OK);
	jf_unload(loaded);
}

/* ---- bounds ------------------------------------------------------------------------------------------ */

static void *without_init(void *arg)
{
	struct jf_memory memory = {
		.size = sizeof(memory), .low = (uintptr_t)&memory, .high = (uintptr_t)&memory + 4096};
	struct jf_walk_opts opts = {.size = sizeof(opts), .memory = &memory};
	const struct jf_memory *bounds;
	enum jf_status *statuses = arg;
	struct jf_walk walk;

	statuses[0] = jf_walk_here(&walk, NULL);
	jf_walk_end(&walk);
	statuses[1] = jf_walk_here(&walk, &opts);
	jf_walk_end(&walk);
	statuses[2] = jf_thread_init();
	statuses[3] = jf_walk_here(&walk, NULL);
	bounds = &walk_inside(&walk)->memory;
	statuses[4] = bounds->low <= jf_walk_sp(&walk) && bounds->high > jf_walk_sp(&walk) ? JF_OK : JF_E_INVAL;
	follow(&walk, statuses[3]);
	return NULL;
}

Test(walk_native, bounds_are_a_threads_own)
{
	enum jf_status statuses[5];
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, without_init, statuses), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(statuses[0], JF_E_NO_THREAD);
	for (unsigned int i = 1; i < 5; i++)
		CHECK_STATUS(statuses[i], JF_OK, "%u", i);
	cr_assert_eq(ours.status, JF_END, "%s", jf_status_name(ours.status));
}

Test(walk_native, arguments)
{
	struct {
		struct jf_walk_opts opts;
		uint64_t more;
	} newer = {.opts = {.size = sizeof(newer)}, .more = 1};
	struct jf_walk_opts opts = {.size = 0};
	struct jf_walk walk;

	cr_assert_eq(jf_walk_here(NULL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_walk_here(&walk, &newer.opts), JF_E_INVAL);
	cr_assert_eq(jf_walk_here(&walk, &opts), JF_E_INVAL);
	cr_assert_eq(jf_walk_context(&walk, NULL, NULL), JF_E_INVAL);
	opts.size = sizeof(opts);
	opts.by_record = true;
	cr_assert_eq(jf_walk_here(&walk, &opts), JF_E_INVAL);
}
