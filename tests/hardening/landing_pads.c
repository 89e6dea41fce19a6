/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Landing pads are checked where the processor and its pages can: whoever jumps past the pad of a program dies. TAP.
 */

#include "../support/load_functions.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t throw_it(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie);
}

/* main calls a subprogram, which throws; R0 of main is R1. */
static struct jf_loaded *load(bool landing_pads, struct jf_error *error)
{
	static const struct jf_insn main_insns[] = {{0x85, 0x10, 0, 1}, {0x95, 0, 0, 0}};
	static const struct jf_insn sub_insns[] = {{0x85, 0x20, 0, 0}, {0x95, 0, 0, 0}};
	static const struct jf_function functions[] = {{"main", main_insns, 2}, {"sub", sub_insns, 2}};
	const struct jf_import kfunc = {.name = "kfunc", .address = (uintptr_t)throw_it, .throws = true};
	const struct jf_compile_opts opts = {.size = sizeof(opts), .landing_pads = landing_pads};

	return load_functions(functions, 2, &kfunc, &opts, error);
}

/* The address of main's second instruction; with landing pads the first one is the pad. */
static uint64_t second_insn(const struct jf_loaded *loaded)
{
	uint64_t entry = jf_loaded_entry(loaded);
	struct jf_effect effect;

	if (jf_decode(jf_backend_host(), (const void *)(uintptr_t)entry, 16, &effect) != JF_OK)
		exit(1);
	return entry + effect.size_bytes;
}

static bool dies_at(uint64_t address, int *signal)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		const struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		_exit(jf_backend_host()->native->enter(address, 33, 0) == 33 ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(1);
	*signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return *signal || WEXITSTATUS(status);
}

static bool runs(const struct jf_loaded *loaded)
{
	for (uint64_t i = 0; i < 3; i++)
		if (jf_run(loaded, i) != i)
			return false;
	return true;
}

int main(void)
{
	const struct jf_native *native = jf_backend_host()->native;
	struct jf_error error = {0};
	struct jf_loaded *without = load(false, &error), *with = without ? load(true, &error) : NULL;
	bool good = without && runs(without);
	int signal = 0;

	printf("1..3\n%sok 1 - a program without landing pads runs and throws\n", good ? "" : "not ");
	if (without && !with && error.status == JF_E_UNSUPPORTED) {
		printf("ok 2 # SKIP %s: %s\nok 3 # SKIP there is no pad\n", error.where, error.text);
		return good ? 0 : 1;
	}
	if (!with || !runs(with))
		good = false;
	printf("%sok 2 - a program with landing pads runs and throws\n", good ? "" : "not ");
	if (!native->landing_pad_prot || !native->landing_pad_prot()) {
		printf("ok 3 # SKIP this processor, or its kernel, checks no landing pads of processes\n");
		return good ? 0 : 1;
	}
	if (good)
		good = dies_at(second_insn(with), &signal) && signal == SIGILL;
	printf("%sok 3 - a jump past the pad ends in signal %d\n", good ? "" : "not ", signal);
	jf_unload(with);
	jf_unload(without);
	return good ? 0 : 1;
}
