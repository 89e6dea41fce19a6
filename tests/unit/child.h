/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHILD_H
#define JF_TESTS_CHILD_H

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `body` in a forked child. returns: the signal that ended the child, or 100 + its exit status. */
static inline int in_a_child(void (*body)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		body();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 100 + WEXITSTATUS(status);
}

#endif
