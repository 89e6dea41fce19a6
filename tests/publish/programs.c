/* SPDX-License-Identifier: BSD-2-Clause */
#include "programs.h"

#include "bpf.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t (*programs_leaf)(uint64_t arg);
uint64_t (*programs_between)(uint64_t (*inner_run)(uint64_t), uint64_t arg);

static struct jf_loaded *inner, *outer;

static uint64_t run_inner(uint64_t arg)
{
	return jf_run(inner, arg);
}

static uint64_t call_leaf(uint64_t arg)
{
	return programs_leaf(arg);
}

static uint64_t call_between(uint64_t arg)
{
	return programs_between(run_inner, arg);
}

/* Every register that a BPF function has to keep holds something else meanwhile. */
static const struct jf_insn main_insns[] = {MOV_K(6, 61), MOV_K(7, 71),     MOV_K(8, 81),
					    MOV_K(9, 91), CALL_FUNCTION(1), EXIT};
static const struct jf_insn sub_insns[] = {MOV_K(6, 62),         MOV_K(7, 72),         MOV_K(8, 82),   MOV_K(9, 92),
					   STX(DW, 10, 1, -200), LDX(DW, 1, 10, -200), CALL_HELPER(0), EXIT};
static const struct jf_insn callback_insns[] = {MOV_X(0, 1), EXIT};

static enum jf_status load(const struct jf_convention *conv, unsigned int how, uint64_t (*helper)(uint64_t),
			   struct jf_loaded **loaded, struct jf_error *error)
{
	static const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("sub", sub_insns),
						       FUNCTION("callback", callback_insns)};
	const struct jf_import import = {
		.name = "helper", .address = (uintptr_t)helper, .throws = how & PROGRAMS_BOUNDARY};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = functions,
					   .function_count = how & PROGRAMS_BOUNDARY ? 3 : 2,
					   .callback = how & PROGRAMS_BOUNDARY ? 2 : -1,
					   .helpers = &import,
					   .helper_count = 1};
	const struct jf_compile_opts opts = {.size = sizeof(opts),
					     .private_stack = how & PROGRAMS_PRIVATE_STACK,
					     .sign_return = how & PROGRAMS_SIGN_RETURN};

	return jf_load(conv, &program, &opts, NULL, loaded, error);
}

enum jf_status programs_load(const struct jf_convention *conv, unsigned int how, struct jf_error *error)
{
	enum jf_status status = load(conv, how, call_leaf, &inner, error);

	if (status == JF_OK) {
		status = load(conv, how, call_between, &outer, error);
		if (status != JF_OK)
			jf_unload(inner);
	}
	return status;
}

enum jf_status programs_unload(void)
{
	enum jf_status status = jf_unload(outer);

	return status == JF_OK ? jf_unload(inner) : status;
}

uint64_t programs_run(uint64_t arg)
{
	return jf_run(outer, arg);
}

uint64_t programs_address(void)
{
	return jf_loaded_entry(outer);
}

enum jf_status programs_load_small(const struct jf_convention *conv, int32_t number, struct jf_loaded **loaded)
{
	const struct jf_insn insns[] = {MOV_K(0, number), EXIT};
	const struct jf_function function = FUNCTION("small", insns);
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};

	return jf_load(conv, &program, NULL, NULL, loaded, NULL);
}

int programs_in_a_child(void (*body)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		body();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 100 + WEXITSTATUS(status);
}
