/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_RUN_H
#define JF_TOOLS_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli.h"

/* ---- launch.c: the runner as a process ---- */

#define LAUNCH_ARGS_MAX 64

struct launch {
	const struct jf_backend *backend;
	const char *argv[LAUNCH_ARGS_MAX]; /* the runner's own arguments from argv[0] on, ended by NULL */
	unsigned int argc;
	const void *bundle;
	size_t bundle_size;
	bool stdout_to_stderr; /* standard output belongs to us alone */
};

/* What became of it. */
struct outcome {
	int signal; /* 0: none */
	int status; /* exit status, when there was no signal */
};

/*
 * Finds jf-runner-ARCH, and an emulator where ARCH is not this processor, and starts it with the bundle.
 * out: *report gives the records; *pid is for launch_wait(). returns: 0, or prints and an exit status.
 */
int launch_start(struct launch *launch, FILE **report, int *pid);
int launch_wait(int pid, struct outcome *outcome);

/* ---- trace.c: what the runner reports ---- */

struct trace;
struct trace *trace_new(bool json);
void trace_free(struct trace *trace);
/* One record: a line without its newline; the line is cut up. Text comes out at once where it can. */
void trace_record(struct trace *trace, char *line);
/* Prints what is left as text. */
void trace_finish(struct trace *trace);
/* What the runner could not do, or NULL. */
const char *trace_error(const struct trace *trace);
bool trace_has_result(const struct trace *trace);
/* All records as one object; the caller's. */
json_t *trace_json(struct trace *trace);

#endif
