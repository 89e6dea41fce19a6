/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_EXEC_COMMAND_H
#define TESTS_EXEC_COMMAND_H

#define COMMAND_ARGS_MAX 32

/* A command that was run to its end, and what it printed. */
struct command {
	const char *argv[COMMAND_ARGS_MAX + 1]; /* ended by NULL */
	unsigned int argc;
	const char *input; /* its standard input; NULL: that of the test */
	int status;        /* exit status, or 128 + the signal that ended it */
	char *out;         /* whole standard output and standard error, with a NUL behind */
	char *err;
};

void command_add(struct command *command, const char *arg);

/* Runs argv, found through PATH. Failures that are not the command's own abort the test. */
void command_run(struct command *command);
void command_fini(struct command *command);

#endif
