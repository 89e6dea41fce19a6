/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_LOADS_H
#define JF_TESTS_LOADS_H

#include "bpf.h"
#include "check.h"

#include <jitframe/jitframe.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Programs of two instructions, which return a number of their own. Programs of this file run on the host. */

static inline const struct jf_convention *user_convention(void)
{
	const struct jf_backend *host = jf_backend_host();

	for (unsigned int i = 0; host && i < host->convention_count; i++)
		if (jf_convention_supports(host->conventions[i], JF_CAP_RUN | JF_CAP_USER_BASE))
			return host->conventions[i];
	cr_skip_test("this host has no native stubs");
	return NULL;
}

static inline enum jf_status try_number(int32_t number, struct jf_loaded **loaded)
{
	const struct jf_insn insns[] = {MOV_K(0, number), EXIT};
	const struct jf_function function = FUNCTION("number", insns);
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};

	return jf_load(user_convention(), &program, NULL, NULL, loaded, NULL);
}

static inline struct jf_loaded *load_number(int32_t number)
{
	struct jf_loaded *loaded = NULL;

	CHECK_STATUS(try_number(number, &loaded), JF_OK, "program %d", number);
	return loaded;
}

static inline void run_number(const struct jf_loaded *loaded, int32_t number)
{
	uint64_t result = jf_run(loaded, 0);

	CHECK(result == (uint64_t)(int64_t)number, "program %d returned %lld", number, (long long)result);
}

static inline void unload(struct jf_loaded *loaded)
{
	CHECK_STATUS(jf_unload(loaded), JF_OK, "unload");
}

/* returns: the signal that ended the child, or 100 + its exit status. */
static inline int end_of(pid_t pid)
{
	int status = 0;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 100 + WEXITSTATUS(status);
}

#endif
