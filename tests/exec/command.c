/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test framework sees the signal, a test without one ends. */
static void need(bool is_so, const char *what)
{
	if (is_so)
		return;
	perror(what);
	abort();
}

void command_add(struct command *command, const char *arg)
{
	need(command->argc < COMMAND_ARGS_MAX, "too many arguments");
	command->argv[command->argc++] = arg;
	command->argv[command->argc] = NULL;
}

/* Does not return: in the child. */
static void become_command(const struct command *command, FILE *in, FILE *out, FILE *err)
{
	const struct rlimit none = {0, 0};

	/* Some commands are to die: no core files of them. */
	setrlimit(RLIMIT_CORE, &none);
	if (in != NULL)
		dup2(fileno(in), STDIN_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	execvp(command->argv[0], (char *const *)(uintptr_t)command->argv);
	perror(command->argv[0]);
	_exit(127);
}

/* returns: a file to read `text` from, NULL when that is NULL. */
static FILE *open_text(const char *text)
{
	FILE *file = text != NULL ? tmpfile() : NULL;

	need(text == NULL || file != NULL, "no temporary file");
	if (file != NULL) {
		fputs(text, file);
		fflush(file);
		rewind(file);
	}
	return file;
}

static char *read_whole(FILE *file)
{
	size_t size;
	char *text;

	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	text = calloc(size + 1, 1);
	need(text != NULL, "no memory");
	need(fread(text, 1, size, file) == size, "a temporary file");
	fclose(file);
	return text;
}

void command_run(struct command *command)
{
	FILE *in = open_text(command->input), *out = tmpfile(), *err = tmpfile();
	int status;
	pid_t pid;

	need(out != NULL && err != NULL, "no temporary files");
	fflush(NULL);
	pid = fork();
	need(pid >= 0, "no process");
	if (pid == 0)
		become_command(command, in, out, err);
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	if (in != NULL)
		fclose(in);
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	command->out = read_whole(out);
	command->err = read_whole(err);
}

void command_fini(struct command *command)
{
	free(command->out);
	free(command->err);
	command->out = NULL;
	command->err = NULL;
}
