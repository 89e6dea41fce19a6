/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jitframe/cfi.h>

#include "input.h"
#include "report.h"

#define OPTIONS_MAX 128

struct request {
	const char *name;
	uint32_t seconds;
	int argc;
	char *argv[OPTIONS_MAX + 2]; /* argv[0] is the name */
};

/* Cuts up `line`. returns: false after an error record. */
static bool parse(struct request *request, char *line)
{
	char *rest = NULL, *name = strtok_r(line, "\t", &rest), *seconds = strtok_r(NULL, "\t", &rest);
	char *end = NULL;
	unsigned long count = seconds != NULL ? strtoul(seconds, &end, 10) : 0;

	if (count == 0 || count > INT_MAX || *end != '\0') {
		report_error_text("--batch: a request without a name, or a number of seconds over 0");
		return false;
	}
	request->name = name;
	request->seconds = (uint32_t)count;
	request->argc = 0;
	for (char *field = name; field != NULL; field = strtok_r(NULL, "\t", &rest)) {
		if (request->argc > OPTIONS_MAX) {
			report_error_text("--batch: %s: more than %d options", name, OPTIONS_MAX);
			return false;
		}
		request->argv[request->argc++] = field;
	}
	request->argv[request->argc] = NULL;
	return true;
}

static int create(const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s.%s", name, suffix);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

/* In the child. returns: the exit status. */
static int serve(struct request *request, batch_run run)
{
	int records = create(request->name, "report"), output = create(request->name, "output");

	if (records < 0 || output < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		return report_error_text("%s: %s", request->name, strerror(errno));
	close(output);
	report_open(records);
	alarm(request->seconds);
	return run(request->argc, request->argv);
}

static bool wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

static bool serve_in_child(struct request *request, batch_run run)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		exit(serve(request, run));
	if (pid < 0 || !wait_for(pid, &status)) {
		report_error_text("%s: %s", request->name, strerror(errno));
		return false;
	}
	report("done name=%s status=%d signal=%d", request->name, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return true;
}

/* Of a copy: options are cut up too. */
static void prepare_first(const char *text, batch_run prepare)
{
	char *line = strndup(text, strcspn(text, "\n"));
	struct request request;

	if (line != NULL && line[0] != '\0' && parse(&request, line))
		(void)prepare(request.argc, request.argv);
	free(line);
}

static bool serve_all(char *text, batch_run run)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		struct request request;

		if (!parse(&request, line) || !serve_in_child(&request, run))
			return false;
	}
	return true;
}

int batch(const char *requests, batch_run run, batch_run prepare)
{
	uint8_t *bytes = NULL;
	char *text;
	size_t count = 0;
	bool good;

	if (!input_read(requests, &bytes, &count))
		return EXIT_BAD_INPUT;
	/* The unwind rows of C code, which each child would read anew. One that lacks them says so itself. */
	(void)!jf_cfi_load_objects(NULL);
	text = strndup((const char *)bytes, count);
	free(bytes);
	if (text != NULL)
		prepare_first(text, prepare);
	good = text != NULL && serve_all(text, run);
	free(text);
	return good ? EXIT_OK : EXIT_BAD_INPUT;
}
