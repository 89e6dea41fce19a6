/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel_jit.h"

/* Starts the program that a tree's JIT was made to. Its messages go where ours go. */

static void become(const char *program, const char *argument, FILE *input, const int out[2])
{
	char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};

	dup2(fileno(input), STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(out[0]);
	close(out[1]);
	execv(program, argv);
	fprintf(stderr, "jitframe: %s: %s\n", program, strerror(errno));
	_exit(127);
}

static int read_all(FILE *from, char **text)
{
	size_t size = 0, count;
	FILE *to = open_memstream(text, &size);
	char buffer[4096];

	if (!to)
		return cli_failed("no memory");
	while ((count = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, count, to);
	return fclose(to) == 0 ? 0 : cli_failed("no memory");
}

static int wait_for(const char *program, pid_t pid, const char *text)
{
	const char *error = text ? strstr(text, "error ") : NULL;
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_failed("cannot wait for %s: %s", program, strerror(errno));
	if (error && (error == text || error[-1] == '\n'))
		return cli_failed("%s: %.*s", program, (int)strcspn(error + 6, "\n"), error + 6);
	if (WIFSIGNALED(status))
		return cli_failed("%s: ended by signal %d", program, WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? 0 : cli_failed("%s: exit status %d", program, WEXITSTATUS(status));
}

int kernel_process(const char *program, const char *argument, const char *input, size_t input_size, char **output)
{
	FILE *file = tmpfile(), *from;
	int out[2], status;
	pid_t pid;

	*output = NULL;
	if (!file || fwrite(input, 1, input_size, file) != input_size || fflush(file) != 0 ||
	    lseek(fileno(file), 0, SEEK_SET) != 0 || pipe(out) != 0) {
		status = cli_failed("cannot hand the program over: %s", strerror(errno));
		if (file)
			fclose(file);
		return status;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become(program, argument, file, out);
	close(out[1]);
	fclose(file);
	from = pid > 0 ? fdopen(out[0], "r") : NULL;
	if (!from)
		return cli_failed("cannot start %s: %s", program, strerror(errno));
	status = read_all(from, output);
	fclose(from);
	return status == 0 ? wait_for(program, pid, *output) : status;
}
