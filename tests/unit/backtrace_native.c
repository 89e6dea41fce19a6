/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "child.h"

#include <jitframe/backtrace.h>
#include <jitframe/cfi.h>
#include <jitframe/load.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Backtraces of this process: from a helper, from a signal's handler, of a throw that nothing catches. */

static char printed[16384];
static int fd;

static void begin(void)
{
	fd = memfd_create("backtrace", 0);
	cr_assert_geq(fd, 0);
}

static void end(void)
{
	ssize_t bytes = pread(fd, printed, sizeof(printed) - 1, 0);

	cr_assert_geq(bytes, 0);
	printed[bytes] = '\0';
	close(fd);
}

/* Runs main, line 10, which calls below, line 20, which calls `helper`. */
static uint64_t run_with(uint64_t (*helper)(uint64_t), uint64_t arg)
{
	static const struct jf_insn main_insns[] = {MOV_K(6, 66), MOV_K(7, 77), CALL_FUNCTION(1), EXIT};
	static const struct jf_insn below_insns[] = {CALL_HELPER(0), EXIT};
	static const struct jf_source_line main_line = {.line = 10, .file = "two.c"};
	static const struct jf_source_line below_line = {.line = 20, .file = "two.c"};
	const struct jf_source_lines lines[] = {{&main_line, 1}, {&below_line, 1}};
	const struct jf_import import = {.name = "helper", .address = (uintptr_t)helper};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("below", below_insns)};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = functions,
					   .function_count = 2,
					   .callback = -1,
					   .helpers = &import,
					   .helper_count = 1,
					   .lines = lines};
	const struct jf_convention *conv;
	struct jf_loaded *loaded;
	char target[32];
	uint64_t r0;

	snprintf(target, sizeof(target), "%s/user", jf_backend_host()->name);
	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK);
	cr_assert_eq(jf_load(conv, &program, NULL, NULL, &loaded, NULL), JF_OK);
	r0 = jf_run(loaded, arg);
	jf_unload(loaded);
	return r0;
}

/* Behind `from`, these lines in this order, with any C frames and stubs between. */
static const char *expect(const char *from, const char *const *lines)
{
	for (; *lines; lines++) {
		from = strstr(from, *lines);
		cr_assert_not_null(from, "%s is not there, or too early in\n%s", *lines, printed);
		from += strlen(*lines);
	}
	return from;
}

static const char *const bpf_frames[] = {" subprogram below+0x",
					 " insn 0 at two.c:20\n",
					 " main       main+0x",
					 " insn 2 at two.c:10\n",
					 " entry      enter+0x",
					 " c          0x",
					 NULL};

/* ---- from a call ----------------------------------------------------------------------------------- */

static uint64_t prints(uint64_t arg)
{
	const struct jf_backtrace_opts opts = {.size = sizeof(opts), .flags = (uint32_t)arg};

	return (uint64_t)jf_backtrace_print(fd, &opts);
}

Test(backtrace_native, from_a_helper)
{
	begin();
	cr_assert_eq(run_with(prints, 0), JF_END);
	end();
	/* The first frame is the helper's: C code of this program. */
	cr_assert_eq(strncmp(printed, "  #0   c          0x", 20), 0, "%s", printed);
	expect(printed, bpf_frames);
	cr_assert_null(strstr(printed, "ends here"), "%s", printed);
}

/* Nobody has loaded rows of C code. */
Test(backtrace_native, without_rows)
{
	begin();
	cr_assert_eq(jf_thread_init(), JF_OK);
	cr_assert_eq(jf_backtrace_print(fd, NULL), JF_E_NO_ROW);
	end();
	cr_assert_eq(strncmp(printed, "  the walk ends here: no unwind row covers the address (0x", 58), 0, "%s",
		     printed);
}

Test(backtrace_native, registers_as_the_functions_have_them)
{
	static const char *const wanted[] = {"main+0x", "\n         R6=0x42 R7=0x4d R8=", NULL};

	begin();
	cr_assert_eq(run_with(prints, JF_BACKTRACE_REGISTERS), JF_END);
	end();
	expect(printed, wanted);
}

static uint64_t prints_registers(void *arg)
{
	(void)arg;
	return run_with(prints, JF_BACKTRACE_REGISTERS);
}

/* A throw would land in the frame of jf_try(), which is C's. */
Test(backtrace_native, boundaries_of_c)
{
	static const char *const entry[] = {" entry      enter+0x", NULL};
	const char *line, *next;
	uint64_t result = 0;

	begin();
	cr_assert_eq(jf_try(prints_registers, NULL, &result), JF_OK);
	end();
	cr_assert_eq(result, JF_END);
	line = strstr(expect(printed, entry), " try        try+0x");
	cr_assert_not_null(line, "%s", printed);
	next = strchr(line, '\n');
	while (line[-1] != '\n')
		line--;
	cr_assert_eq(*line, '>', "%s", printed);
	cr_assert_eq(strncmp(next, "\n  #", 4), 0, "%s", printed);
}

/* jf_run() is exported by the library, and libc's functions by libc. */
Test(backtrace_native, symbols)
{
	begin();
	cr_assert_eq(run_with(prints, JF_BACKTRACE_SYMBOLS), JF_END);
	end();
	expect(printed, bpf_frames + 2);
	cr_assert(strstr(printed, " in libc.so"), "%s", printed);
	cr_assert(strstr(printed, "__libc_start_main+0x") || strstr(printed, "__libc_start_main_impl+0x"), "%s",
		  printed);
}

/* ---- from a signal ----------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct jf_walk walk;

	(void)number;
	(void)info;
	if (jf_walk_context(&walk, context, NULL) == JF_OK)
		handled = jf_backtrace_print_walk(&walk, fd, NULL) == JF_END;
	jf_walk_end(&walk);
}

static uint64_t raises(uint64_t arg)
{
	(void)arg;
	raise(SIGUSR1);
	return 1;
}

Test(backtrace_native, from_a_handler)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	begin();
	cr_assert_eq(run_with(raises, 0), 1);
	end();
	cr_assert(handled, "%s", printed);
	expect(printed, bpf_frames);
}

/* ---- a throw that nothing catches -------------------------------------------------------------------- */

/* Not marked as one that throws: nothing here is a boundary. */
static uint64_t throws(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie);
}

static void throw_uncaught(void)
{
	dup2(fd, STDERR_FILENO);
	run_with(throws, 5);
}

static const char first_line[] = "jitframe: nothing catches a BPF exception, cookie 5 (0x5): "
				 "no exception boundary is on the stack\n  #0   c          0x";

Test(backtrace_native, uncaught)
{
	begin();
	cr_assert_eq(in_a_child(throw_uncaught), SIGABRT);
	end();
	cr_assert_eq(strncmp(printed, first_line, sizeof(first_line) - 1), 0, "%s", printed);
	expect(printed, bpf_frames);
	cr_assert_null(strstr(printed, "ends here"), "%s", printed);
}

static const struct jf_backtrace_opts with_registers = {.size = sizeof(with_registers),
							.flags = JF_BACKTRACE_REGISTERS};

static void throw_to_the_ready_handler(void)
{
	static const struct jf_uncaught_handler handler = {
		.size = sizeof(handler), .call = jf_uncaught_print, .arg = (void *)(uintptr_t)&with_registers};

	cr_assert_eq(jf_uncaught_handler_set(&handler, NULL), JF_OK);
	throw_uncaught();
}

Test(backtrace_native, uncaught_with_registers)
{
	static const char *const wanted[] = {"nothing catches", "main+0x", "R6=0x42 R7=0x4d", NULL};
	const char *rest;

	begin();
	cr_assert_eq(in_a_child(throw_to_the_ready_handler), SIGABRT);
	end();
	rest = expect(printed, wanted);
	cr_assert_null(strstr(rest, "nothing catches"), "twice: %s", printed);
}

static void looks_away(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	(void)arg;
	(void)cookie;
	(void)walk;
	(void)why;
	dprintf(STDERR_FILENO, "looked away\n");
}

static void throw_to_another_handler(void)
{
	static const struct jf_uncaught_handler handler = {.size = sizeof(handler), .call = looks_away};

	cr_assert_eq(jf_uncaught_handler_set(&handler, NULL), JF_OK);
	throw_uncaught();
}

Test(backtrace_native, uncaught_and_a_handler_that_returns)
{
	static const char *const wanted[] = {"looked away\n", "nothing catches", "below+0x", NULL};

	begin();
	cr_assert_eq(in_a_child(throw_to_another_handler), SIGABRT);
	end();
	expect(printed, wanted);
}
