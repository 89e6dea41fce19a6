/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct result result;

static void read_back(FILE *file, char *text, size_t capacity)
{
	rewind(file);
	text[fread(text, 1, capacity - 1, file)] = '\0';
	fclose(file);
}

void jitframe(const char *arguments)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char command[2048];
	int status = -1;
	pid_t pid;

	cr_assert(getenv("JITFRAME") && out && err, "JITFRAME has to name the command");
	snprintf(command, sizeof(command), "'%s' %s", getenv("JITFRAME"), arguments);
	pid = fork();
	if (pid == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	read_back(out, result.out, sizeof(result.out));
	read_back(err, result.err, sizeof(result.err));
}

json_t *jitframe_json(const char *arguments, int wanted)
{
	json_error_t error;
	json_t *value;

	jitframe(arguments);
	cr_assert_eq(result.status, wanted, "%s: %d: %s", arguments, result.status, result.err);
	value = json_loads(result.out, 0, &error);
	cr_assert_not_null(value, "%s: line %d: %s", arguments, error.line, error.text);
	return value;
}
