/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "child.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jitframe/jitframe.h>

/* The library in a process that does other things: its signals, its stack's end, its threads, its mistakes. */

static const struct jf_insn returns_7[] = {MOV_K(0, 7), EXIT};
static const struct jf_function function = FUNCTION("main", returns_7);
static const struct jf_program program = {
	.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};

static const struct jf_convention *user_convention(void)
{
	const struct jf_backend *host = jf_backend_host();

	for (unsigned int i = 0; host && i < host->convention_count; i++)
		if (jf_convention_supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			return host->conventions[i];
	cr_skip_test("this host has no native stubs");
	return NULL;
}

/* ---- signals that are not jitframe's ---------------------------------------------------------------------- */

static volatile sig_atomic_t handled, blocked_inside;

static void count_signal(int number)
{
	sigset_t mask;

	(void)number;
	handled++;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	blocked_inside = sigismember(&mask, SIGUSR1) + 2 * sigismember(&mask, SIGSEGV);
}

static void set_action(void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigaddset(&action.sa_mask, SIGUSR1);
	cr_assert_eq(sigaction(SIGSEGV, &action, NULL), 0);
}

static void install(void)
{
	if (jf_fault_handler_install() != JF_OK)
		_exit(1);
}

static void killed_by_default(void)
{
	set_action(SIG_DFL, 0);
	install();
	kill(getpid(), SIGSEGV);
}

static void killed_and_ignored(void)
{
	set_action(SIG_IGN, 0);
	install();
	kill(getpid(), SIGSEGV);
	kill(getpid(), SIGSEGV);
	_exit(7);
}

static void fault(void)
{
	static volatile uintptr_t nowhere = 8;

	*(volatile int *)nowhere = 1;
}

static void faults_and_is_ignored(void)
{
	set_action(SIG_IGN, 0);
	install();
	fault();
}

static void killed_once_for_all(void)
{
	set_action(count_signal, (int)SA_RESETHAND);
	install();
	kill(getpid(), SIGSEGV);
	if (handled != 1)
		_exit(2);
	kill(getpid(), SIGSEGV);
}

static void installed_again(void)
{
	install();
	set_action(SIG_DFL, 0);
	install();
	set_action(count_signal, 0);
	install(); /* a handler put over it: nothing to do */
	kill(getpid(), SIGSEGV);
	_exit(handled == 1 ? 7 : 2);
}

Test(process, signals_go_to_whoever_was_there)
{
	user_convention();
	cr_expect_eq(in_a_child(killed_by_default), SIGSEGV, "kill() under the default action");
	cr_expect_eq(in_a_child(killed_and_ignored), 107, "kill() that is ignored");
	cr_expect_eq(in_a_child(faults_and_is_ignored), SIGSEGV, "a fault cannot be ignored");
	cr_expect_eq(in_a_child(killed_once_for_all), SIGSEGV, "SA_RESETHAND");
	cr_expect_eq(in_a_child(installed_again), 107, "installed again");
}

Test(process, handlers_have_their_own_masks)
{
	user_convention();
	set_action(count_signal, 0);
	cr_assert_eq(jf_fault_handler_install(), JF_OK);
	kill(getpid(), SIGSEGV);
	cr_assert_eq(handled, 1);
	cr_expect_eq(blocked_inside, 3, "sa_mask and the signal itself are blocked");
}

Test(process, handlers_may_want_the_signal_again)
{
	user_convention();
	set_action(count_signal, (int)SA_NODEFER);
	cr_assert_eq(jf_fault_handler_install(), JF_OK);
	kill(getpid(), SIGSEGV);
	cr_assert_eq(handled, 1);
	cr_expect_eq(blocked_inside, 1, "SA_NODEFER: sa_mask alone");
}

/* ---- a stack that is used up --------------------------------------------------------------------------------- */

static unsigned int overflow_frames;
static enum jf_status overflow_status;

static void on_overflow(int number, siginfo_t *info, void *ucontext)
{
	struct jf_walk walk;

	(void)number;
	(void)info;
	overflow_status = jf_walk_context(&walk, ucontext, NULL);
	while (overflow_status == JF_OK && ++overflow_frames < 100)
		overflow_status = jf_walk_step(&walk);
	_exit(overflow_frames == 100 ? 7 : 50 + (int)overflow_frames % 50);
}

static int deeper(volatile int *above);
static int (*volatile deeper_again)(volatile int *) = deeper; /* compilers refuse what never returns */

static int deeper(volatile int *above)
{
	volatile int here[16] = {0};

	here[0] = *above + 1;
	return deeper_again(here) + here[1];
}

static void *use_up(void *arg)
{
	static uint8_t alternate[65536];
	struct sigaction action;
	volatile int bottom = 0;
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

	(void)arg;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_overflow;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	if (sigaltstack(&stack, NULL) || sigaction(SIGSEGV, &action, NULL) || jf_thread_init() != JF_OK)
		_exit(1);
	deeper(&bottom);
	return NULL;
}

static void use_up_the_first(void)
{
	use_up(NULL);
}

static void use_up_another(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, use_up, NULL) || pthread_join(thread, NULL))
		_exit(1);
}

Test(process, an_overflown_stack_can_be_walked)
{
	user_convention();
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	cr_expect_eq(in_a_child(use_up_another), 107, "of a thread");
	cr_expect_eq(in_a_child(use_up_the_first), 107, "of the first thread");
}

/* ---- threads that do the same at once --------------------------------------------------------------------- */

#define LOADERS    8
#define LONG_INSNS 400000 /* compiling takes longer than a thread has the processor for */
static pthread_barrier_t together;
static struct jf_insn long_insns[LONG_INSNS];

/* With a BPF stack of 64 bytes in a private stack. */
static void *load_with_private_stack(void *arg)
{
	const struct jf_function stacked = FUNCTION("main", long_insns);
	struct jf_program with_stack = program;
	struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = true};
	struct jf_loaded *loaded = NULL;
	enum jf_status status;

	with_stack.functions = &stacked;
	pthread_barrier_wait(&together);
	status = jf_load(arg, &with_stack, &opts, NULL, &loaded, NULL);
	pthread_barrier_wait(&together);
	if (status == JF_OK && jf_run(loaded, 0) != 1)
		status = JF_E_GUARD;
	jf_unload(loaded);
	return (void *)(intptr_t)status;
}

Test(process, private_stacks_are_had_by_many_loads_at_once)
{
	void *conv = (void *)(uintptr_t)user_convention();
	pthread_t threads[LOADERS];

	for (unsigned int i = 0; i < LONG_INSNS; i++)
		long_insns[i] = (struct jf_insn)ALU64_K(ADD, 1, 1);
	long_insns[0] = (struct jf_insn)ST(DW, 10, -64, 1);
	long_insns[LONG_INSNS - 2] = (struct jf_insn)LDX(DW, 0, 10, -64);
	long_insns[LONG_INSNS - 1] = (struct jf_insn)EXIT;
	pthread_barrier_init(&together, NULL, LOADERS);
	for (unsigned int i = 0; i < LOADERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, load_with_private_stack, conv), 0);
	for (unsigned int i = 0; i < LOADERS; i++) {
		void *status;

		pthread_join(threads[i], &status);
		CHECK_STATUS((enum jf_status)(intptr_t)status, JF_OK, "thread %u", i);
	}
}

/* ---- inside a reader section ------------------------------------------------------------------------------ */

Test(process, nothing_waits_for_its_own_section)
{
	const struct jf_convention *conv = user_convention();
	struct jf_loaded *loaded = NULL;
	unsigned int section = jf_code_map_enter();

	cr_expect_eq(jf_cfi_load_objects(NULL), JF_E_IN_SECTION);
	cr_expect_eq(jf_load(conv, &program, NULL, NULL, &loaded, NULL), JF_E_IN_SECTION);
	jf_code_map_leave(section);
	cr_expect_eq(jf_load(conv, &program, NULL, NULL, &loaded, NULL), JF_OK);
	cr_expect_eq(jf_run(loaded, 0), 7);
	jf_unload(loaded);
}

/* ---- mistakes --------------------------------------------------------------------------------------------- */

Test(process, null_is_no_program)
{
	struct jf_regs regs;

	cr_expect_eq(jf_run(NULL, 1), 0);
	cr_expect_eq(jf_run_checked(NULL, 1, &regs, &regs), 0);
	cr_expect_null(jf_loaded_image(NULL));
	cr_expect_eq(jf_loaded_entry(NULL), 0);
	cr_expect_eq(jf_walk_step(NULL), JF_E_INVAL);
	jf_unload(NULL);
}

/* `size` bytes with nothing readable behind them. */
static void *at_the_edge(const void *bytes, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(pages, MAP_FAILED);
	cr_assert_eq(mprotect(pages + page, page, PROT_NONE), 0);
	return memcpy(pages + page - size, bytes, size);
}

Test(process, structs_of_older_callers_end_where_they_say)
{
	const struct jf_convention *conv = user_convention();
	struct jf_compile_opts opts = {.size = offsetof(struct jf_compile_opts, values)};
	struct jf_program old = program;
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_loaded *loaded = NULL;
	struct jf_inferred inferred = {.size = sizeof(inferred)};

	old.size = offsetof(struct jf_program, arena_user_base);
	cr_assert_eq(jf_load(conv, at_the_edge(&old, old.size), at_the_edge(&opts, opts.size), NULL, &loaded, NULL),
		     JF_OK);
	cr_expect_eq(jf_run(loaded, 0), 7);
	input.conv = conv;
	input.bytes = (const uint8_t *)(uintptr_t)jf_loaded_entry(loaded);
	input.byte_count = jf_loaded_image(loaded)->size_bytes;
	input.size = offsetof(struct jf_check_input, boundary);
	cr_expect_eq(jf_check_infer(at_the_edge(&input, input.size), JF_INFER_ANY_ROLE, &inferred), JF_OK);
	jf_unload(loaded);
	opts.size = 2;
	cr_expect_eq(jf_load(conv, &program, &opts, NULL, &loaded, NULL), JF_E_INVAL);
}
